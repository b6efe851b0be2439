"""What the heading and the ending of every report are made of: facts in two columns, instants, the head of the chain."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from inventory.reports.documents.administration_row import ReportHeader, moment
from inventory.reports.documents.grid import ColumnSpec, Grid
from inventory.reports.documents.sheet import LEADING, Sheet
from inventory.web.presenting import day

CHAIN_MEANING = "The audit trail can be checked against this head: it shows changes made since, not whether what was typed was true."
_TITLE_AND_HEADS, _MOST_KEPT = 76.0, 300.0
"""Points that a section's title and the heads of its columns take; and the most that is kept together with them."""


def facts(sheet: Sheet, told: Iterable[tuple[str, str]], left: float, width: float) -> float:
    """Write label and value pairs from `top` down, return where they end and leave `top` as it was."""
    label, value = sheet.face(8, is_bold=True), sheet.face(8)
    began = sheet.top
    for name, text in told:
        below = sheet.text(left, label, name, width=82)
        sheet.top = min(below, sheet.text(left + 84, value, text, width=width - 84)) - 0.8
    ended, sheet.top = sheet.top, began
    return ended


def chain_head(sequence: int, digest: str) -> tuple[str, str]:
    """The fact that names the head of the chain a report shows."""
    return "Audit chain head", f"entry {sequence:,}, hash {digest}"


def issued_words(header: ReportHeader) -> str:
    """Who made a report and when, in one line."""
    local = in_zone(header.generated_at, header.zone)
    return f"{header.generated_by}, {header.generated_as}, {local} ({header.zone}), {in_utc(header.generated_at)}"


def ending(header: ReportHeader, end: str) -> list[tuple[str, str]]:
    """The facts with which every report ends: how much it holds, and the head of the chain it shows."""
    head = chain_head(header.chain_sequence, header.chain_hash)
    return [("End of report", end), head, ("", CHAIN_MEANING)]


def in_utc(instant: datetime) -> str:
    """An instant as UTC has it, to the second."""
    utc = instant.astimezone(UTC)
    return f"{day(utc.date())}, {utc:%H:%M:%S} UTC"


def in_zone(instant: datetime, zone: str, between: str = " ") -> str:
    """An instant by the clock of a zone."""
    return moment(instant.astimezone(ZoneInfo(zone)), between)


def section(
    sheet: Sheet,
    title: str,
    specs: tuple[ColumnSpec, ...],
    rows: Sequence[tuple[str, ...]],
    nothing: str = "None.",
) -> None:
    """Write a section: its title and its rows, or that there are none. A title never stands alone at the foot of a page."""
    grid = Grid(specs, sheet.faces, sheet.left, sheet.width) if rows else None
    first = max(len(cell.lines) for _, cell in grid.band(rows[0])) if grid else 0
    sheet.need(min(_TITLE_AND_HEADS + first * LEADING, _MOST_KEPT))
    sheet.mark(title)
    sheet.top = sheet.text(sheet.left, sheet.face(11, is_bold=True), f"\n{title}") - 4
    if grid is None:
        sheet.top = sheet.text(sheet.left, sheet.face(8), nothing) - 4
        return
    sheet.use(grid)
    for row in rows:
        sheet.row([grid.band(row)], continues=row[0].partition("\n")[0])
    sheet.use(None)
