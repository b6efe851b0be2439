"""Figures as people read them: percentiles, ratios, and whether a budget is kept."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True)
class Budget:
    """One line of the table of budgets: what, how much was allowed, how much was measured."""

    what: str
    allowed: str
    measured: str
    met: bool

    def row(self) -> str:
        """Return the line as a row of a Markdown table."""
        return f"| {self.what} | {self.allowed} | {self.measured} | {'yes' if self.met else '**no**'} |"


@dataclass
class Section:
    """What one benchmark has to say: its title, its lines in Markdown, and the budgets it speaks to."""

    title: str
    lines: list[str]
    budgets: list[Budget] = field(default_factory=list)


def at_least(what: str, allowed: float, measured: float) -> Budget:
    """Return the line of a ratio that should not be smaller."""
    return Budget(what, f"at least {allowed:.2f}", f"{measured:.2f}", measured >= allowed)


def at_most(what: str, allowed: float, measured: float, unit: str = "") -> Budget:
    """Return the line of a figure that should not be greater."""
    return Budget(what, f"at most {allowed:g}{unit}", f"{measured:.2f}{unit}", measured <= allowed)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def middle(values: Sequence[float]) -> float:
    """Return the median."""
    return float(median(values))
