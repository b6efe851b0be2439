"""What a temperature did to what lay there: which lots were outside their limits, as of each reading's own instant. Pure.

Temperatures are whole tenths of a degree Celsius. A limit itself is still inside.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Reading:
    """A temperature at an instant, in tenths of a degree Celsius."""

    read_at: datetime
    decicelsius: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a product's label allows, in tenths of a degree; None is not said."""

    least: int | None
    most: int | None

    def are_crossed_by(self, decicelsius: int) -> bool:
        """Tell whether the temperature lies outside."""
        below = self.least is not None and decicelsius < self.least
        return below or (self.most is not None and decicelsius > self.most)


@dataclass(frozen=True, slots=True)
class Kept:
    """Something of a lot in one account of the location: what it holds now (microlitres), and what changed, newest first."""

    lot_id: UUID
    vial_id: UUID | None
    limits: Limits
    balance_ul: int
    changes: Sequence[tuple[datetime, int]]


@dataclass(frozen=True, slots=True)
class Exposure:
    """What was outside its limits, and the readings that say so, oldest first."""

    readings: Sequence[Reading]
    kept: Sequence[Kept]

    @property
    def began_at(self) -> datetime:
        """The first reading outside."""
        return self.readings[0].read_at

    @property
    def ended_at(self) -> datetime:
        """The last reading outside."""
        return self.readings[-1].read_at

    @property
    def lowest(self) -> int:
        """The lowest reading outside."""
        return min(one.decicelsius for one in self.readings)

    @property
    def highest(self) -> int:
        """The highest reading outside."""
        return max(one.decicelsius for one in self.readings)


def exposure_of(kept: Iterable[Kept], readings: Iterable[Reading]) -> Exposure | None:
    """Return what lay there while a reading was outside its limits, or None where nothing did."""
    newest_first = sorted(readings, key=lambda one: one.read_at, reverse=True)
    outside: dict[datetime, Reading] = {}
    exposed = []
    for one in kept:
        found = _outside_while_held(one, newest_first)
        if found:
            exposed.append(one)
            outside |= {reading.read_at: reading for reading in found}
    return Exposure([outside[instant] for instant in sorted(outside)], exposed) if exposed else None


def _outside_while_held(one: Kept, newest_first: Sequence[Reading]) -> list[Reading]:
    """Walk back from the present balance: what was there at an instant is what is there now without what came after."""
    held, position, found = one.balance_ul, 0, []
    for reading in newest_first:
        while position < len(one.changes) and one.changes[position][0] > reading.read_at:
            held -= one.changes[position][1]
            position += 1
        if held > 0 and one.limits.are_crossed_by(reading.decicelsius):
            found.append(reading)
    return found
