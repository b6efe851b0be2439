"""From which containers a volume comes: whole single-dose containers in the order they expire, or one multi-dose vial."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from inventory.catalogue.models import ContainerType


@dataclass(frozen=True, slots=True)
class Supply:
    """Containers of one lot at one location, or one open vial. Volumes in microlitres; `content_ul` is of one container."""

    lot_id: UUID
    location_id: UUID
    vial_id: UUID | None
    container_type: ContainerType
    content_ul: int
    containers: int


@dataclass(frozen=True, slots=True)
class Draw:
    """So much from one container: an open vial, or a container to be opened (`vial_id` is None)."""

    lot_id: UUID
    location_id: UUID
    vial_id: UUID | None
    volume_ul: int


def dead_space(lost_ul: int, left_ul: int) -> int:
    """Return what one syringe keeps of a multi-dose vial in which `left_ul` is left after the dose, in microlitres."""
    return max(0, min(lost_ul, left_ul))


def plan_draws(volume_ul: int, supplies: Sequence[Supply]) -> list[Draw]:
    """Return where `volume_ul` comes from, taking the supplies in their order; the first is the one the person chose.

    A multi-dose vial serves a dose alone: remainders are never combined. Single-dose containers are opened one after
    another, and what the supplies do not hold is asked of the first once more, for the gate to judge.
    """
    first = supplies[0]
    if first.container_type is ContainerType.MULTI_DOSE or first.vial_id is not None:
        return [Draw(first.lot_id, first.location_id, first.vial_id, volume_ul)]
    draws: list[Draw] = []
    for supply in supplies:
        for _ in range(supply.containers):
            if volume_ul <= 0:
                return draws
            drawn = min(volume_ul, supply.content_ul)
            draws.append(Draw(supply.lot_id, supply.location_id, None, drawn))
            volume_ul -= drawn
    while volume_ul > 0:
        drawn = min(volume_ul, first.content_ul)
        draws.append(Draw(first.lot_id, first.location_id, None, drawn))
        volume_ul -= drawn
    return draws
