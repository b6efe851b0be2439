"""What a count found, decided from plain facts: which reasons fit a difference, and when a second person has to look. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from inventory.stock.models import AdjustReason

R = AdjustReason
_FOUND = (R.MISCOUNTED, R.FOUND, R.OTHER)
_MISSING = (R.MISCOUNTED, R.MISSING, R.OTHER)


class Compared(Protocol):
    """A line of a count beside what the ledger held. `difference_ul` is above zero where more was there."""

    @property
    def is_vial(self) -> bool:
        """Whether it is an open vial; else sealed containers of a lot."""

    @property
    def difference_ul(self) -> int:
        """Microlitres."""

    @property
    def difference_containers(self) -> int:
        """Sealed containers; 0 for an open vial."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a count is from the ledger, more and less added up alike."""

    containers: int
    open_ul: int


def extent_of(lines: Iterable[Compared]) -> Extent:
    """Return how far the lines are from the ledger: sealed containers, and microlitres in open vials."""
    found = list(lines)
    return Extent(
        containers=sum(abs(line.difference_containers) for line in found),
        open_ul=sum(abs(line.difference_ul) for line in found if line.is_vial),
    )


def needs_second_person(extent: Extent, *, above_containers: int, above_ul: int) -> bool:
    """Tell whether a difference of this extent is posted only with a second person."""
    return extent.containers > above_containers or extent.open_ul > above_ul


def reasons_for(line: Compared) -> tuple[AdjustReason, ...]:
    """Return the reasons that fit a difference in this direction, in the order in which they are offered."""
    if line.difference_ul < 0:
        return _MISSING
    return (R.OVERFILL, *_FOUND) if line.is_vial else _FOUND


def share(part: int, whole: int) -> str:
    """Return a share in percent with one decimal, rounded half up: `2.5%`; a dash where there is no whole."""
    if not whole:
        return "—"
    tenths = (2_000 * part + whole) // (2 * whole)
    return f"{tenths // 10}.{tenths % 10}%"


def field_of(lot_id: UUID, vial_id: UUID | None) -> str:
    """Return the name under which sealed containers of a lot, or an open vial, are typed."""
    return f"vial_{vial_id.hex}" if vial_id else f"lot_{lot_id.hex}"
