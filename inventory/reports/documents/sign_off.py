"""The end of a report: who issued it, and lines on which others say that they reviewed or approved it, by hand or by signature.

Each line leaves a place for a signature in the file. A place is a named destination of the PDF (`sign-1`, `sign-2` and so on) that
fits its rectangle, so that the file itself says where it is: `places.signature_places` reads them.
"""

from inventory.reports.documents.grid import ColumnSpec
from inventory.reports.documents.parts import facts, section
from inventory.reports.documents.sheet import Sheet

TITLE = "Sign-off"
LINES = 4
MEANINGS = ("Reviewed", "Approved", "", "")
_HEIGHT = 30.0
_SPECS = (("Meaning", 0.0), ("Name", 0.16), ("Day and time", 0.42), ("Signature", 0.62))


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


def lines_for(meaning: str) -> tuple[int, ...]:
    """Return the numbers of the lines where a signature of this meaning may stand: those that say it, then those that say nothing."""
    return tuple(number for number, printed in enumerate(MEANINGS, start=1) if printed in {meaning, ""})


def _line(sheet: Sheet, number: int, meaning: str) -> None:
    sheet.rule()
    below, middle = sheet.top - _HEIGHT, sheet.left + _SPECS[1][1] * sheet.width
    sheet.top -= 8
    sheet.text(sheet.left, sheet.face(8, is_bold=True), meaning)
    sheet.name_place(f"sign-{number}", (middle, below + 2, sheet.left + sheet.width, below + _HEIGHT - 2))
    sheet.top = below
    sheet.rule()
