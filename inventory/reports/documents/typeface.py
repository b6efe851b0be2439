"""The embedded letters: what the font has, how wide it is, and the PDF operators that draw it.

Law kept here: nothing typed is dropped. A character without a glyph, or one that cannot be seen, is
printed as its code point, such as [U+4E2D]. Right-to-left lines carry the text as typed beside the
glyphs (ActualText), so that a search finds it.
"""

import re
import unicodedata
from functools import cache

from inventory.reports.documents.arabic import ARABIC, joined, unjoined
from inventory.reports.documents.bidi import RIGHT_TO_LEFT, direction_of, drawn_order
from inventory.reports.documents.fonts import embedded_font
from inventory.reports.documents.paper import Paper

CODE_POINT = re.compile(r"\[U\+[0-9A-F]{4,6}\]")

_UNSEEN_BUT_SPACED = frozenset("\u00a0\u202f\u2009")
_JOINERS = frozenset("\u200c\u200d")
_ESCAPES = str.maketrans({"\\": r"\\", "(": r"\(", ")": r"\)"})
_LAST_OF_BASIC_PLANE = "\uffff"  # ReportLab's map from glyphs back to text ends here


@cache
def _has_glyph(name: str, character: str) -> bool:
    if character > _LAST_OF_BASIC_PLANE or not (character.isprintable() or character in _UNSEEN_BUT_SPACED):
        return False
    return ord(character) in embedded_font(name).face.charToGlyph


class Typeface:
    """One font at one size in one document. Widths and leading are in points."""

    def __init__(self, paper: Paper, name: str, size: float, *, leading: float | None = None) -> None:
        self._paper = paper
        self._font = embedded_font(name)
        self.name = name
        self.size = size
        self.leading = leading or size * 1.2
        self._advances: dict[str, float] = {}
        self._subset_names: dict[int, str] = {}
        self.select = f"{self._subset(0)} {size:g} Tf"

    def printable(self, text: str) -> str:
        """`text` composed (NFC) and joined, each character this font cannot show replaced by its code point."""
        if text.isascii() and text.isprintable():
            return text
        composed = unicodedata.normalize("NFC", text)
        is_arabic = ARABIC.search(composed) is not None
        shaped = joined(composed) if is_arabic else composed
        return "".join(self._shown(character, is_arabic=is_arabic) for character in shaped)

    def width(self, text: str) -> float:
        """How wide `text` (already printable) is drawn."""
        advances = self._advances
        try:
            return sum([advances[character] for character in text])
        except KeyError:
            for character in text:
                per_mille = self._font.face.charWidths.get(ord(character), self._font.face.defaultWidth)
                advances[character] = per_mille * self.size / 1000
            return sum([advances[character] for character in text])

    def draw(self, line: str, direction: int | None = None) -> str:
        """The operators that show `line` (already printable) with this face selected, and leave it selected."""
        if line.isascii():
            return f"({line.translate(_ESCAPES)}) Tj"
        if not RIGHT_TO_LEFT.search(line):
            return self._subsets(line)
        typed = unjoined(line).encode("utf-16-be").hex().upper()
        visual = drawn_order(line, direction_of(line) if direction is None else direction)
        return f"/Span <</ActualText <FEFF{typed}>>> BDC {self._subsets(visual)} EMC"

    def _shown(self, character: str, *, is_arabic: bool) -> str:
        if _has_glyph(self.name, character) or (is_arabic and character in _JOINERS):
            return character
        letters = unjoined(character)
        if letters != character and all(_has_glyph(self.name, letter) for letter in letters):
            return letters
        return "".join(f"[U+{ord(letter):04X}]" for letter in letters)

    def _subsets(self, text: str) -> str:
        """A TrueType font is embedded in parts of 256 glyphs; each part is a font of its own to the page."""
        drawn: list[str] = []
        for subset, codes in self._font.splitString(text, self._paper.document):
            shown = f"({self._paper.escaped(codes)}) Tj"
            drawn.append(f"{self._subset(subset)} {self.size:g} Tf {shown}" if subset else shown)
            if subset:
                drawn.append(self.select)
        return " ".join(drawn)

    def _subset(self, number: int) -> str:
        if number not in self._subset_names:
            self._subset_names[number] = self._font.getSubsetInternalName(number, self._paper.document)
        return self._subset_names[number]
