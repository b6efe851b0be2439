"""The due list as PDF; and the downtime sheet, which is the same with blank fields for what is written by hand while the power is out.

Law kept here: what is due is printed whole. A name or note that does not fit goes on in the next line.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import BinaryIO

from reportlab.lib.pagesizes import A4, landscape

from inventory.doses.presenters.due import DueLine
from inventory.reports.documents.grid import ColumnSpec, Grid
from inventory.reports.documents.paper import Paper
from inventory.reports.documents.parts import facts, in_utc, in_zone, section
from inventory.reports.documents.sheet import Running, Sheet
from inventory.web.presenting import count, day, weekday

SPARE_ROWS = 6
"""Rows for patients who are not on the list."""
_WHO = (
    ColumnSpec("Due", 13),
    ColumnSpec("Patient", 24, is_bold=True),
    ColumnSpec("What", 17, is_bold=True),
)
_LIST = (*_WHO, ColumnSpec("Last dose", 22), ColumnSpec("To watch", 24))
_DOWNTIME = (
    *_WHO,
    ColumnSpec("Last dose", 16),
    ColumnSpec("To watch", 17),
    ColumnSpec("Given at", 9),
    ColumnSpec("Lot", 13),
    ColumnSpec("Vial", 7),
    ColumnSpec("mcg", 8),
    ColumnSpec("Body site", 10),
    ColumnSpec("Given by", 13),
)
_BLANKS = tuple("\n\n" + "_" * length for length in (8, 13, 6, 7, 9, 12))
_STOCK = (
    ColumnSpec("Product", 30),
    ColumnSpec("Strength", 16),
    ColumnSpec("Lot or vial", 18, is_bold=True),
    ColumnSpec("Last usable day", 14),
    ColumnSpec("Place", 16),
    ColumnSpec("How much", 14),
)
DOWNTIME_NOTES = (
    "Ask for the name and the birth date before each dose. Left arm LD, right arm RD, left thigh LVL, right thigh RVL.",
    "Afterwards each giver enters their own doses under Due, Enter a sheet. They are late entries and say so.",
)


@dataclass(frozen=True, slots=True)
class DueHeader:
    """What stands on the paper beside the list itself."""

    clinic_name: str
    site: str
    zone: str
    on: date
    filters: Sequence[tuple[str, str]]
    printed_by: str
    printed_at: datetime
    is_demo: bool


def write_due_list(out: BinaryIO, header: DueHeader, lines: Sequence[DueLine]) -> None:
    """Write the due list to `out` (binary)."""
    sheet = _opened(out, header, "Due list")
    _rows(sheet, _LIST, [_known(line) for line in lines])
    sheet.top -= 4
    sheet.top = facts(sheet, [("In all", count(len(lines), "dose"))], sheet.left, sheet.width)
    sheet.finish()


def write_downtime_sheet(
    out: BinaryIO, header: DueHeader, lines: Sequence[DueLine], stock: Sequence[tuple[str, ...]]
) -> None:
    """Write the downtime sheet to `out` (binary); `stock` are the rows of what may be given, in words."""
    sheet = _opened(out, header, "Downtime sheet")
    for note in DOWNTIME_NOTES:
        sheet.top = sheet.text(sheet.left, sheet.face(8), note) - 1
    sheet.top -= 6
    unknown = ("\n\n", "\n\n" + "_" * 22, "\n\n" + "_" * 16, "", "")
    due = [(*_known(line), *_BLANKS) for line in lines]
    _rows(sheet, _DOWNTIME, [*due, *[(*unknown, *_BLANKS)] * SPARE_ROWS])
    section(sheet, "What may be given here", _STOCK, stock, nothing="Nothing is usable.")
    sheet.finish()


def _opened(out: BinaryIO, header: DueHeader, title: str) -> Sheet:
    size = landscape(A4)
    paper = Paper(out, size, created_at=header.printed_at)
    about = f"{title}, {header.site}, {day(header.on)}"
    paper.describe(
        title=about, subject=about, author=header.clinic_name, keywords="demo" if header.is_demo else ""
    )
    running = Running(
        f"{about}   {header.clinic_name}", f"{about}, printed {in_utc(header.printed_at)}", header.is_demo
    )
    sheet = Sheet(paper, size, running)
    sheet.top = sheet.text(sheet.left, sheet.face(17, is_bold=True), title)
    sheet.top = sheet.text(sheet.left, sheet.face(10), f"{header.clinic_name}: {header.site}") - 5
    sheet.rule(is_heavy=True)
    sheet.top -= 5
    sheet.top = facts(sheet, _facts(header), sheet.left, sheet.width) - 6
    return sheet


def _facts(header: DueHeader) -> Iterator[tuple[str, str]]:
    yield "Day", f"{weekday(header.on)}, {day(header.on)}"
    yield from header.filters
    yield "Printed", f"{in_zone(header.printed_at, header.zone)} ({header.zone}), {header.printed_by}"


def _rows(sheet: Sheet, columns: tuple[ColumnSpec, ...], rows: Sequence[tuple[str, ...]]) -> None:
    if not rows:
        sheet.top = sheet.text(sheet.left, sheet.face(9), "Nobody is due.") - 4
        return
    grid = Grid(columns, sheet.faces, sheet.left, sheet.width)
    sheet.use(grid)
    for row in rows:
        sheet.row([grid.band(row)], continues=row[1].partition("\n")[0])
    sheet.use(None)


def _known(line: DueLine) -> tuple[str, ...]:
    window = f"\nwindow {line.window}" if line.window else ""
    more = f" and {line.more_to_watch} more" if line.more_to_watch else ""
    return (
        f"{day(line.due_on)}\n{line.due_words}{window}",
        f"{line.name}\n{line.record_number}\nborn {day(line.born_on)}",
        f"{line.dose}\n{line.what}",
        line.last,
        f"{line.watch.words}{more}" if line.watch else "",
    )
