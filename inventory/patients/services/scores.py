"""Records how a patient says that they feel, 0 to 10. What was wrong is corrected or retracted by a row that names it (law 4)."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from inventory.audit.acts import Act, Outcome, perform
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import Actor
from inventory.patients import rules
from inventory.patients.models import SYMPTOMS, Patient, SymptomScore
from inventory.patients.services.record import changes, locked
from inventory.patients.services.superseding import reason_given, retract, standing

HIGHEST = 10


@dataclass(frozen=True, slots=True)
class Scores:
    """What the patient said at a visit; None was not asked."""

    noted_at: datetime
    energy: int | None = None
    skin: int | None = None
    mood: int | None = None
    numbness: int | None = None


def record_scores(
    *, actor: Actor, at: datetime, patient_id: UUID, scores: Scores, request_key: str | None = None
) -> Outcome:
    """Record the scores of a visit; the outcome's subject is the row.

    Raises Refusals of SCORE-RANGE, SCORE-FUTURE, SCORE-BEFORE-BIRTH, SCORE-NONE.
    """

    def write(act: Act) -> Outcome:
        _refuse(locked(act.session, patient_id), scores, act.recorded_at)
        score_id = _insert(act, patient_id, scores)
        return act.record(
            "patients.record-scores", "symptom_score", score_id, patient_id=patient_id, facts=asdict(scores)
        )

    return perform(write, actor=actor, at=at, request_key=request_key)


def correct_scores(
    *,
    actor: Actor,
    at: datetime,
    patient_id: UUID,
    score_id: UUID,
    scores: Scores,
    reason: str,
    request_key: str | None = None,
) -> Outcome:
    """Record what the scores of a visit should have been; the outcome's subject is the new row.

    Raises what `record_scores` raises; Refusal NOT-FOUND, CORRECTED-ALREADY, RETRACTED, REASON-NEEDED, NOTHING-CHANGED.
    """

    def write(act: Act) -> Outcome:
        patient = locked(act.session, patient_id)
        old = standing(act.session, SymptomScore, patient_id, score_id)
        _refuse(patient, scores, act.recorded_at)
        changed = changes(_facts_of(old), asdict(scores))
        if not changed:
            raise Refusal("NOTHING-CHANGED", "Nothing is different from what the record says already.")
        why = reason_given(reason)
        new_id = _insert(act, old.patient_id, scores, corrects_id=score_id, reason=why)
        facts = {**changed, "reason": why, "corrects": score_id}
        return act.record(
            "patients.correct-scores", "symptom_score", new_id, patient_id=old.patient_id, facts=facts
        )

    return perform(write, actor=actor, at=at, request_key=request_key)


def retract_scores(
    *,
    actor: Actor,
    at: datetime,
    patient_id: UUID,
    score_id: UUID,
    reason: str,
    request_key: str | None = None,
) -> Outcome:
    """Say that these scores are not this patient's. They stay in the record, marked.

    Raises Refusal NOT-FOUND, CORRECTED-ALREADY, RETRACTED, REASON-NEEDED.
    """

    def write(act: Act) -> Outcome:
        locked(act.session, patient_id)
        old = standing(act.session, SymptomScore, patient_id, score_id)
        return retract(act, old, action="patients.retract-scores", reason=reason, facts=_facts_of(old))

    return perform(write, actor=actor, at=at, request_key=request_key)


def _insert(
    act: Act, patient_id: UUID, scores: Scores, *, corrects_id: UUID | None = None, reason: str | None = None
) -> UUID:
    row = {
        **asdict(scores),
        "id": uuid7(),
        "patient_id": patient_id,
        "recorded_at": act.recorded_at,
        "actor_id": act.actor.id,
        "corrects_id": corrects_id,
        "is_retraction": False,
        "reason": reason,
    }
    inserted: UUID = act.insert(SymptomScore, row)
    return inserted


def _refuse(patient: Patient, scores: Scores, recorded_at: datetime) -> None:
    values = {name: getattr(scores, name) for name in SYMPTOMS}
    found = [
        Refusal("SCORE-RANGE", "A score is a whole number from 0 to 10.", name)
        for name, value in values.items()
        if value is not None and not 0 <= value <= HIGHEST
    ]
    if all(value is None for value in values.values()):
        found.append(Refusal("SCORE-NONE", "Give at least one score.", SYMPTOMS[0]))
    if scores.noted_at > recorded_at:
        found.append(Refusal("SCORE-FUTURE", "The visit cannot be in the future.", "noted_at"))
    if rules.last_day_on_earth(scores.noted_at) < patient.born_on:
        found.append(Refusal("SCORE-BEFORE-BIRTH", "The patient was not born on that day.", "noted_at"))
    if found:
        raise Refusals(found)


def _facts_of(row: SymptomScore) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Scores.__dataclass_fields__}
