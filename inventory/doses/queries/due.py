"""Who is due: the open slots of courses, each with the patient, what is due, the last dose and what must be known; one statement.

A course has one open slot at a time, the next dose, and a slot that nobody decided stays open: nothing that was missed falls off the list.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    ScalarSelect,
    and_,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    select,
)
from sqlalchemy.orm import Session, aliased

from inventory.audit.limits import is_limited_auditor, patients_here
from inventory.catalogue.models import Formulation
from inventory.courses.models import Course, CourseSlot
from inventory.doses.models import Dose, DoseSlot, DoseVoid
from inventory.doses.rules.due import Due
from inventory.kernel.db import UtcDateTime
from inventory.kernel.errors import not_found
from inventory.patients.models import Alert, AllergyStatus, Consent, Patient
from inventory.patients.queries import active_at, records_of
from inventory.web.pagination import Page, paginate

_KIND, _END = "\x1e", "\x1f"
"""Between an alert's kind and its note, and after it: characters that no note holds (`web.typed_text`)."""
# Written out, not as a parameter: so that every plan of the statement may use the partial indexes.
IS_OPEN: ColumnElement[bool] = CourseSlot.state == literal_column("'open'")
_AT: BindParameter[datetime] = bindparam("at", type_=UtcDateTime())
_EARLIER, _EARLIER_VOID, _OTHER = aliased(Dose), aliased(DoseVoid), aliased(Patient)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which due doses are asked for: of which sites, due on which days (both included), of what, for whom."""

    site_ids: Collection[UUID]
    last_on: date
    first_on: date | None = None
    formulation_id: UUID | None = None
    record_number: str = ""


def due_page(session: Session, wanted: Wanted, *, at: datetime, cursor: str = "") -> Page[Any]:
    """Return a page of the due doses, the longest overdue on top. `at` is the instant whose alerts and consents count."""
    return paginate(session, due_rows(wanted, at=at), order=[CourseSlot.due_on, CourseSlot.id], cursor=cursor)


def due_list(session: Session, wanted: Wanted, *, at: datetime, most: int | None = None) -> list[Any]:
    """Return the due doses on one sheet, in the order of `due_page`; `most` of them at most."""
    ordered = due_rows(wanted, at=at).order_by(CourseSlot.due_on, CourseSlot.id)
    return list(session.execute(ordered if most is None else ordered.limit(most)).all())


def due_slot(session: Session, slot_id: UUID, *, at: datetime) -> Any:
    """Return one open slot as the list shows it. Raises Refusal NOT-FOUND where it is decided, or there is none."""
    row = session.execute(_rows(at).where(CourseSlot.id == slot_id, IS_OPEN)).first()
    if row is None:
        raise not_found("open dose of a course")
    return row


def sheet_rows(session: Session, slot_ids: Collection[UUID], *, site_id: UUID, at: datetime) -> list[Any]:
    """Return these slots of a site as the list shows them, decided ones too, in the order of the list."""
    mine = (CourseSlot.id.in_(slot_ids), CourseSlot.site_id == site_id)
    return list(session.execute(_rows(at).where(*mine).order_by(CourseSlot.due_on, CourseSlot.id)).all())


def doses_of_slots(session: Session, slot_ids: Collection[UUID]) -> dict[UUID, Any]:
    """Return the dose that stands for each of these slots that was given: its id and its number."""
    statement = (
        select(DoseSlot.slot_id, Dose.id, Dose.number, Dose.site_id)
        .join(Dose, Dose.id == DoseSlot.dose_id)
        .outerjoin(DoseVoid, DoseVoid.dose_id == Dose.id)
        .where(DoseSlot.slot_id.in_(slot_ids), DoseVoid.dose_id.is_(None))
    )
    return {row.slot_id: row for row in session.execute(statement)}


def next_due(session: Session, patient_id: UUID, slot_id: UUID | None = None) -> Any:
    """Return the person's open slot of that id, else the one that is due first; None where nothing is."""
    rows = session.execute(
        select(
            CourseSlot.id.label("slot_id"),
            CourseSlot.due_on,
            CourseSlot.opens_on,
            CourseSlot.closes_on,
            CourseSlot.dose_ng,
            Course.formulation_id,
            Course.indication,
            Formulation.name.label("formulation_name"),
        )
        .join(Course, Course.id == CourseSlot.course_id)
        .join(Formulation, Formulation.id == Course.formulation_id)
        .where(Course.patient_id.in_(records_of(patient_id)), IS_OPEN)
        .order_by(CourseSlot.due_on, CourseSlot.id)
    ).all()
    return next((row for row in rows if row.slot_id == slot_id), rows[0] if rows else None)


def due_counts(session: Session, wanted: Wanted, *, today: date) -> dict[Due, int]:
    """Return how many of the doses that are asked for are overdue, due today and due later."""
    kind = case(
        (CourseSlot.due_on < today, literal(Due.OVERDUE.value)),
        (CourseSlot.due_on == today, literal(Due.TODAY.value)),
        else_=literal(Due.NEXT.value),
    ).label("kind")
    counted: Any = select(kind, func.count().label("number")).select_from(CourseSlot)
    rows = session.execute(_narrowed(counted, wanted).group_by(kind))
    found = {Due(row.kind): row.number for row in rows}
    return {one: found.get(one, 0) for one in Due}


def due_days(session: Session, wanted: Wanted) -> dict[date, int]:
    """Return how many of the doses that are asked for are due on each day that has any."""
    counted: Any = select(CourseSlot.due_on, func.count().label("number")).select_from(CourseSlot)
    found = session.execute(_narrowed(counted, wanted).group_by(CourseSlot.due_on))
    return {row.due_on: row.number for row in found}


