"""The administration report as PDF: every dose of a period, what was said of it since, and the totals.

Laws kept here: voids, deviations and amendments are shown and marked in words, never left out; the
amounts are whole nanograms and microlitres until they are printed; the head of the audit chain
stands on the first and the last page. Rows are read once and drawn as they come, so that the time
is linear in their number. The same input gives the same bytes.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import BinaryIO

from reportlab.lib.pagesizes import A4, landscape, letter

from inventory.kernel.quantity import format_mcg, format_ml
from inventory.reports.documents.administration_row import AdministrationRow, ReportHeader, Source, moment
from inventory.reports.documents.charts import bars, largest, over_time
from inventory.reports.documents.front import front
from inventory.reports.documents.grid import Column, ColumnSpec, Grid
from inventory.reports.documents.heading import describe, heading, running
from inventory.reports.documents.paper import Paper
from inventory.reports.documents.parts import ending, facts, issued_words
from inventory.reports.documents.sheet import Band, Sheet
from inventory.reports.documents.sign_off import TITLE as SIGN_OFF
from inventory.reports.documents.sign_off import sign_off
from inventory.reports.documents.totals import Sum, Totals
from inventory.web.presenting import day

SECTIONS = ("Administrations", "Totals", "Charts", "Dose numbers", SIGN_OFF)
COLUMNS = (
    ColumnSpec("No.", 7.3, is_bold=True),
    ColumnSpec("Given at", 6.6),
    ColumnSpec("Patient", 12),
    ColumnSpec("Product", 11),
    ColumnSpec("Lot, expiry, vial", 13),
    ColumnSpec("Dose\nmcg", 4.6, is_number=True),
    ColumnSpec("Vol.\nmL", 3.4, is_number=True),
    ColumnSpec("Site, route", 8.2),
    ColumnSpec("Given by", 9.4),
    ColumnSpec("Indication, consent", 11),
    ColumnSpec("Recorded at", 6.6),
    ColumnSpec("Marks", 6.6, is_bold=True),
)
_TOTAL_COLUMNS = (
    ColumnSpec("", 40),
    ColumnSpec("Given\ndoses", 10, is_number=True),
    ColumnSpec("Given\nmcg", 14, is_number=True),
    ColumnSpec("Given\nmL", 12, is_number=True),
    ColumnSpec("Void or amended\ndoses", 14, is_number=True),
    ColumnSpec("Void or amended\nmcg", 14, is_number=True),
    ColumnSpec("Void or amended\nmL", 12, is_number=True),
)
_NO_GAP = "None: the numbers of these sites' doses go from 1 to the newest without a gap."
_NO_NUMBERS = "Not told: this report bears pseudonyms in place of the numbers of doses."
_HEADS_AND_A_ROW = 60.0
_SHORT_NUMBER = len("MAIN-000401")
_SIZES = {"A4": A4, "letter": letter}


def write_administration_report(
    out: BinaryIO,
    header: ReportHeader,
    rows: Iterable[AdministrationRow],
    *,
    seal: Callable[[], str] = lambda: "",
) -> Totals:
    """Write the report to `out` (binary) and return its totals. `rows` is read once, in the order given.

    `seal` gives the SHA-256 of the manifest when every row was read; without it the paper names none.
    """
    size = landscape(_SIZES[header.paper])
    paper = Paper(out, size, created_at=header.generated_at)
    describe(paper, header)
    sheet, totals = Sheet(paper, size, running(header)), Totals()
    heading(sheet, header)
    front(sheet, header, SECTIONS, seal=seal, told=lambda: _in_all(header, totals), sums=5)
    _rows(sheet, rows, totals)
    _totals(sheet, header, totals)
    _charts(sheet, header, totals)
    _numbers(sheet, header)
    _ending(sheet, header, totals)
    sheet.finish()
    return totals


def _in_all(header: ReportHeader, totals: Totals) -> list[tuple[str, str]]:
    whole = totals.everything
    return [
        ("Entries", f"{whole.given + whole.apart:,}"),
        ("Doses given", f"{whole.given:,}, {format_mcg(whole.dose_ng)} mcg"),
        ("Void or amended", f"{whole.apart:,}"),
        ("Numbers skipped", _skipped(header)),
        *([("Not given", f"{header.not_given:,}")] if header.not_given is not None else []),
    ]


def _rows(sheet: Sheet, rows: Iterable[AdministrationRow], totals: Totals) -> None:
    grid = Grid(COLUMNS, sheet.faces, sheet.left, sheet.width)
    _, second, third, *_ = grid.columns
    label = Column(ColumnSpec("", 0, is_bold=True), sheet.faces, second.left, second.width)
    words = Column(ColumnSpec("", 0), sheet.faces, third.left, sheet.left + sheet.width - third.left)
    sheet.need(_HEADS_AND_A_ROW)
    sheet.mark(SECTIONS[0])
    sheet.use(grid)
    for row in rows:
        totals.add(row)
        bands: list[Band] = [grid.band(_texts(row))]
        bands += [
            [(label.anchor, label.cell(remark.label)), (words.anchor, words.cell(remark.text))]
            for remark in row.remarks
        ]
        sheet.row(bands, continues=row.number)
    if not totals.everything.given + totals.everything.apart:
        sheet.top = (
            sheet.text(sheet.left, sheet.face(9), "\nNo administrations in this period with these filters.")
            - 6
        )
    sheet.use(None)


def _texts(row: AdministrationRow) -> tuple[str, ...]:
    born = day(row.patient_born_on) if row.patient_born_on else "not recorded"
    about = f"age {row.patient_age}" if row.patient_age else f"{row.patient_record}, born {born}"
    return (
        _number(row.number),
        moment(row.given_at, "\n"),
        f"{row.patient_name}\n{about}",
        f"{row.product}\n{row.strength}",
        _sources(row.sources),
        format_mcg(row.dose_ng),
        format_ml(row.volume_ul),
        f"{row.injection_site}\n{row.route}",
        f"{row.giver.name}\n{row.giver.credential}" if row.giver.credential else row.giver.name,
        f"{row.indication}\n{row.consent}" if row.indication else row.consent,
        moment(row.recorded_at, "\n"),
        "\n".join(row.marks),
    )


@lru_cache(maxsize=4_096)
def _sources(sources: tuple[Source, ...]) -> str:
    lines: list[str] = []
    for source in sources:
        lines.append(f"{source.lot_number}, exp {day(source.expires_on)}")
        vial = f"vial {source.vial}" if source.vial else ""
        use_by = f"use by {day(source.use_by)}" if source.use_by else ""
        amount = f"{format_ml(source.volume_ul)} mL" if len(sources) > 1 else ""
        lines += filter(None, [", ".join(filter(None, [vial, use_by, amount]))])
    return "\n".join(lines)


def _totals(sheet: Sheet, header: ReportHeader, totals: Totals) -> None:
    sheet.need(90)
    sheet.mark(SECTIONS[1])
    sheet.top = sheet.text(sheet.left, sheet.face(11, is_bold=True), "\nTotals") - 4
    specs = _TOTAL_COLUMNS
    for name, lines in [*totals.tables(), ("All", [("All administrations", totals.everything)])]:
        grid = Grid((specs[0]._replace(heading=name), *specs[1:]), sheet.faces, sheet.left, sheet.width)
        sheet.use(grid)
        for words, total in lines:
            sheet.row([grid.band((words, *_sum(total)))], continues=words)
        sheet.use(None)
        sheet.top -= 8
    if header.not_given is not None:
        sheet.need(20)
        sheet.top = (
            sheet.text(sheet.left, sheet.face(8), f"Not given, recorded with a reason: {header.not_given:,}")
            - 4
        )


def _charts(sheet: Sheet, header: ReportHeader, totals: Totals) -> None:
    span, by_time = over_time(totals.by_day, header.first_day, header.last_day)
    sheet.need(60 + 11 * len(by_time))
    sheet.mark(SECTIONS[2])
    sheet.top = sheet.text(sheet.left, sheet.face(11, is_bold=True), "\nCharts") - 2
    bars(sheet, f"Doses given by {span}", by_time)
    given = {name: total.given for name, total in totals.by_formulation.items()}
    bars(sheet, "Doses given by formulation", largest(given))


def _skipped(header: ReportHeader) -> str:
    if header.gaps is None:
        return "not told"
    return f"{len(header.gaps):,}" if header.gaps else "none"


def _numbers(sheet: Sheet, header: ReportHeader) -> None:
    """Name the numbers that no dose has: of every dose of these sites, since a gap has no day."""
    nothing = _NO_GAP if header.gaps is not None else _NO_NUMBERS
    told = [("Skipped", gap) for gap in header.gaps or ()] or [("Skipped", nothing)]
    sheet.need(60)
    sheet.mark(SECTIONS[3])
    sheet.top = sheet.text(sheet.left, sheet.face(11, is_bold=True), "\nDose numbers") - 4
    for line in told:
        sheet.need(20)
        sheet.top = facts(sheet, [line], sheet.left, sheet.width)
    sheet.top -= 6


def _sum(total: Sum) -> tuple[str, ...]:
    given = (f"{total.given:,}", format_mcg(total.dose_ng), format_ml(total.volume_ul))
    return (*given, f"{total.apart:,}", format_mcg(total.apart_dose_ng), format_ml(total.apart_volume_ul))


def _ending(sheet: Sheet, header: ReportHeader, totals: Totals) -> None:
    entries = totals.everything.given + totals.everything.apart
    end = f"{entries:,} entries, of which {totals.everything.apart:,} void or amended (shown, not counted as given)."
    sign_off(sheet, [("Issued by", issued_words(header)), *ending(header, end)])


def _number(number: str) -> str:
    """The number on one line; under a longer code of its site, where the column is too narrow for both."""
    code, hyphen, digits = number.rpartition("-")
    return number if len(number) <= _SHORT_NUMBER else f"{code}{hyphen}\n{digits}"
