"""How often each finding came up, as a line a person judges it by: how often it was shown, and what became of it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from inventory.doses.queries.found import STOPPED
from inventory.doses.rules.gate.registry import REGISTRY
from inventory.doses.rules.terms import OVERRIDE_REASON_WORDS, Disposition, OverrideReason

_OUTCOMES = (
    Disposition.INFORMED,
    Disposition.ACKNOWLEDGED,
    Disposition.OVERRIDDEN,
    STOPPED,
    Disposition.DEVIATION,
)


class Found(NamedTuple):
    """One finding: how often it was shown; told, acknowledged, overridden, stopped, deviated from; and the reasons of overrides."""

    code: str
    words: str
    shown: int
    outcomes: tuple[int, ...]
    overridden: str
    reasons: str
    is_set_by_the_clinic: bool


def found_lines(rows: Iterable[Any]) -> list[Found]:
    """Return a line for each finding that came up, the most frequent first."""
    by_code: dict[str, list[Any]] = {}
    for row in rows:
        by_code.setdefault(row.code, []).append(row)
    lines = [_line(code, found) for code, found in by_code.items()]
    return sorted(lines, key=lambda line: (-line.shown, line.code))


def never_found(lines: Iterable[Found]) -> list[str]:
    """Return the codes that did not come up, by name."""
    return sorted(set(REGISTRY) - {line.code for line in lines})


def _line(code: str, rows: Sequence[Any]) -> Found:
    counted: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for row in rows:
        counted[row.outcome] += row.count
        if row.reason:
            reasons[OVERRIDE_REASON_WORDS[OverrideReason(row.reason)]] += row.count
    rule, shown = REGISTRY.get(code), counted.total()
    return Found(
        code=code,
        words=rule.words if rule else "",
        shown=shown,
        outcomes=tuple(counted[outcome] for outcome in _OUTCOMES),
        overridden=f"{100 * counted[Disposition.OVERRIDDEN] // shown}%",
        reasons=", ".join(f"{words} ({count:,})" for words, count in reasons.most_common()),
        is_set_by_the_clinic=rule is not None and not rule.is_fixed,
    )
