"""Reactions: told, corrected, retracted, followed up, decided upon. Each is a row of its own (law 4), with the patient locked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select

from inventory.audit.acts import Act, Outcome, perform
from inventory.doses.models import Dose, DoseVoid
from inventory.doses.queries.reaction_states import is_newest, symptom_words
from inventory.doses.reaction_models import Reaction, ReactionDecision, ReactionFollowUp, ReactionRetraction
from inventory.doses.rules.reaction_terms import (
    SEVERITY_WORDS,
    Action,
    Criterion,
    DecisionKind,
    ReactionOutcome,
    Reporter,
    Severity,
    Symptom,
)
from inventory.doses.rules.reactions import is_grave, written
from inventory.doses.rules.terms import IncidentKind
from inventory.doses.services.incidents import open_incident
from inventory.kernel.errors import Refusal, not_found
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import Actor, Permission
from inventory.patients.models import Patient

A_MINUTE = timedelta(minutes=1)
_SAID = (
    "symptoms",
    "other_symptom",
    "severity",
    "criteria",
    "onset_at",
    "actions",
    "outcome",
    "reporter",
    "note",
)
"""What a person says of a reaction, by the columns of its row."""


@dataclass(frozen=True, slots=True)
class Told:
    """A reaction as a person tells it. When it began: `onset_minutes` after the dose (0 is at once), or `onset_at`."""

    severity: Severity
    outcome: ReactionOutcome
    reporter: Reporter
    symptoms: tuple[Symptom, ...] = ()
    other_symptom: str = ""
    criteria: tuple[Criterion, ...] = ()
    onset_minutes: int | None = None
    onset_at: datetime | None = None
    actions: tuple[Action, ...] = ()
    note: str = ""


def record_reaction(
    *, actor: Actor, at: datetime, dose_id: UUID, told: Told, request_key: str | None = None
) -> Outcome:
    """Record a reaction to a dose; a severe or serious one opens an incident and waits for a prescriber. Outcome: the reaction.

    Raises Refusal NOT-FOUND, DOSE-VOID, SYMPTOM-NEEDED, ONSET-NEEDED, ONSET-TWICE, ONSET-BEFORE-DOSE, TIME-FUTURE.
    """

    def write(act: Act) -> Outcome:
        dose = _dose(act, dose_id)
        reaction_id = uuid7()
        row = {
            "id": reaction_id,
            "case_id": reaction_id,
            "said_id": reaction_id,
            "corrects_id": None,
            "correction_reason": None,
            **_row(act, dose, told),
        }
        act.insert(Reaction, row)
        if row["is_grave"]:
            _open_incident(act, row)
        return _recorded(act, "doses.record-reaction", row, {name: row[name] for name in _SAID if row[name]})

    return perform(write, actor=actor, at=at, request_key=request_key)


def correct_reaction(
    *,
    actor: Actor,
    at: datetime,
    case_id: UUID,
    seen_id: UUID,
    told: Told,
    reason: str,
    request_key: str | None = None,
) -> Outcome:
    """Say anew what a reaction was; `seen_id` is the row that the person saw. What was decided before is decided again.

    Raises as `record_reaction`, and Refusal REASON-NEEDED, REACTION-SAME, REACTION-CHANGED, REACTION-RETRACTED,
    REACTION-NOT-YOURS, REACTION-PRESCRIBER.
    """

    def write(act: Act) -> Outcome:
        before = _correctable(act, case_id, reason, seen_id)
        row = {
            "id": uuid7(),
            "case_id": case_id,
            "corrects_id": before.id,
            "correction_reason": reason.strip(),
            **_row(act, act.session.get_one(Dose, before.dose_id), told),
        }
        row["said_id"] = row["id"]
        changed = [name for name in _SAID if row[name] != getattr(before, name)]
        if not changed:
            raise Refusal("REACTION-SAME", "Nothing is different from what is recorded.")
        if before.is_grave and not row["is_grave"]:
            _refuse_unless_prescriber(actor)
        act.insert(Reaction, row)
        if row["is_grave"] and not before.is_grave:
            _open_incident(act, row)
        facts = {
            "reason": reason.strip(),
            "before": {name: getattr(before, name) for name in changed},
            "after": {name: row[name] for name in changed},
        }
        return _recorded(act, "doses.correct-reaction", row, facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def retract_reaction(
    *, actor: Actor, at: datetime, case_id: UUID, reason: str, request_key: str | None = None
) -> Outcome:
    """Say that a reaction was recorded by mistake; it stays readable. Outcome: the reaction.

    Raises Refusal NOT-FOUND, REASON-NEEDED, REACTION-RETRACTED, REACTION-NOT-YOURS, REACTION-PRESCRIBER.
    """

    def write(act: Act) -> Outcome:
        reaction = _correctable(act, case_id, reason)
        if reaction.is_grave:
            _refuse_unless_prescriber(actor)
        row = {"case_id": case_id, "reason": reason.strip()}
        act.insert(ReactionRetraction, {**row, "retracted_at": act.recorded_at, "actor_id": actor.id})
        return _recorded(act, "doses.retract-reaction", _of(reaction), {"reason": row["reason"]})

    return perform(write, actor=actor, at=at, request_key=request_key)


def follow_up_reaction(
    *,
    actor: Actor,
    at: datetime,
    case_id: UUID,
    outcome: ReactionOutcome,
    note: str = "",
    happened_at: datetime | None = None,
    request_key: str | None = None,
) -> Outcome:
    """Write down how a reaction stands, at `happened_at` (None is now). Outcome: the reaction.

    Raises Refusal NOT-FOUND, REACTION-RETRACTED, TIME-FUTURE, FOLLOW-UP-BEFORE, FOLLOW-UP-SERIOUS.
    """

    def write(act: Act) -> Outcome:
        reaction = _standing(act, case_id)
        when = happened_at or act.recorded_at
        _refuse_when(act, reaction, when)
        if outcome is ReactionOutcome.DIED and not reaction.is_grave:
            said = "Correct the reaction first: a death makes it serious."
            raise Refusal("FOLLOW-UP-SERIOUS", said, "outcome")
        row = {
            "id": uuid7(),
            "case_id": case_id,
            "outcome": outcome,
            "note": note.strip() or None,
            "happened_at": when,
            "recorded_at": act.recorded_at,
            "actor_id": actor.id,
        }
        act.insert(ReactionFollowUp, row)
        facts = {"outcome": outcome, "happened_at": when, **({"note": row["note"]} if row["note"] else {})}
        return _recorded(act, "doses.follow-up-reaction", _of(reaction), facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def decide_reaction(
    *,
    actor: Actor,
    at: datetime,
    case_id: UUID,
    seen_id: UUID,
    kind: DecisionKind,
    reason: str,
    request_key: str | None = None,
) -> Outcome:
    """Decide, as a prescriber, about further doses after a severe or serious reaction; the newest decision holds.

    Raises Refusal NOT-FOUND, DECISION-PRESCRIBER, REASON-NEEDED, REACTION-RETRACTED, REACTION-CHANGED, DECISION-NEEDLESS.
    """

    def write(act: Act) -> Outcome:
        if not actor.can(Permission.DOSE_OVERRIDE):
            raise Refusal("DECISION-PRESCRIBER", "A prescriber decides about further doses.", status=403)
        if not reason.strip():
            raise Refusal("REASON-NEEDED", "Say why you decide so.", "reason")
        reaction = _standing(act, case_id)
        _refuse_changed(reaction, seen_id)
        if not reaction.is_grave:
            raise Refusal(
                "DECISION-NEEDLESS", "This reaction is neither severe nor serious: doses may go on."
            )
        row = {"id": uuid7(), "said_id": reaction.said_id, "kind": kind, "reason": reason.strip()}
        act.insert(ReactionDecision, {**row, "decided_at": act.recorded_at, "actor_id": actor.id})
        return _recorded(act, "doses.decide-reaction", _of(reaction), {"kind": kind, "reason": row["reason"]})

    return perform(write, actor=actor, at=at, request_key=request_key)


def _dose(act: Act, dose_id: UUID) -> Dose:
    dose = act.session.get(Dose, dose_id)
    if dose is None:
        raise not_found("dose")
    _lock(act, dose.patient_id)
    if act.session.scalar(select(exists().where(DoseVoid.dose_id == dose_id))):
        said = "This entry is void. Record the reaction at the dose that was really given."
        raise Refusal("DOSE-VOID", said, status=409)
    return dose


def _lock(act: Act, patient_id: UUID) -> None:
    """Lock the patient: a dose to them waits until the reaction is written, and then is told of it."""
    act.session.execute(select(Patient.id).where(Patient.id == patient_id).with_for_update(key_share=True))


def _row(act: Act, dose: Dose, told: Told) -> dict[str, Any]:
    if not told.symptoms and not told.other_symptom.strip():
        raise Refusal("SYMPTOM-NEEDED", "Tick what was seen, or say it in words.", "other_symptom")
    return {
        "dose_id": dose.id,
        "site_id": dose.site_id,
        "patient_id": dose.patient_id,
        "symptoms": written(told.symptoms),
        "other_symptom": told.other_symptom.strip() or None,
        "severity": told.severity,
        "criteria": written(told.criteria),
        "is_grave": is_grave(told.severity, told.criteria, told.symptoms, told.outcome),
        "onset_at": _onset(act, dose, told),
        "actions": written(told.actions),
        "outcome": told.outcome,
        "reporter": told.reporter,
        "note": told.note.strip() or None,
        "recorded_at": act.recorded_at,
        "actor_id": act.actor.id,
    }


def _onset(act: Act, dose: Dose, told: Told) -> datetime:
    """Return when it began. A typed minute in which the dose was given is the instant of the dose."""
    if told.onset_minutes is None and told.onset_at is None:
        raise Refusal("ONSET-NEEDED", "Say how long after the dose it began: 0 is at once.", "onset_minutes")
    if told.onset_minutes is not None and told.onset_at is not None:
        raise Refusal("ONSET-TWICE", "Say it one way: minutes, or a time.", "onset_at")
    if told.onset_at is None:
        onset, field = dose.given_at + timedelta(minutes=told.onset_minutes or 0), "onset_minutes"
    else:
        onset, field = told.onset_at, "onset_at"
        if onset < dose.given_at < onset + A_MINUTE:
            onset = dose.given_at
    if onset < dose.given_at:
        raise Refusal("ONSET-BEFORE-DOSE", "A reaction begins after the dose. Check the time.", field)
    if onset > act.recorded_at:
        raise Refusal("TIME-FUTURE", "This time is still to come.", field)
    return onset


def _open_incident(act: Act, row: Mapping[str, Any]) -> None:
    severity = SEVERITY_WORDS[row["severity"]]
    words = f"{severity} reaction: {symptom_words(_Said(row['symptoms'], row['other_symptom']))}."
    open_incident(act, row["site_id"], row["dose_id"], IncidentKind.REACTION, words)


@dataclass(frozen=True, slots=True)
class _Said:
    symptoms: str
    other_symptom: str | None


def _standing(act: Act, case_id: UUID) -> Reaction:
    """Return what a case says now, its patient locked. Raises Refusal NOT-FOUND, REACTION-RETRACTED."""
    first = act.session.get(Reaction, case_id)
    if first is None or first.case_id != case_id:
        raise not_found("reaction")
    _lock(act, first.patient_id)
    if act.session.get(ReactionRetraction, case_id) is not None:
        raise Refusal(
            "REACTION-RETRACTED", "This reaction was recorded by mistake, and is retracted.", status=409
        )
    return act.session.scalars(select(Reaction).where(Reaction.case_id == case_id, is_newest())).one()


def _correctable(act: Act, case_id: UUID, reason: str, seen_id: UUID | None = None) -> Reaction:
    if not reason.strip():
        raise Refusal("REASON-NEEDED", "Say why it is corrected.", "reason")
    reaction = _standing(act, case_id)
    if seen_id is not None:
        _refuse_changed(reaction, seen_id)
    if reaction.actor_id != act.actor.id and not act.actor.can(Permission.DOSE_VOID_ANY):
        raise Refusal(
            "REACTION-NOT-YOURS", "Only who recorded it, or a prescriber, may correct it.", status=403
        )
    return reaction


def _refuse_changed(reaction: Reaction, seen_id: UUID) -> None:
    if reaction.id != seen_id:
        raise Refusal("REACTION-CHANGED", "Somebody corrected this reaction meanwhile. Load the page again.")


def _refuse_unless_prescriber(actor: Actor) -> None:
    """What blocks the next dose is not taken away by whoever gives it."""
    if not actor.can(Permission.DOSE_OVERRIDE):
        said = "It is recorded as severe or serious, and blocks the next dose. A prescriber takes that back."
        raise Refusal("REACTION-PRESCRIBER", said, status=403)


def _refuse_when(act: Act, reaction: Reaction, when: datetime) -> None:
    if when > act.recorded_at:
        raise Refusal("TIME-FUTURE", "This time is still to come.", "happened_at")
    if when + A_MINUTE <= reaction.onset_at:
        raise Refusal("FOLLOW-UP-BEFORE", "That is before the reaction began. Check the time.", "happened_at")


def _of(reaction: Reaction) -> dict[str, Any]:
    return {name: getattr(reaction, name) for name in ("case_id", "site_id", "patient_id")}


def _recorded(act: Act, action: str, row: Mapping[str, Any], facts: Mapping[str, Any]) -> Outcome:
    return act.record(
        action,
        "reaction",
        row["case_id"],
        site_id=row["site_id"],
        patient_id=row["patient_id"],
        facts=facts,
    )
