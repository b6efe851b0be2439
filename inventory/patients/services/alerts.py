"""What must be known before a dose: allergies and other alerts. What stops a dose is lifted by a prescriber only (law 7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome, perform
from inventory.kernel.errors import Refusal, not_found
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import Actor, Permission
from inventory.patients import queries, rules
from inventory.patients.models import ALLERGIES, Alert, AlertKind, AllergyStatus, Patient
from inventory.patients.services.record import changes, locked, record_edit

WORDED = frozenset({AlertKind.ALLERGY_OTHER, AlertKind.OTHER})
"""Alerts that say nothing without a note, and of which several may stand."""
LIFTED_BY_PRESCRIBER = ALLERGIES | {
    AlertKind.LEBERS_OPTIC_ATROPHY,
    AlertKind.MEGALOBLASTIC_ANAEMIA_OF_PREGNANCY,
    AlertKind.SERIOUS_REACTION,
}
"""Alerts for which the gate asks a prescriber: to resolve one is that same decision, for every dose to come."""
NOTED_BY_PRESCRIBER = frozenset({AlertKind.PROVEN_B12_DEFICIENCY})
"""Alerts that lift what the gate asks a prescriber for."""


@dataclass(frozen=True, slots=True)
class Named:
    """An allergy by its kind, and in words."""

    kind: AlertKind
    note: str = ""


def set_allergies(
    *,
    actor: Actor,
    at: datetime,
    patient_id: UUID,
    status: AllergyStatus,
    asked_on: date | None,
    allergies: Sequence[Named] = (),
    request_key: str | None = None,
) -> Outcome:
    """Write down what the patient said when asked for allergies on the day `asked_on`; each of `allergies` is an alert.

    Raises Refusal ALLERGIES-DATE, NOTHING-CHANGED, ALLERGY-WHICH where allergies are present and none is named, ALERT-NOTE,
    ALERT-STANDS, and ALLERGY-ALERT where none is said to be present while an alert names one.
    """

    def write(act: Act) -> Outcome:
        patient = locked(act.session, patient_id)
        refuse_allergies(status, asked_on, at)
        is_named = queries.has_allergy_alert(act.session, patient_id, at=at)
        refuse_unnamed(status, allergies, known=is_named)
        if status is not AllergyStatus.PRESENT and is_named:
            raise Refusal(
                "ALLERGY-ALERT",
                "An alert on this record names an allergy. Resolve the alert first, with its reason.",
                "allergy_status",
            )
        before = allergies_of(patient)
        patient.allergy_status, patient.allergies_asked_on = status, asked_on
        named = name_allergies(act, patient_id, allergies, at)
        return record_edit(act, patient, before, allergies_of(patient), "patients.set-allergies", more=named)

    return perform(write, actor=actor, at=at, request_key=request_key)


def add_alert(
    *,
    actor: Actor,
    at: datetime,
    patient_id: UUID,
    kind: AlertKind,
    note: str = "",
    today: date | None = None,
    decided_by: Actor | None = None,
    request_key: str | None = None,
) -> Outcome:
    """Note something to know before a dose. The outcome's subject is the alert.

    `decided_by` is the prescriber who confirmed it beside the actor, where the kind lifts what asks for a prescriber.

    An allergy also makes the allergy status "present", asked on the clinic's day `today` (default: that of UTC).

    Raises Refusal ALERT-PRESCRIBER, ALERT-STANDS where the same kind stands already (other kinds of allergy and "other" may repeat), and
    ALERT-NOTE where the kind says nothing without words.
    """

    def write(act: Act) -> Outcome:
        patient = locked(act.session, patient_id)
        decider = _decider(actor, decided_by, needed=kind in NOTED_BY_PRESCRIBER)
        alert = _noted(act, patient_id, Named(kind, note), at, decider)
        facts: dict[str, Any] = {"kind": kind, "note": note} | _word_of(decider, actor)
        if kind in ALLERGIES and patient.allergy_status != AllergyStatus.PRESENT:
            before = allergies_of(patient)
            asked_on = patient.allergies_asked_on or today or at.date()
            patient.allergy_status, patient.allergies_asked_on = AllergyStatus.PRESENT, asked_on
            facts |= changes(before, allergies_of(patient))
        act.session.flush()
        return act.record("patients.add-alert", "alert", alert.id, patient_id=patient_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def resolve_alert(
    *,
    actor: Actor,
    at: datetime,
    alert_id: UUID,
    reason: str,
    decided_by: Actor | None = None,
    request_key: str | None = None,
) -> Outcome:
    """Say that an alert no longer holds, and why. It stays in the record.

    `decided_by` is the prescriber who confirmed it beside the actor, where the alert stops a dose. Raises Refusal
    ALREADY-DONE, REASON-NEEDED, ALERT-PRESCRIBER.
    """

    def write(act: Act) -> Outcome:
        alert = act.session.get(Alert, alert_id)
        if alert is None:
            raise not_found("alert")
        locked(act.session, alert.patient_id)
        act.session.refresh(alert)
        if alert.resolved_at is not None:
            raise Refusal("ALREADY-DONE", "Somebody has resolved this alert already. Load the page again.")
        if not reason.strip():
            raise Refusal("REASON-NEEDED", "Say why this no longer holds.", "reason")
        decider = _decider(actor, decided_by, needed=alert.kind in LIFTED_BY_PRESCRIBER)
        alert.resolved_at, alert.resolved_by_id, alert.resolved_reason = at, decider.id, reason
        act.session.flush()
        facts = {"kind": alert.kind, "note": alert.note, "reason": reason} | _word_of(decider, actor)
        return act.record(
            "patients.resolve-alert", "alert", alert_id, patient_id=alert.patient_id, facts=facts
        )

    return perform(write, actor=actor, at=at, request_key=request_key)


def name_allergies(act: Act, patient_id: UUID, allergies: Sequence[Named], at: datetime) -> dict[str, Any]:
    """Inside an act: note an alert for each allergy, and return them as the trail tells them."""
    for named in allergies:
        _noted(act, patient_id, named, at, act.actor)
    return {"alerts": [[named.kind, named.note] for named in allergies]} if allergies else {}


def _noted(act: Act, patient_id: UUID, named: Named, at: datetime, by: Actor) -> Alert:
    _refuse_alert(act.session, patient_id, named.kind, named.note, at)
    alert = Alert(
        id=uuid7(), patient_id=patient_id, kind=named.kind, note=named.note, noted_at=at, noted_by_id=by.id
    )
    act.session.add(alert)
    act.session.flush()
    return alert


def _decider(actor: Actor, decided_by: Actor | None, *, needed: bool) -> Actor:
    """Return who answers for an alert: the actor, or the prescriber beside them where one is needed."""
    if not needed or actor.can(Permission.DOSE_OVERRIDE):
        return actor
    if decided_by is None or not decided_by.can(Permission.DOSE_OVERRIDE):
        raise Refusal(
            "ALERT-PRESCRIBER",
            "This decides whether doses are stopped: a prescriber confirms it with their own username and password.",
            "prescriber_username",
        )
    return decided_by


def _word_of(decider: Actor, actor: Actor) -> dict[str, Any]:
    return {} if decider.id == actor.id else {"decided_by": decider.name}


def allergies_of(patient: Patient) -> dict[str, Any]:
    """Return what the record says of allergies, as the trail tells it."""
    return {"allergy_status": patient.allergy_status, "allergies_asked_on": patient.allergies_asked_on}


def refuse_unnamed(status: AllergyStatus, allergies: Sequence[Named], *, known: bool) -> None:
    """Raise Refusal ALLERGY-WHICH unless allergies are named where they are present, and only there.

    `known` says that some are named already, or need not be.
    """
    if status is AllergyStatus.PRESENT and not allergies and not known:
        raise Refusal(
            "ALLERGY-WHICH", "Say which allergies: the checks before a dose read them.", "allergies"
        )
    if status is not AllergyStatus.PRESENT and allergies:
        raise Refusal("ALLERGY-WHICH", 'An allergy is named: choose "Present".', "allergy_status")


def refuse_allergies(status: AllergyStatus, asked_on: date | None, at: datetime) -> None:
    """Raise Refusal ALLERGIES-DATE unless the day of asking fits the answer."""
    if (status == AllergyStatus.NOT_ASKED) != (asked_on is None):
        message = "Say on which day the patient was asked; leave the day empty where they were not."
        raise Refusal("ALLERGIES-DATE", message, "allergies_asked_on")
    if asked_on and asked_on > rules.last_day_on_earth(at):
        raise Refusal("ALLERGIES-DATE", "The day of asking is in the future.", "allergies_asked_on")


def _refuse_alert(session: Session, patient_id: UUID, kind: AlertKind, note: str, at: datetime) -> None:
    if kind in WORDED and not note:
        raise Refusal("ALERT-NOTE", "Say in words what must be known.", "note")
    if kind not in WORDED and queries.alert_stands(session, patient_id, kind, at=at):
        raise Refusal("ALERT-STANDS", "This alert stands on the record already.", "kind")
