"""Plans, decides and gives back slots, inside the act of whoever does so: a course has one open slot at most.

`doses` tells which slot a dose fulfils, and when a dose is void; the patient is locked by then, as in every act here.
"""

from dataclasses import replace
from datetime import date
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, func, select, update

from inventory.audit.acts import Act, inserting
from inventory.courses.models import Course, CourseSlot
from inventory.courses.queries.courses import CourseView, course_view, course_with_plan, due_of
from inventory.courses.rules.planning import Due, next_after
from inventory.courses.rules.terms import CourseState, SlotState
from inventory.kernel.errors import Refusal, not_found
from inventory.kernel.ids import uuid7
from inventory.kernel.laws import means

_DECIDED = Refusal(
    "SLOT-DECIDED", "Somebody has decided about this dose already. Load the page again.", status=409
)
means(_DECIDED, constraint="ix_course_slot_one_open", columns="course_slot.course_id")
means(
    _DECIDED,
    constraint="uq_course_slot_course_id_number",
    columns="course_slot.course_id, course_slot.number",
)
_SLOT = cast(Table, CourseSlot.__table__)


def fulfil(*, act: Act, slot_id: UUID, given_on: date) -> dict[str, Any]:
    """Inside the act of a dose: the slot is given on that day, and the next one is planned. Returns what the trail tells.

    Raises Refusal SLOT-DECIDED where it is open no more.
    """
    slot = locked_slot(act, slot_id)
    decide(act, slot, SlotState.GIVEN, given_on=given_on)
    course, current = course_with_plan(act.session, slot.course_id)
    coming = next_after(current, due_of(slot), SlotState.GIVEN, given_on)
    plan(act, course, coming)
    return {"course_slot": slot.number, "next_due_on": coming.due_on if coming else None}


def give_back(*, act: Act, slot_id: UUID) -> dict[str, Any]:
    """Inside the act that voids a dose: its slot is open again, and what was planned after it is withdrawn.

    Where a later slot was decided meanwhile the dose is missed; where the course is paused or over, withdrawn.
    """
    slot = locked_slot(act, slot_id, wanted=SlotState.GIVEN)
    view = course_view(act.session, slot.course_id)
    if view.state in {CourseState.PAUSED, CourseState.ENDED}:
        became = SlotState.WITHDRAWN
    else:
        became = SlotState.MISSED if _is_passed(view, slot) else SlotState.OPEN
    if became is SlotState.OPEN and view.open_slot is not None:
        decide(act, view.open_slot, SlotState.WITHDRAWN)
    decide(act, slot, became, wanted=SlotState.GIVEN)
    return {"course_slot": slot.number, "slot_became": became}


def redate(*, act: Act, slot_id: UUID, given_on: date) -> bool:
    """Inside the act that amends a dose: write its day on the slot, where later doses were decided already; tell whether they were.

    Where none was, the slot is given back and fulfilled anew instead, so that what follows is planned from the right day.
    """
    slot = locked_slot(act, slot_id, wanted=SlotState.GIVEN)
    view = course_view(act.session, slot.course_id)
    if not _is_passed(view, slot):
        return False
    act.session.execute(update(_SLOT).where(_SLOT.c.id == slot_id).values(given_on=given_on))
    return True


def plan(act: Act, course: Course, coming: Due | None) -> None:
    """Insert the next slot of a course, if there is one."""
    if coming is None:
        return
    last = act.session.scalar(select(func.max(_SLOT.c.number)).where(_SLOT.c.course_id == course.id))
    values = {
        "id": uuid7(),
        "course_id": course.id,
        "site_id": course.site_id,
        "number": (last or 0) + 1,
        **{name: getattr(coming, name) for name in Due.__dataclass_fields__},
        "planned_at": act.recorded_at,
        "state": SlotState.OPEN,
        "given_on": None,
        "decided_at": None,
        "decided_by_id": None,
    }
    act.session.execute(inserting(_SLOT), values)


def decide(
    act: Act,
    slot: CourseSlot,
    state: SlotState,
    *,
    given_on: date | None = None,
    wanted: SlotState = SlotState.OPEN,
) -> None:
    """Say what became of a slot. Raises Refusal SLOT-DECIDED where it does not stand as `wanted`."""
    if slot.state != wanted:
        raise replace(_DECIDED)
    is_open = state is SlotState.OPEN
    act.session.execute(
        update(_SLOT)
        .where(_SLOT.c.id == slot.id)
        .values(
            state=state,
            given_on=given_on,
            decided_at=None if is_open else act.recorded_at,
            decided_by_id=None if is_open else act.actor.id,
        )
    )


def locked_slot(act: Act, slot_id: UUID, *, wanted: SlotState = SlotState.OPEN) -> CourseSlot:
    """Return a slot as it stands, its course locked until the act ends. Raises Refusal SLOT-DECIDED, NOT-FOUND."""
    slot = act.session.scalar(
        select(CourseSlot)
        .where(CourseSlot.id == slot_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if slot is None:
        raise not_found("dose that was due")
    if slot.state != wanted:
        raise replace(_DECIDED)
    return slot


def patient_of(act: Act, course_id: UUID) -> UUID:
    """Return whose course it is. Raises Refusal NOT-FOUND."""
    found = act.session.scalar(select(Course.patient_id).where(Course.id == course_id))
    if found is None:
        raise not_found("course")
    return found


def _is_passed(view: CourseView, slot: CourseSlot) -> bool:
    """Tell whether a later slot of the course was given, missed or skipped."""
    later = [one for one in view.slots if one.number > slot.number]
    return any(one.state not in {SlotState.OPEN, SlotState.WITHDRAWN} for one in later)
