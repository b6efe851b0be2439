"""Right-to-left text put into the order in which a line is drawn: the Unicode bidirectional algorithm (UAX 9).

Explicit embedding marks are not followed: typed text may not contain them, and a document prints
them as code points. Bracket pairs (rule N0) take the direction of what surrounds them (N1, N2).
"""

import re
import unicodedata
from itertools import groupby, pairwise

RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")
_MIRROR = str.maketrans("()[]{}<>\u00ab\u00bb\u2039\u203a", ")(][}{><\u00bb\u00ab\u203a\u2039")
_NEUTRAL = frozenset({"ON", "WS", "S", "B", "BN"})


def direction_of(text: str) -> int:
    """The paragraph's level: 1 when its first strong letter runs right to left, else 0 (rules P2, P3)."""
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind in {"R", "AL"}:
            return 1
        if kind == "L":
            return 0
    return 0


def drawn_order(line: str, base: int) -> str:
    """`line` in the order its glyphs stand from left to right, mirrored and with marks after their letters."""
    levels = _levels(line, base)
    pieces = list(zip(line, levels, strict=True))
    for level in range(max(levels, default=0), 0, -1):
        pieces = _reversed_runs(pieces, level)
    return _marks_after_letters(
        [(character.translate(_MIRROR) if level % 2 else character, level) for character, level in pieces]
    )


def _levels(line: str, base: int) -> list[int]:
    kinds = _neutrals(_weak(line, base), base)
    levels = [_level(kind, base) for kind in kinds]
    for at in range(len(line) - 1, -1, -1):  # L1: blanks at the end stand at the paragraph's level
        if unicodedata.bidirectional(line[at]) != "WS":
            break
        levels[at] = base
    return levels


def _level(kind: str, base: int) -> int:
    if kind == "L":
        return base + base % 2
    if kind == "R":
        return base | 1
    return base + (1 if base % 2 else 2)  # a number


def _weak(line: str, base: int) -> list[str]:
    """Rules W1 to W7: marks take their letter's kind, separators and signs that of the number they belong to."""
    kinds: list[str] = []
    strong = previous = "R" if base else "L"
    for character in line:
        kind = unicodedata.bidirectional(character) or "L"
        kind = previous if kind in {"NSM", "BN"} else kind
        if kind == "EN" and strong == "AL":
            kind = "AN"
        if kind in {"L", "R", "AL"}:
            strong = kind
        previous = kind
        kinds.append(kind)
    return _numbers([("R" if kind == "AL" else kind) for kind in kinds], base)


def _numbers(kinds: list[str], base: int) -> list[str]:
    for at in range(1, len(kinds) - 1):  # W4
        sides = {kinds[at - 1], kinds[at + 1]}
        if (kinds[at] in {"CS", "ES"} and sides == {"EN"}) or (kinds[at] == "CS" and sides == {"AN"}):
            kinds[at] = kinds[at - 1]
    spread = [list(run) for _, run in groupby(kinds)]
    for left, right in pairwise(spread):  # W5: signs such as % beside a number
        if left[0] == "EN" and right[0] == "ET":
            right[:] = ["EN"] * len(right)
    for left, right in pairwise(spread):
        if left[0] == "ET" and right[0] == "EN":
            left[:] = ["EN"] * len(left)
    strong = "R" if base else "L"
    settled: list[str] = []
    for kind in (kind for run in spread for kind in run):
        plain = "ON" if kind in {"ES", "ET", "CS"} else kind  # W6
        strong = plain if plain in {"L", "R"} else strong
        settled.append("L" if plain == "EN" and strong == "L" else plain)  # W7
    return settled


def _neutrals(kinds: list[str], base: int) -> list[str]:
    """Rules N1 and N2: blanks and punctuation go with both sides when these agree, else with the paragraph."""
    outside = "R" if base else "L"
    settled: list[str] = []
    for is_neutral, group in groupby(enumerate(kinds), key=lambda item: item[1] in _NEUTRAL):
        run = list(group)
        if not is_neutral:
            settled += [kind for _, kind in run]
            continue
        before = _side(kinds, run[0][0] - 1, outside)
        after = _side(kinds, run[-1][0] + 1, outside)
        settled += [before if before == after else outside] * len(run)
    return settled


def _side(kinds: list[str], at: int, outside: str) -> str:
    if not 0 <= at < len(kinds):
        return outside
    return "L" if kinds[at] == "L" else "R"


def _reversed_runs(pieces: list[tuple[str, int]], level: int) -> list[tuple[str, int]]:
    ordered: list[tuple[str, int]] = []
    for is_run, group in groupby(pieces, key=lambda piece: piece[1] >= level):
        run = list(group)
        ordered += run[::-1] if is_run else run
    return ordered


def _marks_after_letters(pieces: list[tuple[str, int]]) -> str:
    """Rule L3: reversing put the marks before their letter; a font draws them over the glyph before."""
    drawn: list[str] = []
    waiting: list[str] = []
    for character, level in pieces:
        if level % 2 and unicodedata.combining(character):
            waiting.append(character)
        else:
            drawn += [character, *reversed(waiting)]
            waiting.clear()
    return "".join(drawn + waiting)
