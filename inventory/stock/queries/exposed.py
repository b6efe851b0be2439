"""Where what was exposed to a temperature may be now: sent on, opened, on its way, or gone over into another lot."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session, aliased

from inventory.stock.models import Account, Movement, MovementKind, Transfer, TransferLine, Vial, VialClosure
from inventory.stock.queries.relabelled import newest
from inventory.stock.queries.transfers import is_travelling


def places_since(
    session: Session, lot_ids: Collection[UUID], location_id: UUID, *, since: datetime
) -> list[UUID]:
    """Return where sealed stock of the lot, under any of its numbers, that lay at the location at `since` may be: there, and wherever it was sent after.

    Also where nothing lies now: what was sent, disposed of or given may come back there.
    """
    sent = session.execute(
        select(Transfer.from_location_id, Transfer.to_location_id)
        .join(TransferLine, TransferLine.transfer_id == Transfer.id)
        .where(TransferLine.lot_id.in_(lot_ids), TransferLine.vial_id.is_(None), Transfer.sent_at > since)
        .order_by(Transfer.sent_at, Transfer.id)
    ).all()
    reached = {location_id: None}
    for origin, target in sent:
        if origin in reached:
            reached[target] = None
    return list(reached)


def vials_beyond(
    session: Session,
    lot_ids: Collection[UUID],
    places: Collection[UUID],
    vial_ids: Collection[UUID],
    *,
    since: datetime,
) -> Sequence[UUID]:
    """Return the open vials among `vial_ids`, or opened since at one of the places, that lie at none of these now, or travel.

    A vial of a lot that was merged is open under its new label.
    """
    shelf, own = aliased(Account), aliased(Account)
    opened_there = (
        exists()
        .where(Movement.to_id == own.id, own.vial_id == Vial.id)
        .where(Movement.kind == MovementKind.OPEN, Movement.occurred_at > since)
        .where(Movement.from_id == shelf.id, shelf.location_id.in_(places))
    )
    was = select(Vial.id, Vial.closure).where(
        Vial.lot_id.in_(lot_ids),
        or_(Vial.closed_at.is_(None), Vial.closure == VialClosure.RELABELLED),
        or_(Vial.id.in_(vial_ids), opened_there),
    )
    now = {one if closure is None else _heir_of(session, one) for one, closure in session.execute(was)}
    beyond = select(Vial.id).where(
        Vial.id.in_(now),
        Vial.closed_at.is_(None),
        or_(Vial.location_id.not_in(places), is_travelling()),
    )
    return session.scalars(beyond.order_by(Vial.id)).all()


def _heir_of(session: Session, vial_id: UUID) -> UUID:
    heir = newest(session, vial_id)
    return heir.id if heir else vial_id
