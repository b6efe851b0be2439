"""Which dose of a course is due next, and when: from its protocol, what was adjusted, and what became of the last slot.

A dose inside its window keeps the grid of days; one outside begins a new grid on the day it was given. A missed dose is due again, on the
next day of the grid; a skipped one counts as done. Sources of the schedules stand with the protocols.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from inventory.courses.rules.calendar import Interval, after, anchor_of, not_before
from inventory.courses.rules.terms import SlotState, Unit


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a protocol. `doses` None goes on until decided; the last step then goes on without an end."""

    position: int
    dose_ng: int
    interval: Interval
    doses: int | None = None
    until_text: str = ""
    early_days: int = 0
    late_days: int = 0


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What a prescriber changed, in the step it was made in, and in later ones where it says so. None stays as it was."""

    step_position: int
    for_later_steps: bool = False
    dose_ng: int | None = None
    interval: Interval | None = None

    def reaches(self, position: int) -> bool:
        """Tell whether it holds in a step."""
        return position == self.step_position or (self.for_later_steps and position > self.step_position)


@dataclass(frozen=True, slots=True)
class Due:
    """A dose that is due: which, when, within which days, how much."""

    step_position: int
    dose_in_step: int
    due_on: date
    opens_on: date
    closes_on: date
    anchor_on: date
    dose_ng: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A protocol as it holds for one course: its steps, what was adjusted since, and the last day of the order."""

    steps: tuple[Step, ...]
    adjustments: tuple[Adjustment, ...] = ()
    stops_on: date | None = None

    def step(self, position: int) -> Step:
        """Return a step as adjusted."""
        step = self.steps[position - 1]
        for change in self.adjustments:
            if change.reaches(position):
                step = replace(
                    step,
                    dose_ng=change.dose_ng or step.dose_ng,
                    interval=change.interval or step.interval,
                )
        return step

    def position_after(self, step_position: int, dose_in_step: int) -> tuple[int, int] | None:
        """Return the step and the dose within it that follow a dose which is done; None after the last."""
        doses = self.steps[step_position - 1].doses
        if doses is None or dose_in_step < doses:
            return step_position, dose_in_step + 1
        return (step_position + 1, 1) if step_position < len(self.steps) else None


def due(plan: Plan, position: tuple[int, int], due_on: date, anchor_on: date | None = None) -> Due | None:
    """Return the dose at `position` (step, dose within it) as due on a day; None after the last day of the order."""
    if plan.stops_on is not None and due_on > plan.stops_on:
        return None
    step = plan.step(position[0])
    # Weeks and days need no anchor; when months follow them, they are counted from the last of those days.
    is_anchored = step.interval.unit in {Unit.MONTH, Unit.THRICE}
    anchor = (anchor_on or due_on) if is_anchored else due_on
    return Due(
        *position,
        due_on=due_on,
        opens_on=due_on - timedelta(days=min(step.early_days, step.interval.least_days - 1)),
        closes_on=due_on + timedelta(days=min(step.late_days, step.interval.least_days - 1)),
        anchor_on=anchor,
        dose_ng=step.dose_ng,
    )


def first(plan: Plan, starts_on: date) -> Due | None:
    """Return the first dose of a course that starts on a day."""
    return due(plan, (1, 1), starts_on)


def next_after(plan: Plan, slot: Due, state: SlotState, on: date) -> Due | None:
    """Return the dose that follows a slot that was given, missed or skipped, or None where it was the last.

    `on` is the day it was given, or on which it was decided that it was not.
    """
    if state is SlotState.GIVEN:
        return _after_given(plan, slot, on)
    here = (slot.step_position, slot.dose_in_step)
    position = here if state is SlotState.MISSED else plan.position_after(*here)
    if position is None:
        return None
    interval = plan.step(position[0]).interval
    anchor = anchor_of(slot.due_on, interval, slot.anchor_on)
    return due(plan, position, not_before(slot.due_on, interval, anchor, on), anchor)


def _after_given(plan: Plan, slot: Due, given_on: date) -> Due | None:
    position = plan.position_after(slot.step_position, slot.dose_in_step)
    if position is None:
        return None
    interval = plan.step(position[0]).interval
    if not slot.opens_on <= given_on <= slot.closes_on:
        return due(plan, position, after(given_on, interval), given_on)
    anchor = anchor_of(slot.due_on, interval, slot.anchor_on)
    return due(plan, position, after(slot.due_on, interval, anchor), anchor)


def moved_on(plan: Plan, slot: Due, on: date) -> Due | None:
    """Return the first dose of the step after a slot's, due on a day; None where its step is the last."""
    return due(plan, (slot.step_position + 1, 1), on) if slot.step_position < len(plan.steps) else None


def projected(plan: Plan, slot: Due, *, until: date, most: int) -> Iterator[Due]:
    """Yield the doses that follow an open slot if each is given on its day: those until a day, `most` at most."""
    at = slot
    for _ in range(most):
        coming = next_after(plan, at, SlotState.GIVEN, at.due_on)
        if coming is None or coming.due_on > until:
            return
        yield coming
        at = coming
