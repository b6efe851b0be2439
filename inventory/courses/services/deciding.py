"""A dose that was due and was not given: missed, and due again, or skipped on purpose. It stays visible until this is decided."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from inventory.audit.acts import Act, Outcome, perform
from inventory.courses.queries.courses import course_view, due_of, slot_by_id
from inventory.courses.rules.planning import due, next_after
from inventory.courses.rules.terms import ChangeKind, SlotState
from inventory.courses.services.changing import recorded, refuse_no_prescriber
from inventory.courses.services.slots import decide, locked_slot, patient_of, plan
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Actor
from inventory.patients.services.record import locked

_KINDS = {SlotState.MISSED: ChangeKind.MISSED, SlotState.SKIPPED: ChangeKind.SKIPPED}


def decide_slot(
    *,
    actor: Actor,
    at: datetime,
    slot_id: UUID,
    state: SlotState,
    reason: str,
    today: date,
    next_due_on: date | None = None,
    request_key: str | None = None,
) -> Outcome:
    """Say that a dose was missed (it is due again) or skipped (it counts as done), and why. Outcome: the course.

    `next_due_on` moves what is due next to another day, which a prescriber may. Raises Refusal SLOT-STATE, REASON-NEEDED,
    COURSE-PRESCRIBER, SLOT-NOT-DUE, SLOT-DECIDED, NOT-FOUND.
    """
    if state not in _KINDS:
        raise Refusal("SLOT-STATE", "Say whether the dose was missed or skipped.", "state")
    if not reason.strip():
        raise Refusal("REASON-NEEDED", "Say why it was not given.", "reason")
    if next_due_on is not None:
        refuse_no_prescriber(actor)

    def write(act: Act) -> Outcome:
        locked(act.session, patient_of(act, slot_by_id(act.session, slot_id).course_id))
        slot = locked_slot(act, slot_id)
        if state is SlotState.MISSED and today < slot.due_on:
            raise Refusal("SLOT-NOT-DUE", "This dose is not due yet, so it cannot be missed.", "state")
        view = course_view(act.session, slot.course_id)
        coming = next_after(view.plan, due_of(slot), state, today)
        if coming is not None and next_due_on is not None:
            coming = due(view.plan, (coming.step_position, coming.dose_in_step), next_due_on)
        decide(act, slot, state)
        plan(act, view.course, coming)
        told: dict[str, Any] = {"slot_id": slot_id, "next_due_on": coming.due_on if coming else None}
        return recorded(act, view, _KINDS[state], reason, told)

    return perform(write, actor=actor, at=at, request_key=request_key)
