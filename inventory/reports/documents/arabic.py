"""Arabic letters joined, by the presentation forms that Unicode itself lists.

A PDF shows glyphs, not letters: unjoined Arabic is hardly readable. The tables come from the
decompositions in Python's own Unicode data, so nothing is typed by hand here.
"""

import re
import unicodedata
from typing import NamedTuple

ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f]")
_BLOCKS = (range(0xFB50, 0xFE00), range(0xFE70, 0xFEFD))
_SHAPES = frozenset({"<isolated", "<initial", "<medial", "<final"})
_LAM_ALEF = frozenset({"\u0644\u0622", "\u0644\u0623", "\u0644\u0625", "\u0644\u0627"})
_JOINS_BOTH_SIDES = "\u0640\u200d"  # tatweel and zero-width joiner have one shape, and join


class _Forms(NamedTuple):
    by_letters: dict[tuple[str, str], str]  # (form, letters) to the presentation form
    letters_of: dict[str, str]


def _presentation_forms() -> _Forms:
    forms = _Forms({}, {})
    for code in (code for block in _BLOCKS for code in block):
        kind, _, points = unicodedata.decomposition(chr(code)).partition("> ")
        letters = "".join(chr(int(point, 16)) for point in points.split())
        if kind in _SHAPES and (len(letters) == 1 or letters in _LAM_ALEF):
            forms.by_letters.setdefault((kind[1:], letters), chr(code))
            forms.letters_of[chr(code)] = letters
    return forms


_FORMS = _presentation_forms()


def _joins_forward(letter: str) -> bool:
    return letter in _JOINS_BOTH_SIDES or ("initial", letter) in _FORMS.by_letters


def _joins_backward(letter: str) -> bool:
    return letter in _JOINS_BOTH_SIDES or ("final", letter) in _FORMS.by_letters


def _neighbour(text: str, start: int, step: int) -> str:
    """The next letter in that direction, over the vowel marks; empty at an end."""
    at = start + step
    while 0 <= at < len(text) and unicodedata.category(text[at]) == "Mn":
        at += step
    return text[at] if 0 <= at < len(text) else ""


def joined(text: str) -> str:
    """`text` with each Arabic letter in the form its neighbours ask for; other characters as they are."""
    shaped: list[str] = []
    at = 0
    while at < len(text):
        letters = text[at : at + 2] if ("isolated", text[at : at + 2]) in _FORMS.by_letters else text[at]
        last = at + len(letters) - 1
        before, after = _neighbour(text, at, -1), _neighbour(text, last, 1)
        to_previous = bool(before) and _joins_forward(before) and _joins_backward(text[at])
        to_next = bool(after) and len(letters) == 1 and _joins_forward(text[at]) and _joins_backward(after)
        form = {
            (False, False): "isolated",
            (False, True): "initial",
            (True, True): "medial",
            (True, False): "final",
        }[(to_previous, to_next)]
        shaped.append(_FORMS.by_letters.get((form, letters), letters))
        at = last + 1
    return "".join(shaped)


def unjoined(text: str) -> str:
    """The letters as they were typed, from the forms that `joined` chose."""
    return "".join(_FORMS.letters_of.get(character, character) for character in text)
