"""A dose that was due and was not given: missed, skipped, or put off to another day, with the reason. Until then it stays on the list."""

from datetime import date
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from inventory.audit.services import log_access
from inventory.courses.rules.terms import SlotState
from inventory.courses.services import adjust_course, decide_slot
from inventory.desk.blueprint import bp
from inventory.doses.presenters.due import DueLine, due_line
from inventory.doses.queries.due import due_slot
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Permission
from inventory.staff.current import current_actor
from inventory.web.access import requires
from inventory.web.fields import DateField, LongTextField, RadioChoiceField, Required
from inventory.web.forms import ClinicForm
from inventory.web.presenting import day, site_today

ANOTHER_DAY = "another_day"
_CHOICES = (
    (SlotState.MISSED.value, "Missed: it was not given, and is due again"),
    (SlotState.SKIPPED.value, "Skipped: it is left out, and counts as done"),
)
_PUT_OFF = (ANOTHER_DAY, "Another day: it is due on the day below instead")


class DecideForm(ClinicForm):
    """What becomes of a dose that is due, and why."""

    state = RadioChoiceField("What becomes of it?", [Required("Say what becomes of this dose.")])
    next_due_on = DateField("Next day it is due")
    reason = LongTextField("Why", [Required("Say why it was not given as planned.")])


@bp.route("/due/<uuid:slot_id>/decide", methods=["GET", "POST"])
@requires(Permission.DOSE_GIVE)
def decide_due(slot_id: UUID) -> ResponseReturnValue:
    """Decide about a dose that is due."""
    row = due_slot(db.session(), slot_id, at=now())
    line = due_line(row, site_today())
    log_access(current_actor(), line.patient_id, "due dose")
    form = _form()
    if form.validate_on_submit():
        try:
            _decide(form, line)
        except (Refusal, Refusals) as refusal:
            form.apply_refusal(refusal)
        else:
            flash("It is decided. The course goes on as its page says.")
            return redirect(url_for("desk.due"))
    back = {"submit_text": "Decide", "cancel_to": url_for("desk.due")}
    return render_template(
        "desk/due_decide.html", form=form, line=line, prescribes=_prescribes(), **back
    ), form.status


def _prescribes() -> bool:
    return current_actor().can(Permission.COURSE_PRESCRIBE)


def _form() -> DecideForm:
    """Return the form; the day on which a dose is due is a prescriber's to say."""
    form = DecideForm()
    form.state.offer([*_CHOICES, _PUT_OFF] if _prescribes() else _CHOICES)
    if not _prescribes():
        del form.next_due_on
    return form


def _decide(form: DecideForm, line: DueLine) -> None:
    """Carry out what the valid form says. Raises Refusal DUE-DAY-NEEDED; as `decide_slot` and `adjust_course`."""
    told: dict[str, Any] = {"actor": current_actor(), "at": now(), "reason": str(form.reason.data)}
    told |= {"next_due_on": _next_day(form), "request_key": form.act_key}
    if form.state.data == ANOTHER_DAY:
        if told["next_due_on"] is None:
            raise Refusal("DUE-DAY-NEEDED", "Type the day on which it is due instead.", "next_due_on")
        adjust_course(course_id=line.course_id, **told)
        return
    decide_slot(slot_id=line.slot_id, state=SlotState(form.state.data), today=site_today(), **told)


def _next_day(form: DecideForm) -> date | None:
    """Return the day that was typed. Raises Refusal DUE-DAY-PAST for one that is gone."""
    typed: date | None = form.next_due_on.data if "next_due_on" in form else None
    if typed is not None and typed < site_today():
        raise Refusal("DUE-DAY-PAST", f"{day(typed)} is past. Type today or a later day.", "next_due_on")
    return typed
