"""A report that is a list of things by section, as PDF: drawn from the very cells that its CSV holds and its manifest commits to.

Each kind says in a `Layout` which cells stand in which column. The rows are read once and drawn as they come, section after
section; sums and charts are counted as they go by.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from typing import BinaryIO, NamedTuple

from reportlab.lib.pagesizes import A4, landscape

from inventory.reports.documents.administration_row import ReportHeader, moment
from inventory.reports.documents.charts import bars, largest, over_time
from inventory.reports.documents.front import front
from inventory.reports.documents.grid import ColumnSpec, Grid
from inventory.reports.documents.heading import describe, heading, running
from inventory.reports.documents.paper import Paper
from inventory.reports.documents.parts import ending, issued_words, section
from inventory.reports.documents.sheet import Sheet
from inventory.reports.documents.sign_off import TITLE as SIGN_OFF
from inventory.reports.documents.sign_off import sign_off
from inventory.web.presenting import count, day

SIZE = landscape(A4)
Cells = tuple[str, ...]


class Shown(NamedTuple):
    """A column of a section: its heading, its share of the width, and what it shows of a row's cells by name.

    `{at:when}` is an instant as it is printed, `{born_on:day}` a day.
    """

    heading: str
    share: float
    text: str
    is_number: bool = False
    is_bold: bool = False


class Section(NamedTuple):
    """The rows whose cell `about` is `about`, under a title; `nothing` is said where there are none."""

    about: str
    title: str
    columns: tuple[Shown, ...]
    nothing: str = "None."


class Figure(NamedTuple):
    """A sum of a numeric cell: its heading, the cell (whole numbers or fractions), and how the sum is written."""

    heading: str
    cell: str
    written: Callable[[Fraction], str]


class Grouping(NamedTuple):
    """Rows counted by a cell; `abouts` are the sections that count, all where it is empty."""

    title: str
    cell: str
    abouts: frozenset[str] = frozenset()
    figures: tuple[Figure, ...] = ()
    is_chart: bool = True


@dataclass(frozen=True, slots=True)
class Layout:
    """How the rows of one kind are printed. Every table has the cells `about` and `on`, the day of the row at its site."""

    columns: tuple[str, ...]
    sections: tuple[Section, ...]
    over_time: str
    groupings: tuple[Grouping, ...]
    counted: frozenset[str] = frozenset()
    """The sections that are counted over time; all where it is empty."""

    def titles(self) -> tuple[str, ...]:
        """The sections of the document, in their order."""
        return (*(one.title for one in self.sections), "Totals and charts", SIGN_OFF)


@dataclass(slots=True)
class _Counts:
    """What is counted while the rows go by."""

    by_section: dict[str, int] = field(default_factory=dict)
    by_day: dict[date, int] = field(default_factory=dict)
    by_group: dict[str, dict[str, list[Fraction]]] = field(default_factory=dict)

    def add(self, layout: Layout, said: Mapping[str, str]) -> None:
        about = said["about"]
        self.by_section[about] = self.by_section.get(about, 0) + 1
        if said["on"] and (not layout.counted or about in layout.counted):
            on = date.fromisoformat(said["on"])
            self.by_day[on] = self.by_day.get(on, 0) + 1
        for one in layout.groupings:
            if not one.abouts or about in one.abouts:
                sums = self.by_group.setdefault(one.title, {}).setdefault(
                    said[one.cell], [Fraction()] * (1 + len(one.figures))
                )
                sums[0] += 1
                for n, figure in enumerate(one.figures, start=1):
                    sums[n] += Fraction(said[figure.cell] or 0)


class _Cell(str):
    """A cell that can be printed as an instant or a day."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        if spec == "when":
            return moment(datetime.fromisoformat(self)) if self else ""
        if spec == "day":
            return day(date.fromisoformat(self)) if self else ""
        return str(self)


