"""Tells courses which slot a dose fulfils, and when a dose is void, inside the dose's own act (law 5)."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from inventory.audit.acts import Act
from inventory.courses import services as courses
from inventory.doses.models import Dose, DoseAuthority, DoseSlot
from inventory.doses.queries.assessment import Assessment


def fulfil_order(act: Act, assessment: Assessment, dose_id: UUID, *, kept: bool = False) -> dict[str, Any]:
    """Write down under what the dose was given, and plan what is due after it. Returns what the trail tells of it.

    With `kept` the slot stands as given already: the dose is the amendment of the one that fulfilled it.
    """
    under = assessment.ordered
    if under.authority_id is not None:
        act.insert(DoseAuthority, {"dose_id": dose_id, "authority_id": under.authority_id})
    if under.slot_id is None:
        return {}
    told = {}
    if not kept:
        told = courses.fulfil(act=act, slot_id=under.slot_id, given_on=assessment.question.given_on)
    act.insert(DoseSlot, {"dose_id": dose_id, "slot_id": under.slot_id})
    return told


def give_slot_back(act: Act, dose: Dose) -> dict[str, Any]:
    """Let the slot of a dose that is void be due again. Returns what the trail tells of it."""
    slot_id = _slot_of(act, dose.id)
    return courses.give_back(act=act, slot_id=slot_id) if slot_id is not None else {}


def keep_slot(act: Act, dose: Dose, assessment: Assessment) -> bool:
    """Tell whether the amendment of a dose keeps its slot as given; otherwise the slot is given back, to be due again.

    It is kept where the new entry is for the same dose of the same day: what was planned after it, and perhaps moved by a
    prescriber, then stays. It is kept, with its new day, where later doses were decided already.
    """
    slot_id = _slot_of(act, dose.id)
    if slot_id is None:
        return False
    if slot_id == assessment.ordered.slot_id:
        given_on = assessment.question.given_on
        if dose.given_on == given_on or courses.redate(act=act, slot_id=slot_id, given_on=given_on):
            return True
    courses.give_back(act=act, slot_id=slot_id)
    return False


def _slot_of(act: Act, dose_id: UUID) -> UUID | None:
    return act.session.scalar(select(DoseSlot.slot_id).where(DoseSlot.dose_id == dose_id))
