"""What somebody counted or adjusted at a location without a second person, so that many small differences are seen as one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.stock.models import Account, AccountKind, AdjustReason, Lot, Movement, MovementKind

_SAID_BY_PEOPLE = (
    AdjustReason.MISCOUNTED,
    AdjustReason.FOUND,
    AdjustReason.MISSING,
    AdjustReason.OTHER,
)
"""Not overfill, which has a limit of its own, and nothing that a dose, a merge or an import posts."""


@dataclass(frozen=True, slots=True)
class PostedLine:
    """A difference that was posted: microlitres, and sealed containers, 0 for an open vial."""

    is_vial: bool
    difference_ul: int
    difference_containers: int


def posted_alone(
    session: Session, *, location_id: UUID, actor_id: UUID, since: datetime
) -> Sequence[PostedLine]:
    """Return what a person posted of counts, or adjusted, at a location since an instant, with nobody beside them. One statement."""
    rows = session.execute(
        select(Account.vial_id, Movement.amount_ul, Lot.container_volume_ul)
        .join(Movement, Account.id.in_((Movement.from_id, Movement.to_id)))
        .join(Lot, Lot.id == Movement.lot_id)
        .where(
            Account.kind.in_((AccountKind.SHELF, AccountKind.VIAL)),
            Movement.kind == MovementKind.ADJUST,
            Movement.reason.in_(_SAID_BY_PEOPLE),
            Movement.location_id == location_id,
            Movement.actor_id == actor_id,
            Movement.occurred_at > since,
            Movement.witness_id.is_(None),
        )
    )
    return [
        PostedLine(vial_id is not None, differs_ul, 0 if vial_id else differs_ul // container_ul)
        for vial_id, differs_ul, container_ul in rows
    ]