def write_listing(
    out: BinaryIO,
    header: ReportHeader,
    layout: Layout,
    rows: Iterable[Cells],
    *,
    seal: Callable[[], str] = lambda: "",
) -> None:
    """Write the report to `out` (binary). `rows` come section by section, in the order of the layout, and are read once."""
    paper = Paper(out, SIZE, created_at=header.generated_at)
    describe(paper, header)
    sheet, counts = Sheet(paper, SIZE, running(header)), _Counts()
    heading(sheet, header)
    front(
        sheet,
        header,
        layout.titles(),
        seal=seal,
        told=lambda: _in_all(layout, counts),
        sums=len(layout.sections) + 1,
    )
    _sections(sheet, layout, rows, counts)
    _totals(sheet, header, layout, counts)
    whole = count(sum(counts.by_section.values()), "row")
    sign_off(sheet, [("Issued by", issued_words(header)), *ending(header, f"{whole}.")])
    sheet.finish()


def _in_all(layout: Layout, counts: _Counts) -> list[tuple[str, str]]:
    told = [(one.title, f"{counts.by_section.get(one.about, 0):,}") for one in layout.sections]
    return [*told, ("Rows", f"{sum(counts.by_section.values()):,}")]


def _sections(sheet: Sheet, layout: Layout, rows: Iterable[Cells], counts: _Counts) -> None:
    place = layout.columns.index("about")
    ordered = iter(rows)
    following = next(ordered, None)
    for one in layout.sections:
        if following is None or following[place] != one.about:
            section(sheet, one.title, (), [], one.nothing)
            continue
        grid = _begun(sheet, one)
        while following is not None and following[place] == one.about:
            said = dict(zip(layout.columns, map(_Cell, following), strict=True))
            counts.add(layout, said)
            _row(sheet, grid, one, said)
            following = next(ordered, None)
        sheet.use(None)
    if following is not None:
        raise ValueError(f"a row of {following[place]} comes out of its order")


def _begun(sheet: Sheet, one: Section) -> Grid:
    specs = tuple(ColumnSpec(said.heading, said.share, said.is_number, said.is_bold) for said in one.columns)
    grid = Grid(specs, sheet.faces, sheet.left, sheet.width)
    sheet.need(76)
    sheet.mark(one.title)
    sheet.top = sheet.text(sheet.left, sheet.face(11, is_bold=True), f"\n{one.title}") - 4
    sheet.use(grid)
    return grid


def _row(sheet: Sheet, grid: Grid, one: Section, said: Mapping[str, str]) -> None:
    texts = tuple(_said(shown.text.format_map(said)) for shown in one.columns)
    sheet.row([grid.band(texts)], continues=texts[0].partition("\n")[0])


def _said(text: str) -> str:
    """A column's text without the lines that say nothing."""
    return "\n".join(line for line in text.split("\n") if line.strip(" ,:"))


def _totals(sheet: Sheet, header: ReportHeader, layout: Layout, counts: _Counts) -> None:
    span, by_time = over_time(counts.by_day, header.first_day, header.last_day)
    sheet.need(70 + 11 * len(by_time))
    sheet.mark("Totals and charts")
    sheet.top = sheet.text(sheet.left, sheet.face(11, is_bold=True), "\nTotals and charts") - 2
    bars(sheet, f"{layout.over_time} by {span}", by_time)
    for one in layout.groupings:
        groups = counts.by_group.get(one.title, {})
        if one.figures:
            _table(sheet, one, groups)
        if groups and one.is_chart:
            bars(sheet, one.title, largest({name: int(sums[0]) for name, sums in groups.items()}))


def _table(sheet: Sheet, one: Grouping, groups: Mapping[str, Sequence[Fraction]]) -> None:
    specs = (
        ColumnSpec(one.title, 40, is_bold=True),
        ColumnSpec("Rows", 10, is_number=True),
        *(ColumnSpec(figure.heading, 16, is_number=True) for figure in one.figures),
    )
    grid = Grid(specs, sheet.faces, sheet.left, sheet.width)
    sheet.top -= 8
    sheet.use(grid)
    whole = [sum((sums[n] for sums in groups.values()), Fraction()) for n in range(1 + len(one.figures))]
    for name, sums in [*sorted(groups.items()), ("All", whole)]:
        figures = (figure.written(amount) for figure, amount in zip(one.figures, sums[1:], strict=True))
        sheet.row([grid.band((name, f"{int(sums[0]):,}", *figures))], continues=name)
    sheet.use(None)
