"""What the pages of retention read: requests, what stands against one, patients whose years of keeping are over."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Subquery, func, select
from sqlalchemy.orm import Session, aliased

from inventory.audit.models import Decision, Erasure, ErasureRequest
from inventory.clinic.settings import current_settings
from inventory.doses.models import Dose, Incident, NotGiven
from inventory.kernel.errors import Refusal, not_found
from inventory.patients.models import Patient
from inventory.patients.queries import KEPT, records_of
from inventory.patients.rules import kept_until
from inventory.staff.models import User
from inventory.web.pagination import Page, paginate
from inventory.web.presenting import day

SHOWN = 50
"""How many patients past their years the page shows before it says that there are more."""


def requests_page(session: Session, *, cursor: str) -> Page[Any]:
    """Return a page of the requests, the newest first: rows of (ErasureRequest, record_number)."""
    statement: Any = select(ErasureRequest, Patient.record_number).join(
        Patient, Patient.id == ErasureRequest.patient_id
    )
    order = [ErasureRequest.recorded_at, ErasureRequest.id]
    return paginate(session, statement, order=order, newest_first=True, cursor=cursor)


def request_row(session: Session, request_id: UUID) -> Any:
    """Return one request with its patient's number and the people: request, record_number, asked, decided, second. Raises NOT-FOUND."""
    decider, second = aliased(User), aliased(User)
    row = session.execute(
        select(
            ErasureRequest,
            Patient.record_number,
            User.display_name.label("recorded_by"),
            decider.display_name.label("decided_by"),
            second.display_name.label("second"),
        )
        .join(Patient, Patient.id == ErasureRequest.patient_id)
        .join(User, User.id == ErasureRequest.actor_id)
        .outerjoin(decider, decider.id == ErasureRequest.decided_by_id)
        .outerjoin(Erasure, Erasure.request_id == ErasureRequest.id)
        .outerjoin(second, second.id == Erasure.second_id)
        .where(ErasureRequest.id == request_id)
    ).first()
    if row is None:
        raise not_found("request")
    return row


def waiting_requests(session: Session) -> int:
    """Return how many requests are to be decided."""
    waiting = select(func.count()).select_from(ErasureRequest).where(ErasureRequest.decided_at.is_(None))
    return session.scalar(waiting) or 0


def last_day_of_care(session: Session, patient_id: UUID) -> date:
    """Return the day of the person's last dose, given or not, on any record of theirs, or the day on which the last one was begun."""
    records = records_of(patient_id)
    given = session.scalar(select(func.max(Dose.given_on)).where(Dose.patient_id.in_(records)))
    refused = session.scalar(select(func.max(NotGiven.decided_on)).where(NotGiven.patient_id.in_(records)))
    begun: datetime = session.scalars(
        select(func.max(Patient.created_at)).where(Patient.id.in_(records))
    ).one()
    return max(one for one in (given, refused, begun.date()) if one is not None)


def first_day_on_record(session: Session, patient_id: UUID, today: date) -> date:
    """Return the first day of which anything is recorded of the person: a dose, given or not, or the record itself."""
    records = records_of(patient_id)
    given = session.scalar(select(func.min(Dose.given_on)).where(Dose.patient_id.in_(records)))
    refused = session.scalar(select(func.min(NotGiven.decided_on)).where(NotGiven.patient_id.in_(records)))
    return min(one for one in (given, refused, today) if one is not None)


def obstacle(session: Session, patient_id: UUID, *, today: date) -> Refusal | None:
    """Return what stands against an erasure: ERASURE-KEPT until the years are over, ERASURE-INCIDENT while one is open; or None."""
    years = current_settings().records_kept_years
    free_on = kept_until(last_day_of_care(session, patient_id), years)
    if today < free_on:
        said = f"The records are to be kept until {day(free_on)} ({years} years, see Settings). Refuse the request until then."
        return Refusal("ERASURE-KEPT", said)
    still_open = select(Incident.id).join(Dose, Dose.id == Incident.dose_id)
    mine = Dose.patient_id.in_(records_of(patient_id))
    waiting = still_open.where(mine, Incident.closed_at.is_(None)).limit(1)
    if session.scalar(waiting) is not None:
        return Refusal("ERASURE-INCIDENT", "A deviation of this patient is still open. Close it first.")
    return None


def patients_past_keeping(session: Session, *, today: date) -> Sequence[Any]:
    """Return people whose years of keeping are over on every record and who were not erased: id, record_number, last_on.

    One more than is shown; who has several records is named by the one that is kept.
    """
    given = _last_days(Dose.patient_id, Dose.given_on)
    not_given = _last_days(NotGiven.patient_id, NotGiven.decided_on)
    erased = (
        select(KEPT)
        .join(ErasureRequest, ErasureRequest.patient_id == Patient.id)
        .where(ErasureRequest.decision == Decision.CARRIED_OUT)
    )
    latest = kept_from(today, current_settings().records_kept_years)
    begun = func.date(Patient.created_at)
    begun_later = select(Patient.person_id).where(Patient.person_id.is_not(None), begun > latest)
    return session.execute(
        select(
            Patient.id,
            Patient.record_number,
            func.coalesce(given.c.last_on, not_given.c.last_on).label("last_on"),
        )
        .outerjoin(given, given.c.patient_id == Patient.id)
        .outerjoin(not_given, not_given.c.patient_id == Patient.id)
        .where(
            func.coalesce(given.c.last_on, latest) <= latest,
            func.coalesce(not_given.c.last_on, latest) <= latest,
            begun <= latest,
            Patient.id == KEPT,
            Patient.id.not_in(begun_later),
            Patient.id.not_in(erased),
        )
        .order_by(Patient.created_at, Patient.id)
        .limit(SHOWN + 1)
    ).all()


def _last_days(patient_id: Any, day: Any) -> Subquery:
    """Return the last day of care by the record that is kept of a person."""
    return (
        select(KEPT.label("patient_id"), func.max(day).label("last_on"))
        .join(Patient, Patient.id == patient_id)
        .group_by(KEPT)
        .subquery()
    )


def kept_from(today: date, years: int) -> date:
    """Return the last day of care of records whose years are over today."""
    try:
        return today.replace(year=today.year - years)
    except ValueError:
        # 29 February, in a year that had none.
        return date(today.year - years, 2, 28)
