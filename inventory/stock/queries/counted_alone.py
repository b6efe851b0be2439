"""What somebody posted of the counts of a location without a second person, so that many small differences are seen as one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.stock.models import (
    CountOutcome,
    Lot,
    Movement,
    StockCount,
    StockCountLine,
    StockCountVariance,
)


@dataclass(frozen=True, slots=True)
class PostedLine:
    """A difference that was posted: microlitres, and sealed containers, 0 for an open vial."""

    is_vial: bool
    difference_ul: int
    difference_containers: int


def posted_alone(
    session: Session, *, location_id: UUID, actor_id: UUID, since: datetime
) -> Sequence[PostedLine]:
    """Return the differences that a person posted for a location since an instant, with nobody beside them. One statement."""
    line, variance = StockCountLine, StockCountVariance
    rows = session.execute(
        select(line.vial_id, line.counted_ul - line.expected_ul, Lot.container_volume_ul)
        .join(StockCount, StockCount.id == line.count_id)
        .join(variance, (variance.count_id == line.count_id) & (variance.position == line.position))
        .join(Movement, Movement.id == variance.movement_id)
        .join(Lot, Lot.id == line.lot_id)
        .where(
            StockCount.location_id == location_id,
            StockCount.closed_by_id == actor_id,
            StockCount.outcome == CountOutcome.POSTED,
            StockCount.closed_at > since,
            Movement.witness_id.is_(None),
        )
    )
    return [
        PostedLine(vial_id is not None, differs_ul, 0 if vial_id else differs_ul // container_ul)
        for vial_id, differs_ul, container_ul in rows
    ]
