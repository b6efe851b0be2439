"""Exact intervals and tests against published values, against whole-number arithmetic, and what must hold of any of them."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.doses.rules.exact import clopper_pearson, fisher

COUNTS = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    "events, trials, low, high",
    [
        # Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 5.
        (81, 263, 0.2527, 0.3676),
        (15, 148, 0.0578, 0.1617),
        (0, 20, 0.0000, 0.1684),
        (1, 29, 0.0009, 0.1776),
        # The usual table of ten trials.
        (0, 10, 0.0000, 0.3085),
        (1, 10, 0.0025, 0.4450),
        (5, 10, 0.1871, 0.8129),
        (10, 10, 0.6915, 1.0000),
    ],
)
def test_interval_is_the_published_one(events: int, trials: int, low: float, high: float) -> None:
    found = clopper_pearson(events, trials)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@pytest.mark.parametrize(
    "table, p",
    [
        # Fisher's tea (The Design of Experiments, 1935), and his twins (1925).
        ((3, 4, 1, 4), 0.4857),
        ((10, 12, 3, 18), 0.000537),
        ((0, 5, 0, 50), 1.0),
        ((5, 5, 0, 5), 0.0079),
    ],
)
def test_p_is_the_published_one(table: tuple[int, int, int, int], p: float) -> None:
    assert fisher(*table) == pytest.approx(p, abs=0.00005)


def tail(events: int, trials: int, rate: float) -> float:
    """The chance of at least so many events, summed in whole numbers but for the rate."""
    rest = Fraction(rate)
    return float(
        sum(math.comb(trials, n) * rest**n * (1 - rest) ** (trials - n) for n in range(events, trials + 1))
    )


@given(st.integers(2, 40).flatmap(lambda n: st.tuples(st.integers(1, n - 1), st.just(n))))
def test_each_bound_leaves_two_and_a_half_per_cent_outside(counts: tuple[int, int]) -> None:
    events, trials = counts
    found = clopper_pearson(events, trials)
    assert tail(events, trials, found.low) == pytest.approx(0.025, rel=1e-6)
    assert 1 - tail(events + 1, trials, found.high) == pytest.approx(0.025, rel=1e-6)


@given(COUNTS)
def test_interval_holds_what_was_seen_and_mirrors(counts: tuple[int, int]) -> None:
    events, trials = counts
    found, mirrored = clopper_pearson(events, trials), clopper_pearson(trials - events, trials)
    assert 0 <= found.low <= events / trials <= found.high <= 1
    assert (found.low, found.high) == pytest.approx((1 - mirrored.high, 1 - mirrored.low), abs=1e-9)


@given(COUNTS)
def test_more_confidence_is_wider_and_more_trials_are_narrower(counts: tuple[int, int]) -> None:
    events, trials = counts
    found, surer = clopper_pearson(events, trials), clopper_pearson(events, trials, confidence=0.99)
    assert surer.low <= found.low
    assert found.high <= surer.high
    ten = clopper_pearson(events * 10, trials * 10)
    assert ten.high - ten.low < found.high - found.low


def by_counting(events: int, trials: int, other_events: int, other_trials: int) -> float:
    total = events + other_events
    ways = {
        n: math.comb(trials, n) * math.comb(other_trials, total - n)
        for n in range(max(0, total - other_trials), min(total, trials) + 1)
    }
    return float(Fraction(sum(w for w in ways.values() if w <= ways[events]), sum(ways.values())))


@given(COUNTS, COUNTS)
def test_p_is_what_counting_all_tables_says(first: tuple[int, int], second: tuple[int, int]) -> None:
    assert fisher(*first, *second) == pytest.approx(by_counting(*first, *second), rel=1e-6)
    assert fisher(*first, *second) == pytest.approx(fisher(*second, *first), rel=1e-9)


@pytest.mark.parametrize("impossible", [(-1, 10), (11, 10), (0, 0)])
def test_what_cannot_be_is_refused(impossible: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="events are a part"):
        clopper_pearson(*impossible)


def test_a_million_doses_are_reckoned_too() -> None:
    found = clopper_pearson(1_000, 1_000_000)
    assert found.low == pytest.approx(0.000939, abs=1e-6)
    assert found.high == pytest.approx(0.001064, abs=1e-6)
    assert 0 < fisher(30, 3_000, 970, 997_000) < 1e-15
