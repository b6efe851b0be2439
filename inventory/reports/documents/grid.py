"""Columns of text: a cell is worked out once, and drawn as often as its text comes back."""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from inventory.reports.documents.bidi import direction_of
from inventory.reports.documents.typeface import CODE_POINT, Typeface
from inventory.reports.documents.wrapping import wrapped

_REMEMBERED = 4_096  # cells a column; beyond that it starts again, so that memory stays flat


class Cell(NamedTuple):
    """What a cell draws from its anchor: all of it as `block`, or line by line. Both leave the anchor free."""

    block: str
    lines: tuple[str, ...]
    has_code_points: bool


class _Paragraph(NamedTuple):
    """A paragraph of a cell: its lines, the operators that draw each, and whether a code point stands for a letter."""

    lines: list[str]
    drawn: list[str]
    has_code_points: bool


class ColumnSpec(NamedTuple):
    """A column as a document asks for it. `share` is its part of the width; `line` breaks its heading."""

    heading: str
    share: float
    is_number: bool = False
    is_bold: bool = False


@dataclass(frozen=True, slots=True)
class Faces:
    """The two faces of a document's running text; `regular` is selected wherever a cell begins and ends."""

    regular: Typeface
    bold: Typeface


class Column:
    """A place on the page, `width` points wide; numbers stand at its right edge, the rest at its left."""

    def __init__(self, spec: ColumnSpec, faces: Faces, left: float, width: float) -> None:
        self._faces = faces
        self._face = faces.bold if spec.is_bold else faces.regular
        self.left = left
        self.width = width
        self._is_number = spec.is_number
        self._cells: dict[str, Cell] = {}
        self._paragraphs: dict[str, _Paragraph] = {}
        self.anchor = f"{left + (width if spec.is_number else 0):.2f}"

    def cell(self, text: str) -> Cell:
        """The cell that shows `text`, on as many lines as it takes; a line break in it begins a line."""
        found = self._cells.get(text)
        if found is None:
            if len(self._cells) >= _REMEMBERED:
                self._cells.clear()
            found = self._cells[text] = self._worked_out(text)
        return found

    def _worked_out(self, text: str) -> Cell:
        lines: list[str] = []
        drawn: list[str] = []
        has_code_points = False
        for paragraph in text.replace("\r\n", "\n").split("\n"):
            one = self._paragraphs.get(paragraph) or self._remembered(paragraph)
            lines += one.lines
            drawn += one.drawn
            has_code_points |= one.has_code_points
        if self._is_number:
            return Cell(*self._right(lines, drawn), has_code_points)
        return Cell(self._selected(" T* ".join(drawn)), tuple(map(self._selected, drawn)), has_code_points)

    def _remembered(self, paragraph: str) -> _Paragraph:
        """Work a paragraph out and keep it: a day, a clock time, a patient come back in other cells."""
        if len(self._paragraphs) >= _REMEMBERED:
            self._paragraphs.clear()
        printable = self._face.printable(paragraph)
        direction = 0 if printable.isascii() else direction_of(printable)
        lines = wrapped(printable, self._face, self.width)
        drawn = [self._face.draw(line, direction) if line else "" for line in lines]
        unprintable = printable != paragraph and CODE_POINT.search(printable) is not None
        found = self._paragraphs[paragraph] = _Paragraph(lines, drawn, unprintable)
        return found

    def _right(self, lines: list[str], drawn: list[str]) -> tuple[str, tuple[str, ...]]:
        widths = [self._face.width(line) for line in lines]
        singles = [f"{-width:.2f} 0 Td {shown}" for width, shown in zip(widths, drawn, strict=True)]
        below = [
            f"{before - width:.2f} {-self._face.leading:g} Td {shown}"
            for (before, width), shown in zip(pairwise(widths), drawn[1:], strict=True)
        ]
        return self._selected(" ".join([singles[0], *below])), tuple(map(self._selected, singles))

    def _selected(self, operators: str) -> str:
        if self._face is self._faces.regular or not operators:
            return operators
        return f"{self._face.select} {operators} {self._faces.regular.select}"


class Grid:
    """Columns side by side over a width, with a gutter between them, and the heads that stand over them."""

    def __init__(self, specs: tuple[ColumnSpec, ...], faces: Faces, left: float, width: float) -> None:
        gutter = 7.0
        unit = (width - gutter * (len(specs) - 1)) / sum(spec.share for spec in specs)
        self.columns: list[Column] = []
        heads: list[Column] = []
        for spec in specs:
            self.columns.append(Column(spec, faces, left, spec.share * unit))
            heads.append(Column(spec._replace(is_bold=True), faces, left, spec.share * unit))
            left += spec.share * unit + gutter
        self.heads = [(head.anchor, head.cell(spec.heading)) for head, spec in zip(heads, specs, strict=True)]

    def band(self, texts: tuple[str, ...]) -> list[tuple[str, Cell]]:
        """One row of cells with their anchors, ready for a sheet."""
        return [(column.anchor, column.cell(text)) for column, text in zip(self.columns, texts, strict=True)]
