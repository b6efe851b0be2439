"""Pages filled from the top: rows of cells, hairlines, heads repeated, and a foot with page x of y.

Law kept here: a row is never cut. One that does not fit goes to the next page, and one taller than a
page goes on over as many as it takes.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from reportlab.pdfgen.canvas import Canvas

from inventory.reports.documents.fonts import BOLD, REGULAR
from inventory.reports.documents.grid import Cell, Faces, Grid
from inventory.reports.documents.paper import Paper
from inventory.reports.documents.typeface import Typeface
from inventory.reports.documents.wrapping import wrapped

MARGIN = 30.0
TEXT_SIZE = 7.0
LEADING = 8.6
DEMO_MARK = "DEMO: invented data, not a clinical record"

_FOOT = 40.0  # rows end above it, the foot stands below
_ROW_PADDING = 4.4
_HAIRLINE = "0.35 w 0.75 G"
_HEAVY = "0.9 w 0.2 G"
_CODE_POINT_NOTE = (
    "[U+...] on this page: a character that this document's font cannot show, given by its Unicode number."
)

Band = Sequence[tuple[str, Cell]]
Box = tuple[float, float, float, float]
"""Left, bottom, right and top in points."""


class Running(NamedTuple):
    """What stands on every page: at the head from the second on, and at the foot."""

    head: str
    foot: str
    is_demo: bool


class Sheet:
    """The page being filled. Lengths are in points, `top` is where the next line may begin."""

    def __init__(self, paper: Paper, size: tuple[float, float], running: Running) -> None:
        self._paper = paper
        self._running = running
        self._page_width, self._page_height = size
        self.left = MARGIN
        self.width = self._page_width - 2 * MARGIN
        regular = Typeface(paper, REGULAR, TEXT_SIZE, leading=LEADING)
        self.faces = Faces(regular, Typeface(paper, BOLD, TEXT_SIZE, leading=LEADING))
        self._strong = Typeface(paper, BOLD, 8.5)
        self._grid: Grid | None = None
        self._marked: dict[str, int] = {}
        self._at_end: list[Callable[[], None]] = []
        self.pages = 0
        self.top = 0.0
        self._open()

    def face(self, size: float, *, is_bold: bool = False) -> Typeface:
        """Another size of the document's letters, for headings and facts."""
        return Typeface(self._paper, BOLD if is_bold else REGULAR, size)

    def text(self, left: float, face: Typeface, text: str, *, width: float | None = None) -> float:
        """Write `text` from `top` down, wrapped to `width`, and return where it ends; `top` stays."""
        end = self.top
        for paragraph in text.split("\n"):
            for line in wrapped(face.printable(paragraph), face, width or self.width):
                self._mark_code_points(line != paragraph and "[U+" in line)
                baseline = end - face.size
                self._texts.append(
                    f"{face.select} 1 0 0 1 {left:.2f} {baseline:.2f} Tm {face.draw(line)} {self.faces.regular.select}"
                )
                end -= face.leading
        return end

    def words(self, face: Typeface, text: str, left: float, baseline: float) -> str:
        """The operators that show one line of a form at a place in it, and leave the running letters selected."""
        drawn = face.draw(face.printable(text))
        return f"{face.select} 1 0 0 1 {left:.2f} {baseline:.2f} Tm {drawn} {self.faces.regular.select}"

    def fitted(self, face: Typeface, text: str, width: float) -> str:
        """`text` on one line of this width; what is longer ends in three dots, where it stands whole elsewhere."""
        lines = wrapped(face.printable(text), face, width)
        return (
            text
            if len(lines) == 1
            else f"{wrapped(face.printable(text), face, width - face.width('...'))[0]}..."
        )

    def mark(self, title: str) -> None:
        """Begin a section here: a bookmark, and a page that the contents name."""
        self._paper.mark(f"section-{len(self._marked)}", title, self.top)
        self._marked[title] = self.pages

    def page_of(self, title: str) -> int | str:
        """The page on which a section began; nothing where it did not."""
        return self._marked.get(title, "")

    def link(self, number: int, box: Box) -> None:
        """Let a rectangle of this page lead to the section that will be marked as the `number`th, from 0."""
        self._paper.link(f"section-{number}", box)

    def name_place(self, name: str, box: Box) -> None:
        """Name a rectangle of this page."""
        self._paper.name_place(name, box)

    def place(self, name: str, left: float, bottom: float) -> None:
        """Keep a place on this page for what `define` gives at the end."""
        self._paper.place(name, left, bottom)

    def define(self, name: str, width: float, height: float, operators: str) -> None:
        """Give what stands in a place that was kept."""
        self._paper.define(name, width, height, operators)

    def draw(self, drawing: Callable[[Canvas], None]) -> None:
        """Let ReportLab draw on this page, beneath its words."""
        drawing(self._paper)

    def at_end(self, fill: Callable[[], None]) -> None:
        """Have `fill` define what was placed, when every page is drawn."""
        self._at_end.append(fill)

    def rule(self, *, is_heavy: bool = False) -> None:
        """A line over the whole width at `top`."""
        self._shapes.append(
            f"{_HEAVY if is_heavy else _HAIRLINE} {self.left:.2f} {self.top:.2f} m"
            f" {self.left + self.width:.2f} {self.top:.2f} l S"
        )

    def need(self, height: float) -> None:
        """Begin a new page unless `height` still fits on this one."""
        if self.top - height < _FOOT:
            self._turn()

    def use(self, grid: Grid | None) -> None:
        """Set the columns of the rows to come; their heads stand here and on each page that follows."""
        self._grid = None
        if grid:
            # A page that is turned now is not to begin with these heads: they follow.
            self.need(self._heads_height(grid) + 4 * LEADING)
            self._heads(grid)
        self._grid = grid

    def row(self, bands: Sequence[Band], *, continues: str = "") -> None:
        """Write bands of cells below each other and a hairline; `continues` names a row that goes over pages."""
        lines = sum([max([len(cell.lines) for _, cell in band]) for band in bands])
        height = lines * LEADING + _ROW_PADDING
        if self.top - height < _FOOT:
            if height > self._full_height():
                self._long_row(bands, continues)
                return
            self._turn()
        baseline = self.top - TEXT_SIZE - _ROW_PADDING / 2 + 0.6
        for band in bands:
            at = f"{baseline:.2f}"
            for anchor, cell in band:
                if cell.block:
                    self._texts.append(f"1 0 0 1 {anchor} {at} Tm {cell.block}")
                if cell.has_code_points:
                    self._has_code_points = True
            baseline -= LEADING * max([len(cell.lines) for _, cell in band])
        self.top -= height
        self.rule()

    def finish(self) -> None:
        """Close the last page and tell every page how many there are."""
        self._close()
        self._paper.define_total_pages(
            f"BT {self.faces.regular.select} 1 0 0 1 0 0 Tm {self.faces.regular.draw(str(self.pages))} ET"
        )
        for fill in self._at_end:
            fill()
        self._paper.save()

    def _long_row(self, bands: Sequence[Band], continues: str) -> None:
        self.top -= _ROW_PADDING / 2
        for band in bands:
            for at in range(max(len(cell.lines) for _, cell in band)):
                if self.top - LEADING < _FOOT:
                    self._turn()
                    self.top = self.text(self.left, self.faces.bold, f"{continues} (continued)") - 2
                baseline = f"{self.top - TEXT_SIZE:.2f}"
                for anchor, cell in band:
                    if at < len(cell.lines) and cell.lines[at]:
                        self._texts.append(f"1 0 0 1 {anchor} {baseline} Tm {cell.lines[at]}")
                    self._mark_code_points(cell.has_code_points)
                self.top -= LEADING
        self.top -= _ROW_PADDING / 2
        self.rule()

    def _mark_code_points(self, has_any: bool) -> None:  # noqa: FBT001 - the page's one flag
        self._has_code_points = self._has_code_points or has_any

    def _turn(self) -> None:
        self._close()
        self._open()
        if self._grid:
            self._heads(self._grid)

    def _open(self) -> None:
        self.pages += 1
        self._texts: list[str] = []
        self._shapes: list[str] = []
        self._has_code_points = False
        self.top = self._page_height - MARGIN
        if self._running.is_demo:
            self._demo_mark()
        if self.pages > 1:
            self.top = self.text(self.left, self.faces.regular, self._running.head) - 4

    def _demo_mark(self) -> None:
        across = self._strong.width(DEMO_MARK)
        left = (self._page_width - across) / 2
        self._shapes.append(f"0.9 g {left - 8:.2f} {self.top - 1:.2f} {across + 16:.2f} 14 re f 0 g")
        self.top += 11
        self.text(left, self._strong, DEMO_MARK)
        self.top -= 16

    def _close(self) -> None:
        self.top = _FOOT - 6
        self.rule()
        self.top -= 3
        foot = self._running.foot + (f"   {DEMO_MARK}" if self._running.is_demo else "")
        below = self.text(self.left, self.faces.regular, foot, width=self.width - 80)
        first, self.top = self.top, below
        if self._has_code_points:
            self.text(self.left, self.faces.regular, _CODE_POINT_NOTE)
        self.top = first
        total_at = self._page_of()
        self._paper.addLiteral("\n".join(self._shapes))
        self._paper.addLiteral(f"BT {self.faces.regular.select} {LEADING:g} TL")
        self._paper.addLiteral("\n".join(self._texts))
        self._paper.addLiteral("ET")
        self._paper.translate(total_at, self.top - TEXT_SIZE)
        self._paper.place_total_pages()
        self._paper.showPage()

    def _page_of(self) -> float:
        """Write page x, and return where y is to stand: the form that the document's end fills in draws it."""
        words = f"Page {self.pages} of "
        face = self.faces.regular
        start = self.left + self.width - 22
        self.text(start - face.width(words), face, words)
        return start

    def _heads(self, grid: Grid) -> None:
        height = self._heads_height(grid)
        self._shapes.append(
            f"0.94 g {self.left:.2f} {self.top - height:.2f} {self.width:.2f} {height:.2f} re f 0 g"
        )
        self.rule(is_heavy=True)
        baseline = f"{self.top - TEXT_SIZE - 2.4:.2f}"
        self._texts += [
            f"1 0 0 1 {anchor} {baseline} Tm {cell.block}" for anchor, cell in grid.heads if cell.block
        ]
        self.top -= height
        self.rule()

    def _heads_height(self, grid: Grid) -> float:
        return max(len(cell.lines) for _, cell in grid.heads) * LEADING + 4.4

    def _full_height(self) -> float:
        heads = self._heads_height(self._grid) if self._grid else 0
        return self._page_height - 2 * MARGIN - 40 - heads
