"""What follows what: intervals, tolerance windows, adjustments, and what became of the last dose."""

from datetime import date

import pytest

from inventory.courses.rules.calendar import Interval, after
from inventory.courses.rules.planning import (
    Adjustment,
    Due,
    Plan,
    Step,
    due,
    first,
    moved_on,
    next_after,
    projected,
)
from inventory.courses.rules.terms import SlotState, Unit

WEEK, MONTH = Interval(1, Unit.WEEK), Interval(1, Unit.MONTH)
WEEKLY_THEN_MONTHLY = Plan(
    (
        Step(1, 1_000_000, WEEK, doses=4, early_days=2, late_days=3),
        Step(2, 1_000_000, MONTH, early_days=7, late_days=7),
    )
)


def given(plan: Plan, slot: Due, on: date | None = None) -> Due:
    found = next_after(plan, slot, SlotState.GIVEN, on or slot.due_on)
    assert found is not None
    return found


def start(plan: Plan, on: date) -> Due:
    found = first(plan, on)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "day,interval,expected",
    [
        (date(2026, 1, 31), MONTH, date(2026, 2, 28)),
        (date(2028, 1, 31), MONTH, date(2028, 2, 29)),
        (date(2028, 2, 29), Interval(12, Unit.MONTH), date(2029, 2, 28)),
        (date(2026, 11, 30), Interval(3, Unit.MONTH), date(2027, 2, 28)),
        # The clocks of Europe go forward on 29 March 2026 and back on 25 October: a day stays a day.
        (date(2026, 3, 28), Interval(1, Unit.DAY), date(2026, 3, 29)),
        (date(2026, 10, 24), Interval(2, Unit.DAY), date(2026, 10, 26)),
        (date(2026, 12, 28), Interval(2, Unit.WEEK), date(2027, 1, 11)),
        (date(2026, 3, 16), Interval(1, Unit.THRICE), date(2026, 3, 18)),
    ],
)
def test_counts_an_interval(day: date, interval: Interval, expected: date) -> None:
    assert after(day, interval) == expected


def test_keeps_the_day_of_the_month_of_the_anchor() -> None:
    slot = start(Plan((Step(1, 1, MONTH),)), date(2026, 1, 31))
    days = [
        slot.due_on,
        *(one.due_on for one in projected(Plan((Step(1, 1, MONTH),)), slot, until=date(2026, 6, 30), most=9)),
    ]
    assert days == [
        date(2026, 1, 31),
        date(2026, 2, 28),
        date(2026, 3, 31),
        date(2026, 4, 30),
        date(2026, 5, 31),
        date(2026, 6, 30),
    ]


def test_three_times_a_week_keeps_its_days() -> None:
    plan = Plan((Step(1, 1, Interval(1, Unit.THRICE)),))
    slot = start(plan, date(2026, 3, 16))
    days = [one.due_on.strftime("%a") for one in projected(plan, slot, until=date(2026, 3, 31), most=6)]
    assert days == ["Wed", "Fri", "Mon", "Wed", "Fri", "Mon"]


def test_weekly_four_times_is_followed_by_monthly() -> None:
    slot = start(WEEKLY_THEN_MONTHLY, date(2026, 1, 10))
    coming = list(projected(WEEKLY_THEN_MONTHLY, slot, until=date(2026, 4, 30), most=9))
    assert [one.due_on for one in coming] == [
        date(2026, 1, 17),
        date(2026, 1, 24),
        date(2026, 1, 31),
        date(2026, 2, 28),
        date(2026, 3, 31),
        date(2026, 4, 30),
    ]
    assert [(one.step_position, one.dose_in_step) for one in coming][:4] == [(1, 2), (1, 3), (1, 4), (2, 1)]


@pytest.mark.parametrize("day", [date(2026, 3, 14), date(2026, 3, 16), date(2026, 3, 19)])
def test_a_dose_within_its_window_keeps_the_grid(day: date) -> None:
    slot = start(WEEKLY_THEN_MONTHLY, date(2026, 3, 16))
    assert given(WEEKLY_THEN_MONTHLY, slot, day).due_on == date(2026, 3, 23)


@pytest.mark.parametrize("day", [date(2026, 3, 13), date(2026, 3, 20), date(2026, 5, 1)])
def test_a_dose_outside_its_window_begins_a_new_grid(day: date) -> None:
    slot = start(WEEKLY_THEN_MONTHLY, date(2026, 3, 16))
    assert given(WEEKLY_THEN_MONTHLY, slot, day).due_on == after(day, WEEK)


def test_a_missed_dose_is_due_again_on_the_next_day_of_the_grid() -> None:
    slot = start(WEEKLY_THEN_MONTHLY, date(2026, 3, 16))
    coming = next_after(WEEKLY_THEN_MONTHLY, slot, SlotState.MISSED, date(2026, 4, 1))
    assert coming is not None
    assert (coming.due_on, coming.dose_in_step) == (date(2026, 4, 6), 1)


def test_a_skipped_dose_counts_as_done() -> None:
    slot = start(WEEKLY_THEN_MONTHLY, date(2026, 3, 16))
    coming = next_after(WEEKLY_THEN_MONTHLY, slot, SlotState.SKIPPED, date(2026, 3, 16))
    assert coming is not None
    assert (coming.due_on, coming.dose_in_step) == (date(2026, 3, 23), 2)


