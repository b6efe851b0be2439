"""What is done to a patient's record: add, edit, alerts, allergies, consent. Each leaves its entry in the trail (law 10)."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, delete, insert, select
from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome, perform
from inventory.kernel.db import is_writing
from inventory.kernel.errors import Refusal, Refusals, not_found
from inventory.kernel.ids import uuid7
from inventory.kernel.laws import means
from inventory.kernel.permissions import Actor
from inventory.patients import queries, rules
from inventory.patients.models import (
    Alert,
    AlertKind,
    AllergyStatus,
    Consent,
    ConsentStatus,
    NameWord,
    Patient,
)

means(
    Refusal("RECORD-NUMBER-TAKEN", "Another patient has this record number.", "record_number"),
    constraint="uq_patient_record_number_key",
    columns="patient.record_number_key",
)
_NUMBER_TRIES = 5
WORDED = frozenset({AlertKind.ALLERGY_OTHER, AlertKind.OTHER})
"""Alerts that say nothing without a note, and of which several may stand."""


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
    request_key: str | None = None,
) -> Outcome:
    """Add a patient. An outcome's subject is the patient.

    Raises Refusal NAME-NEEDED, BIRTH-DATE-FUTURE, BIRTH-DATE-TOO-EARLY, RECORD-NUMBER-TAKEN, ALLERGIES-DATE, and
    PATIENT-LIKE while somebody resembles them and `is_another_person` does not say so.
    """

    def write(act: Act) -> Outcome:
        _refuse_identity(identity, at)
        _refuse_allergies(allergy_status, allergies_asked_on, at)
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
        facts = {
            "after": _identity_of(patient) | _allergies_of(patient),
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
        patient = _locked(act.session, patient_id)
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
        return _record_edit(act, patient, before, _identity_of(patient), "patients.edit")

    return perform(write, actor=actor, at=at, request_key=request_key)


def set_allergies(
    *,
    actor: Actor,
    at: datetime,
    patient_id: UUID,
    status: AllergyStatus,
    asked_on: date | None,
    request_key: str | None = None,
) -> Outcome:
    """Write down what the patient said when asked for allergies on the day `asked_on`.

    Raises Refusal ALLERGIES-DATE, NOTHING-CHANGED, and ALLERGY-ALERT where none is said to be known while an alert stands.
    """

    def write(act: Act) -> Outcome:
        patient = _locked(act.session, patient_id)
        _refuse_allergies(status, asked_on, at)
        if status is AllergyStatus.NONE_KNOWN and queries.has_allergy_alert(act.session, patient_id, at=at):
            raise Refusal(
                "ALLERGY-ALERT",
                "An alert on this record names an allergy. Resolve the alert first, with its reason.",
                "allergy_status",
            )
        before = _allergies_of(patient)
        patient.allergy_status, patient.allergies_asked_on = status, asked_on
        return _record_edit(act, patient, before, _allergies_of(patient), "patients.set-allergies")

    return perform(write, actor=actor, at=at, request_key=request_key)


def add_alert(
    *,
    actor: Actor,
    at: datetime,
    patient_id: UUID,
    kind: AlertKind,
    note: str = "",
    today: date | None = None,
    request_key: str | None = None,
) -> Outcome:
    """Note something to know before a dose. The outcome's subject is the alert.

    An allergy also makes the allergy status "present", asked on the clinic's day `today` (default: that of UTC).

    Raises Refusal ALERT-STANDS where the same kind stands already (other kinds of allergy and "other" may repeat), and
    ALERT-NOTE where the kind says nothing without words.
    """

    def write(act: Act) -> Outcome:
        patient = _locked(act.session, patient_id)
        _refuse_alert(act.session, patient_id, kind, note, at)
        alert = Alert(
            id=uuid7(), patient_id=patient_id, kind=kind, note=note, noted_at=at, noted_by_id=actor.id
        )
        act.session.add(alert)
        facts: dict[str, Any] = {"kind": kind, "note": note}
        if kind in queries.ALLERGIES and patient.allergy_status != AllergyStatus.PRESENT:
            before = _allergies_of(patient)
            asked_on = patient.allergies_asked_on or today or at.date()
            patient.allergy_status, patient.allergies_asked_on = AllergyStatus.PRESENT, asked_on
            facts |= changes(before, _allergies_of(patient))
        act.session.flush()
        return act.record("patients.add-alert", "alert", alert.id, patient_id=patient_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def resolve_alert(
    *, actor: Actor, at: datetime, alert_id: UUID, reason: str, request_key: str | None = None
) -> Outcome:
    """Say that an alert no longer holds, and why. It stays in the record. Raises Refusal ALREADY-DONE, REASON-NEEDED."""

    def write(act: Act) -> Outcome:
        alert = act.session.get(Alert, alert_id)
        if alert is None:
            raise not_found("alert")
        _locked(act.session, alert.patient_id)
        act.session.refresh(alert)
        if alert.resolved_at is not None:
            raise Refusal("ALREADY-DONE", "Somebody has resolved this alert already. Load the page again.")
        if not reason.strip():
            raise Refusal("REASON-NEEDED", "Say why this no longer holds.", "reason")
        alert.resolved_at, alert.resolved_by_id, alert.resolved_reason = at, actor.id, reason
        act.session.flush()
        facts = {"kind": alert.kind, "note": alert.note, "reason": reason}
        return act.record(
            "patients.resolve-alert", "alert", alert_id, patient_id=alert.patient_id, facts=facts
        )

    return perform(write, actor=actor, at=at, request_key=request_key)


def record_consent(
    *,
    actor: Actor,
    at: datetime,
    patient_id: UUID,
    status: ConsentStatus,
    decided_at: datetime,
    information_sheet: str = "",
    note: str = "",
    request_key: str | None = None,
) -> Outcome:
    """Record what the patient decided at `decided_at`, and the sheet and version they were given. The latest decision holds.

    The outcome's subject is the consent. Raises Refusal CONSENT-FUTURE, SHEET-NEEDED (given, without a sheet).
    """

    def write(act: Act) -> Outcome:
        _locked(act.session, patient_id)
        if decided_at > act.recorded_at:
            raise Refusal("CONSENT-FUTURE", "The patient cannot have decided in the future.", "decided_at")
        if status is ConsentStatus.GIVEN and not information_sheet:
            raise Refusal(
                "SHEET-NEEDED",
                "Name the information sheet that was given, and its version.",
                "information_sheet",
            )
        consent_id = uuid7()
        row = {
            "id": consent_id,
            "patient_id": patient_id,
            "status": status,
            "information_sheet": information_sheet,
            "decided_at": decided_at,
            "recorded_at": act.recorded_at,
            "actor_id": actor.id,
            "note": note,
        }
        act.insert(Consent, row)
        facts = {key: row[key] for key in ("status", "information_sheet", "decided_at", "note")}
        return act.record(
            "patients.record-consent", "consent", consent_id, patient_id=patient_id, facts=facts
        )

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


def _locked(session: Session, patient_id: UUID) -> Patient:
    patient = session.scalar(
        select(Patient)
        .where(Patient.id == patient_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if patient is None:
        raise not_found("patient")
    return patient


def _record_edit(
    act: Act, patient: Patient, before: Mapping[str, Any], after: Mapping[str, Any], action: str
) -> Outcome:
    facts = changes(before, after)
    if not facts:
        raise Refusal("NOTHING-CHANGED", "Nothing is different from what the record says already.")
    act.session.flush()
    return act.record(action, "patient", patient.id, patient_id=patient.id, facts=facts)


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an edit changed as {"before": ..., "after": ...}, only the fields that differ; empty where none does."""
    changed = [name for name in after if before[name] != after[name]]
    if not changed:
        return {}
    return {"before": {n: before[n] for n in changed}, "after": {n: after[n] for n in changed}}


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


def _allergies_of(patient: Patient) -> dict[str, Any]:
    return {"allergy_status": patient.allergy_status, "allergies_asked_on": patient.allergies_asked_on}


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


def _refuse_allergies(status: AllergyStatus, asked_on: date | None, at: datetime) -> None:
    if (status == AllergyStatus.NOT_ASKED) != (asked_on is None):
        message = "Say on which day the patient was asked; leave the day empty where they were not."
        raise Refusal("ALLERGIES-DATE", message, "allergies_asked_on")
    if asked_on and asked_on > rules.last_day_on_earth(at):
        raise Refusal("ALLERGIES-DATE", "The day of asking is in the future.", "allergies_asked_on")


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


def _refuse_alert(session: Session, patient_id: UUID, kind: AlertKind, note: str, at: datetime) -> None:
    if kind in WORDED and not note:
        raise Refusal("ALERT-NOTE", "Say in words what must be known.", "note")
    if kind not in WORDED and queries.alert_stands(session, patient_id, kind, at=at):
        raise Refusal("ALERT-STANDS", "This alert stands on the record already.", "kind")
