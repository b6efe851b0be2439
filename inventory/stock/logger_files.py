"""How the file of a temperature logger is read: its separator, its columns, its dates and decimals. Pure.

A line that cannot be read is named with its number and the reason; the others are kept. Temperatures become whole tenths of a
degree Celsius, rounded half to even.
"""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from inventory.kernel.errors import Refusal
from inventory.stock.exposure import Reading
from inventory.stock.text_files import NotTextError, text_of
from inventory.web.typed_text import instants_of

MOST_LINES = 20_000
MOST_BYTES = 5 * 1024 * 1024
PREAMBLE_LINES = 60
"""How far down the header may stand: loggers print their serial number and settings before it."""

_SEPARATORS = ";\t,"
_STAMP = {
    "timestamp",
    "date time",
    "datetime",
    "date/time",
    "time stamp",
    "logged at",
    "recorded at",
    "read at",
}
_DATE = {"date", "day", "datum", "fecha"}
_TIME = {"time", "hour", "clock", "zeit", "uhrzeit", "hora"}
_TEMPERATURE = re.compile(r"temp|celsius|fahrenheit|°\s*[cf]\b|^[cf]$|^ch(annel)?\s*1\b")
_FAHRENHEIT = re.compile(r"fahrenheit|°\s*f\b|\(f\)|\bdeg\.? ?f\b")
_CELSIUS = re.compile(r"celsius|°\s*c\b|\(c\)|\bdeg\.? ?c\b")
_NUMBER = re.compile(r"([+-]?\d{1,4}(?:[.,]\d{1,6})?)\s*(?:°\s*)?([CF])?", re.IGNORECASE | re.ASCII)
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", re.ASCII)
_OTHER = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})", re.ASCII)
_CLOCK = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*([AaPp][Mm])?\s*(Z|[+-]\d{2}:?\d{2})?", re.ASCII
)
_FARTHEST = timedelta(hours=14)
"""No clock on earth is farther from UTC."""


class DayOrder(StrEnum):
    """In which order a date that does not begin with its year is printed."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


class Unit(StrEnum):
    """In which unit the file gives temperatures."""

    CELSIUS = "celsius"
    FAHRENHEIT = "fahrenheit"


@dataclass(frozen=True, slots=True)
class Manner:
    """What a file does not say of itself, and a person does."""

    zone: ZoneInfo
    day_order: DayOrder = DayOrder.DAY_FIRST
    unit: Unit = Unit.CELSIUS


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that cannot be read, and why. The first line is line 1."""

    line: int
    reason: str


@dataclass(slots=True)
class Logged:
    """What a file says: its readings in its order, and the lines that cannot be read."""

    column: str
    readings: list[Reading] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where date, time and temperature stand; `clock` is None where one cell holds both."""

    date: int
    clock: int | None
    temperature: int
    header: str = ""

    @property
    def most(self) -> int:
        return max(self.date, self.clock or 0, self.temperature)


class _NotReadError(ValueError):
    """A cell that cannot be read, in words for the line's fault."""


def read_logger_file(raw: bytes, manner: Manner, *, until: datetime) -> Logged:
    """Return the readings of a file, none after the instant `until`.

    Raises Refusal LOGGER-EMPTY, LOGGER-TOO-LARGE, LOGGER-NOT-TEXT, LOGGER-COLUMNS, LOGGER-UNIT.
    """
    rows = _rows(_decoded(raw))
    start, columns = _found_columns(rows)
    _refuse_other_unit(columns.header, manner.unit)
    logged = Logged(columns.header or f"column {columns.temperature + 1}")
    seen: dict[datetime, Reading] = {}
    for line, cells in rows[start:]:
        try:
            reading = _reading(cells, columns, manner, logged.readings)
            _refuse_twice(seen, reading, until)
        except _NotReadError as error:
            logged.faults.append(Fault(line, str(error)))
        else:
            if reading.read_at not in seen:
                seen[reading.read_at] = reading
                logged.readings.append(reading)
    if not logged.readings and not logged.faults:
        raise Refusal("LOGGER-EMPTY", "The file has no reading in it.", "file")
    return logged


