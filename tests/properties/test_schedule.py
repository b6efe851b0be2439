"""Schedules of every shape: days go forward, keep their day of the month, and never skip or repeat a dose."""

from calendar import monthrange
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from inventory.courses.rules.calendar import Interval, after, not_before
from inventory.courses.rules.planning import Due, Plan, Step, first, next_after, projected
from inventory.courses.rules.terms import SlotState, Unit
from tests.properties.effort import effort

days = st.dates(date(2000, 1, 1), date(2080, 12, 31))
intervals = st.one_of(
    st.builds(Interval, st.integers(1, 60), st.just(Unit.DAY)),
    st.builds(Interval, st.integers(1, 12), st.just(Unit.WEEK)),
    st.builds(Interval, st.integers(1, 24), st.just(Unit.MONTH)),
    st.just(Interval(1, Unit.THRICE)),
)
decisions = st.lists(
    st.tuples(st.sampled_from([SlotState.GIVEN, SlotState.MISSED, SlotState.SKIPPED]), st.integers(-20, 90)),
    max_size=12,
)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A protocol of one to four steps, of which the last may go on."""
    steps = []
    for position in range(1, draw(st.integers(1, 4)) + 1):
        interval = draw(intervals)
        tolerance = st.integers(0, interval.least_days - 1)
        steps.append(
            Step(
                position,
                draw(st.integers(1, 10**9)),
                interval,
                draw(st.integers(1, 5)),
                "",
                draw(tolerance),
                draw(tolerance),
            )
        )
    return Plan(tuple(steps))


@given(days, st.integers(1, 24), st.integers(1, 30))
@effort(200, 1)
def test_months_keep_the_day_of_their_anchor(day: date, count: int, times: int) -> None:
    at = day
    for _ in range(times):
        before, at = at, after(at, Interval(count, Unit.MONTH), day)
        assert at.day == min(day.day, monthrange(at.year, at.month)[1])
        assert (at.year * 12 + at.month) - (before.year * 12 + before.month) == count


@given(days, intervals)
@effort(200, 1)
def test_an_interval_goes_forward_by_what_it_says_at_least(day: date, interval: Interval) -> None:
    assert (after(day, interval) - day).days >= interval.least_days


@given(days, intervals, days)
@effort(200, 1)
def test_the_next_day_of_a_grid_is_not_before_the_day_asked(
    day: date, interval: Interval, least: date
) -> None:
    found = not_before(day, interval, day, least)
    assert found >= max(least, after(day, interval, day))
    if found > after(day, interval, day):
        assert found - timedelta(days=interval.count * 31) < least


@given(plans(), days, decisions)
@effort(300, 1)
def test_every_dose_of_a_protocol_comes_once_in_its_order(
    plan: Plan, starts_on: date, taken: list[tuple[SlotState, int]]
) -> None:
    slot = first(plan, starts_on)
    done: list[tuple[int, int]] = []
    for state, days_after in taken:
        if slot is None:
            break
        on = slot.due_on + timedelta(days=days_after)
        coming = next_after(plan, slot, state, on)
        if state is not SlotState.MISSED:
            done.append((slot.step_position, slot.dose_in_step))
        check(slot, coming, state, on)
        slot = coming
    every = [(step.position, dose) for step in plan.steps for dose in range(1, (step.doses or 0) + 1)]
    assert done == every[: len(done)]
    assert (slot is None) == (len(done) == len(every))


def check(slot: Due, coming: Due | None, state: SlotState, on: date) -> None:
    """What follows is later than what it follows, and than the day of the decision where that is no dose."""
    if coming is None:
        return
    assert coming.opens_on <= coming.due_on <= coming.closes_on
    if state is SlotState.GIVEN:
        base = slot.due_on if slot.opens_on <= on <= slot.closes_on else on
        assert coming.due_on > base
    else:
        assert coming.due_on > slot.due_on
        assert coming.due_on >= on


@given(plans(), days)
@effort(200, 1)
def test_windows_of_a_projection_do_not_swallow_one_another(plan: Plan, starts_on: date) -> None:
    slot = first(plan, starts_on)
    assert slot is not None
    every = [slot, *projected(plan, slot, until=date(9000, 1, 1), most=40)]
    for one, other in pairwise(every):
        assert other.due_on > one.due_on
        assert other.opens_on > one.due_on
