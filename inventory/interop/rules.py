"""How a spreadsheet saved as CSV is read: strictly, with every fault named by line, column and code. Pure.

A file is UTF-8 (a byte order mark is welcome), separated by commas, semicolons or tabs, with a header of known names in
any order. What cannot be a sheet at all is one refusal; what is wrong in its rows are many `Fault`s.
"""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from inventory.kernel.errors import Refusal
from inventory.web.typed_text import NotAcceptedError

MOST_ROWS = 200_000
"""The most rows of one file. Ten times what a large clinic has, and read within a few hundred megabytes of memory."""

MOST_BYTES = 128 * 1024 * 1024
_SEPARATORS = ",;\t"
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """What is wrong in one row: the line it begins on (the header is line 1), the column if one is at fault, code, reason."""

    line: int
    column: str
    code: str
    reason: str

    def __str__(self) -> str:
        where = f"line {self.line}, {self.column}" if self.column else f"line {self.line}"
        return f"{where}: {self.code} {self.reason}"


class BadRowsError(Exception):
    """Some rows cannot be used, so none was written."""

    def __init__(self, faults: list[Fault], rows: int) -> None:
        """`rows` is how many the file has."""
        super().__init__(f"{len(faults)} faults")
        self.faults = sorted(faults)
        self.rows = rows


@dataclass(frozen=True, slots=True)
class Columns:
    """The names a header may have, and which of them it must have."""

    needed: tuple[str, ...]
    others: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Every known name."""
        return self.needed + self.others


@dataclass(slots=True)
class Row:
    """One row of a sheet: its line, its cells by column (empty where left out), and the faults found in it so far."""

    line: int
    cells: dict[str, str]
    faults: list[Fault] = field(default_factory=list)

    def read(self, column: str, parse: Callable[[str], Value]) -> Value | None:
        """Return what `parse` makes of the cell; None when it is empty or, with its fault kept, refused."""
        text = self.cells[column].strip()
        if not text:
            return None
        try:
            return parse(text)
        except NotAcceptedError as error:
            said = error.args[0]
            self.fault(said.code, str(said), column)
        except Refusal as refusal:
            self.fault(refusal.code, refusal.message, column)
        return None

    def need(self, column: str, parse: Callable[[str], Value]) -> Value | None:
        """Like `read`, but an empty cell is a fault: FIELD-REQUIRED."""
        if not self.cells[column].strip():
            self.fault("FIELD-REQUIRED", "This is needed.", column)
        return self.read(column, parse)

    def fault(self, code: str, reason: str, column: str = "") -> None:
        """Keep one more thing that is wrong in this row."""
        self.faults.append(Fault(self.line, column, code, reason))


def read_sheet(raw: bytes, columns: Columns) -> list[Row]:
    """Return the rows of a sheet, blank ones left out.

    Raises Refusal IMPORT-EMPTY, IMPORT-NOT-CSV, IMPORT-ENCODING, IMPORT-HEADER, IMPORT-TOO-LARGE, and BadRowsError for rows
    with too many or too few cells.
    """
    text = _decode(raw)
    header, *_ = text.lstrip("\r\n").splitlines() or [""]
    separator = max(_SEPARATORS, key=header.count)
    records = _records(text, separator)
    names = _header(next(records, (1, []))[1], columns)
    rows: list[Row] = []
    faults: list[Fault] = []
    for line, cells in records:
        if len(rows) >= MOST_ROWS:
            raise Refusal("IMPORT-TOO-LARGE", f"The file has more than {MOST_ROWS:,} rows. Split it.")
        if len(cells) == len(names):
            rows.append(Row(line, dict.fromkeys(columns.all, "") | dict(zip(names, cells, strict=True))))
        else:
            faults.append(_misshapen(line, len(cells), len(names)))
    if faults:
        raise BadRowsError(faults, len(rows) + len(faults))
    if not rows:
        raise Refusal("IMPORT-EMPTY", "The file has a header and no row.")
    return rows


def refuse_faults(rows: list[Row]) -> None:
    """Raise BadRowsError with every fault found so far."""
    faults = [fault for row in rows for fault in row.faults]
    if faults:
        raise BadRowsError(faults, len(rows))


def _decode(raw: bytes) -> str:
    if len(raw) > MOST_BYTES:
        raise Refusal("IMPORT-TOO-LARGE", f"The file is larger than {MOST_BYTES // 2**20} MB. Split it.")
    if raw.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise _not_csv("This is a workbook, not a CSV. In the spreadsheet, save it as “CSV UTF-8”.")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Refusal("IMPORT-ENCODING", "The file is in UTF-16, not UTF-8. Save it as “CSV UTF-8”.")
    if b"\x00" in raw:
        line = raw[: raw.index(b"\x00")].count(b"\n") + 1
        raise _not_csv(f"Line {line} has a NUL character; this is not a text file.")
    if not raw.removeprefix(b"\xef\xbb\xbf").strip():
        raise Refusal("IMPORT-EMPTY", "The file is empty.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        message = f"Line {line} is not in UTF-8. Save the file as “CSV UTF-8”."
        raise Refusal("IMPORT-ENCODING", message) from None


def _records(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Give each record that is not blank with the line it begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    begins = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        message = f"The record that begins on line {begins} cannot be read: {error}."
        raise _not_csv(message) from None


def _header(cells: list[str], columns: Columns) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    known = ", ".join(columns.all)
    for wrong, says in (
        ([name for name in names if name not in columns.all], "Unknown column"),
        ([name for name in columns.needed if name not in names], "Missing column"),
        ([name for name in dict.fromkeys(names) if names.count(name) > 1], "Column named twice:"),
    ):
        if wrong:
            shown = ", ".join(f"“{_short(name)}”" for name in wrong[:10])
            raise Refusal("IMPORT-HEADER", f"{says} {shown}. The header may name: {known}.")
    return names


def _short(name: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in name)
    return printable if len(printable) <= 40 else f"{printable[:40]}…"


def _misshapen(line: int, found: int, expected: int) -> Fault:
    return Fault(line, "", "IMPORT-ROW-SHAPE", f"The row has {found} cells; the header has {expected}.")


def _not_csv(message: str) -> Refusal:
    return Refusal("IMPORT-NOT-CSV", message)
