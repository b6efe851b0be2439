"""What was broken or lost on its way: of which lot, by which transfer, who said so, and why. One statement."""

from collections.abc import Iterator
from typing import Any, cast

from sqlalchemy import ColumnElement, FromClause, Table, and_, case, or_, select

from inventory.staff.models import User
from inventory.stock.models import (
    MovementKind,
    Transfer,
    TransferLine,
    TransferReceiptLine,
)
from inventory.stock.queries.reconciliation import (
    LOCATION,
    LOT,
    MOVEMENT,
    PRODUCT,
    SITE,
    VIAL,
    Reader,
    Scope,
    of_lots,
)
from inventory.stock.reconciling import Noted, Topic

TRANSFER = cast(Table, Transfer.__table__)
SENT = cast(Table, TransferLine.__table__)
CAME = cast(Table, TransferReceiptLine.__table__)
USER = cast(Table, User.__table__)


def lost_on_the_way(reader: Reader, scope: Scope) -> Iterator[Noted]:
    """Yield what was broken or lost on its way from or to a site of the scope, in the period."""
    for row in reader.execute(_lost(scope)):
        yield Noted(
            topic=Topic.LOST_UNDERWAY,
            at=row.occurred_at,
            site_code=row.code,
            zone=row.time_zone,
            place=f"to {row.goal}",
            lot_id=row.lot_id,
            lot_number=row.lot_number,
            label=row.label_number,
            kind=row.difference,
            amount_ul=-row.amount_ul,
            number=row.number,
            note=row.note or "",
            by=row.display_name,
            witness=row.witness or "",
        )


def _lost(scope: Scope) -> Any:
    target, goal, witness = SITE.alias("target"), LOCATION.alias("goal"), USER.alias("witness")
    same_line = and_(CAME.c.transfer_id == SENT.c.transfer_id, CAME.c.position == SENT.c.position)
    return (
        select(
            MOVEMENT.c.occurred_at,
            MOVEMENT.c.amount_ul,
            MOVEMENT.c.note,
            CAME.c.difference,
            TRANSFER.c.number,
            SITE.c.code,
            SITE.c.time_zone,
            goal.c.name.label("goal"),
            SENT.c.lot_id,
            LOT.c.lot_number,
            VIAL.c.label_number,
            USER.c.display_name,
            witness.c.display_name.label("witness"),
        )
        .select_from(CAME)
        .join(MOVEMENT, MOVEMENT.c.id == CAME.c.difference_movement_id)
        .join(SENT, same_line)
        .join(TRANSFER, TRANSFER.c.id == SENT.c.transfer_id)
        .join(SITE, SITE.c.id == TRANSFER.c.from_site_id)
        .join(target, target.c.id == TRANSFER.c.to_site_id)
        .join(goal, goal.c.id == TRANSFER.c.to_location_id)
        .join(LOT, LOT.c.id == SENT.c.lot_id)
        .join(PRODUCT, PRODUCT.c.id == LOT.c.product_id)
        .join(USER, USER.c.id == MOVEMENT.c.actor_id)
        .outerjoin(VIAL, VIAL.c.id == SENT.c.vial_id)
        .outerjoin(witness, witness.c.id == MOVEMENT.c.witness_id)
        .where(
            MOVEMENT.c.kind == MovementKind.WASTE,
            *_in_period(scope, target),
            *of_lots(scope),
        )
        .order_by(MOVEMENT.c.id)
    )


def _in_period(scope: Scope, target: FromClause) -> Iterator[ColumnElement[bool]]:
    """Yield what makes it of the scope: by the days of the site it was sent from, else of the one that waited for it."""
    is_sent = SITE.c.id.in_(scope.site_ids)
    yield MOVEMENT.c.occurred_at >= case((is_sent, scope.begins()), else_=scope.begins(target))
    yield MOVEMENT.c.occurred_at < case((is_sent, scope.ends()), else_=scope.ends(target))
    yield or_(is_sent, target.c.id.in_(scope.site_ids))
