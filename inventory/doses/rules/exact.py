"""Exact statistics of small counts, without a library: the interval of Clopper and Pearson, the test of Fisher. Pure.

Clopper and Pearson, Biometrika 26 (1934) 404-413; Fisher's test with both tails, as the sum of all tables that are no
likelier than the one at hand. Checked against published values in tests/unit/doses/test_exact.py.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

_TINY, _CLOSE = 1e-300, 1e-15
_PRECISION = 1e-12
_AS_LIKELY = 1e-9
"""How much likelier a table may look, by rounding alone, and still be as likely."""


@dataclass(frozen=True, slots=True)
class Interval:
    """From where to where a proportion may lie."""

    low: float
    high: float


def clopper_pearson(events: int, trials: int, *, confidence: float = 0.95) -> Interval:
    """Return the exact interval of a proportion of which `events` were seen in `trials`. Raises ValueError for what cannot be."""
    if not 0 <= events <= trials or trials == 0:
        raise ValueError("events are a part of trials")
    tail = (1 - confidence) / 2
    low = _beta_quantile(events, trials - events + 1, tail) if events else 0.0
    high = _beta_quantile(events + 1, trials - events, 1 - tail) if events < trials else 1.0
    return Interval(low, high)


def fisher(events: int, trials: int, other_events: int, other_trials: int) -> float:
    """Return how often two groups of one and the same rate differ as much as these, or more (two-sided p)."""
    if not (0 <= events <= trials and 0 <= other_events <= other_trials):
        raise ValueError("events are a part of trials")
    weights = list(_log_weights(events, trials, other_events, other_trials))
    most = max(weights)
    every = math.fsum(math.exp(weight - most) for weight in weights)
    # The table at hand has the weight 0: all are reckoned from it.
    unlikely = math.fsum(math.exp(weight - most) for weight in weights if weight <= _AS_LIKELY)
    return min(1.0, unlikely / every)


def _log_weights(events: int, trials: int, other_events: int, other_trials: int) -> Iterator[float]:
    """Yield the logarithm of the likelihood of each table with the same sums, against that of the one at hand."""
    total = events + other_events
    yield 0.0
    weight = 0.0
    for count in range(events, min(total, trials)):
        ways = (trials - count) * (total - count)
        weight += math.log(ways) - math.log((count + 1) * (other_trials - total + count + 1))
        yield weight
    weight = 0.0
    for count in range(events, max(0, total - other_trials), -1):
        ways = count * (other_trials - total + count)
        weight += math.log(ways) - math.log((trials - count + 1) * (total - count + 1))
        yield weight


def _beta_quantile(a: int, b: int, share: float) -> float:
    """Return the point below which the beta distribution has `share` of its mass, by bisection."""
    if a == 1:
        return -math.expm1(math.log1p(-share) / b)
    if b == 1:
        return math.exp(math.log(share) / a)
    low, high = 0.0, 1.0
    while high - low > _PRECISION * high:
        middle = (low + high) / 2
        if _beta_below(a, b, middle) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _beta_below(a: int, b: int, x: float) -> float:
    """Return the mass of the beta distribution below `x`: the regularised incomplete beta function."""
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: int, b: int, x: float) -> float:
    """Return the continued fraction of the incomplete beta function, by the method of Lentz (DLMF 8.17.22)."""
    c, d = 1.0, 1 / _never_zero(1 - (a + b) * x / (a + 1))
    product = d
    step = 0
    change = 0.0
    while abs(change - 1) > _CLOSE:
        step += 1
        for term in (
            step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step)),
            -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1)),
        ):
            d = 1 / _never_zero(1 + term * d)
            c = _never_zero(1 + term / c)
            change = c * d
            product *= change
    return product


def _never_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
