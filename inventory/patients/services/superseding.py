"""What results and scores share: a correction or a retraction is a new row that names the row it stands in for (law 4)."""

from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome
from inventory.kernel.errors import Refusal, not_found
from inventory.kernel.ids import uuid7
from inventory.patients.models import LabResult, SymptomScore
from inventory.patients.queries import records_of

Correctable = TypeVar("Correctable", LabResult, SymptomScore)


def standing(session: Session, model: type[Correctable], patient_id: UUID, row_id: UUID) -> Correctable:
    """Return the row to be corrected, of any record of the person, the patient being locked. Raises Refusal NOT-FOUND, CORRECTED-ALREADY, RETRACTED."""
    row: Correctable | None = session.scalar(
        select(model).where(model.id == row_id, model.patient_id.in_(records_of(patient_id)))
    )
    if row is None:
        raise not_found("entry")
    if row.is_retraction:
        raise Refusal("RETRACTED", "This entry was retracted. Type it anew if it holds after all.")
    if session.scalar(select(model.id).where(model.corrects_id == row_id)) is not None:
        raise Refusal(
            "CORRECTED-ALREADY", "This entry was corrected or retracted already. Load the page again."
        )
    return row


def reason_given(reason: str) -> str:
    """Return the reason of a correction. Raises Refusal REASON-NEEDED."""
    if not reason.strip():
        raise Refusal("REASON-NEEDED", "Say why this is not as it was recorded.", "reason")
    return reason.strip()


def retract(
    act: Act, old: LabResult | SymptomScore, *, action: str, reason: str, facts: dict[str, Any]
) -> Outcome:
    """Inside an act: say by a row like it that a row never held, and end the act. `facts` is what it said. Raises Refusal REASON-NEEDED."""
    why = reason_given(reason)
    row = {
        **{column.name: getattr(old, column.name) for column in old.__table__.columns},
        "id": uuid7(),
        "recorded_at": act.recorded_at,
        "actor_id": act.actor.id,
        "corrects_id": old.id,
        "is_retraction": True,
        "reason": why,
    }
    act.insert(type(old), row)
    told = {"before": facts, "after": {}, "reason": why, "retracts": old.id}
    return act.record(action, old.__tablename__, row["id"], patient_id=old.patient_id, facts=told)
