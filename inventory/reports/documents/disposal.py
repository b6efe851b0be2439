"""The return note and the destruction record as PDF: what left, from where, why, and lines for those who sign.

Laws kept here: a document that was reversed says so in large letters; the head of the audit chain stands on it. The same input
gives the same bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from reportlab.lib.pagesizes import A4

from inventory.kernel.quantity import format_ml
from inventory.reports.documents.grid import ColumnSpec, Grid
from inventory.reports.documents.paper import Paper
from inventory.reports.documents.parts import CHAIN_MEANING, chain_head, facts, in_utc, in_zone
from inventory.reports.documents.sheet import Running, Sheet
from inventory.stock.models import DisposalKind, WasteReason
from inventory.stock.queries.disposals import Disposed, DisposedLine
from inventory.stock.words import WASTE
from inventory.web.presenting import count, day

_TITLES = {DisposalKind.RETURN: "Return note", DisposalKind.DESTRUCTION: "Destruction record"}
_COLUMNS = (
    ColumnSpec("Product", 26),
    ColumnSpec("Strength", 14),
    ColumnSpec("Lot", 14, is_bold=True),
    ColumnSpec("Expiry", 11),
    ColumnSpec("Taken from", 14),
    ColumnSpec("Reason", 16),
    ColumnSpec("How much", 16),
    ColumnSpec("mL", 8, is_number=True),
)
_LINE = 150.0


@dataclass(frozen=True, slots=True)
class DisposalHeader:
    """What stands on the paper beside the document itself."""

    clinic_name: str
    printed_by: str
    printed_at: datetime
    chain_sequence: int
    chain_hash: str
    is_demo: bool


def title_of(found: Disposed) -> str:
    """Return what the paper is called."""
    return _TITLES[DisposalKind(found.disposal.kind)]


def write_disposal(out: BinaryIO, header: DisposalHeader, found: Disposed) -> None:
    """Write the document to `out` (binary)."""
    paper = Paper(out, A4, created_at=header.printed_at)
    number = f"{found.site.code} {found.disposal.number}"
    paper.setTitle(f"{title_of(found)} {number}")
    paper.setAuthor(header.clinic_name)
    paper.setSubject(f"{title_of(found)} {number}, document {found.disposal.document_number}")
    paper.setCreator(header.clinic_name)
    running = f"{title_of(found)} {number}, document {found.disposal.document_number}"
    foot = f"{running}, printed {in_utc(header.printed_at)}"
    sheet = Sheet(
        paper, A4, Running(head=f"{running}   {header.clinic_name}", foot=foot, is_demo=header.is_demo)
    )
    _heading(sheet, header, found)
    _lines(sheet, found)
    _signatures(sheet, found)
    _ending(sheet, header)
    sheet.finish()


def _heading(sheet: Sheet, header: DisposalHeader, found: Disposed) -> None:
    title, plain = sheet.face(17, is_bold=True), sheet.face(10)
    if found.reversal is not None:
        sheet.top = sheet.text(sheet.left, sheet.face(20, is_bold=True), "REVERSED: recorded wrongly") - 6
    sheet.top = sheet.text(sheet.left, title, f"{title_of(found)} {found.site.code} {found.disposal.number}")
    sheet.top = sheet.text(sheet.left, plain, header.clinic_name) - 5
    sheet.rule(is_heavy=True)
    sheet.top -= 5
    sheet.top = facts(sheet, _facts(header, found), sheet.left, sheet.width) - 6


def _facts(header: DisposalHeader, found: Disposed) -> Iterator[tuple[str, str]]:
    disposal, zone = found.disposal, found.site.time_zone
    yield "Document number", disposal.document_number
    yield "Site", ", ".join(filter(None, (found.site.name, found.site.address)))
    if found.supplier:
        yield "Supplier", found.supplier
    if disposal.carrier:
        yield "Taken away by", disposal.carrier
    yield "When", f"{in_zone(disposal.disposed_at, zone)} ({zone})"
    yield "Recorded", f"{in_zone(disposal.recorded_at, zone)}, {found.by}"
    yield "Witness", found.witness or "none"
    if disposal.note:
        yield "Note", disposal.note
    if found.reversal is not None:
        when = in_zone(found.reversal.occurred_at, zone)
        yield "Reversed", f"{when}, {found.reversed_by}: {found.reversal.note or ''}"
    yield "Printed", f"{in_zone(header.printed_at, zone)}, {header.printed_by}"


def _lines(sheet: Sheet, found: Disposed) -> None:
    grid = Grid(_COLUMNS, sheet.faces, sheet.left, sheet.width)
    sheet.use(grid)
    for one in found.lines:
        sheet.row([grid.band(_texts(one))], continues=one.lot.lot_number)
    sheet.use(None)
    total = sum(one.line.amount_ul for one in found.lines)
    sealed = sum(one.line.containers for one in found.lines)
    vials = sum(one.line.vial_id is not None for one in found.lines)
    parts = [
        count(sealed, "sealed container") if sealed else "",
        count(vials, "opened vial") if vials else "",
    ]
    said = f"{' and '.join(filter(None, parts))}, {format_ml(total)} mL together."
    sheet.top -= 4
    sheet.top = facts(sheet, [("In all", said)], sheet.left, sheet.width) - 6


def _texts(one: DisposedLine) -> tuple[str, ...]:
    how = f"opened vial {one.label_number}" if one.line.vial_id else count(one.line.containers, "container")
    return (
        f"{one.product.name}\n{one.product.maker}",
        str(one.lot.strength),
        one.lot.lot_number,
        day(one.lot.expires_on),
        one.location,
        WASTE[WasteReason(one.line.reason)].removesuffix(" (say what)"),
        how,
        format_ml(one.line.amount_ul),
    )


def _signatures(sheet: Sheet, found: Disposed) -> None:
    """Leave a line for each who signs: name in print, signature and date by hand."""
    third = "Received by" if found.disposal.kind == DisposalKind.RETURN else "Destroyed by"
    signing = [("Recorded by", found.by), ("Witness", found.witness), (third, found.disposal.carrier or "")]
    for words, name in signing:
        sheet.need(44)
        sheet.top -= 26
        sheet.text(sheet.left, sheet.face(9), "_" * 34)
        sheet.text(sheet.left + 2 * _LINE, sheet.face(9), "_" * 20)
        sheet.top -= 12
        sheet.text(sheet.left, sheet.face(8), f"{words}: {name}" if name else words)
        sheet.text(sheet.left + 2 * _LINE, sheet.face(8), "Date")
        sheet.top -= 8


def _ending(sheet: Sheet, header: DisposalHeader) -> None:
    sheet.need(60)
    sheet.top -= 16
    sheet.rule(is_heavy=True)
    sheet.top -= 5
    head = chain_head(header.chain_sequence, header.chain_hash)
    sheet.top = facts(sheet, [head, ("", CHAIN_MEANING)], sheet.left, sheet.width)
