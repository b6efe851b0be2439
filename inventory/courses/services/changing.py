"""What a prescriber decides about a course that was ordered: adjust, move on, review, pause, resume, end. Each with a reason.

The patient is locked first, as by a dose: what a dose fulfils and what is decided here come one after the other.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from inventory.audit.acts import Act, Outcome, perform
from inventory.courses.models import CourseChange
from inventory.courses.queries.courses import CourseView, course_view, courses_of, due_of
from inventory.courses.rules.calendar import Interval
from inventory.courses.rules.ordering import interval_refusals, range_refusals
from inventory.courses.rules.planning import Adjustment, Due, Plan, due, moved_on, next_after
from inventory.courses.rules.terms import ChangeKind, CourseState, SlotState
from inventory.courses.services.slots import decide, patient_of, plan
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import Actor, Permission
from inventory.kernel.quantity import format_mcg
from inventory.patients.services.record import locked

Changed = Callable[[Act, CourseView], dict[str, Any]]


def adjust_course(
    *,
    actor: Actor,
    at: datetime,
    course_id: UUID,
    reason: str,
    dose_ng: int | None = None,
    dose_range: tuple[int, int] | None = None,
    interval: Interval | None = None,
    for_later_steps: bool = False,
    next_due_on: date | None = None,
    request_key: str | None = None,
) -> Outcome:
    """Change the dose, its range or the interval from the next dose on, or move that dose to another day. Outcome: the course.

    Raises Refusals DOSE-RANGE, PROTOCOL-INTERVAL; Refusal COURSE-PRESCRIBER, REASON-NEEDED, COURSE-OVER, NOTHING-CHANGED,
    COURSE-DOSE-OUTSIDE, NOT-FOUND.
    """
    if not (dose_ng or dose_range or interval or next_due_on):
        raise Refusal("NOTHING-CHANGED", "Say what changes: the dose, how often, or the next day.")
    wrong = [
        *(range_refusals(*dose_range) if dose_range else ()),
        *interval_refusals(interval, "interval_count"),
    ]
    if wrong:
        raise Refusals(wrong)

    def change(act: Act, view: CourseView) -> dict[str, Any]:
        step = view.open_slot.step_position if view.open_slot else view.position[0]
        adjustment = Adjustment(step, for_later_steps, dose_ng, interval)
        _refuse_outside(view, adjustment, dose_range or view.dose_range)
        if view.open_slot is not None:
            coming = _adjusted(view, adjustment, next_due_on)
            decide(act, view.open_slot, SlotState.WITHDRAWN)
            plan(act, view.course, coming)
        return {
            "step_position": step,
            "for_later_steps": for_later_steps,
            "dose_ng": dose_ng,
            "least_dose_ng": dose_range[0] if dose_range else None,
            "most_dose_ng": dose_range[1] if dose_range else None,
            "interval_count": interval.count if interval else None,
            "interval_unit": interval.unit if interval else None,
            "next_due_on": next_due_on,
        }

    return _change(
        ChangeKind.ADJUSTED, change, course_id, reason, actor=actor, at=at, request_key=request_key
    )


def move_on(
    *,
    actor: Actor,
    at: datetime,
    course_id: UUID,
    reason: str,
    next_due_on: date,
    request_key: str | None = None,
) -> Outcome:
    """Go on with the next step of the protocol, its first dose due on a day. Outcome: the course.

    Raises Refusal COURSE-LAST-STEP, COURSE-PAUSED-NOW; otherwise as `adjust_course`.
    """

    def change(act: Act, view: CourseView) -> dict[str, Any]:
        slot = view.open_slot
        if slot is None:
            raise _paused()
        coming = moved_on(view.plan, due_of(slot), next_due_on)
        if coming is None:
            raise Refusal("COURSE-LAST-STEP", "This is the last step of the protocol.")
        decide(act, slot, SlotState.WITHDRAWN)
        plan(act, view.course, coming)
        return {"step_position": coming.step_position, "next_due_on": next_due_on}

    return _change(
        ChangeKind.MOVED_ON, change, course_id, reason, actor=actor, at=at, request_key=request_key
    )


def review_course(
    *,
    actor: Actor,
    at: datetime,
    course_id: UUID,
    reason: str,
    today: date,
    review_on: date,
    request_key: str | None = None,
) -> Outcome:
    """Say what a review found, and when the next one is. Outcome: the course. Raises Refusal COURSE-REVIEW; as `adjust_course`."""
    if review_on <= today:
        raise Refusal("COURSE-REVIEW", "The next review is after today.", "review_on")
    return _change(
        ChangeKind.REVIEWED,
        lambda _act, _view: {"review_on": review_on},
        course_id,
        reason,
        actor=actor,
        at=at,
        request_key=request_key,
    )


def pause_course(
    *, actor: Actor, at: datetime, course_id: UUID, reason: str, request_key: str | None = None
) -> Outcome:
    """Let nothing be due until the course is resumed. Outcome: the course. Raises Refusal COURSE-PAUSED-NOW; as `adjust_course`."""

    def change(act: Act, view: CourseView) -> dict[str, Any]:
        if view.open_slot is None:
            raise _paused()
        decide(act, view.open_slot, SlotState.WITHDRAWN)
        return {}

    return _change(ChangeKind.PAUSED, change, course_id, reason, actor=actor, at=at, request_key=request_key)


def resume_course(
    *,
    actor: Actor,
    at: datetime,
    course_id: UUID,
    reason: str,
    next_due_on: date,
    request_key: str | None = None,
) -> Outcome:
    """Go on where the course was paused, the next dose due on a day. Outcome: the course.

    Raises Refusal COURSE-NOT-PAUSED, COURSE-STOP; otherwise as `adjust_course`.
    """

    def change(act: Act, view: CourseView) -> dict[str, Any]:
        if view.state is not CourseState.PAUSED:
            raise Refusal("COURSE-NOT-PAUSED", "This course is not paused.", status=409)
        coming = due(view.plan, view.position, next_due_on)
        plan(act, view.course, _within(view, coming))
        return {"next_due_on": next_due_on}

    return _change(ChangeKind.RESUMED, change, course_id, reason, actor=actor, at=at, request_key=request_key)


def end_course(
    *, actor: Actor, at: datetime, course_id: UUID, reason: str, request_key: str | None = None
) -> Outcome:
    """End a course for good: nothing of it is due any more. Outcome: the course. Raises as `adjust_course`."""

    def change(act: Act, view: CourseView) -> dict[str, Any]:
        if view.open_slot is not None:
            decide(act, view.open_slot, SlotState.WITHDRAWN)
        return {}

    return _change(ChangeKind.ENDED, change, course_id, reason, actor=actor, at=at, request_key=request_key)


def end_upon_death(act: Act, patient_id: UUID) -> None:
    """Inside the act that says that a patient died: end every course of theirs, whoever says it; nothing is due any more."""
    for view in courses_of(act.session, patient_id):
        if not view.is_over:
            if view.open_slot is not None:
                decide(act, view.open_slot, SlotState.WITHDRAWN)
            recorded(act, view, ChangeKind.ENDED, "The patient died.", {})


def _change(
    kind: ChangeKind,
    change: Changed,
    course_id: UUID,
    reason: str,
    *,
    actor: Actor,
    at: datetime,
    request_key: str | None,
) -> Outcome:
    """Carry out one decision of a prescriber about a course that is not over, and write down that it was made."""
    refuse_no_prescriber(actor)
    if not reason.strip():
        raise Refusal("REASON-NEEDED", "Say why.", "reason")

    def write(act: Act) -> Outcome:
        locked(act.session, patient_of(act, course_id))
        view = course_view(act.session, course_id)
        if view.is_over:
            raise Refusal("COURSE-OVER", "This course is over. Start a new one.", status=409)
        return recorded(act, view, kind, reason, change(act, view))

    return perform(write, actor=actor, at=at, request_key=request_key)


def recorded(act: Act, view: CourseView, kind: ChangeKind, reason: str, told: dict[str, Any]) -> Outcome:
    """Inside an act: insert the row that says what was decided about a course, and its entry."""
    columns = [column.name for column in CourseChange.__table__.columns]
    row = {
        **dict.fromkeys(columns),
        "for_later_steps": False,
        **told,
        "id": uuid7(),
        "course_id": view.course.id,
        "number": max((change.number for change in view.changes), default=0) + 1,
        "kind": kind,
        "reason": reason.strip(),
        "at": act.recorded_at,
        "actor_id": act.actor.id,
    }
    act.insert(CourseChange, row)
    facts = {name: value for name, value in told.items() if value is not None}
    return act.record(
        f"courses.{kind.replace('_', '-')}",
        "course",
        view.course.id,
        site_id=view.course.site_id,
        patient_id=view.course.patient_id,
        facts={"reason": reason.strip(), **facts},
    )


def refuse_no_prescriber(actor: Actor) -> None:
    """Raise Refusal COURSE-PRESCRIBER unless a prescriber acts: a course is an order."""
    if not actor.can(Permission.COURSE_PRESCRIBE):
        raise Refusal("COURSE-PRESCRIBER", "A course is an order: a prescriber decides about it.", status=403)


def _adjusted(view: CourseView, adjustment: Adjustment, next_due_on: date | None) -> Due:
    """Return the open dose as it is after an adjustment: on the day said, or as the new interval counts from the dose before."""
    slot = view.open_slot
    if slot is None:
        raise _paused()
    adjusted = Plan(view.steps, (*view.plan.adjustments, adjustment), view.course.stops_on)
    position = (slot.step_position, slot.dose_in_step)
    before = [one for one in view.slots if one.state == SlotState.GIVEN]
    if next_due_on is None and adjustment.interval and before:
        last = before[-1]
        coming = next_after(adjusted, due_of(last), SlotState.GIVEN, last.given_on or last.due_on)
        return _within(view, coming and due(adjusted, position, coming.due_on, coming.anchor_on))
    anchor = slot.anchor_on if next_due_on is None else None
    return _within(view, due(adjusted, position, next_due_on or slot.due_on, anchor))


def _within(view: CourseView, coming: Due | None) -> Due:
    if coming is None:
        last = view.course.stops_on
        said = f"The order stops on {last:%d %b %Y}." if last else "Nothing follows."
        raise Refusal("COURSE-STOP", f"{said} Choose an earlier day, or start a new course.", "next_due_on")
    return coming


def _refuse_outside(view: CourseView, adjustment: Adjustment, allowed: tuple[int, int]) -> None:
    """Raise Refusal COURSE-DOSE-OUTSIDE where the dose that is due next would lie outside what the order allows."""
    adjusted = Plan(view.steps, (*view.plan.adjustments, adjustment))
    dose_ng = adjusted.step(adjustment.step_position).dose_ng
    if not allowed[0] <= dose_ng <= allowed[1]:
        said = f"{format_mcg(dose_ng)} mcg is outside the order's range of {format_mcg(allowed[0])} to {format_mcg(allowed[1])} mcg."
        raise Refusal("COURSE-DOSE-OUTSIDE", f"{said} Change the range too.", "dose")


def _paused() -> Refusal:
    return Refusal("COURSE-PAUSED-NOW", "This course is paused. Resume it first.", status=409)