def due_rows(wanted: Wanted, *, at: datetime) -> Any:
    """Return the statement for due doses, neither ordered nor limited."""
    return _narrowed(_rows(at), wanted, is_joined=True)


def _narrowed(statement: Any, wanted: Wanted, *, is_joined: bool = False) -> Any:
    """Narrow a statement; the course and the patient are looked up only where something of them is asked for."""
    if not is_joined and (wanted.formulation_id or wanted.record_number or is_limited_auditor()):
        statement = statement.join(Course, Course.id == CourseSlot.course_id)
        statement = statement.join(Patient, Patient.id == Course.patient_id)
    conditions: list[ColumnElement[bool]] = [
        IS_OPEN,
        CourseSlot.site_id.in_(wanted.site_ids),
        CourseSlot.due_on <= wanted.last_on,
        patients_here(Course.patient_id),
    ]
    if wanted.first_on is not None:
        conditions.append(CourseSlot.due_on >= wanted.first_on)
    if wanted.formulation_id is not None:
        conditions.append(Course.formulation_id == wanted.formulation_id)
    if wanted.record_number:
        conditions.append(func.upper(Patient.record_number) == wanted.record_number.upper())
    return statement.where(*conditions)


def _made() -> Any:
    columns: Any = select(
        CourseSlot.id.label("slot_id"),
        CourseSlot.site_id,
        CourseSlot.due_on,
        CourseSlot.opens_on,
        CourseSlot.closes_on,
        CourseSlot.dose_ng,
        CourseSlot.planned_at,
        CourseSlot.state,
        Course.id.label("course_id"),
        Course.formulation_id,
        Course.indication,
        Course.review_on,
        Formulation.name.label("formulation_name"),
        Patient.id.label("patient_id"),
        Patient.family_name,
        Patient.given_name,
        Patient.record_number,
        Patient.born_on,
        _of_person(Patient.allergy_status, _allergies()).label("allergy_status"),
        Dose.given_on.label("last_given_on"),
        Dose.body_site.label("last_body_site"),
        Dose.dose_ng.label("last_dose_ng"),
        Dose.formulation_name.label("last_formulation_name"),
        _of_person(_alerts(_mine), _alerts(_ours)).label("alerts"),
        _of_person(_consent(_mine), _consent(_ours)).label("consent"),
    )
    return (
        columns.join(Course, Course.id == CourseSlot.course_id)
        .join(Patient, Patient.id == Course.patient_id)
        .join(Formulation, Formulation.id == Course.formulation_id)
        .outerjoin(Dose, Dose.id == _of_person(_last_dose(_mine), _last_dose(_ours)))
    )


_Whose = Callable[[Any], ColumnElement[bool]]


def _mine(column: Any) -> ColumnElement[bool]:
    """Return the condition that a column names the patient of the row."""
    named: ColumnElement[bool] = column == Patient.id
    return named


def _ours(column: Any) -> ColumnElement[bool]:
    """Return the condition that a column names a record of the row's person, who has several."""
    named: ColumnElement[bool] = column.in_(
        select(_OTHER.id).where(_OTHER.person_id == Patient.person_id).correlate(Patient)
    )
    return named


def _of_person(of_one: Any, of_several: Any) -> Any:
    """Return what is known of the row's person: nearly everybody has one record, which is cheaper to ask."""
    return case((Patient.person_id.is_(None), of_one), else_=of_several)


def _allergies() -> Any:
    """Return what several records say of allergies: an allergy in any of them, else none known if any was asked."""

    def said(status: AllergyStatus) -> Any:
        mine = (_OTHER.person_id == Patient.person_id, _OTHER.allergy_status == status)
        return select(_OTHER.allergy_status).where(*mine).limit(1).correlate(Patient).scalar_subquery()

    asked = (AllergyStatus.PRESENT, AllergyStatus.NONE_KNOWN)
    return func.coalesce(*map(said, asked), Patient.allergy_status)


def _last_dose(theirs: _Whose) -> ScalarSelect[Any]:
    newest = (_EARLIER.given_at.desc(), _EARLIER.id.desc())
    return (
        select(_EARLIER.id)
        .outerjoin(_EARLIER_VOID, _EARLIER_VOID.dose_id == _EARLIER.id)
        .where(theirs(_EARLIER.patient_id), _EARLIER_VOID.dose_id.is_(None))
        .order_by(*newest)
        .limit(1)
        .correlate(Patient)
        .scalar_subquery()
    )


def _alerts(theirs: _Whose) -> ScalarSelect[Any]:
    told = Alert.kind + literal(_KIND) + func.coalesce(Alert.note, "")
    return (
        select(func.aggregate_strings(told, _END))
        .where(and_(theirs(Alert.patient_id), active_at(_AT)))
        .correlate(Patient)
        .scalar_subquery()
    )


def _consent(theirs: _Whose) -> ScalarSelect[Any]:
    newest = (Consent.decided_at.desc(), Consent.recorded_at.desc(), Consent.id.desc())
    return (
        select(Consent.status)
        .where(theirs(Consent.patient_id), Consent.decided_at <= _AT)
        .order_by(*newest)
        .limit(1)
        .correlate(Patient)
        .scalar_subquery()
    )


# Made once: making it costs as much as sending it. What is asked for narrows a copy.
_ROWS = _made()


def _rows(at: datetime) -> Any:
    return _ROWS.params(at=at)


def alerts_in(told: str | None) -> Iterable[tuple[str, str]]:
    """Return the kind and the note of each alert in the column `alerts` of a row."""
    return [
        (kind, note) for kind, _, note in (one.partition(_KIND) for one in (told or "").split(_END) if one)
    ]
