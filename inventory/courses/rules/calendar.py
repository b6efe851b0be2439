"""Intervals, and the days they lead to. Days are a site's own days, so that no change of its clock moves one.

A month is counted from the day of an anchor: 31 January, 28 February, 31 March. A day that a month lacks is its last. Three times a
week is likewise counted from the anchor's day of the week.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from inventory.courses.rules.terms import Unit

_DAYS = {Unit.DAY: 1, Unit.WEEK: 7, Unit.MONTH: 28, Unit.THRICE: 2}
_LONGEST = {Unit.DAY: 366, Unit.WEEK: 104, Unit.MONTH: 24, Unit.THRICE: 1}
_THRICE = {0, 2, 4}
"""Which days, counted from the first one, are those of three times a week: Monday, Wednesday and Friday, if it is a Monday."""


@dataclass(frozen=True, slots=True)
class Interval:
    """So many days, weeks or months, or three times a week."""

    count: int
    unit: Unit

    @property
    def least_days(self) -> int:
        """How many days it is at least: a month may have 28."""
        return self.count * _DAYS[self.unit]

    @property
    def longest(self) -> int:
        """The largest count of this unit that a schedule may have."""
        return _LONGEST[self.unit]

    def __str__(self) -> str:
        if self.unit is Unit.THRICE:
            return "three times a week"
        return f"every {self.unit}" if self.count == 1 else f"every {self.count} {self.unit}s"


def after(day: date, interval: Interval, anchor_on: date | None = None) -> date:
    """Return the day one interval after `day`; months keep the day of the month of `anchor_on` (default: of `day`)."""
    if interval.unit is Unit.THRICE:
        return _thrice_after(day, anchor_on or day)
    if interval.unit is not Unit.MONTH:
        return day + timedelta(days=interval.least_days)
    month = day.year * 12 + day.month - 1 + interval.count
    year, index = divmod(month, 12)
    return date(year, index + 1, min((anchor_on or day).day, monthrange(year, index + 1)[1]))


def anchor_of(day: date, interval: Interval, anchor_on: date) -> date:
    """Return what days after `day` are counted from: the anchor so far, where `day` is one of its days, else `day` itself.

    28 February is a day of the anchor 31 January; a Wednesday is one of three times a week since a Monday.
    """
    if interval.unit is Unit.MONTH:
        is_its_day = day.day == min(anchor_on.day, monthrange(day.year, day.month)[1])
    else:
        is_its_day = interval.unit is Unit.THRICE and (day - anchor_on).days % 7 in _THRICE
    return anchor_on if is_its_day else day


def _thrice_after(day: date, anchor_on: date) -> date:
    """Return the next of the three days of the week, at least two days later."""
    found = day + timedelta(days=2)
    while (found - anchor_on).days % 7 not in _THRICE:
        found += timedelta(days=1)
    return found


def not_before(day: date, interval: Interval, anchor_on: date, least: date) -> date:
    """Return the first day at least one interval after `day`, on its grid, that is `least` or later."""
    found = after(day, interval, anchor_on)
    while found < least:
        found = after(found, interval, anchor_on)
    return found
