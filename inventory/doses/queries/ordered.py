"""What lets a dose be given: the patient's own order as it stood then, with the slot the dose would fulfil, or an authority.

A clinic without courses and authorities is asked nothing more than whether it has any, beside what is read of every dose.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, and_, bindparam, exists, func, or_, select
from sqlalchemy.orm import Session

from inventory.catalogue.models import Formulation, Route
from inventory.courses.models import (
    Authority,
    Course,
    CourseChange,
    CourseSlot,
    Protocol,
    ProtocolVersion,
)
from inventory.courses.rules.terms import ChangeKind, CourseState, SlotState
from inventory.doses.models import DoseAuthority, DoseSlot
from inventory.doses.rules.question import AuthorityState, CourseOrder
from inventory.kernel.db import an_id
from inventory.patients.queries import records_of

_COURSE, _CHANGE, _SLOT, _AUTHORITY, _FORM, _DOSE_SLOT = (
    cast(Table, model.__table__)
    for model in (Course, CourseChange, CourseSlot, Authority, Formulation, DoseSlot)
)
HAS_COURSES = exists(select(_COURSE.c.id)).label("has_courses")
HAS_AUTHORITIES = exists(select(_AUTHORITY.c.id)).label("has_authorities")
"""Whether the clinic has any: two columns of a statement that every dose sends anyway."""
_SAME_MINUTE = timedelta(seconds=59)
"""A typed minute sorts after what was written in that minute."""
_STATES = {
    ChangeKind.PAUSED: CourseState.PAUSED,
    ChangeKind.RESUMED: CourseState.ACTIVE,
    ChangeKind.ENDED: CourseState.ENDED,
}


def _latest(column: Any, *conditions: Any) -> Any:
    """Return what the newest change of a course says that fits, of those made by then."""
    return (
        select(column)
        .where(_CHANGE.c.course_id == _COURSE.c.id, _CHANGE.c.at <= bindparam("known_at"), *conditions)
        .order_by(_CHANGE.c.number.desc())
        .limit(1)
        .scalar_subquery()
    )


_other = _SLOT.alias("other")
_last_given_on = (
    select(func.max(_other.c.given_on))
    .where(
        _other.c.course_id == _COURSE.c.id,
        _other.c.state == SlotState.GIVEN,
        or_(_SLOT.c.id.is_(None), _other.c.id != _SLOT.c.id),
    )
    .scalar_subquery()
)
_amended = select(_DOSE_SLOT.c.slot_id).where(_DOSE_SLOT.c.dose_id == an_id("amends_id"))
_ORDERS = (
    select(
        *(
            _COURSE.c[name]
            for name in ("id", "formulation_id", "route", "doses_a_day", "starts_on", "stops_on")
        ),
        func.coalesce(
            _latest(_CHANGE.c.least_dose_ng, _CHANGE.c.least_dose_ng.is_not(None)), _COURSE.c.least_dose_ng
        ).label("least_dose_ng"),
        func.coalesce(
            _latest(_CHANGE.c.most_dose_ng, _CHANGE.c.most_dose_ng.is_not(None)), _COURSE.c.most_dose_ng
        ).label("most_dose_ng"),
        func.coalesce(
            _latest(_CHANGE.c.review_on, _CHANGE.c.review_on.is_not(None)), _COURSE.c.review_on
        ).label("review_on"),
        _latest(_CHANGE.c.kind, _CHANGE.c.kind.in_(list(_STATES))).label("last_kind"),
        _last_given_on.label("last_given_on"),
        _FORM.c.name.label("formulation"),
        *(
            _SLOT.c[name].label(f"slot_{name}")
            for name in ("id", "due_on", "opens_on", "closes_on", "dose_ng")
        ),
        _SLOT.c.state.label("slot_state"),
    )
    .select_from(_COURSE)
    .join(_FORM, _FORM.c.id == _COURSE.c.formulation_id)
    .outerjoin(
        _SLOT,
        and_(
            _SLOT.c.course_id == _COURSE.c.id,
            or_(_SLOT.c.state == SlotState.OPEN, _SLOT.c.id.in_(_amended)),
        ),
    )
    .where(
        _COURSE.c.patient_id.in_(an_id("patient_ids", many=True)),
        _FORM.c.substance_id == an_id("substance_id"),
        _COURSE.c.recorded_at <= bindparam("known_at"),
    )
    .order_by(_COURSE.c.starts_on.desc(), _COURSE.c.id.desc(), _SLOT.c.number)
)
_AUTHORITIES = (
    select(
        *(_AUTHORITY.c[name] for name in ("id", "document", "document_version")),
        *(_AUTHORITY.c[name] for name in ("least_dose_ng", "most_dose_ng")),
    )
    .where(
        _AUTHORITY.c.formulation_id == an_id("formulation_id"),
        _AUTHORITY.c.route == bindparam("route"),
        _AUTHORITY.c.valid_from <= bindparam("given_on"),
        _AUTHORITY.c.expires_on >= bindparam("given_on"),
        or_(_AUTHORITY.c.withdrawn_at.is_(None), _AUTHORITY.c.withdrawn_at > bindparam("given_at")),
    )
    .order_by(_AUTHORITY.c.expires_on.desc(), _AUTHORITY.c.id)
)


@dataclass(frozen=True, slots=True)
class Ordered:
    """What a dose would be given under. `slot_id` is the slot it would fulfil, `authority_id` what covers it without an order."""

    is_asked: bool = False
    order: CourseOrder | None = None
    authority: AuthorityState | None = None
    course_id: UUID | None = None
    slot_id: UUID | None = None
    authority_id: UUID | None = None


NOTHING_ORDERED = Ordered()


@dataclass(frozen=True, slots=True)
class Asked:
    """The dose that is asked about."""

    patient_id: UUID
    substance_id: UUID
    formulation_id: UUID
    route: Route
    dose_ng: int
    given_at: datetime
    given_on: date
    amends_id: UUID


def ordered(session: Session, asked: Asked, *, has_courses: bool, has_authorities: bool) -> Ordered:
    """Return what the dose would be given under, as of its time; what a clinic has none of is not read."""
    rows = _orders(session, asked) if has_courses else []
    row = min(rows, key=lambda one: _rank(one, asked), default=None)
    order = _order(row) if row is not None else None
    chosen = None
    if (
        has_authorities
        and (order is None or order.state is not CourseState.PAUSED)
        and not _covers(order, asked)
    ):
        chosen = _authority(session, asked)
    return Ordered(
        is_asked=has_courses or has_authorities,
        order=order,
        authority=AuthorityState(chosen.document, chosen.document_version) if chosen else None,
        course_id=row.id if row is not None else None,
        slot_id=row.slot_id if row is not None and _fulfils(row, asked.given_on) else None,
        authority_id=chosen.id if chosen else None,
    )


def _orders(session: Session, asked: Asked) -> Sequence[Any]:
    return session.execute(
        _ORDERS,
        {
            "patient_ids": list(records_of(asked.patient_id)),
            "substance_id": asked.substance_id,
            "known_at": asked.given_at + _SAME_MINUTE,
            "amends_id": asked.amends_id,
        },
    ).all()


def _rank(row: Any, asked: Asked) -> tuple[bool, bool, bool]:
    """Say which order a dose is meant under: the slot of the entry it amends, an order that goes on, its own formulation."""
    is_amended = row.slot_id is not None and row.slot_state == SlotState.GIVEN
    return not is_amended, _state(row) is not CourseState.ACTIVE, row.formulation_id != asked.formulation_id


def _state(row: Any) -> CourseState:
    state = _STATES.get(row.last_kind, CourseState.ACTIVE)
    return CourseState.COMPLETED if state is CourseState.ACTIVE and row.slot_id is None else state


def _order(row: Any) -> CourseOrder:
    return CourseOrder(
        formulation=row.formulation,
        route=Route(row.route),
        least_dose_ng=row.least_dose_ng,
        most_dose_ng=row.most_dose_ng,
        doses_a_day=row.doses_a_day,
        state=_state(row),
        starts_on=row.starts_on,
        stops_on=row.stops_on,
        review_on=row.review_on,
        due_on=row.slot_due_on,
        opens_on=row.slot_opens_on,
        closes_on=row.slot_closes_on,
        due_dose_ng=row.slot_dose_ng,
        last_given_on=row.last_given_on,
    )


def _fulfils(row: Any, given_on: date) -> bool:
    """Tell whether a dose of that day is the one that is due: not a further one of a day that has its dose, nor one before it.

    An amended entry keeps the slot it had.
    """
    if row.slot_id is None or row.slot_state == SlotState.GIVEN:
        return row.slot_id is not None
    return row.last_given_on is None or given_on > row.last_given_on


def _covers(order: CourseOrder | None, asked: Asked) -> bool:
    """Tell whether an order stands on the day: then no authority is needed."""
    return order is not None and order.stands_on(asked.given_on)


def _authority(session: Session, asked: Asked) -> Any:
    rows = session.execute(
        _AUTHORITIES,
        {
            "formulation_id": asked.formulation_id,
            "route": asked.route,
            "given_on": asked.given_on,
            "given_at": asked.given_at,
        },
    ).all()
    return next((row for row in rows if row.least_dose_ng <= asked.dose_ng <= row.most_dose_ng), None)


@dataclass(frozen=True, slots=True)
class Under:
    """Under what a dose was recorded: the course with the day on which it was due, or a document."""

    name: str
    version: str
    due_on: date | None = None


def given_under(session: Session, dose_id: UUID) -> Under | None:
    """Return under what a dose was given, as its record has it; None where it was under neither."""
    course = session.execute(
        select(Protocol.name, ProtocolVersion.number, CourseSlot.due_on)
        .join(ProtocolVersion, ProtocolVersion.protocol_id == Protocol.id)
        .join(Course, Course.protocol_version_id == ProtocolVersion.id)
        .join(CourseSlot, CourseSlot.course_id == Course.id)
        .join(DoseSlot, DoseSlot.slot_id == CourseSlot.id)
        .where(DoseSlot.dose_id == dose_id)
    ).first()
    if course is not None:
        return Under(course.name, str(course.number), course.due_on)
    document = session.execute(
        select(Authority.document, Authority.document_version)
        .join(DoseAuthority, DoseAuthority.authority_id == Authority.id)
        .where(DoseAuthority.dose_id == dose_id)
    ).first()
    return Under(document.document, document.document_version) if document is not None else None