def test_nothing_follows_the_last_dose() -> None:
    plan = Plan((Step(1, 1, WEEK, doses=1),))
    slot = start(plan, date(2026, 3, 16))
    assert next_after(plan, slot, SlotState.GIVEN, slot.due_on) is None
    assert next_after(plan, slot, SlotState.SKIPPED, slot.due_on) is None
    assert next_after(plan, slot, SlotState.MISSED, slot.due_on) is not None


def test_nothing_is_due_after_the_last_day_of_the_order() -> None:
    plan = Plan((Step(1, 1, WEEK),), stops_on=date(2026, 3, 23))
    slot = start(plan, date(2026, 3, 16))
    assert [one.due_on for one in projected(plan, slot, until=date(2026, 12, 31), most=9)] == [
        date(2026, 3, 23)
    ]
    assert due(plan, (1, 1), date(2026, 3, 24)) is None


def test_an_adjustment_holds_in_its_step_alone_unless_it_says_so() -> None:
    slower = Adjustment(1, interval=Interval(2, Unit.WEEK))
    less = Adjustment(1, for_later_steps=True, dose_ng=500)
    plan = Plan(WEEKLY_THEN_MONTHLY.steps, (slower, less))
    assert (plan.step(1).interval, plan.step(1).dose_ng) == (Interval(2, Unit.WEEK), 500)
    assert (plan.step(2).interval, plan.step(2).dose_ng) == (MONTH, 500)


def test_the_last_adjustment_of_a_thing_holds() -> None:
    plan = Plan(
        WEEKLY_THEN_MONTHLY.steps,
        (Adjustment(1, dose_ng=500), Adjustment(1, interval=MONTH), Adjustment(1, dose_ng=700)),
    )
    assert (plan.step(1).dose_ng, plan.step(1).interval) == (700, MONTH)


def test_a_month_that_follows_weeks_counts_from_their_last_day() -> None:
    slot = start(WEEKLY_THEN_MONTHLY, date(2026, 3, 2))
    later = given(WEEKLY_THEN_MONTHLY, slot)
    monthly = Plan(WEEKLY_THEN_MONTHLY.steps, (Adjustment(1, interval=MONTH),))
    assert given(monthly, later).due_on == date(2026, 4, 9)


def test_moves_on_to_the_next_step_and_not_beyond_the_last() -> None:
    slot = start(WEEKLY_THEN_MONTHLY, date(2026, 3, 16))
    moved = moved_on(WEEKLY_THEN_MONTHLY, slot, date(2026, 4, 1))
    assert moved is not None
    assert (moved.step_position, moved.dose_in_step, moved.due_on) == (2, 1, date(2026, 4, 1))
    assert moved_on(WEEKLY_THEN_MONTHLY, moved, date(2026, 5, 1)) is None


def test_an_interval_made_shorter_narrows_the_window() -> None:
    """Windows of two doses never overlap, whatever was adjusted."""
    plan = Plan((Step(1, 1, MONTH, early_days=14, late_days=14),), (Adjustment(1, interval=WEEK),))
    slot = start(plan, date(2026, 3, 16))
    assert (slot.opens_on, slot.closes_on) == (date(2026, 3, 10), date(2026, 3, 22))


@pytest.mark.parametrize(
    "interval,words",
    [
        (WEEK, "every week"),
        (Interval(2, Unit.DAY), "every 2 days"),
        (Interval(1, Unit.THRICE), "three times a week"),
    ],
)
def test_an_interval_in_words(interval: Interval, words: str) -> None:
    assert str(interval) == words


def test_a_missed_dose_may_be_due_again_on_the_day_of_the_decision() -> None:
    slot = start(WEEKLY_THEN_MONTHLY, date(2026, 3, 16))
    coming = next_after(WEEKLY_THEN_MONTHLY, slot, SlotState.MISSED, date(2026, 3, 23))
    assert coming is not None
    assert coming.due_on == date(2026, 3, 23)


def test_a_step_of_other_months_keeps_the_day_of_the_month() -> None:
    plan = Plan((Step(1, 1, MONTH, doses=2), Step(2, 1, Interval(2, Unit.MONTH))))
    slot = start(plan, date(2026, 1, 31))
    days = [one.due_on for one in projected(plan, slot, until=date(2026, 6, 30), most=3)]
    assert days == [date(2026, 2, 28), date(2026, 4, 30), date(2026, 6, 30)]


def test_a_new_grid_of_months_keeps_the_day_it_began_on() -> None:
    plan = Plan((Step(1, 1, MONTH),))
    late = given(plan, start(plan, date(2026, 1, 10)), date(2026, 1, 31))
    assert (late.due_on, given(plan, late).due_on) == (date(2026, 2, 28), date(2026, 3, 31))


def test_months_after_three_times_a_week_count_from_the_last_dose() -> None:
    plan = Plan((Step(1, 1, Interval(1, Unit.THRICE), doses=3), Step(2, 1, MONTH)))
    slot = start(plan, date(2026, 3, 16))
    days = [one.due_on for one in projected(plan, slot, until=date(2026, 6, 30), most=4)]
    assert days == [date(2026, 3, 18), date(2026, 3, 20), date(2026, 4, 20), date(2026, 5, 20)]


def test_a_course_made_monthly_counts_from_its_last_dose() -> None:
    plan = Plan((Step(1, 1, Interval(1, Unit.THRICE)),))
    wednesday = given(plan, start(plan, date(2026, 3, 16)))
    monthly = Plan(plan.steps, (Adjustment(1, interval=MONTH),))
    assert given(monthly, wednesday).due_on == date(2026, 4, 18)
