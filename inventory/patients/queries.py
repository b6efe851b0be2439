"""What is read of patients: the facts the gate decides on, the search, the record's own parts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Label,
    Select,
    String,
    and_,
    bindparam,
    cast,
    distinct,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from inventory.audit.limits import patients_here
from inventory.kernel.db import UtcDateTime, an_id, db
from inventory.kernel.errors import not_found
from inventory.patients import rules
from inventory.patients.asked import allergies_in
from inventory.patients.models import (
    ALLERGIES,
    Alert,
    AlertKind,
    AllergyStatus,
    Consent,
    ConsentStatus,
    NameWord,
    Patient,
    RecordState,
)
from inventory.web.pagination import Page, paginate

LAST_CHARACTER = chr(0x10FFFF)
_ID, _PERSON = Patient.__table__.c.id, Patient.__table__.c.person_id
KEPT: ColumnElement[UUID] = func.coalesce(_PERSON, _ID)
"""The record that is kept of the person whose record a row of `patient` is."""


@dataclass(frozen=True, slots=True)
class Namesake:
    """Somebody easily taken for a patient, and in what they are the same."""

    name: str
    record_number: str
    born_on: date
    same_name: bool
    same_birth_date: bool


@dataclass(frozen=True, slots=True)
class PatientFacts:
    """What the gate must know of a person, from all their records, as it stood at one instant.

    Name, number and birth date are those of the record that was asked for; `records` are the ids of all. `namesakes` counts
    others easily taken for them, and `alike` says who they are, where a page asked.
    """

    id: UUID
    name: str
    record_number: str
    born_on: date
    allergy_status: AllergyStatus
    allergies_asked_on: date | None
    alerts: frozenset[AlertKind]
    consent: ConsentStatus | None
    information_sheet: str
    namesakes: int
    alike: tuple[Namesake, ...] = ()
    records: tuple[UUID, ...] = ()
    died_on: date | None = None
    is_inactive: bool = False


def patient_facts(session: Session, patient_id: UUID, *, at: datetime, lock: bool = False) -> PatientFacts:
    """Return what the gate must know of the patient as of `at`, in two statements; of who has several records in three.

    With `lock` every record of the person is locked first, until the act ends, so that what follows cannot change underneath.
    Raises Refusal NOT-FOUND.
    """
    patient = session.execute(_LOCKED if lock else _PATIENT, {"patient_id": patient_id}).first()
    if patient is None:
        raise not_found("patient")
    every = [patient] if patient.person_id is None else _every_record(session, patient.person_id, lock=lock)
    records = tuple(one.id for one in every)
    told: dict[str, list[str]] = {"alert": [], "consent": [], "sheet": [], "namesakes": []}
    like = _likeness(patient.family_name, patient.given_name, patient.born_on)
    for what, value in session.execute(_STANDING, {"records": records, "at": at, **like}):
        told[what].append(value)
    status, asked_on = _allergies_as_of(every, at)
    return PatientFacts(
        id=patient.id,
        name=rules.full_name(patient.family_name, patient.given_name),
        record_number=patient.record_number,
        born_on=patient.born_on,
        allergy_status=status,
        allergies_asked_on=asked_on,
        alerts=frozenset(map(AlertKind, told["alert"])),
        consent=ConsentStatus(told["consent"][0]) if told["consent"] else None,
        information_sheet=told["sheet"][0] if told["sheet"] else "",
        namesakes=int(told["namesakes"][0]),
        records=records,
        died_on=min((one.died_on for one in every if one.died_on), default=None),
        is_inactive=any(
            one.state == RecordState.INACTIVE for one in every if one.id == (one.person_id or one.id)
        ),
    )


def _every_record(session: Session, person_id: UUID, *, lock: bool) -> Sequence[Any]:
    """Return the records of a person who has several, the one that is kept first."""
    if lock:
        session.execute(_EVERY_LOCKED, {"person_id": person_id})
    # Read anew: one that was merged while we waited is among them.
    return session.execute(_EVERY, {"person_id": person_id}).all()


def active_at(at: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """Return the condition under which an alert stood at `at`."""
    alert = Alert.__table__.c
    return and_(alert.noted_at <= at, or_(alert.resolved_at.is_(None), alert.resolved_at > at))


def _likeness(family_name: str, given_name: str, born_on: date) -> dict[str, Any]:
    """Return the parameters of `_LIKE`: a family's keys begin with its own and a space, and end before the next character."""
    family = rules.name_key(family_name)
    return {
        "names": [rules.name_key(family_name, given_name), rules.name_key(given_name, family_name)],
        "born_on": born_on,
        "family": family,
        "family_first": f"{family} ",
        "family_after": f"{family}!",
    }