def _decoded(raw: bytes) -> str:
    if len(raw) > MOST_BYTES:
        said = f"The file is larger than {MOST_BYTES // 2**20} MB. Export a shorter time."
        raise Refusal("LOGGER-TOO-LARGE", said, "file")
    try:
        return text_of(raw)
    except NotTextError:
        said = "This is no text file, or a damaged one. Export the readings from the logger as CSV."
        raise Refusal("LOGGER-NOT-TEXT", said, "file") from None


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """Return the lines that are not blank, with their numbers, parted into cells."""
    lines = text.splitlines()
    separator = _separator(lines)
    rows = [
        (number, _cells(line, separator)) for number, line in enumerate(lines, start=1) if line.strip(" ;,\t")
    ]
    if not rows:
        raise Refusal("LOGGER-EMPTY", "The file is empty.", "file")
    if len(rows) > MOST_LINES + PREAMBLE_LINES:
        raise Refusal(
            "LOGGER-TOO-LARGE", f"The file has more than {MOST_LINES:,} lines. Export less.", "file"
        )
    return rows


def _cells(line: str, separator: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader(io.StringIO(line), delimiter=separator))]
    except (csv.Error, StopIteration):
        return [line]


def _separator(lines: Sequence[str]) -> str:
    """Return what parts most of the lines; a comma only where nothing else does, since it may be a decimal one."""
    some = [line for line in lines[: PREAMBLE_LINES + 40] if line.strip()]
    for separator in _SEPARATORS:
        if sum(separator in line for line in some) * 2 > len(some):
            return separator
    return max(_SEPARATORS, key=lambda one: sum(one in line for line in some))


def _found_columns(rows: Sequence[tuple[int, list[str]]]) -> tuple[int, _Columns]:
    """Return where the readings begin, and their columns: by a header, or by what the first line looks like."""
    for at, (_, cells) in enumerate(rows[:PREAMBLE_LINES]):
        columns = _by_header(cells)
        if columns:
            return at + 1, columns
    for at, (_, cells) in enumerate(rows[:PREAMBLE_LINES]):
        columns = _by_looks(cells)
        if columns:
            return at, columns
    said = (
        "No columns for the time and the temperature were found. The file needs a header such as"
        " date;time;temperature, or a time and a temperature in each line."
    )
    raise Refusal("LOGGER-COLUMNS", said, "file")


def _by_header(cells: Sequence[str]) -> _Columns | None:
    names = [re.sub(r"[\s_]+", " ", cell.strip("\"' ").lower()) for cell in cells]
    temperature = next((at for at, name in enumerate(names) if _TEMPERATURE.search(name)), None)
    if temperature is None:
        return None
    stamp = next((at for at, name in enumerate(names) if _is_named(name, _STAMP)), None)
    date = next((at for at, name in enumerate(names) if _is_named(name, _DATE)), None)
    clock = next((at for at, name in enumerate(names) if _is_named(name, _TIME)), None)
    header = cells[temperature]
    if stamp is not None:
        return _Columns(stamp, None, temperature, header)
    if date is not None:
        return _Columns(date, clock, temperature, header)
    return None if clock is None else _Columns(clock, None, temperature, header)


def _is_named(name: str, names: set[str]) -> bool:
    """Tell whether a column has one of the names, perhaps with a zone or a unit in brackets behind it."""
    return re.sub(r"\s*[(\[].*$", "", name) in names


def _by_looks(cells: Sequence[str]) -> _Columns | None:
    if len(cells) >= 2 and _is_moment(cells[0]) and _NUMBER.fullmatch(cells[1]):
        return _Columns(0, None, 1)
    apart = len(cells) >= 3 and _is_day(cells[0]) and _CLOCK.fullmatch(cells[1])
    return _Columns(0, 1, 2) if apart and _NUMBER.fullmatch(cells[2]) else None


def _is_day(text: str) -> bool:
    return bool(_ISO.fullmatch(text) or _OTHER.fullmatch(text))


def _is_moment(text: str) -> bool:
    day, clock = _parted(text)
    return _is_day(day) and bool(_CLOCK.fullmatch(clock))


def _parted(text: str) -> tuple[str, str]:
    day, _, clock = re.sub(r"(?<=\d)[T,]\s*(?=\d{1,2}:)", " ", text).partition(" ")
    return day, clock.strip()


