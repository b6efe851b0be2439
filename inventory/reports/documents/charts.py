"""Plain charts: horizontal bars in grey with the figure beside each, so that nothing is told by a colour or a length alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta

from reportlab.graphics import renderPDF
from reportlab.graphics.shapes import Drawing, Rect
from reportlab.lib.colors import Color

from inventory.reports.documents.fonts import REGULAR
from inventory.reports.documents.sheet import Sheet
from inventory.web.presenting import day
from inventory.web.typed_text import MONTHS

Bars = Sequence[tuple[str, int]]

_GREY = Color(0.45, 0.45, 0.45)
_LINE, _BAR = 11.0, 7.0
_LABEL, _FIGURE = 170.0, 60.0
_MOST_WEEKS, _MOST_MONTHS, _MOST_BARS = 14, 24, 12


def bars(sheet: Sheet, title: str, rows: Bars, *, width: float | None = None) -> None:
    """Draw one chart under `title`; a row without anything keeps its line and its 0."""
    across = width or sheet.width * 0.72
    sheet.need((len(rows) + 2) * _LINE + 14)
    sheet.top -= 6
    sheet.top = sheet.text(sheet.left, sheet.face(8.5, is_bold=True), title) - 3
    most = max((figure for _, figure in rows), default=0)
    plain = sheet.face(7.5)
    room = across - _LABEL - _FIGURE
    top = sheet.top
    shapes = Drawing(across, len(rows) * _LINE, initialFontName=REGULAR)
    for n, (label, figure) in enumerate(rows):
        sheet.top = top - n * _LINE
        sheet.text(sheet.left, plain, sheet.fitted(plain, label, _LABEL - 8))
        length = room * figure / most if most else 0.0
        bottom = (len(rows) - n - 1) * _LINE + (_LINE - _BAR) / 2 + 1
        bar = Rect(_LABEL, bottom, max(length, 0.4), _BAR)
        bar.fillColor, bar.strokeColor = _GREY, None
        shapes.add(bar)
        sheet.text(sheet.left + _LABEL + length + 5, plain, f"{figure:,}")
    sheet.top = top - len(rows) * _LINE - 4
    sheet.draw(lambda canvas: renderPDF.draw(shapes, canvas, sheet.left, top - len(rows) * _LINE))


def over_time(by_day: Mapping[date, int], first: date, last: date) -> tuple[str, Bars]:
    """Return the counts of days as bars of weeks, months or years, whichever keeps them few, and which it is."""
    if (last - first).days < 7 * _MOST_WEEKS:
        return "week", _summed(by_day, list(_weeks(first, last)), _week)
    if (last.year - first.year) * 12 + last.month - first.month < _MOST_MONTHS:
        return "month", _summed(by_day, list(_months(first, last)), _month)
    return "year", _summed(by_day, [date(year, 1, 1) for year in _years(by_day, first, last)], _year)


def largest(counts: Mapping[str, int]) -> Bars:
    """Return the counts, the largest first; beyond a dozen, the rest as one."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    if len(ordered) <= _MOST_BARS:
        return ordered
    rest = sum(figure for _, figure in ordered[_MOST_BARS - 1 :])
    return [*ordered[: _MOST_BARS - 1], (f"{len(ordered) - _MOST_BARS + 1} others", rest)]


def _summed(by_day: Mapping[date, int], starts: list[date], words: Callable[[date], str]) -> Bars:
    sums = dict.fromkeys(starts, 0)
    at = 0
    for when, figure in sorted(by_day.items()):
        while at + 1 < len(starts) and starts[at + 1] <= when:
            at += 1
        sums[starts[at]] += figure
    return [(words(start), figure) for start, figure in sums.items()]


def _weeks(first: date, last: date) -> Iterator[date]:
    start = first - timedelta(days=first.weekday())
    while start <= last:
        yield start
        start += timedelta(days=7)


def _months(first: date, last: date) -> Iterator[date]:
    start = first.replace(day=1)
    while start <= last:
        yield start
        start = (start + timedelta(days=32)).replace(day=1)


def _years(by_day: Mapping[date, int], first: date, last: date) -> range:
    """The years of the period; of one that spans lifetimes, those in which anything happened."""
    happened = [day.year for day in by_day] or [last.year]
    return range(max(first.year, min(happened)), min(last.year, max(happened)) + 1)


def _week(start: date) -> str:
    return f"Week of {day(start)}"


def _month(start: date) -> str:
    return f"{MONTHS[start.month - 1]} {start.year}"


def _year(start: date) -> str:
    return str(start.year)