_KEY = Patient.__table__.c.name_key
# May be taken for one another: the same name, family and given name possibly exchanged; or the same birth date and family name.
_LIKE = or_(
    _KEY.in_(bindparam("names", expanding=True)),
    and_(
        Patient.__table__.c.born_on == bindparam("born_on"),
        or_(
            bindparam("family") == _KEY,
            and_(bindparam("family_first") <= _KEY, bindparam("family_after") > _KEY),
        ),
    ),
)


def _patient() -> Select[Any]:
    names = (
        "id", "family_name", "given_name", "record_number", "born_on", "allergy_status", "allergies_asked_on",
        "person_id", "state", "died_on",
    )  # fmt: skip
    table = Patient.__table__
    return select(*(table.c[name] for name in names))


def _standing() -> CompoundSelect[Any]:
    """Return the statement for all that hangs on the patient: one row a fact, told apart by its first column."""
    table, alert, consent = Patient.__table__, Alert.__table__, Consent.__table__
    records, at = an_id("records", many=True), bindparam("at", type_=UtcDateTime())
    latest = (
        select(consent.c.status, consent.c.information_sheet)
        .where(consent.c.patient_id.in_(records), consent.c.decided_at <= at)
        .order_by(consent.c.decided_at.desc(), consent.c.recorded_at.desc(), consent.c.id.desc())
        .limit(1)
        .subquery()
    )
    return union_all(
        select(_word("alert"), cast(alert.c.kind, String)).where(
            alert.c.patient_id.in_(records), active_at(at)
        ),
        select(_word("consent"), cast(latest.c.status, String)),
        select(_word("sheet"), cast(latest.c.information_sheet, String)),
        select(_word("namesakes"), cast(func.count(distinct(KEPT)), String))
        .select_from(table)
        .where(table.c.id.not_in(records), _LIKE),
    )


def _word(word: str) -> Label[str]:
    return literal(word).label("what")


# Statements that every dose sends are made once.
_STANDING = _standing()
_PATIENT = _patient().where(an_id("patient_id") == _ID)
_LOCKED = _PATIENT.with_for_update(key_share=True)
_EVERY = _patient().where(an_id("person_id") == _PERSON).order_by(_ID != _PERSON, _ID)
_EVERY_LOCKED = select(_ID).where(an_id("person_id") == _PERSON).order_by(_ID).with_for_update(key_share=True)


def _allergies_as_of(records: Sequence[Any], at: datetime) -> tuple[AllergyStatus, date | None]:
    latest = rules.last_day_on_earth(at)
    asked = [one for one in records if one.allergies_asked_on and one.allergies_asked_on <= latest]
    said = allergies_in(asked)
    return said.allergy_status, said.allergies_asked_on


def get_patient(session: Session, patient_id: UUID) -> Patient:
    """Return the patient. Raises Refusal NOT-FOUND."""
    patient = session.get(Patient, patient_id)
    if patient is None:
        raise not_found("patient")
    return patient


def found_by(sought: rules.Sought) -> Select[Patient]:
    """Return the statement for the patients whom a search asks for: each word the beginning of some word of the name."""
    patients = select(Patient)
    if sought.born_on:
        return patients.where(Patient.born_on == sought.born_on)
    if sought.record_number_key:
        beginning = _begins(Patient.record_number_key, sought.record_number_key)
        loosely = rules.loose_number(sought.record_number_key)
        if loosely is None:
            return patients.where(beginning)
        # The end is compared first: it is cheap, and leaves few numbers to read letter by letter.
        ends, pattern = loosely
        loose = and_(
            Patient.record_number_key.endswith(ends), Patient.record_number_key.regexp_match(pattern)
        )
        return patients.where(or_(beginning, loose))
    for word in sought.words:
        having = select(NameWord.patient_id).where(_begins(NameWord.word, word))
        patients = patients.where(Patient.id.in_(having))
    return patients


def _begins(column: InstrumentedAttribute[str], beginning: str) -> ColumnElement[bool]:
    """Return the condition as a range, which an index answers on both databases, whatever characters were typed."""
    return and_(column >= beginning, column < beginning + LAST_CHARACTER)


def patients_like(session: Session, family_name: str, given_name: str, born_on: date) -> Sequence[Patient]:
    """Return up to ten patients who may be the person described."""
    like = select(Patient).where(_LIKE).order_by(Patient.name_key, Patient.id).limit(10)
    return session.scalars(like, _likeness(family_name, given_name, born_on)).all()


def namesakes_of(session: Session, patient_id: UUID, *, limit: int = 5) -> tuple[Namesake, ...]:
    """Return up to `limit` others who are easily taken for the patient. Raises Refusal NOT-FOUND."""
    # Telling two people apart needs the identity of both. It is no look at the other's record: only what is compared
    # aloud with the patient is read, so no access is logged.
    me = get_patient(session, patient_id)
    like = _likeness(me.family_name, me.given_name, me.born_on)
    mine = Patient.id.in_(records_of(patient_id))
    others = select(Patient).where(_LIKE, ~mine).order_by(Patient.name_key, Patient.id)
    return tuple(
        Namesake(
            other.full_name,
            other.record_number,
            other.born_on,
            same_name=other.name_key in like["names"],
            same_birth_date=other.born_on == me.born_on,
        )
        for other in session.scalars(others.limit(limit), like)
    )


