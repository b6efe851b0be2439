"""Adds and edits patients. Each act leaves its entry in the trail (law 10)."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, delete, insert, select
from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome, perform
from inventory.kernel.db import is_writing
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.ids import uuid7
from inventory.kernel.laws import means
from inventory.kernel.permissions import Actor
from inventory.patients import queries, rules
from inventory.patients.models import AllergyStatus, NameWord, Patient
from inventory.patients.services.alerts import (
    Named,
    allergies_of,
    name_allergies,
    refuse_allergies,
    refuse_unnamed,
)
from inventory.patients.services.record import locked, record_edit

means(
    Refusal("RECORD-NUMBER-TAKEN", "Another patient has this record number.", "record_number"),
    constraint="uq_patient_record_number_key",
    columns="patient.record_number_key",
)
_NUMBER_TRIES = 5


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a patient is and how to reach them, as typed. An empty record number lets us make one."""

    family_name: str
    born_on: date
    given_name: str = ""
    record_number: str = ""
    phone: str = ""
    email: str = ""
    address: str = ""
    notes: str = ""


def add_patient(
    *,
    actor: Actor,
    at: datetime,
    identity: Identity,
    is_another_person: bool = False,
    allergy_status: AllergyStatus = AllergyStatus.NOT_ASKED,
    allergies_asked_on: date | None = None,
    allergies: Sequence[Named] = (),
    may_be_unnamed: bool = False,
    request_key: str | None = None,
) -> Outcome:
    """Add a patient, with the allergies they named as alerts. An outcome's subject is the patient.

    `may_be_unnamed` is for a record from elsewhere that says only that there are allergies: the gate asks which (law 7).

    Raises Refusal NAME-NEEDED, BIRTH-DATE-FUTURE, BIRTH-DATE-TOO-EARLY, RECORD-NUMBER-TAKEN, ALLERGIES-DATE, ALLERGY-WHICH,
    ALERT-NOTE, ALERT-STANDS, and PATIENT-LIKE while somebody resembles them and `is_another_person` does not say so.
    """

    def write(act: Act) -> Outcome:
        _refuse_identity(identity, at)
        refuse_allergies(allergy_status, allergies_asked_on, at)
        refuse_unnamed(allergy_status, allergies, known=may_be_unnamed)
        if not is_another_person:
            _refuse_likeness(act.session, identity)
        number = identity.record_number or queries.next_record_number(act.session)
        _refuse_taken(act.session, number)
        patient = Patient(id=uuid7(), created_at=act.recorded_at, created_by_id=actor.id)
        _write_identity(patient, identity, number)
        patient.allergy_status, patient.allergies_asked_on = allergy_status, allergies_asked_on
        act.session.add(patient)
        act.session.flush()
        _write_words(act.session, patient)
        named = name_allergies(act, patient.id, allergies, at)
        facts = named | {
            "after": _identity_of(patient) | allergies_of(patient),
            "is_another_person": is_another_person,
        }
        return act.record("patients.add", "patient", patient.id, patient_id=patient.id, facts=facts)

    def once() -> Outcome:
        return perform(write, actor=actor, at=at, request_key=request_key)

    return once() if identity.record_number else _numbered(once)


def edit_patient(
    *,
    actor: Actor,
    at: datetime,
    patient_id: UUID,
    version: int,
    identity: Identity,
    request_key: str | None = None,
) -> Outcome:
    """Change who the patient is. `version` is the one the editor saw; an empty record number keeps the present one.

    Raises Refusal EDITED-MEANWHILE, NOTHING-CHANGED and what `add_patient` raises of a name, date or number.
    """

    def write(act: Act) -> Outcome:
        patient = locked(act.session, patient_id)
        if patient.version != version:
            raise Refusal(
                "EDITED-MEANWHILE",
                "Somebody else changed this record after you opened it. What you typed is still here; "
                "look at the record, then decide what to keep.",
            )
        _refuse_identity(identity, at)
        number = identity.record_number or patient.record_number
        _refuse_taken(act.session, number, but=patient)
        before = _identity_of(patient)
        _write_identity(patient, identity, number)
        _write_words(act.session, patient)
        return record_edit(act, patient, before, _identity_of(patient), "patients.edit")

    return perform(write, actor=actor, at=at, request_key=request_key)


def _numbered(add: Callable[[], Outcome]) -> Outcome:
    """Add a patient whose number we make: two people at once may be made the same one, and the later takes the next."""
    # A batch is one transaction, which a collision ends.
    for tries_left in reversed(range(1 if is_writing() else _NUMBER_TRIES)):
        try:
            return add()
        except Refusal as refusal:
            if refusal.code != "RECORD-NUMBER-TAKEN" or not tries_left:
                raise
    raise AssertionError("unreachable")


def _write_identity(patient: Patient, identity: Identity, number: str) -> None:
    for name, value in asdict(identity).items():
        setattr(patient, name, value)
    patient.record_number = number
    patient.record_number_key = rules.record_number_key(number)
    patient.name_key = rules.name_key(identity.family_name, identity.given_name)


def _write_words(session: Session, patient: Patient) -> None:
    """Make the search find the patient by each word of the present name, and by no other."""
    session.execute(delete(NameWord).where(NameWord.patient_id == patient.id))
    words = dict.fromkeys(rules.name_words(f"{patient.family_name} {patient.given_name}"))
    session.execute(
        insert(cast(Table, NameWord.__table__)), [{"patient_id": patient.id, "word": word} for word in words]
    )


def _identity_of(patient: Patient) -> dict[str, Any]:
    return {name: getattr(patient, name) for name in Identity.__dataclass_fields__}


def _refuse_identity(identity: Identity, at: datetime) -> None:
    found: list[Refusal] = []
    if not rules.name_words(identity.family_name):
        found.append(Refusal("NAME-NEEDED", "Type the family name, in letters.", "family_name"))
    if identity.record_number and not rules.record_number_key(identity.record_number):
        found.append(
            Refusal("RECORD-NUMBER-EMPTY", "Type a record number, or leave it empty.", "record_number")
        )
    try:
        rules.refuse_birth_date(identity.born_on, rules.last_day_on_earth(at))
    except Refusal as refusal:
        found.append(refusal)
    if found:
        raise Refusals(found)


def _refuse_likeness(session: Session, identity: Identity) -> None:
    if queries.patients_like(session, identity.family_name, identity.given_name, identity.born_on):
        raise Refusal(
            "PATIENT-LIKE",
            "Somebody with this name, or this family name and date of birth, has a record already. "
            "Compare them; if they are two people, say so below.",
            "is_another_person",
        )


def _refuse_taken(session: Session, number: str, *, but: Patient | None = None) -> None:
    taken = session.execute(
        select(Patient.id, Patient.record_number).where(
            Patient.record_number_key == rules.record_number_key(number)
        )
    ).first()
    if taken and (but is None or taken.id != but.id):
        raise Refusal(
            "RECORD-NUMBER-TAKEN",
            f"Another patient has the record number {taken.record_number}.",
            "record_number",
        )
