"""What was measured, drawn over time with the doses beside it: the places of a small SVG for each series. Pure.

Nothing is said of an effect: the picture shows what was when, and a table beneath it says the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from inventory.web.presenting import day
from inventory.web.typed_text import MONTHS

WIDTH, HEIGHT = 340, 200
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 14, 46
_MOST_DOSES = 400
_DAY_LABELS = 3
_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Point:
    """One value: its day, what is drawn (in the unit of the series), and what is read. `is_bound`: the value lies beyond it."""

    on: date
    value: Fraction
    words: str
    is_bound: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """Values of one kind in order of time, with the range that the newest report gives, in the same unit."""

    name: str
    unit: str
    points: Sequence[Point]
    low: Fraction | None = None
    high: Fraction | None = None
    most: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of an axis: where it is, and what it says. `anchor` is the side at which its words stand."""

    at: float
    words: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Band:
    """The laboratory's range: where it begins and how high it is."""

    top: float
    height: float


@dataclass(frozen=True, slots=True)
class Dot:
    """A value: where it is, and whether it is only a bound."""

    x: float
    y: float
    is_bound: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """One series as the places of an SVG of WIDTH by HEIGHT, and what it shows in words."""

    title: str
    words: str
    line: str
    dots: Sequence[Dot]
    doses: Sequence[float]
    values: Sequence[Tick]
    days: Sequence[Tick]
    band: Band | None
    range_words: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def panel_of(series: Series, dosed_on: Sequence[date], first: date, last: date) -> Panel:
    """Return the picture of a series from `first` to `last`, with a mark for each dose."""
    ceiling = _ceiling(series)
    dots = [
        Dot(_x(point.on, first, last), _y(point.value, ceiling), point.is_bound) for point in series.points
    ]
    shown = [on for on in dosed_on if first <= on <= last][-_MOST_DOSES:]
    return Panel(
        title=f"{series.name}, {series.unit}" if series.unit else series.name,
        words=words_of(series, len(shown)),
        line=" ".join(f"{dot.x},{dot.y}" for dot in dots) if len(dots) > 1 else "",
        dots=dots,
        doses=[_x(on, first, last) for on in shown],
        values=[Tick(_y(value, ceiling), _number(value), "end") for value in _marks(ceiling)],
        days=_day_ticks(first, last),
        band=_band(series, ceiling),
        range_words=_range_words(series),
    )


def days_of(series: Iterable[Series], dosed_on: Iterable[date]) -> tuple[date, date] | None:
    """Return the first and last day of everything drawn, at least two weeks apart; None where nothing is."""
    days = [point.on for one in series for point in one.points]
    if not days:
        return None
    days += dosed_on
    first, last = min(days), max(days)
    return min(first, last - timedelta(days=14)), last


def words_of(series: Series, doses: int) -> str:
    """Return what a picture shows, for who cannot see it."""
    newest = series.points[-1]
    many = f"{len(series.points)} values" if len(series.points) > 1 else "1 value"
    given = f"{doses} doses" if doses != 1 else "1 dose"
    return f"{series.name}: {many} with {given} marked; the last {newest.words} on {day(newest.on)}."


def _ceiling(series: Series) -> Fraction:
    """Return the top of the axis: a round number above everything that is drawn."""
    if series.most is not None:
        return series.most
    bounds = [bound for bound in (series.low, series.high) if bound is not None]
    highest = max([point.value for point in series.points] + bounds)
    return _round_up(highest * Fraction(21, 20))


def _round_up(value: Fraction) -> Fraction:
    power = Fraction(1)
    while power * 10 <= value:
        power *= 10
    while power > value > 0:
        power /= 10
    for step in (*_STEPS, 10):
        for half in (Fraction(1), Fraction(3, 2)):
            if step * half * power >= value:
                return step * half * power
    return 10 * power


def _marks(ceiling: Fraction) -> list[Fraction]:
    return [Fraction(0), ceiling / 2, ceiling]


def _number(value: Fraction) -> str:
    """Return a mark of the axis as a decimal number; the ceiling is round, so few digits say it."""
    thousandths = round(value * 1000)
    whole, rest = divmod(thousandths, 1000)
    digits = f"{rest:03d}".rstrip("0")
    return f"{whole:,}.{digits}" if digits else f"{whole:,}"


def _day_ticks(first: date, last: date) -> list[Tick]:
    span = (last - first).days
    anchors = ("start", "middle", "end")
    days = [first + timedelta(days=span * part // (_DAY_LABELS - 1)) for part in range(_DAY_LABELS)]
    return [Tick(_x(on, first, last), _short(on), anchor) for on, anchor in zip(days, anchors, strict=True)]


def _short(on: date) -> str:
    return f"{on.day} {MONTHS[on.month - 1]} {on.year % 100:02d}"


def _band(series: Series, ceiling: Fraction) -> Band | None:
    if series.low is None and series.high is None:
        return None
    top = _y(min(series.high, ceiling) if series.high is not None else ceiling, ceiling)
    return Band(top, round(_y(series.low or Fraction(0), ceiling) - top, 1))


def _range_words(series: Series) -> str:
    if series.low is None and series.high is None:
        return ""
    if series.high is None:
        return f"range from {_number(series.low or Fraction(0))}"
    return (
        f"range {_number(series.low)} to {_number(series.high)}"
        if series.low
        else f"range up to {_number(series.high)}"
    )


def _x(on: date, first: date, last: date) -> float:
    part = Fraction((on - first).days, max((last - first).days, 1))
    return _place(LEFT + 6 + part * (WIDTH - LEFT - RIGHT - 12))


def _y(value: Fraction, ceiling: Fraction) -> float:
    bottom = HEIGHT - BOTTOM
    return _place(bottom - value / ceiling * (bottom - TOP)) if ceiling else _place(Fraction(bottom))


def _place(exact: Fraction) -> float:
    return round(float(exact), 1)