def next_record_number(session: Session) -> str:
    """Return the record number after the highest we made: P-000001 to P-999999, then with a digit more."""
    number = _highest_made(session, 6)
    if number == 999_999:
        number = max(number, _highest_made(session, 7))
    return rules.made_number(number + 1)


def _highest_made(session: Session, digits: int) -> int:
    # Keys of one length sort as their numbers do.
    key = Patient.record_number_key
    made = and_(key >= "p-0", key < "p-:", func.length(key) == 2 + digits, key.regexp_match("^p-[0-9]+$"))
    highest = session.scalar(select(key).where(made).order_by(key.desc()).limit(1))
    return int(highest[2:]) if highest else 0


def alert_stands(session: Session, patient_id: UUID, kind: AlertKind, *, at: datetime) -> bool:
    """Tell whether an alert of that kind stands on the patient's record at `at`."""
    mine = and_(Alert.patient_id.in_(records_of(patient_id)), Alert.kind == kind, active_at(at))
    return session.scalar(select(Alert.id).where(mine).limit(1)) is not None


def has_allergy_alert(session: Session, patient_id: UUID, *, at: datetime) -> bool:
    """Tell whether any alert that names an allergy stands at `at`."""
    mine = and_(Alert.patient_id.in_(records_of(patient_id)), Alert.kind.in_(ALLERGIES), active_at(at))
    return session.scalar(select(Alert.id).where(mine).limit(1)) is not None


def patients_page(
    session: Session, *, text: str = "", cursor: str = "", with_inactive: bool = False
) -> Page[Patient]:
    """Return a page of the patients that `text` asks for, by name; all of them where it is empty. Raises as `rules.sought`.

    Left out is who is inactive, unless `with_inactive` or their whole number was typed. A search also finds records that were
    merged into another; without one, each person is listed once.
    """
    statement = (found_by(rules.sought(text)) if text else select(Patient)).where(patients_here(Patient.id))
    if not text:
        statement = statement.where(or_(Patient.person_id.is_(None), Patient.person_id == Patient.id))
    if not with_inactive:
        is_named = Patient.record_number_key == rules.record_number_key(text)
        statement = statement.where(or_(Patient.state != RecordState.INACTIVE, is_named))
    return paginate(session, statement, order=[Patient.name_key, Patient.id], cursor=cursor)


def patient_numbered(session: Session, text: str) -> UUID | None:
    """Return the patient whose whole record number `text` is, if there is one; of a merged record the one that is kept."""
    return session.scalar(
        select(KEPT).where(
            Patient.record_number_key == rules.record_number_key(text), patients_here(Patient.id)
        )
    )


def get_alert(session: Session, patient_id: UUID, alert_id: UUID) -> Alert:
    """Return an alert of that patient. Raises Refusal NOT-FOUND."""
    mine = Alert.patient_id.in_(records_of(patient_id))
    alert = session.scalar(select(Alert).where(Alert.id == alert_id, mine))
    if alert is None:
        raise not_found("alert")
    return alert


def alerts_of(session: Session, patient_id: UUID) -> Sequence[Alert]:
    """Return a patient's alerts, standing ones first, newest first among their like."""
    statement = select(Alert).where(Alert.patient_id.in_(records_of(patient_id)))
    return session.scalars(
        statement.order_by(Alert.resolved_at.is_not(None), Alert.noted_at.desc(), Alert.id)
    ).all()


def consents_of(session: Session, patient_id: UUID) -> Sequence[Consent]:
    """Return what a patient decided, the decision that holds first."""
    order = (Consent.decided_at.desc(), Consent.recorded_at.desc(), Consent.id.desc())
    mine = Consent.patient_id.in_(records_of(patient_id))
    return session.scalars(select(Consent).where(mine).order_by(*order)).all()


def latest_sheet(session: Session) -> str:
    """Return the information sheet that was named last, since the next patient is likely given the same."""
    named = select(Consent.information_sheet).where(Consent.information_sheet != "")
    return session.scalar(named.order_by(Consent.id.desc()).limit(1)) or ""


def records_of(patient_id: UUID) -> tuple[UUID, ...]:
    """Return the ids of every record of the person whose record this is, the one that is kept first."""
    return tuple(db.session.scalars(_RECORDS, {"patient_id": patient_id})) or (patient_id,)


_MINE = Patient.__table__.alias("mine")
_RECORDS = (
    select(_ID)
    .where(select(_MINE.c.person_id).where(_MINE.c.id == an_id("patient_id")).scalar_subquery() == _PERSON)
    .order_by(_ID != _PERSON, _ID)
)
