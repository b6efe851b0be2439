"""What stands out of a period of the ledger: differences, reversals, waste, late entries. One statement, one of what was lost on its way, and four of what was left undone."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, and_, func, or_, select
from sqlalchemy.orm import Session

from inventory.clinic.settings import Settings
from inventory.staff.models import User
from inventory.stock.models import (
    AccountKind,
    MovementKind,
    WasteReason,
)
from inventory.stock.queries.left_undone import (
    counts_that_differ,
    on_their_way,
    open_holds,
    past_use_by,
)
from inventory.stock.queries.lost_underway import lost_on_the_way
from inventory.stock.queries.reconciliation import (
    ACCOUNT,
    LOT,
    MOVEMENT,
    PRODUCT,
    SITE,
    VIAL,
    Reader,
    Scope,
    of_lots,
)
from inventory.stock.reconciling import Noted, Topic, topics_of
from inventory.web.pagination import Page, paginate

USER = cast(Table, User.__table__)
NEVER_WITNESSED = (WasteReason.REMAINDER, WasteReason.DEAD_SPACE)


def noted(
    reader: Reader, scope: Scope, *, settings: Settings, at: datetime, held: Collection[UUID]
) -> list[Noted]:
    """Return everything that stands out, by topic, then by when; `held` are the lots of which something is left."""
    found = [
        *_of_movements(reader, scope, settings),
        *lost_on_the_way(reader, scope),
        *on_their_way(reader, scope, at),
        *open_holds(reader, scope, at, held),
        *past_use_by(reader, scope, at),
        *counts_that_differ(reader, scope),
    ]
    topics = tuple(Topic)
    return sorted(found, key=lambda one: (topics.index(one.topic), one.at))


def _of_movements(reader: Reader, scope: Scope, settings: Settings) -> Iterator[Noted]:
    statement = _told_movements(scope).where(_worth_telling(MOVEMENT.c.recorded_at >= scope.ends()))
    for row in reader.execute(statement.order_by(MOVEMENT.c.occurred_at, MOVEMENT.c.id)):
        product = row.waste_witness_reasons
        asked = settings.waste_witness_reasons if product is None else product.split(",")
        topics = topics_of(
            kind=row.kind,
            reason=row.reason,
            is_late=bool(row.is_late),
            is_witnessed=row.witness is not None,
            needs_witness=row.reason in asked and row.reason not in NEVER_WITNESSED,
        )
        for topic in topics:
            yield _noted_movement(row, topic)


def movements_page(session: Session, scope: Scope, *, cursor: str = "", size: int = 50) -> Page[Noted]:
    """Return a page of every movement of the scope, in the order in which they took place."""
    order = [MOVEMENT.c.occurred_at, MOVEMENT.c.id]
    page: Page[Any] = paginate(session, _told_movements(scope), order=order, cursor=cursor, size=size)
    told = [_noted_movement(row, Topic.LATE if row.is_late else Topic.EXPLAINED) for row in page.items]
    return Page(told, page.previous, page.next)


def _noted_movement(row: Any, topic: Topic) -> Noted:
    return Noted(
        topic=topic,
        at=row.occurred_at,
        site_code=row.code,
        zone=row.time_zone,
        lot_id=row.lot_id,
        lot_number=row.lot_number,
        label=row.label_number,
        kind=row.kind,
        reason=row.reason,
        undone=row.undone,
        amount_ul=row.amount_ul if row.is_into else -row.amount_ul,
        note=row.note or "",
        by=row.display_name,
        witness=row.witness or "",
        recorded_at=row.recorded_at,
    )


def _told_movements(scope: Scope) -> Any:
    source, target, undone, witness = (
        ACCOUNT.alias("source"),
        ACCOUNT.alias("target"),
        MOVEMENT.alias("undone"),
        USER.alias("witness"),
    )
    is_into = target.c.kind.in_((AccountKind.SHELF, AccountKind.VIAL))
    is_late = MOVEMENT.c.recorded_at >= scope.ends()
    return (
        select(
            MOVEMENT,
            is_into.label("is_into"),
            is_late.label("is_late"),
            undone.c.kind.label("undone"),
            SITE.c.code,
            SITE.c.time_zone,
            LOT.c.lot_number,
            PRODUCT.c.waste_witness_reasons,
            VIAL.c.label_number,
            USER.c.display_name,
            witness.c.display_name.label("witness"),
        )
        .select_from(MOVEMENT)
        .join(source, source.c.id == MOVEMENT.c.from_id)
        .join(target, target.c.id == MOVEMENT.c.to_id)
        .join(SITE, SITE.c.id == MOVEMENT.c.site_id)
        .join(LOT, LOT.c.id == MOVEMENT.c.lot_id)
        .join(PRODUCT, PRODUCT.c.id == LOT.c.product_id)
        .join(USER, USER.c.id == MOVEMENT.c.actor_id)
        .outerjoin(VIAL, VIAL.c.id == func.coalesce(target.c.vial_id, source.c.vial_id))
        .outerjoin(undone, undone.c.id == MOVEMENT.c.reverses_id)
        .outerjoin(witness, witness.c.id == MOVEMENT.c.witness_id)
        .where(_within(scope), SITE.c.id.in_(scope.site_ids), *of_lots(scope))
    )


def _worth_telling(is_late: Any) -> Any:
    """Adjustments, reversals, waste that a person decided on, and what was recorded once the period had ended."""
    by_itself = or_(MOVEMENT.c.reason.is_(None), MOVEMENT.c.reason != WasteReason.REMAINDER)
    return or_(
        MOVEMENT.c.kind.in_((MovementKind.ADJUST, MovementKind.REVERSE)),
        and_(MOVEMENT.c.kind == MovementKind.WASTE, MOVEMENT.c.reason.not_in(NEVER_WITNESSED)),
        and_(is_late, MOVEMENT.c.kind != MovementKind.OPEN, by_itself),
    )


def _within(scope: Scope) -> Any:
    every = scope.bounds().values()
    return and_(
        MOVEMENT.c.occurred_at >= min(begins for begins, _ in every),
        MOVEMENT.c.occurred_at < max(ends for _, ends in every),
        MOVEMENT.c.occurred_at >= scope.begins(),
        MOVEMENT.c.occurred_at < scope.ends(),
    )
