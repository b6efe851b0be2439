"""The end of a report: who issued it, and lines on which others say that they reviewed or approved it, by hand or by signature.

Each line leaves a place for a signature in the file. A place is a named destination of the PDF (`sign-1`, `sign-2` and so on) that
fits its rectangle, so that the file itself says where it is: `signature_places` reads them.
"""

from typing import NamedTuple

from pyhanko.pdf_utils.reader import PdfFileReader

from inventory.reports.documents.grid import ColumnSpec
from inventory.reports.documents.parts import facts, section
from inventory.reports.documents.sheet import Sheet

TITLE = "Sign-off"
LINES = 4
MEANINGS = ("Reviewed", "Approved", "", "")
_HEIGHT = 30.0
_SPECS = (("Meaning", 0.0), ("Name", 0.16), ("Day and time", 0.42), ("Signature", 0.62))


class Place(NamedTuple):
    """A rectangle that is kept free for a signature: its name, its page, and left, bottom, right, top in points.

    The page is named by the number of its object in the file: which page it is by count takes reading every page before it.
    """

    name: str
    page_object: int
    box: tuple[float, float, float, float]


def sign_off(sheet: Sheet, issued: list[tuple[str, str]]) -> None:
    """Write the block: what `issued` says of who made the report, then the lines, all on one page."""
    sheet.need(LINES * _HEIGHT + 110)
    section(sheet, TITLE, (ColumnSpec("", 1),), [], "")
    sheet.top = facts(sheet, issued, sheet.left, sheet.width) - 8
    small = sheet.face(7)
    for words, share in _SPECS:
        sheet.text(sheet.left + share * sheet.width, small, words)
    sheet.top -= 10
    for number, meaning in enumerate(MEANINGS, start=1):
        _line(sheet, number, meaning)
    sheet.top -= 4


def _line(sheet: Sheet, number: int, meaning: str) -> None:
    sheet.rule()
    below, middle = sheet.top - _HEIGHT, sheet.left + _SPECS[1][1] * sheet.width
    sheet.top -= 8
    sheet.text(sheet.left, sheet.face(8, is_bold=True), meaning)
    sheet.name_place(f"sign-{number}", (middle, below + 2, sheet.left + sheet.width, below + _HEIGHT - 2))
    sheet.top = below
    sheet.rule()


def signature_places(reader: PdfFileReader) -> tuple[Place, ...]:
    """Return the places that a report keeps free for signatures, in their order; none in a file that has no such block."""
    if "/Dests" not in reader.root:
        return ()
    named = reader.root["/Dests"]
    found = []
    for name in sorted(key for key in named if key.startswith("/sign-")):
        destination = named[name]
        left, bottom, right, top = (float(destination[side]) for side in range(2, 6))
        found.append(Place(name.removeprefix("/"), destination.raw_get(0).idnum, (left, bottom, right, top)))
    return tuple(found)
