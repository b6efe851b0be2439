"""Which lot, formulation or body site has more reactions than the rest: counts, exact intervals, the exact test. Pure.

It looks for what is worth looking into, and proves nothing: small numbers say little, and of many comparisons some look
unusual by chance alone. So a comparison is marked in two degrees, the graver one held against how many were made.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from inventory.doses.rules.exact import Interval, clopper_pearson, fisher

UNUSUAL = 0.05
"""How seldom chance alone may do so much before it is called unusual."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many doses, and after how many of them a reaction was told."""

    doses: int = 0
    reacted: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        """Return both together."""
        return Tally(self.doses + other.doses, self.reacted + other.reacted)

    def __sub__(self, other: "Tally") -> "Tally":
        """Return what is left without the other."""
        return Tally(self.doses - other.doses, self.reacted - other.reacted)

    @property
    def per_thousand(self) -> float | None:
        """Reactions per 1,000 doses; None where there was no dose."""
        return 1_000 * self.reacted / self.doses if self.doses else None


class Standing(StrEnum):
    """What a comparison is worth."""

    LOOK = "look"
    MAYBE = "maybe"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Compared:
    """One group against all other doses of the period. `interval` is of its proportion; `p` None where there is no rest."""

    key: Any
    group: Tally
    rest: Tally
    interval: Interval
    p: float | None

    @property
    def is_more(self) -> bool:
        """Whether the group has more reactions than the rest, for its doses."""
        return self.group.reacted * self.rest.doses > self.rest.reacted * self.group.doses

    def standing(self, comparisons: int) -> Standing:
        """Return what it is worth among so many comparisons (Bonferroni's bound for the graver degree)."""
        if self.p is None or not self.is_more or self.p >= UNUSUAL:
            return Standing.NOTHING
        return Standing.LOOK if self.p < UNUSUAL / comparisons else Standing.MAYBE


@dataclass(frozen=True, slots=True)
class Counted:
    """One row of the count: doses drawn from this lot, of this formulation, into this body site.

    `doses` counts each (dose, lot) once; `first` only a dose's first container, so that a dose of two lots is one dose.
    """

    lot: Any
    formulation: Any
    body_site: Any
    doses: Tally
    first: Tally


@dataclass(frozen=True, slots=True)
class Signals:
    """All comparisons of a period, by what was compared, the most unusual first."""

    total: Tally
    lots: Sequence[Compared]
    formulations: Sequence[Compared]
    body_sites: Sequence[Compared]

    @property
    def comparisons(self) -> int:
        """How many groups were held against the rest."""
        every = (*self.lots, *self.formulations, *self.body_sites)
        return sum(one.p is not None for one in every)


def signals(counted: Iterable[Counted]) -> Signals:
    """Return the comparisons of what was counted."""
    lots: defaultdict[Any, Tally] = defaultdict(Tally)
    formulations: defaultdict[Any, Tally] = defaultdict(Tally)
    body_sites: defaultdict[Any, Tally] = defaultdict(Tally)
    total = Tally()
    for row in counted:
        lots[row.lot] += row.doses
        formulations[row.formulation] += row.first
        body_sites[row.body_site] += row.first
        total += row.first
    return Signals(
        total, _compared(lots, total), _compared(formulations, total), _compared(body_sites, total)
    )


def _compared(groups: Mapping[Any, Tally], total: Tally) -> list[Compared]:
    found = [_against_rest(key, tally, total - tally) for key, tally in groups.items() if tally.doses]
    return sorted(found, key=_unusual_first)


def _against_rest(key: Any, group: Tally, rest: Tally) -> Compared:
    p = fisher(group.reacted, group.doses, rest.reacted, rest.doses) if rest.doses else None
    return Compared(key, group, rest, clopper_pearson(group.reacted, group.doses), p)


def _unusual_first(one: Compared) -> tuple[bool, float, int, int, str]:
    p = one.p if one.p is not None else 1.0
    return (not one.is_more, p, -one.group.reacted, -one.group.doses, str(one.key))
