"""Lines of a column: as many as the text takes, and nothing cut.

A line breaks at a blank; a word wider than the column breaks where it must, but never inside a
printed code point and never between a letter and its marks.
"""

import re
import unicodedata
from collections.abc import Iterator

from inventory.reports.documents.typeface import CODE_POINT, Typeface

_UNIT = re.compile(rf"{CODE_POINT.pattern}|.", re.DOTALL)


def wrapped(text: str, face: Typeface, width: float) -> list[str]:
    """The lines that `text` (already printable, without line breaks) takes in a column `width` points wide."""
    if face.width(text) <= width:
        return [text]
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if face.width(longer) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        *full, line = _pieces(word, face, width)
        lines += full
    return [*lines, line]


def _pieces(word: str, face: Typeface, width: float) -> list[str]:
    pieces = [""]
    for unit in _units(word):
        if pieces[-1] and face.width(pieces[-1] + unit) > width:
            pieces.append(unit)
        else:
            pieces[-1] += unit
    return pieces


def _units(word: str) -> Iterator[str]:
    """What may not be parted: a printed code point, or a letter with its marks."""
    unit = ""
    for part in _UNIT.findall(word):
        if unit and not unicodedata.combining(part[0]):
            yield unit
            unit = ""
        unit += part
    if unit:
        yield unit
