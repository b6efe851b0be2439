"""Signals in words: rates with their intervals, what a comparison is worth, and the rows of the file."""

from collections.abc import Iterator, Sequence

from inventory.doses.queries.signals import Named
from inventory.doses.rules.signals import UNUSUAL, Compared, Signals, Standing, Tally

SHOWN = 10
"""How many groups of a kind the page shows; the file holds all."""
CSV_HEAD = (
    "compared", "group", "doses", "reactions", "per_1000", "per_1000_low_95", "per_1000_high_95",
    "rest_doses", "rest_reactions", "rest_per_1000", "fisher_p",
)  # fmt: skip
_STANDING = {
    Standing.LOOK: ("Look into it", "stop"),
    Standing.MAYBE: ("May be chance", "attention"),
    Standing.NOTHING: ("Nothing unusual", "quiet"),
}
_SMALL = 0.001


def kinds(found: Signals) -> list[tuple[str, str, Sequence[Compared]]]:
    """Return what was compared: its name for one, its heading, the groups."""
    return [
        ("Lot", "Lots", found.lots),
        ("Formulation", "Formulations", found.formulations),
        ("Body site", "Body sites", found.body_sites),
    ]


def rate_words(tally: Tally) -> str:
    """Return reactions per 1,000 doses."""
    return "—" if tally.per_thousand is None else _rate(tally.per_thousand)


def interval_words(one: Compared) -> str:
    """Return the exact interval per 1,000 doses."""
    return f"{_rate(1_000 * one.interval.low)} to {_rate(1_000 * one.interval.high)}"


def p_words(one: Compared) -> str:
    """Return how often chance alone does so much."""
    if one.p is None:
        return "—"
    return "under 0.001" if one.p < _SMALL else f"{one.p:.3f}"


def standing(one: Compared, found: Signals) -> tuple[str, str]:
    """Return what a comparison is worth, and its tone."""
    return _STANDING[one.standing(found.comparisons)]


def by_chance(found: Signals) -> str:
    """Return how many comparisons look unusual by chance alone, about."""
    return f"{found.comparisons * UNUSUAL:.1f}"


def csv_rows(named: Named) -> Iterator[Sequence[str]]:
    """Yield a row for each group."""
    for kind, _, groups in kinds(named.signals):
        for one in groups:
            yield (kind, named.words[one.key], *_numbers(one))


def _numbers(one: Compared) -> tuple[str, ...]:
    rest = one.rest.per_thousand
    return (
        str(one.group.doses),
        str(one.group.reacted),
        f"{one.group.per_thousand:.4f}",
        f"{1_000 * one.interval.low:.4f}",
        f"{1_000 * one.interval.high:.4f}",
        str(one.rest.doses),
        str(one.rest.reacted),
        "" if rest is None else f"{rest:.4f}",
        "" if one.p is None else f"{one.p:.6g}",
    )


def _rate(per_thousand: float) -> str:
    return f"{per_thousand:,.1f}"
