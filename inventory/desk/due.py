"""The due list: who is due today, who is overdue, who comes next; and the same as a calendar of the month (law 11: each look is logged)."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue

from inventory.audit.services import log_list
from inventory.clinic.current import all_sites, current_site
from inventory.desk.blueprint import bp
from inventory.doses.forms.due import DueFilter, MonthFilter, due_filter
from inventory.doses.presenters.due import DUE_TONES, DUE_WORDS, due_line
from inventory.doses.queries.due import Wanted, due_counts, due_days, due_page
from inventory.doses.rules.due import NEXT_DAYS, month_before, next_month, weeks_of
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.permissions import Permission
from inventory.staff.current import current_actor
from inventory.web.access import requires
from inventory.web.pagination import cursor_here
from inventory.web.presenting import site_today


@bp.get("/due")
@requires(Permission.PATIENT_READ)
def due() -> ResponseReturnValue:
    """List who is due: overdue, today, within the next 14 days, the longest overdue on top."""
    filters = due_filter()
    told = _told(filters) if filters.validate() else {"page": None, "lines": []}
    shown = render_template("desk/due.html", filters=filters, today=site_today(), **told)
    log_list(current_actor(), [line.patient_id for line in told["lines"]], "due list")
    return shown, 422 if told["page"] is None else 200


def _told(filters: DueFilter) -> dict[str, Any]:
    session, today, at = db.session(), site_today(), now()
    wanted = filters.wanted(today)
    page = due_page(session, wanted, at=at, cursor=cursor_here())
    everything = replace(wanted, first_on=None, last_on=today + timedelta(days=NEXT_DAYS))
    return {
        "page": page,
        "lines": [due_line(row, today) for row in page.items],
        "counts": due_counts(session, everything, today=today),
        "words": DUE_WORDS,
        "tones": DUE_TONES,
        "sites": {site.id: site.name for site in all_sites()} if len(wanted.site_ids) > 1 else {},
    }


@bp.get("/due/calendar")
@requires(Permission.PATIENT_READ)
def due_calendar() -> str:
    """Show how many are due on each day of a month. No patient is named here."""
    today = site_today()
    month = MonthFilter().first_on(today)
    return render_template(
        "desk/due_calendar.html",
        month=month,
        weeks=weeks_of(month),
        before=month_before(month),
        after=next_month(month),
        today=today,
        counts=_counted(month),
    )


def _counted(month: date) -> dict[date, int]:
    weeks = weeks_of(month)
    here = [current_site().id]
    return due_days(db.session(), Wanted(site_ids=here, first_on=weeks[0][0], last_on=weeks[-1][-1]))
