"""What stands on a report's first page and is known only when its last is drawn: contents with their pages, sums, and the QR code.

Its places are kept free and filled in at the end, so that the rows are still drawn once, as they come (`Paper.place_total_pages`
does the same for the number of pages).

Beneath them stands the SHA-256 of the manifest, whole.

The QR code says, in capitals: `REPORT number MANIFEST sha256 HEAD sequence hash`. It is the report's number, the SHA-256 of its
manifest and the head of the audit chain: what somebody needs to compare the paper with a file, and the file with the record.
"""

from collections.abc import Callable, Iterator, Sequence

import segno

from inventory.reports.documents.administration_row import ReportHeader
from inventory.reports.documents.sheet import Sheet

_QR, _CONTENTS = "front-qr", "front-contents"
_SIDE = 88.0
_LINE = 11.0
_QUIET = 4  # modules of white that a reader needs around the code
Facts = Sequence[tuple[str, str]]


def qr_text(number: str, manifest_sha256: str, chain_sequence: int, chain_hash: str) -> str:
    """What the QR code of a report says."""
    return f"REPORT {number} MANIFEST {manifest_sha256} HEAD {chain_sequence} {chain_hash}".upper()


class Front:
    """The places on the first page. `told` gives the sums and `qr` the text of the code once every row is drawn."""

    def __init__(
        self,
        sheet: Sheet,
        titles: Sequence[str],
        *,
        sums: int,
        told: Callable[[], Facts],
        seal: Callable[[], str],
        qr: Callable[[str], str],
    ) -> None:
        self._sheet, self._titles, self._told, self._qr, self._seal = sheet, titles, told, qr, seal
        self._middle = sheet.left + (sheet.width - _SIDE - 16) * 0.52
        self._height = max(_SIDE + 4, (3 + max(len(titles), sums)) * _LINE)
        sheet.need(self._height)
        self._top = sheet.top
        bottom = self._top - self._height
        sheet.place(_CONTENTS, sheet.left, bottom)
        sheet.place(_QR, sheet.left + sheet.width - _SIDE, self._top - _SIDE)
        for number in range(len(titles)):
            below = self._top - (number + 2) * _LINE
            sheet.link(number, (sheet.left, below, self._middle - 14, below + _LINE))
        sheet.top = bottom - 4
        sheet.at_end(self._fill)

    def _fill(self) -> None:
        sheet = self._sheet
        width = sheet.width - _SIDE - 16
        text = "\n".join(self._words())
        drawn = f"BT {sheet.faces.regular.select}\n{text}\nET"
        sheet.define(_CONTENTS, width, self._height, drawn)
        sheet.define(_QR, _SIDE, _SIDE, code_of(self._qr(self._seal()), _SIDE))

    def _words(self) -> Iterator[str]:
        sheet = self._sheet
        strong, plain = sheet.face(8, is_bold=True), sheet.face(8)
        across, first = self._middle - sheet.left - 14, self._height - plain.size
        right = self._middle - sheet.left
        yield sheet.words(strong, "Contents", 0, first)
        yield sheet.words(strong, "In all", right, first)
        for n, title in enumerate(self._titles, start=1):
            page = str(sheet.page_of(title))
            yield sheet.words(plain, sheet.fitted(plain, title, across - 30), 0, first - n * _LINE)
            yield sheet.words(plain, page, across - plain.width(page), first - n * _LINE)
        rest = sheet.width - _SIDE - 16 - right - 124
        for n, (label, value) in enumerate(self._told(), start=1):
            yield sheet.words(plain, sheet.fitted(plain, label, 120), right, first - n * _LINE)
            yield sheet.words(strong, sheet.fitted(strong, value, rest), right + 124, first - n * _LINE)
        yield sheet.words(strong, "Manifest SHA-256", 0, 2)
        yield sheet.words(plain, self._seal() or "none", 84, 2)


def front(
    sheet: Sheet,
    header: ReportHeader,
    titles: Sequence[str],
    *,
    seal: Callable[[], str],
    told: Callable[[], Facts],
    sums: int,
) -> None:
    """Keep the places of a report's first page; `seal` gives the SHA-256 of its manifest at the end."""

    def qr(manifest_sha256: str) -> str:
        return qr_text(header.number, manifest_sha256 or "none", header.chain_sequence, header.chain_hash)

    Front(sheet, titles, sums=sums, told=told, seal=seal, qr=qr)


def code_of(text: str, side: float) -> str:
    """The operators that fill the dark modules of a QR code, `side` points wide with its quiet zone."""
    rows = list(segno.make(text, error="m", micro=False).matrix)
    module = side / (len(rows) + 2 * _QUIET)
    shapes = ["0 g"]
    for row_number, row in enumerate(rows):
        bottom = side - (row_number + 1 + _QUIET) * module
        for start, length in _runs(row):
            left = (start + _QUIET) * module
            shapes.append(f"{left:.3f} {bottom:.3f} {length * module:.3f} {module + 0.02:.3f} re")
    return "\n".join([*shapes, "f"])


def _runs(row: bytearray | Sequence[int]) -> Iterator[tuple[int, int]]:
    """Where dark modules that touch begin, and how many they are."""
    start = None
    for at, dark in enumerate([*row, 0]):
        if dark and start is None:
            start = at
        elif not dark and start is not None:
            yield start, at - start
            start = None