def _refuse_other_unit(header: str, unit: Unit) -> None:
    name = header.lower()
    other = _CELSIUS if unit == Unit.FAHRENHEIT else _FAHRENHEIT
    if other.search(name) and not (_FAHRENHEIT if unit == Unit.FAHRENHEIT else _CELSIUS).search(name):
        said = f"The column is called “{header[:40]}”, which is not {unit}. Choose the unit of the file."
        raise Refusal("LOGGER-UNIT", said, "unit")


def _reading(cells: list[str], columns: _Columns, manner: Manner, before: Sequence[Reading]) -> Reading:
    if len(cells) <= columns.most:
        raise _NotReadError(f"The line has only {len(cells)} of the {columns.most + 1} cells.")
    date, clock = cells[columns.date], cells[columns.clock] if columns.clock is not None else ""
    day, rest = (date, clock) if clock else _parted(date)
    after = before[-1].read_at if before else None
    return Reading(_instant(day, rest, manner, after), _decicelsius(cells[columns.temperature], manner.unit))


def _instant(day: str, clock: str, manner: Manner, after: datetime | None) -> datetime:
    """Return the instant of a reading of the clock. Where it showed it twice, a logger that goes on means the later one."""
    year, month, number = _date(day, manner.day_order)
    found = _CLOCK.fullmatch(clock)
    if not found:
        raise _NotReadError(f"“{clock[:20]}” is not a time of day.")
    try:
        reading = datetime(year, month, number, _hour(found), int(found[2]), int(found[3] or 0))  # noqa: DTZ001 -- a clock reading
        if found[5]:
            return (reading - _offset(found[5])).replace(tzinfo=UTC)
        instants = instants_of(reading, manner.zone)
    except (ValueError, OverflowError):
        # Overflow: the first and the last day of the calendar have no instant in every zone.
        raise _NotReadError(f"“{day[:20]} {clock[:20]}” does not exist.") from None
    if not instants:
        raise _NotReadError("The clock skipped this hour that night.")
    return instants[-1] if after is not None and after >= instants[0] else instants[0]


def _hour(found: re.Match[str]) -> int:
    """Return the hour of the day. Raises ValueError for one that a clock of twelve hours does not show."""
    hour = int(found[1])
    if not found[4]:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError(found[1])
    return hour % 12 + (12 if found[4].lower() == "pm" else 0)


def _offset(text: str) -> timedelta:
    """Return how far a clock is ahead of UTC. Raises ValueError for more than any clock is."""
    if text == "Z":
        return timedelta(0)
    digits = text[1:].replace(":", "")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if size > _FARTHEST or int(digits[2:]) > 59:
        raise ValueError(text)
    return -size if text[0] == "-" else size


def _date(text: str, order: DayOrder) -> tuple[int, int, int]:
    if found := _ISO.fullmatch(text):
        return int(found[1]), int(found[2]), int(found[3])
    found = _OTHER.fullmatch(text)
    if not found:
        raise _NotReadError(f"“{text[:20]}” is not a date.")
    first, second, year = int(found[1]), int(found[2]), int(found[3])
    year += 2000 if len(found[3]) == 2 else 0
    return (year, second, first) if order == DayOrder.DAY_FIRST else (year, first, second)


def _decicelsius(text: str, unit: Unit) -> int:
    found = _NUMBER.fullmatch(text)
    if not found:
        raise _NotReadError(f"“{text[:20]}” is not a temperature.")
    if found[2] and (found[2].upper() == "F") != (unit == Unit.FAHRENHEIT):
        raise _NotReadError(f"“{text[:20]}” is not in degrees {unit.title()}.")
    degrees = Decimal(found[1].replace(",", "."))
    celsius = (degrees - 32) * 5 / 9 if unit == Unit.FAHRENHEIT else degrees
    tenths = int((celsius * 10).to_integral_value(ROUND_HALF_EVEN))
    if not -1_000 <= tenths <= 1_000:
        raise _NotReadError(f"“{text[:20]}” is no temperature of a store: -100 to 100 degrees Celsius.")
    return tenths


def _refuse_twice(seen: dict[datetime, Reading], reading: Reading, until: datetime) -> None:
    before = seen.get(reading.read_at)
    if before is not None and before.decicelsius != reading.decicelsius:
        raise _NotReadError("The same time stands above with another temperature.")
    if reading.read_at > until:
        raise _NotReadError("This time is still to come. Check the date order and the logger's clock.")
    if reading.read_at < until - timedelta(days=366):
        raise _NotReadError("This is more than a year ago. Check the date order.")
