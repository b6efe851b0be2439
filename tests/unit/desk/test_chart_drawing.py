"""Places in a picture: nothing outside its frame, time from left to right, more higher up."""

import itertools
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.desk.chart_drawing import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Panel,
    Point,
    Series,
    days_of,
    panel_of,
)

DAY = date(2026, 3, 16)
values = st.fractions(min_value=0, max_value=10**9, max_denominator=10**6)


def series(*amounts: Fraction | int, **more: Fraction) -> Series:
    points = [Point(DAY + timedelta(days=n), Fraction(value), str(value)) for n, value in enumerate(amounts)]
    return Series("Vitamin B12", "pg/mL", points, **more)


def drawn(one: Series, *dosed_on: date) -> Panel:
    span = days_of([one], dosed_on)
    assert span
    return panel_of(one, dosed_on, *span)


@given(
    st.lists(values, min_size=1, max_size=30),
    st.lists(st.dates(date(2020, 1, 1), date(2030, 1, 1)), max_size=5),
)
def test_everything_lies_within_the_frame(amounts: list[Fraction], dosed_on: list[date]) -> None:
    panel = drawn(series(*amounts), *dosed_on)
    assert all(LEFT <= dot.x <= WIDTH - RIGHT and TOP <= dot.y <= HEIGHT - BOTTOM for dot in panel.dots)
    assert len(panel.doses) == len(dosed_on)
    assert all(LEFT <= x <= WIDTH - RIGHT for x in panel.doses)
    assert [dot.x for dot in panel.dots] == sorted(dot.x for dot in panel.dots)
    for (one, two), (here, there) in zip(
        itertools.pairwise(amounts), zip(panel.dots, panel.dots[1:], strict=False), strict=False
    ):
        assert (one <= two) or here.y <= there.y


def test_axis_ends_at_a_round_number_above_all() -> None:
    assert [tick.words for tick in drawn(series(150, 300)).values] == ["0", "250", "500"]
    assert [tick.words for tick in drawn(series(Fraction(27, 100))).values] == ["0", "0.15", "0.3"]
    assert [tick.words for tick in drawn(series(3, most=Fraction(10))).values] == ["0", "5", "10"]
    assert [tick.words for tick in drawn(series(0)).values] == ["0", "0.5", "1"]


@pytest.mark.parametrize(
    "low, high, words",
    [(180, 914, "range 180 to 914"), (None, 271, "range up to 271"), (180, None, "range from 180")],
)
def test_range_of_the_laboratory_is_a_band(low: int | None, high: int | None, words: str) -> None:
    bounds = {name: Fraction(bound) for name, bound in (("low", low), ("high", high)) if bound is not None}
    panel = drawn(series(150, **bounds))
    assert panel.range_words == words
    assert panel.band
    assert panel.band.height > 0
    assert panel.band.top >= TOP
    assert panel.band.top + panel.band.height <= HEIGHT - BOTTOM + 0.1


def test_one_value_is_a_dot_without_a_line() -> None:
    panel = drawn(series(210), DAY)
    assert (panel.line, len(panel.dots), len(panel.doses)) == ("", 1, 1)
    assert panel.words == "Vitamin B12: 1 value with 1 dose marked; the last 210 on 16 Mar 2026."
    assert days_of([], [DAY]) is None
