"""The words and the picture of temperatures: degrees, days, and a line drawn on the server."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from inventory.stock.exposure import Limits, Reading
from inventory.stock.models import ExcursionDecision, ReadingSource
from inventory.web.presenting import count, day, local_clock, site_zone

WIDTH, HEIGHT = 480, 230
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 12, 34
_BUCKETS = 160
_MOST_DOTS = 60
_STEPS = (10, 20, 50, 100, 200, 500)
DECISIONS = {ExcursionDecision.RELEASE: "Released", ExcursionDecision.CONDEMN: "Condemned"}
SOURCES = {ReadingSource.TYPED: "typed", ReadingSource.LOGGER: "logger"}


@dataclass(frozen=True, slots=True)
class DayRange:
    """The range of one of the site's days, in tenths of a degree."""

    on: date
    lowest: int
    highest: int
    count: int


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of an axis: where it is, and what it says."""

    at: float
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A line of temperatures as the places of an SVG of WIDTH by HEIGHT."""

    words: str
    line: str
    dots: Sequence[tuple[float, float]]
    degrees: Sequence[Tick]
    days: Sequence[Tick]
    limits: Sequence[Tick]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM


def degrees(decicelsius: int | None) -> str:
    """Return tenths of a degree as `5.2 °C`; nothing known is a dash."""
    if decicelsius is None:
        return "—"
    sign = "-" if decicelsius < 0 else ""
    whole, tenth = divmod(abs(decicelsius), 10)
    return f"{sign}{whole}.{tenth} °C"


def limits_words(limits: Limits) -> str:
    """Return what is allowed: `2.0 °C to 8.0 °C`."""
    if limits.least is None and limits.most is None:
        return "none set"
    if limits.least is None:
        return f"up to {degrees(limits.most)}"
    return f"from {degrees(limits.least)}" + ("" if limits.most is None else f" to {degrees(limits.most)}")


def spread_words(lowest: int, highest: int) -> str:
    """Return between what temperatures readings lie: `between 2.0 °C and 9.4 °C`, or `at 9.4 °C` where they are one."""
    if lowest == highest:
        return f"at {degrees(lowest)}"
    return f"between {degrees(lowest)} and {degrees(highest)}"


def days_of(readings: Sequence[Reading]) -> list[DayRange]:
    """Return the range of each of the site's days, the newest first. `readings` are in the order of time."""
    zone = site_zone()
    days = []
    for on, of_day in groupby(readings, key=lambda one: one.read_at.astimezone(zone).date()):
        values = [one.decicelsius for one in of_day]
        days.append(DayRange(on, min(values), max(values), len(values)))
    return days[::-1]


def chart_of(readings: Sequence[Reading], limits: Limits, *, first: datetime, last: datetime) -> Chart | None:
    """Return the line of a time's readings with the limits of what lies there; None without a reading."""
    if not readings:
        return None
    shown = _thinned(readings, first, last)
    low, high = _scale([one.decicelsius for one in shown], limits)
    span = max((last - first).total_seconds(), 1)

    def across(instant: datetime) -> float:
        share = (instant - first).total_seconds() / span
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def up(value: int) -> float:
        return round(TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM), 1)

    points = [(across(one.read_at), up(one.decicelsius)) for one in shown]
    return Chart(
        words=_chart_words(readings, limits),
        line=" ".join(f"{x},{y}" for x, y in points) if len(points) > 1 else "",
        dots=points if len(points) <= _MOST_DOTS else (),
        degrees=[Tick(up(value), str(value // 10)) for value in _marks(low, high)],
        days=[Tick(across(instant), _moment_words(instant, last - first)) for instant in _ends(first, last)],
        limits=[
            Tick(up(value), degrees(value)) for value in (limits.least, limits.most) if value is not None
        ],
    )


def _thinned(readings: Sequence[Reading], first: datetime, last: datetime) -> list[Reading]:
    """Return the lowest and the highest reading of each short time, so that no peak is lost."""
    if len(readings) <= 2 * _BUCKETS:
        return list(readings)
    width = (last - first) / _BUCKETS
    kept: list[Reading] = []
    for _, bucket in groupby(readings, key=lambda one: (one.read_at - first) // width):
        some = list(bucket)
        ends = (min(some, key=lambda one: one.decicelsius), max(some, key=lambda one: one.decicelsius))
        kept += sorted(set(ends), key=lambda one: one.read_at)
    return kept


def _scale(values: Sequence[int], limits: Limits) -> tuple[int, int]:
    known = [*values, *(value for value in (limits.least, limits.most) if value is not None)]
    step = _step(max(known) - min(known) + 10)
    return (min(known) - 5) // step * step, -((-max(known) - 5) // step) * step


def _marks(low: int, high: int) -> range:
    return range(low, high + 1, _step(high - low))


def _step(span: int) -> int:
    """Return the whole degrees between two marks, so that there are at most seven."""
    return next((step for step in _STEPS if span <= 6 * step), 1_000)


def _moment_words(instant: datetime, span: timedelta) -> str:
    """Return the day without its year; of a short time the clock too."""
    on = day(instant.astimezone(site_zone()).date())[:-5]
    return f"{on} {local_clock(instant)}" if span < timedelta(days=5) else on


def _ends(first: datetime, last: datetime) -> list[datetime]:
    return [first + (last - first) * share for share in (0.12, 0.5, 0.88)]


def _chart_words(readings: Sequence[Reading], limits: Limits) -> str:
    values = [one.decicelsius for one in readings]
    allowed = "" if limits == Limits(None, None) else f" What lies there allows {limits_words(limits)}."
    return f"{count(len(values), 'reading')} {spread_words(min(values), max(values))}.{allowed}"
