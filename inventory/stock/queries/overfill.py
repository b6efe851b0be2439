"""How much more than its label an opened vial has yielded already: a product's overfill is there once."""

from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased

from inventory.stock.models import Account, AdjustReason, Movement, MovementKind
from inventory.stock.queries.relabelled import same_container


def overfill_of(session: Session, vial_id: UUID) -> int:
    """Return what was posted to a vial as overfill and not reversed, in microlitres, wherever it was then."""
    undo = aliased(Movement)
    yielded = (
        select(func.sum(Movement.amount_ul))
        .join(Account, Account.id == Movement.to_id)
        .where(
            Account.vial_id.in_(same_container(session, vial_id)),
            Movement.kind == MovementKind.ADJUST,
            Movement.reason == AdjustReason.OVERFILL,
            ~exists().where(undo.reverses_id == Movement.id),
        )
    )
    return int(session.scalar(yielded) or 0)
