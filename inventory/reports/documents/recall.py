"""The recall report as PDF: what was recalled and why, what became of it, every patient, every try to reach them, who and when.

Laws kept here: void entries are shown and told apart; the head of the audit chain stands on the first and the last page. A
drill says so in large letters and on every page. The same input gives the same bytes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from reportlab.lib.pagesizes import A4, landscape

from inventory.doses.queries.recalls import Contact, Progress, RecalledDose, Recipient
from inventory.doses.rules.terms import CONTACT_MEANS_WORDS, CONTACT_OUTCOME_WORDS
from inventory.kernel.quantity import format_ml
from inventory.reports.documents.front import Front, qr_text
from inventory.reports.documents.grid import ColumnSpec
from inventory.reports.documents.paper import Paper
from inventory.reports.documents.parts import CHAIN_MEANING, chain_head, facts, in_utc, in_zone, section
from inventory.reports.documents.sheet import Running, Sheet
from inventory.reports.documents.sign_off import TITLE as SIGN_OFF
from inventory.reports.documents.sign_off import sign_off
from inventory.reports.queries.recall import RecallState
from inventory.stock.models import AccountKind
from inventory.stock.queries.recalls import Fate, LineRow, Standing
from inventory.web.presenting import count, day

TITLE = "Recall report"
DRILL = "DRILL: an exercise, not a real recall"
_TITLES = ("Lots", "What became of them", "Still here", "Patients", "What happened", SIGN_OFF)
_SIZE = landscape(A4)
_LOTS = (
    ColumnSpec("Lot number\nas given", 12, is_bold=True),
    ColumnSpec("Lot of ours", 14),
    ColumnSpec("Product", 24),
    ColumnSpec("Expiry", 9),
    ColumnSpec("On hold since", 13),
    ColumnSpec("Released", 30),
)
_QUANTITIES = (
    ColumnSpec("Lot", 16, is_bold=True),
    ColumnSpec("Received\nmL", 10, is_number=True),
    ColumnSpec("Given\nmL", 10, is_number=True),
    ColumnSpec("Doses", 8, is_number=True),
    ColumnSpec("Patients", 8, is_number=True),
    ColumnSpec("Wasted\nmL", 10, is_number=True),
    ColumnSpec("Returned\nmL", 10, is_number=True),
    ColumnSpec("Destroyed\nmL", 10, is_number=True),
    ColumnSpec("Found (+) or\nmissing (-) mL", 12, is_number=True),
    ColumnSpec("Still here\nmL", 10, is_number=True),
)
_STANDING = (
    ColumnSpec("Site", 22),
    ColumnSpec("Location", 22),
    ColumnSpec("Lot", 16, is_bold=True),
    ColumnSpec("What", 26),
    ColumnSpec("mL", 10, is_number=True),
)
_PATIENTS = (
    ColumnSpec("Patient", 20, is_bold=True),
    ColumnSpec("Contact details", 20),
    ColumnSpec("Doses of these lots", 30),
    ColumnSpec("How it stands", 14, is_bold=True),
    ColumnSpec("Tries to reach them", 34),
)
_TIMELINE = (ColumnSpec("When", 16), ColumnSpec("What", 62), ColumnSpec("Who", 20))


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallHeader:
    """What stands on the report beside the recall itself."""

    number: str
    clinic_name: str
    generated_by: str
    generated_as: str
    generated_at: datetime
    is_demo: bool
    manifest_sha256: str = ""


def write_recall_report(out: BinaryIO, header: RecallHeader, state: RecallState) -> None:
    """Write the report to `out` (binary)."""
    paper = Paper(out, _SIZE, created_at=header.generated_at)
    paper.describe(
        title=f"{TITLE} {header.number}",
        subject=f"{_drill(state)}{TITLE} {header.number}: recall {state.row.label}, {state.row.recall.title}",
        author=header.clinic_name,
        keywords="demo" if header.is_demo else "",
    )
    sheet = Sheet(paper, _SIZE, _running(header, state))
    _heading(sheet, header, state)
    Front(
        sheet,
        _TITLES,
        sums=3,
        told=lambda: _in_all(state),
        seal=lambda: header.manifest_sha256,
        qr=lambda sha256: qr_text(header.number, sha256 or "none", state.head_seq, state.head_hash),
    )
    _lots(sheet, state)
    _quantities(sheet, state)
    _still_here(sheet, state)
    _patients(sheet, state)
    _timeline(sheet, state)
    _ending(sheet, header, state)
    sheet.finish()


def _in_all(state: RecallState) -> list[tuple[str, str]]:
    doses = sum(doses for doses, _ in state.given.values())
    return [
        ("Lots of ours", f"{len(state.lots):,}"),
        ("Patients", f"{state.progress.patients:,}"),
        ("Doses given", f"{doses:,}"),
    ]


def _drill(state: RecallState) -> str:
    return f"{DRILL}. " if state.row.recall.is_drill else ""


def _running(header: RecallHeader, state: RecallState) -> Running:
    recall = state.row.recall
    head = f"{_drill(state)}{TITLE} {header.number}   {header.clinic_name}   Recall {state.row.label}: {recall.title}"
    foot = f"{_drill(state)}{TITLE} {header.number}, generated {in_utc(header.generated_at)}"
    return Running(head=head, foot=foot, is_demo=header.is_demo)


def _heading(sheet: Sheet, header: RecallHeader, state: RecallState) -> None:
    title, plain = sheet.face(17, is_bold=True), sheet.face(10)
    if state.row.recall.is_drill:
        sheet.top = sheet.text(sheet.left, sheet.face(26, is_bold=True), DRILL) - 6
    number = f"Report {header.number}"
    sheet.text(sheet.left + sheet.width - title.width(title.printable(number)), title, number)
    sheet.top = sheet.text(sheet.left, title, TITLE, width=sheet.width / 2)
    sheet.top = sheet.text(sheet.left, plain, header.clinic_name) - 5
    sheet.rule(is_heavy=True)
    sheet.top -= 5
    sheet.top = facts(sheet, _what(state), sheet.left, sheet.width) - 4
    sheet.top = facts(sheet, _issued(header, state), sheet.left, sheet.width) - 4


def _what(state: RecallState) -> Iterator[tuple[str, str]]:
    row, recall, zone = state.row, state.row.recall, state.site.time_zone
    yield "Recall", f"{row.label}: {recall.title}"
    if recall.reference:
        yield "Reference", recall.reference
    yield "Why", recall.reason
    yield "Opened", f"{in_zone(recall.opened_at, zone)} ({zone}), {row.opened_by}"
    if recall.closed_at is None:
        yield "Closed", "Not closed: this report shows how it stands"
    else:
        yield "Closed", f"{in_zone(recall.closed_at, zone)}, {row.closed_by}"
        yield "Outcome", recall.outcome or ""
    yield "Patients", f"{state.progress.patients}: {progress_words(state.progress)}"


def _issued(header: RecallHeader, state: RecallState) -> Iterator[tuple[str, str]]:
    zone = state.site.time_zone
    yield "Generated by", f"{header.generated_by}, {header.generated_as}"
    yield "Generated at", f"{in_zone(header.generated_at, zone)} ({zone}), {in_utc(header.generated_at)}"
    yield chain_head(state.head_seq, state.head_hash)


def _lots(sheet: Sheet, state: RecallState) -> None:
    rows = [_lot(line, state.site.time_zone) for line in state.lines]
    section(sheet, _TITLES[0], _LOTS, rows, "No lot.")


def _lot(line: LineRow, zone: str) -> tuple[str, ...]:
    if line.lot is None or line.hold is None:
        return (line.line.lot_number, "Not ours: remembered", line.product_name, "", "", "")
    hold = line.hold
    released = (
        f"{in_zone(hold.released_at, zone)}: {hold.release_reason}" if hold.released_at else "Still on hold"
    )
    return (
        line.line.lot_number,
        line.lot.lot_number,
        line.product_name,
        day(line.lot.expires_on),
        in_zone(hold.held_at, zone),
        released,
    )


def _quantities(sheet: Sheet, state: RecallState) -> None:
    rows = [
        _quantity(lot.lot_number, state.fates.get(lot_id, Fate()), state.given.get(lot_id, (0, 0)))
        for lot_id, lot in state.lots.items()
    ]
    if len(rows) > 1:
        doses = sum(doses for doses, _ in state.given.values())
        total = sum(state.fates.values(), Fate())
        rows.append(_quantity("All lots", total, (doses, state.progress.patients)))
    section(sheet, _TITLES[1], _QUANTITIES, rows, "No lot of ours was named.")


def _quantity(name: str, fate: Fate, given: tuple[int, int]) -> tuple[str, ...]:
    amounts = (fate.wasted, fate.returned, fate.destroyed, fate.found, fate.held)
    before = (format_ml(fate.received), format_ml(fate.given), f"{given[0]:,}", f"{given[1]:,}")
    return (name, *before, *map(format_ml, amounts))


def _still_here(sheet: Sheet, state: RecallState) -> None:
    rows = [
        (
            one.site_name or "On its way",
            one.location_name or "",
            one.lot_number,
            standing_words(one),
            format_ml(one.volume_ul),
        )
        for one in state.standing
    ]
    section(sheet, _TITLES[2], _STANDING, rows, "Nothing of these lots is left.")


def progress_words(far: Progress) -> str:
    """Return how far reaching the patients has come: 1 told, 1 deceased, 1 tried and not told. What nobody is in is left out."""
    told = (
        (far.told, "told"),
        (far.deceased, "deceased"),
        (far.tried, "tried and not told"),
        (far.never_tried, "not tried"),
    )
    return ", ".join(f"{number:,} {words}" for number, words in told if number) or "0 told"


def standing_words(one: Standing) -> str:
    """Return what lies there: so many sealed containers, an open vial, or what is on its way."""
    if one.vial_id is not None:
        return f"Open vial {one.label_number}" if one.label_number else "Open container"
    if one.kind == AccountKind.TRANSIT:
        return f"On its way: {format_ml(one.volume_ul)} mL"
    return count(one.containers, "sealed container")


def _patients(sheet: Sheet, state: RecallState) -> None:
    rows = [
        _patient(one, state.doses.get(one.id, ()), state.contacts.get(one.id, ()), state.site.time_zone)
        for one in state.recipients
    ]
    section(sheet, _TITLES[3], _PATIENTS, rows, "Nobody was given anything of these lots.")


def _patient(
    one: Recipient, doses: Sequence[RecalledDose], contacts: Sequence[Contact], zone: str
) -> tuple[str, ...]:
    details = [part for part in (one.phone, one.email, one.address) if part]
    stands = CONTACT_OUTCOME_WORDS[one.outcome] if one.outcome else "No contact yet"
    return (
        f"{one.name}\n{one.record_number}, born {day(one.born_on)}",
        "\n".join(details) or "None recorded",
        "\n".join(dose_words(dose) for dose in doses),
        stands if one.doses else "Void entries only",
        "\n".join(f"{in_zone(told.contacted_at, zone)}: {contact_words(told)}" for told in contacts),
    )


def dose_words(dose: RecalledDose) -> str:
    """Return a dose of a recalled lot in one line."""
    void = "VOID, not given: " if dose.is_void else ""
    return f"{void}{dose.number}, {day(dose.given_on)}, {dose.site_name}, lot {dose.lot_number}, {format_ml(dose.volume_ul)} mL"


def contact_words(contact: Contact) -> str:
    """Return a try to reach a patient in one line, without its time."""
    note = f". {contact.note}" if contact.note else ""
    return f"{CONTACT_OUTCOME_WORDS[contact.outcome]} ({CONTACT_MEANS_WORDS[contact.means].lower()}), {contact.by}{note}"


def _timeline(sheet: Sheet, state: RecallState) -> None:
    zone = state.site.time_zone
    rows = [(in_zone(one.at, zone), one.what, one.by) for one in state.timeline]
    section(sheet, _TITLES[4], _TIMELINE, rows, "")


def _ending(sheet: Sheet, header: RecallHeader, state: RecallState) -> None:
    end = (
        f"{count(len(state.lots), 'lot')} of ours, {count(state.progress.patients, 'patient')} given of them."
    )
    zone = state.site.time_zone
    when = f"{in_zone(header.generated_at, zone)} ({zone}), {in_utc(header.generated_at)}"
    issued = ("Issued by", f"{header.generated_by}, {header.generated_as}, {when}")
    told = [issued, ("End of report", end), chain_head(state.head_seq, state.head_hash), ("", CHAIN_MEANING)]
    sign_off(sheet, told)
