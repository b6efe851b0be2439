"""When the demo clinic works: its opening hours by weekday, and the instants at which doses are given. Pure."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

OPENS, CLOSES = time(8, 40), time(17, 50)
_SHORTEST_DAYS, _LONGEST_DAYS = 182, 1_095
_DOSES_A_DAY = 60
_BUSIER_DAYS, _BUSIER = 14, 2.5
_JUST_NOW = timedelta(minutes=10)
# Monday to Sunday.
_WEEKDAY_WEIGHTS = (1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.3)


Window = tuple[datetime, timedelta, float]
"""When a day opens, for how long, and how busy it is."""


@dataclass(frozen=True, slots=True)
class Period:
    """From the first day the clinic works to the present instant, in its own zone."""

    first_on: date
    until: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        """The day that it is."""
        return self.until.astimezone(self.zone).date()

    @property
    def days(self) -> int:
        """How many days it has, the first and today included."""
        return (self.today - self.first_on).days + 1

    def at(self, day: date, hour: int, minute: int = 0) -> datetime:
        """Return the instant of a clock reading in the clinic, never later than the present."""
        reading = datetime.combine(day, time(hour, minute), self.zone).astimezone(UTC)
        return min(reading, self.until)


def period_for(doses: int, *, until: datetime, zone: str) -> Period:
    """Return the time over which so many doses are given: half a year, and up to three where there are very many."""
    days = min(_LONGEST_DAYS, max(_SHORTEST_DAYS, doses // _DOSES_A_DAY))
    local = ZoneInfo(zone)
    return Period(until.astimezone(local).date() - timedelta(days=days), until, local)


def instants(period: Period, count: int, rng: random.Random) -> Iterator[datetime]:
    """Give `count` instants within opening hours, in order; the last days are busier, and none is in the future."""
    windows = [window for offset in range(period.days) if (window := _window(period, offset))]
    total = sum(weight for _, _, weight in windows)
    remaining = iter(windows)
    opens, lasts, weight = next(remaining)
    before = 0.0
    for number in range(count):
        wanted = (number + 0.05 + 0.9 * rng.random()) * total / count
        while wanted > before + weight:
            before += weight
            opens, lasts, weight = next(remaining)
        yield opens + lasts * ((wanted - before) / weight)


def _window(period: Period, offset: int) -> Window | None:
    """Return when a day opens, for how long, and how busy it is; None where it is closed or still to come."""
    day = period.first_on + timedelta(days=offset)
    opens = datetime.combine(day, OPENS, period.zone).astimezone(UTC)
    closes = datetime.combine(day, CLOSES, period.zone).astimezone(UTC)
    if day == period.today:
        return _window_today(period, opens, closes)
    busier = _BUSIER if period.days - offset <= _BUSIER_DAYS else 1.0
    return opens, closes - opens, _WEEKDAY_WEIGHTS[day.weekday()] * busier


def _window_today(period: Period, opens: datetime, closes: datetime) -> Window | None:
    """Today is worked until a little ago, and begun early where it is early, so that the day's page has something to show."""
    midnight = datetime.combine(period.today, time(), period.zone).astimezone(UTC)
    begins = max(midnight + _JUST_NOW, min(opens, period.until - timedelta(hours=3)))
    lasts = min(closes, period.until - _JUST_NOW) - begins
    return (begins, lasts, _BUSIER) if lasts > timedelta(minutes=5) else None
