"""Stock that was found where none was recorded, and is held there because its lot is held elsewhere at the site."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.stock.models import Hold

FOUND = "Held elsewhere before it was found here: "


def is_found_held(session: Session, lot_ids: Collection[UUID], location_id: UUID) -> bool:
    """Tell whether something of the lots is held at a location because it was found there."""
    held = select(Hold.id).where(
        Hold.lot_id.in_(lot_ids),
        Hold.location_id == location_id,
        Hold.released_at.is_(None),
        Hold.reason.startswith(FOUND),
    )
    return session.scalar(held.limit(1)) is not None
