"""A ReportLab canvas for long documents: pages packed as they close, and the same bytes for the same input.

Everything that needs ReportLab's own inside is here.
"""

import zlib
from datetime import UTC, datetime
from typing import Any, BinaryIO

from reportlab.pdfbase.pdfdoc import PDFArray, PDFDictionary, PDFName, PDFStream
from reportlab.pdfgen.canvas import Canvas

from inventory.reports.documents.fonts import REGULAR, embedded_font

_TOTAL = "total_pages"
_PACKING = 6  # zlib's usual level: 1 is no faster overall here, since more bytes are then copied


class _Packed(PDFStream):
    """A page's packed content, let go as soon as it is part of the file."""

    def format(self, document: Any) -> Any:
        written = super().format(document)
        self.content = None
        return written


class Paper(Canvas):
    """A document of one page size. `created_at` (aware) is the only time it knows."""

    def __init__(self, out: BinaryIO, size: tuple[float, float], *, created_at: datetime) -> None:
        embedded_font(REGULAR)
        super().__init__(
            out,
            pagesize=size,
            invariant=1,
            pageCompression=1,
            initialFontName=REGULAR,  # type: ignore[arg-type] # the stubs take a name for a size
            lang="en",
        )
        moment = created_at.astimezone(UTC).strftime("D:%Y%m%d%H%M%S+00'00'")
        self.setDateFormatter(lambda *_: moment)
        self.setViewerPreference("DisplayDocTitle", "true")
        self.setPageCallBack(self._pack)
        self._places: dict[str, PDFArray] = {}

    @property
    def document(self) -> Any:
        """ReportLab's document, which a font asks for to know its parts in it."""
        return self._doc  # type: ignore[attr-defined]

    def escaped(self, codes: bytes) -> str:
        """The bytes of a string operand, escaped."""
        return str(self._escape(codes))  # type: ignore[attr-defined]

    def save(self) -> None:
        """Write the document, and let go of its pages: ReportLab's objects hold each other until a collection."""
        if self._places:
            self.document.Catalog.Dests = PDFDictionary(self._places)
        super().save()
        self.document.idToObject.clear()

    def describe(self, *, title: str, subject: str, author: str, keywords: str = "") -> None:
        """Write what the document says of itself, beside its language."""
        self.setTitle(title)
        self.setSubject(subject)
        self.setAuthor(author)
        self.setCreator(author)
        self.setKeywords(keywords)

    def place(self, name: str, left: float, bottom: float) -> None:
        """Show the form `name` with its corner there; it may be defined at the end."""
        self.saveState()
        self.translate(left, bottom)
        self.doForm(name)
        self.restoreState()

    def define(self, name: str, width: float, height: float, operators: str) -> None:
        """Give what `place` shows."""
        self.beginForm(name, 0, -4, width, height)
        self.addLiteral(operators)
        self.endForm()

    def mark(self, key: str, title: str, top: float) -> None:
        """Name this place of the present page, and list it among the bookmarks."""
        self.bookmarkPage(key, fit="FitH", top=top)
        self.addOutlineEntry(title, key, level=0)
        self.showOutline()

    def name_place(self, name: str, box: tuple[float, float, float, float]) -> None:
        """Name a rectangle (left, bottom, right, top) of the present page."""
        self._places[name] = PDFArray([self.document.thisPageRef(), PDFName("FitR"), *box])

    def link(self, key: str, box: tuple[float, float, float, float]) -> None:
        """Let a rectangle of the present page lead to the place that is, or will be, marked with `key`."""
        self.linkRect("", key, box, relative=0, thickness=0)

    def place_total_pages(self) -> None:
        """Show the number of pages at the present origin; it is known, and drawn, when the document ends."""
        self.doForm(_TOTAL)

    def define_total_pages(self, operators: str) -> None:
        """Give what `place_total_pages` shows on every page."""
        self.beginForm(_TOTAL, 0, -4, 60, 12)
        self.addLiteral(operators)
        self.endForm()

    def _pack(self, number: int) -> None:
        """ReportLab keeps pages as plain text until the end; packed now, a long report stays small."""
        page = self.document.idToObject[f"Page{number}"]
        packed = zlib.compress(page.stream.encode("latin-1"), _PACKING)
        page.Contents = _Packed(PDFDictionary({"Filter": PDFName("FlateDecode")}), packed, filters=())
        page.stream = None
