"""What becomes of a dose's reactions when its entry is corrected: an amendment takes them along, a void is refused."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.audit.acts import Act
from inventory.doses.models import Dose
from inventory.doses.queries.reaction_states import is_standing
from inventory.doses.reaction_models import Reaction
from inventory.kernel.errors import Refusal
from inventory.kernel.ids import uuid7

_AMENDED = "The entry of the dose was amended"


def refuse_with_reaction(session: Session, dose_id: UUID) -> None:
    """Refuse to say that a dose was never given while a reaction to it stands. Raises Refusal REACTION-STANDS."""
    if session.scalar(select(Reaction.id).where(Reaction.dose_id == dose_id, is_standing()).limit(1)):
        said = "A reaction to this dose is recorded. If nothing was given, retract the reaction first."
        raise Refusal("REACTION-STANDS", said, "kind")


def carry_reactions(act: Act, old_id: UUID, new_id: UUID) -> None:
    """Inside an amendment, the new entry written: let each reaction to the old one stand at the new one.

    A decision goes along while patient and formulation stay who and what they were; else it is decided again. Raises
    Refusal REACTION-BEFORE-DOSE.
    """
    found = act.session.scalars(
        select(Reaction).where(Reaction.dose_id == old_id, is_standing()).order_by(Reaction.id)
    ).all()
    if found:
        old, new = act.session.get_one(Dose, old_id), act.session.get_one(Dose, new_id)
        for reaction in found:
            _carry(act, reaction, old, new)


def _carry(act: Act, reaction: Reaction, old: Dose, new: Dose) -> None:
    if reaction.onset_at < new.given_at:
        said = "A reaction to this dose is recorded from before that time. Correct the reaction first."
        raise Refusal("REACTION-BEFORE-DOSE", said, "given_at")
    alike = (old.patient_id, old.formulation_id) == (new.patient_id, new.formulation_id)
    row: dict[str, Any] = {
        column.name: getattr(reaction, column.name) for column in Reaction.__table__.columns
    }
    row |= {"id": uuid7(), "corrects_id": reaction.id, "correction_reason": _AMENDED}
    row |= {"dose_id": new.id, "patient_id": new.patient_id, "recorded_at": act.recorded_at}
    row |= {"said_id": reaction.said_id if alike else row["id"], "actor_id": act.actor.id}
    act.insert(Reaction, row)
    act.record(
        "doses.carry-reaction",
        "reaction",
        reaction.case_id,
        site_id=new.site_id,
        patient_id=new.patient_id,
        facts={"from": old.number, "to": new.number},
    )
