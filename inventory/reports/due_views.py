"""The papers about what is due, each made when it is asked for and logged as a look at the patients on it (law 11)."""

from datetime import date, timedelta
from uuid import UUID

from flask import Response, request
from flask.typing import ResponseReturnValue

from inventory.audit.services import log_access, log_list
from inventory.clinic.current import current_site
from inventory.doses.forms.due import DueFilter, due_filter
from inventory.kernel.clock import now
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Permission
from inventory.reports import due_papers
from inventory.reports.blueprint import bp
from inventory.staff.current import current_actor
from inventory.web.access import requires
from inventory.web.presenting import day, site_today
from inventory.web.typed_text import NotAcceptedError, parse_date

_AHEAD = timedelta(days=14)
"""How far ahead a downtime sheet may be printed: a power cut is announced, or the list is carried along."""


@bp.get("/due.pdf")
@requires(Permission.PATIENT_READ)
def due_sheet() -> ResponseReturnValue:
    """The due list on paper, narrowed as it was on the page."""
    filters = due_filter()
    if not filters.validate():
        raise Refusal("DUE-FILTER", "The list cannot be narrowed so. Go back and choose again.", status=422)
    wanted, actor = filters.wanted(site_today()), current_actor()
    lines, content = due_papers.due_list_pdf(
        wanted, site=current_site(), filters=_in_words(filters), actor=actor, at=now()
    )
    log_list(actor, [line.patient_id for line in lines], "due list printed")
    return _pdf(content, f"due-{site_today().isoformat()}.pdf")


@bp.get("/downtime-sheet.pdf")
@requires(Permission.DOSE_GIVE)
def downtime_sheet() -> ResponseReturnValue:
    """The downtime sheet of today, or of the day `on`: who is due, with fields to write in by hand."""
    actor, on = current_actor(), _day_here()
    lines, content = due_papers.downtime_pdf(site=current_site(), on=on, actor=actor, at=now())
    log_list(actor, [line.patient_id for line in lines], "downtime sheet")
    return _pdf(content, f"downtime-{on.isoformat()}.pdf")


@bp.get("/course-cards/<uuid:patient_id>.pdf")
@requires(Permission.PATIENT_READ)
def course_card(patient_id: UUID) -> ResponseReturnValue:
    """The course card of a patient, to take home."""
    log_access(current_actor(), patient_id, "course card")
    content = due_papers.course_card_pdf(patient_id, site=current_site(), at=now())
    return _pdf(content, "course-card.pdf")


def _pdf(content: bytes, name: str) -> Response:
    response = Response(content, content_type="application/pdf")
    response.headers.set("Content-Disposition", "inline", filename=name)
    return response


def _day_here() -> date:
    """Return the day of the sheet: today, or one of the next 14 days. Raises Refusal DOWNTIME-DAY."""
    today = site_today()
    try:
        on = parse_date(request.args.get("on") or today.isoformat())
    except NotAcceptedError as error:
        raise Refusal("DOWNTIME-DAY", str(error), status=422) from error
    if not today <= on <= today + _AHEAD:
        said = f"A downtime sheet is printed for {day(today)}, or for one of the next 14 days."
        raise Refusal("DOWNTIME-DAY", said, status=422)
    return on


def _in_words(filters: DueFilter) -> list[tuple[str, str]]:
    """Return what narrows the list, as the paper tells it."""
    chosen = [(field.label.text, _answer(field)) for field in filters if field.data]
    return [("Shown", "; ".join(f"{label}: {answer}" for label, answer in chosen))] if chosen else []


def _answer(field: object) -> str:
    choices = dict(getattr(field, "choices", None) or ())
    data = getattr(field, "data", "")
    return day(data) if isinstance(data, date) else str(choices.get(data, data))
