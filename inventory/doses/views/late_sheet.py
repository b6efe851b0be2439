"""Enter a downtime sheet: many doses quickly, each given already, row by row. What is wrong stays in its row; the rest is recorded."""

from collections.abc import Iterator
from datetime import date, datetime
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from inventory.audit.services import log_list
from inventory.clinic.current import current_site, settings_here
from inventory.courses.rules.terms import SlotState
from inventory.doses.forms.late_sheet import (
    MOST_ROWS,
    SPARE_ROWS,
    Row,
    SheetDay,
    SheetForm,
    asked_of,
    listed,
    row_form,
    sheet_day,
    written,
)
from inventory.doses.presenters.due import due_line
from inventory.doses.presenters.late_sheet import offered_containers, recorded_words
from inventory.doses.queries.assessment import limits_of
from inventory.doses.queries.late_sheet import Sheet, late_sheet
from inventory.doses.queries.offer import chosen_among
from inventory.doses.queries.story import get_dose
from inventory.doses.rules.rotation import allowed_sites
from inventory.doses.rules.terms import BODY_SITE_WORDS
from inventory.doses.services.late_sheet import record_from_sheet
from inventory.doses.views.blueprint import bp
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Permission
from inventory.staff.current import current_actor
from inventory.web.access import requires
from inventory.web.presenting import site_today


@bp.route("/give/sheet", methods=["GET", "POST"])
@requires(Permission.DOSE_GIVE)
def enter_sheet() -> ResponseReturnValue:
    """Show the sheet of a day to be filled in, and record what is typed."""
    days, form = SheetDay(), SheetForm()
    on = _day(days)
    sent = form.validate_on_submit()
    form.rows = list(_rows(form, on))
    if sent:
        _record(form)
        if not form.problems():
            return redirect(url_for("doses.enter_sheet", on=on.isoformat()))
    return _page(days, form, on)


def _day(days: SheetDay) -> date:
    """Return the day of the sheet; what is wrong with it stands beside its field, and today is shown."""
    try:
        return sheet_day(days.on.data if days.validate() else None, site_today())
    except Refusal as refusal:
        days.apply_refusal(refusal)
        return site_today()


def _rows(form: SheetForm, on: date) -> Iterator[Row]:
    """Give the rows of the sheet: who was due, then spare ones, each with the containers it may have been given from."""
    session, at, site = db.session(), now(), current_site()
    sheet = late_sheet(session, listed(form.slots.data), site=site, on=on, at=at, most=MOST_ROWS)
    for due in sheet.rows:
        line = due_line(due, site_today())
        prefix = f"slot-{due.slot_id.hex}-"
        row = Row(prefix, row_form(prefix, on, line, due.dose_ng), line)
        row.is_open = due.state == SlotState.OPEN
        row.dose = sheet.doses.get(due.slot_id)
        yield _offered(row, sheet, str(due.formulation_id))
    for number in range(SPARE_ROWS):
        prefix = f"spare-{number}-"
        yield _offered(Row(prefix, row_form(prefix, on, None, None)), sheet, "")


def _offered(row: Row, sheet: Sheet, formulation_id: str) -> Row:
    allowed = allowed_sites(limits_of(settings_here()))
    row.form.body_site.offer((site.value, BODY_SITE_WORDS[site]) for site in allowed)
    row.form.source.offer(offered_containers(sheet, formulation_id))
    if row.form.source.data in row.form.source.offered:
        row.chosen = chosen_among(db.session(), sheet.containers, str(row.form.source.data))
    return row


def _record(form: SheetForm) -> None:
    """Record every row in which something was typed; a row that is refused keeps what was typed and says why."""
    site_id, at, made = current_site().id, now(), []
    typed = [row for row in form.rows if row.is_left and row.form.is_typed]
    for row in typed:
        if not row.form.validate():
            continue
        try:
            made.append(_one(form, row, site_id=site_id, at=at))
        except (Refusal, Refusals) as refusal:
            row.form.apply_refusal(refusal)
    if made or not typed:
        flash(recorded_words(made), "success" if made else "info")


def _one(form: SheetForm, row: Row, *, site_id: UUID, at: datetime) -> tuple[int, bool, bool]:
    """Record one row. Returns the number of its dose, whether it was recorded before, and whether it is a deviation."""
    outcome = record_from_sheet(
        actor=current_actor(),
        at=at,
        request=asked_of(db.session(), row, site_id=site_id),
        slot_id=row.line.slot_id if row.line else None,
        request_key=form.part_key(row.prefix),
    )
    row.dose = get_dose(db.session(), outcome.subject_id)
    return row.dose.number, outcome.repeated, row.dose.is_deviation


def _page(days: SheetDay, form: SheetForm, on: date) -> ResponseReturnValue:
    known = [row.line for row in form.rows if row.line]
    form.slots.data = written(line.slot_id for line in known)
    wrong = bool(form.problems() or days.errors)
    page = render_template("doses/late_sheet.html", days=days, form=form, on=on, most=MOST_ROWS)
    log_list(current_actor(), [line.patient_id for line in known], "downtime sheet")
    return page, 422 if wrong else 200
