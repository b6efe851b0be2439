"""The reconciliation as PDF: what differed without a cause, the equation, every lot and vial, and everything that stands out.

Laws kept here: amounts are whole microlitres until they are printed; nothing that stands out is left out; the head of the audit
chain stands on the first and the last page. The same input gives the same bytes.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO

from reportlab.lib.pagesizes import A4, landscape

from inventory.kernel.quantity import format_ml
from inventory.reports.documents.administration_row import ReportHeader
from inventory.reports.documents.front import front
from inventory.reports.documents.grid import ColumnSpec
from inventory.reports.documents.heading import describe, heading, running
from inventory.reports.documents.paper import Paper
from inventory.reports.documents.parts import ending, facts, in_zone, issued_words, section
from inventory.reports.documents.sheet import Sheet
from inventory.reports.documents.sign_off import TITLE as SIGN_OFF
from inventory.reports.documents.sign_off import sign_off
from inventory.stock.presenters import reconciliation as words
from inventory.stock.queries.reconciled import Reconciliation
from inventory.stock.queries.reconciliation import LotRow
from inventory.stock.reconciling import Column, Sums, Topic
from inventory.web.presenting import count, day, ml

_COUNTS, _TOGETHER, _STANDS_OUT = "Last counted", "All of it together", "What stands out"
_SIZE = landscape(A4)
_EQUATION = (
    ColumnSpec("", 34, is_bold=True),
    ColumnSpec("mL", 12, is_number=True),
    ColumnSpec("Containers", 12, is_number=True),
    ColumnSpec("By reason", 60),
)
_NOTED = (
    ColumnSpec("What", 40),
    ColumnSpec("When", 16),
    ColumnSpec("Where", 28),
    ColumnSpec("Who", 24),
    ColumnSpec("What was said", 34),
)
_COUNTED = (ColumnSpec("Location", 40, is_bold=True), ColumnSpec("Last counted", 30), ColumnSpec("", 30))


def write_reconciliation(
    out: BinaryIO,
    header: ReportHeader,
    found: Reconciliation,
    *,
    by_part: bool,
    seal: Callable[[], str] = lambda: "",
) -> None:
    """Write the reconciliation to `out` (binary); with `by_part`, also what is sealed of each lot and each vial."""
    paper = Paper(out, _SIZE, created_at=header.generated_at)
    describe(paper, header)
    sheet = Sheet(paper, _SIZE, running(header))
    heading(sheet, header)
    front(sheet, header, _titles(found), seal=seal, told=lambda: _in_all(found), sums=4)
    _headline(sheet, found)
    section(sheet, _TOGETHER, _EQUATION, [_line(line) for line in words.equation(found.rows)])
    _on_its_way(sheet, found)
    for group in words.groups_of(found):
        _lots(sheet, group, by_part=by_part)
    _what_stands_out(sheet, found)
    _ending(sheet, header, found)
    sheet.finish()


def _titles(found: Reconciliation) -> list[str]:
    lots = [_lots_title(group) for group in words.groups_of(found)]
    stands_out = [_topic_title(topic, members) for topic, members in words.by_topic(found.noted)]
    return [_COUNTS, _TOGETHER, *lots, *(stands_out or [_STANDS_OUT]), SIGN_OFF]


def _in_all(found: Reconciliation) -> list[tuple[str, str]]:
    return [
        ("Lots by site", f"{len(found.rows):,}"),
        ("Without a cause", ml(found.whole.unexplained_ul)),
        ("What stands out", f"{len(found.noted):,}"),
        ("Ledger's difference", "0 mL" if found.agrees else "NOT 0"),
    ]


def _headline(sheet: Sheet, found: Reconciliation) -> None:
    whole = found.whole
    large = f"{ml(whole.unexplained_ul)} differed without a cause"
    sheet.top = sheet.text(sheet.left, sheet.face(13, is_bold=True), large) - 1
    sheet.top = sheet.text(sheet.left, sheet.face(9), words.unexplained_words(whole)) - 4
    rows = [
        (
            f"{last.location}, {last.site_code}",
            in_zone(last.counted_at, last.zone) if last.counted_at else "never",
            f"{count(last.days, 'day')} before the end of the period" if last.days is not None else "",
        )
        for last in found.last_counts
    ]
    section(sheet, _COUNTS, _COUNTED, rows, "Nothing is or was kept at these sites.")
    difference = "0 mL" if found.agrees else "NOT 0: run flask stock verify"
    said = f"Difference of the ledger: {difference}. {words.PROVES}"
    sheet.top = sheet.text(sheet.left, sheet.face(8), f"\n{said}") - 4


def _line(line: words.Line) -> tuple[str, ...]:
    reasons = "\n".join(f"{reason}: {ml(volume)}" for reason, volume in line.reasons)
    return (f"{line.sign} {line.words}".strip(), format_ml(line.volume_ul), line.containers, reasons)


def _on_its_way(sheet: Sheet, found: Reconciliation) -> None:
    transit = found.transit
    told = [
        ("On its way", "Sent from these sites and not received yet: on no shelf, and apart from the sums."),
        ("", f"At the beginning {ml(transit.opening_ul)}, sent {ml(transit.sent_ul)}"),
        ("", f"Arrived or came back {ml(transit.arrived_ul)}, broken or lost {ml(transit.lost_ul)}"),
        ("", f"At the end {ml(transit.closing_ul)}"),
    ]
    sheet.need(60)
    sheet.top -= 8
    sheet.top = facts(sheet, told, sheet.left, sheet.width) - 4


def _lots(sheet: Sheet, group: words.Group, *, by_part: bool) -> None:
    columns = words.columns_of([*group.rows, *group.ways], by_part=by_part)
    numbers = [
        ColumnSpec(name.replace(" ", "\n"), 8, is_number=True)
        for name in ("Opening", *(words.COLUMNS[column] for column in columns), "Closing", "Difference")
    ]
    rows = [line for row in group.rows for line in _row(row, columns, by_part=by_part)]
    rows.append((f"All {group.formulation}", *_sums(group.sums, columns)))
    rows += [(f"{words.way_words(row)}: apart from the sum", *_sums(row.sums, columns)) for row in group.ways]
    specs = (ColumnSpec("Lot", 34), *numbers)
    section(sheet, _lots_title(group), specs, rows)


def _lots_title(group: words.Group) -> str:
    return f"{group.formulation}, in mL; columns in which nothing moved are left out"


def _topic_title(topic: Topic, members: Sequence[words.Told]) -> str:
    return f"{words.TOPICS[topic]} ({len(members):,})"


def _row(row: LotRow, columns: Sequence[Column], *, by_part: bool) -> Iterator[tuple[str, ...]]:
    about = f"{row.lot_number}, exp {day(row.expires_on)}, {row.site_code}\n{row.product}"
    left = words.hundredths_of(row.sums.closing_ul, row.container_ul)
    unit = "container" if left == "1" else "containers"
    yield (f"{about}; closing {left} {unit}", *_sums(row.sums, columns))
    for part in row.parts if by_part else ():
        yield (f"   {row.lot_number}: {words.part_words(part).lower()}", *_sums(part.sums, columns))


def _sums(sums: Sums, columns: Sequence[Column]) -> tuple[str, ...]:
    moved = (format_ml(sums.moved[column]) for column in columns)
    return (format_ml(sums.opening_ul), *moved, format_ml(sums.closing_ul), format_ml(sums.difference_ul))


def _what_stands_out(sheet: Sheet, found: Reconciliation) -> None:
    for topic, members in words.by_topic(found.noted):
        section(sheet, _topic_title(topic, members), _NOTED, [_told(one) for one in members])
    if not found.noted:
        section(sheet, _STANDS_OUT, _NOTED, [], "Nothing stands out.")


def _told(one: words.Told) -> tuple[str, ...]:
    recorded = f"\nrecorded {in_zone(one.recorded_at, one.zone)}" if one.recorded_at else ""
    return (one.what, f"{in_zone(one.at, one.zone)}{recorded}", one.where, one.by, one.said)


def _ending(sheet: Sheet, header: ReportHeader, found: Reconciliation) -> None:
    end = f"{count(len(found.rows), 'lot')} by site, {count(len(found.noted), 'thing')} that stand out. No shelf and no vial was ever below zero."
    sign_off(sheet, [("Issued by", issued_words(header)), *ending(header, end)])
