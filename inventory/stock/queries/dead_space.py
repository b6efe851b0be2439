"""What of an opened vial was left behind in syringes."""

from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased

from inventory.stock.models import Account, Movement, MovementKind, WasteReason
from inventory.stock.queries.relabelled import same_container


def dead_space_of(session: Session, vial_id: UUID) -> int:
    """Return what was wasted of a vial as dead space and not reversed, in microlitres, under whatever label."""
    undo = aliased(Movement)
    lost = (
        select(func.sum(Movement.amount_ul))
        .join(Account, Account.id == Movement.from_id)
        .where(
            Account.vial_id.in_(same_container(session, vial_id)),
            Movement.kind == MovementKind.WASTE,
            Movement.reason == WasteReason.DEAD_SPACE,
            ~exists().where(undo.reverses_id == Movement.id),
        )
    )
    return int(session.scalar(lost) or 0)
