"""What was left undone when a period ended, and when stock was last counted. As it stood then, or as it stands where it has not ended."""

from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Date, Table, and_, case, exists, func, literal, or_, select

from inventory.kernel.clock import local_day
from inventory.kernel.db import UtcDateTime
from inventory.staff.models import User
from inventory.stock.models import (
    CountOutcome,
    Hold,
    StockCount,
    StockCountLine,
    StockCountResult,
    Transfer,
    TransferLine,
    TransferReceipt,
)
from inventory.stock.queries.reconciliation import (
    ACCOUNT,
    LOCATION,
    LOT,
    PRODUCT,
    SITE,
    VIAL,
    Reader,
    Scope,
    of_lots,
)
from inventory.stock.queries.transfers import LONG_ON_ITS_WAY
from inventory.stock.reconciling import LastCount, Noted, Topic

COUNT = cast(Table, StockCount.__table__)
COUNT_LINE = cast(Table, StockCountLine.__table__)
COUNT_RESULT = cast(Table, StockCountResult.__table__)
HOLD = cast(Table, Hold.__table__)
TRANSFER = cast(Table, Transfer.__table__)
TRANSFER_LINE = cast(Table, TransferLine.__table__)
TRANSFER_RECEIPT = cast(Table, TransferReceipt.__table__)
USER = cast(Table, User.__table__)


def last_counted(reader: Reader, scope: Scope, *, at: datetime) -> list[LastCount]:
    """Return the storage locations of the scope with their last posted count before the period ended, by site and name."""
    counted = func.max(COUNT_RESULT.c.counted_at)
    posted = and_(COUNT.c.location_id == LOCATION.c.id, COUNT.c.outcome == CountOutcome.POSTED)
    in_time = and_(COUNT_RESULT.c.count_id == COUNT.c.id, COUNT_RESULT.c.counted_at < _until(scope, at))
    kept = exists().where(ACCOUNT.c.location_id == LOCATION.c.id)
    rows = reader.execute(
        select(SITE.c.code, LOCATION.c.name, SITE.c.time_zone, counted)
        .select_from(LOCATION)
        .join(SITE, SITE.c.id == LOCATION.c.site_id)
        .outerjoin(COUNT, posted)
        .outerjoin(COUNT_RESULT, in_time)
        .where(SITE.c.id.in_(scope.site_ids), LOCATION.c.closed_at.is_(None), kept)
        .group_by(LOCATION.c.id, SITE.c.code, LOCATION.c.name, SITE.c.time_zone)
        .order_by(SITE.c.code, LOCATION.c.name)
    )
    untils = _untils(scope, at)
    return [
        LastCount(code, name, zone, when, _days(when, untils[zone], zone)) for code, name, zone, when in rows
    ]


def _days(counted_at: datetime | None, until: datetime, zone: str) -> int | None:
    if counted_at is None:
        return None
    return (_last_day(until, zone) - local_day(counted_at, zone)).days


def _untils(scope: Scope, at: datetime) -> dict[str, datetime]:
    # What was done at this very instant is done.
    after = at + timedelta(microseconds=1)
    return {zone: min(ends, after) for zone, (_, ends) in scope.bounds().items()}


def _until(scope: Scope, at: datetime) -> Any:
    """Return the expression of the instant up to which a row's site is told: when the period ended, or now."""
    by_zone = {zone: literal(until, UtcDateTime()) for zone, until in _untils(scope, at).items()}
    return case(by_zone, value=SITE.c.time_zone)


def _last_day(until: datetime, zone: str) -> date:
    return local_day(until - timedelta(microseconds=1), zone)


def on_their_way(reader: Reader, scope: Scope, at: datetime) -> Iterator[Noted]:
    """Yield the transfers that had been on their way for more than a week."""
    until = _until(scope, at)
    goal = LOCATION.alias("goal")
    amount = func.sum(TRANSFER_LINE.c.amount_ul).label("amount_ul")
    keys = (
        TRANSFER.c.id,
        TRANSFER.c.number,
        TRANSFER.c.sent_at,
        SITE.c.code,
        SITE.c.time_zone,
        goal.c.name,
        USER.c.display_name,
    )
    long_ago = [_untils(scope, at)[zone] - LONG_ON_ITS_WAY for zone in scope.bounds()]
    rows = reader.execute(
        select(*keys, amount)
        .select_from(TRANSFER)
        .join(SITE, SITE.c.id == TRANSFER.c.from_site_id)
        .join(goal, goal.c.id == TRANSFER.c.to_location_id)
        .join(USER, USER.c.id == TRANSFER.c.actor_id)
        .join(TRANSFER_LINE, TRANSFER_LINE.c.transfer_id == TRANSFER.c.id)
        .join(LOT, LOT.c.id == TRANSFER_LINE.c.lot_id)
        .join(PRODUCT, PRODUCT.c.id == LOT.c.product_id)
        .outerjoin(TRANSFER_RECEIPT, TRANSFER_RECEIPT.c.transfer_id == TRANSFER.c.id)
        .where(
            or_(TRANSFER.c.from_site_id.in_(scope.site_ids), TRANSFER.c.to_site_id.in_(scope.site_ids)),
            TRANSFER.c.sent_at < max(long_ago),
            or_(TRANSFER_RECEIPT.c.received_at.is_(None), TRANSFER_RECEIPT.c.received_at >= until),
            *of_lots(scope),
        )
        .group_by(*keys)
    )
    for row in rows:
        yield _noted(Topic.ON_ITS_WAY, row, at=row.sent_at, number=row.number, amount_ul=int(row.amount_ul))


def open_holds(reader: Reader, scope: Scope, at: datetime, held: Collection[UUID]) -> Iterator[Noted]:
    """Yield the holds that were open on lots of which something is left."""
    until = max(_untils(scope, at).values())
    rows = reader.execute(
        select(
            HOLD,
            LOT.c.lot_number,
            SITE.c.code,
            SITE.c.time_zone,
            LOCATION.c.name,
            VIAL.c.label_number,
            USER.c.display_name,
        )
        .select_from(HOLD)
        .join(LOT, LOT.c.id == HOLD.c.lot_id)
        .join(PRODUCT, PRODUCT.c.id == LOT.c.product_id)
        .join(USER, USER.c.id == HOLD.c.held_by_id)
        .outerjoin(VIAL, VIAL.c.id == HOLD.c.vial_id)
        .outerjoin(LOCATION, LOCATION.c.id == func.coalesce(HOLD.c.location_id, VIAL.c.location_id))
        .outerjoin(SITE, SITE.c.id == LOCATION.c.site_id)
        .where(
            HOLD.c.held_at < until,
            or_(HOLD.c.released_at.is_(None), HOLD.c.released_at >= until),
            or_(SITE.c.id.is_(None), SITE.c.id.in_(scope.site_ids)),
            *of_lots(scope),
        )
    )
    for row in rows:
        if row.lot_id in held:
            yield _noted(Topic.HELD, row, at=row.held_at, kind=row.kind, note=row.reason, **_lot(row))


def past_use_by(reader: Reader, scope: Scope, at: datetime) -> Iterator[Noted]:
    """Yield the vials that were past their use-by and not discarded."""
    until = _until(scope, at)
    days = {zone: literal(_last_day(end, zone), Date()) for zone, end in _untils(scope, at).items()}
    day = case(days, value=SITE.c.time_zone)
    rows = reader.execute(
        select(
            VIAL,
            LOT.c.lot_number,
            LOT.c.expires_on,
            SITE.c.code,
            SITE.c.time_zone,
            LOCATION.c.name,
            USER.c.display_name,
        )
        .select_from(VIAL)
        .join(LOT, LOT.c.id == VIAL.c.lot_id)
        .join(PRODUCT, PRODUCT.c.id == LOT.c.product_id)
        .join(LOCATION, LOCATION.c.id == VIAL.c.location_id)
        .join(SITE, SITE.c.id == LOCATION.c.site_id)
        .join(USER, USER.c.id == VIAL.c.opened_by_id)
        .where(
            # What is printed on a vial stays; the expiry of its lot may have been corrected since.
            VIAL.c.use_by_on.is_not(None),
            or_(VIAL.c.use_by_on < day, LOT.c.expires_on < day),
            VIAL.c.opened_at < until,
            or_(VIAL.c.closed_at.is_(None), VIAL.c.closed_at >= until),
            SITE.c.id.in_(scope.site_ids),
            *of_lots(scope),
        )
        .order_by(VIAL.c.use_by_on, VIAL.c.id)
    )
    for row in rows:
        usable = min(row.use_by_on, row.expires_on)
        yield _noted(Topic.PAST_USE_BY, row, at=row.opened_at, use_by_on=usable, **_lot(row))


def counts_that_differ(reader: Reader, scope: Scope) -> Iterator[Noted]:
    """Yield the posted counts of the period that found a difference."""
    for row in reader.execute(_counts(scope)):
        yield _noted(
            Topic.COUNTED,
            row,
            at=row.counted_at,
            number=row.number,
            lines=row.lines,
            differing=int(row.differing),
            amount_ul=int(row.off_ul),
        )


def _counts(scope: Scope) -> Any:
    off = func.abs(COUNT_LINE.c.counted_ul - COUNT_LINE.c.expected_ul)
    keys = (
        COUNT.c.id,
        COUNT.c.number,
        COUNT_RESULT.c.counted_at,
        SITE.c.code,
        SITE.c.time_zone,
        LOCATION.c.name,
        USER.c.display_name,
    )
    sums = (
        func.count().label("lines"),
        func.sum(case((off > 0, 1), else_=0)).label("differing"),
        func.sum(off).label("off_ul"),
    )
    return (
        select(*keys, *sums)
        .select_from(COUNT)
        .join(COUNT_RESULT, COUNT_RESULT.c.count_id == COUNT.c.id)
        .join(COUNT_LINE, COUNT_LINE.c.count_id == COUNT.c.id)
        .join(LOT, LOT.c.id == COUNT_LINE.c.lot_id)
        .join(PRODUCT, PRODUCT.c.id == LOT.c.product_id)
        .join(SITE, SITE.c.id == COUNT.c.site_id)
        .join(LOCATION, LOCATION.c.id == COUNT.c.location_id)
        .join(USER, USER.c.id == COUNT_RESULT.c.actor_id)
        .where(
            COUNT.c.outcome == CountOutcome.POSTED,
            COUNT_RESULT.c.counted_at >= scope.begins(),
            COUNT_RESULT.c.counted_at < scope.ends(),
            SITE.c.id.in_(scope.site_ids),
            *of_lots(scope),
        )
        .group_by(*keys)
        .having(func.sum(off) > 0)
    )


def _noted(topic: Topic, row: Any, *, at: datetime, **more: Any) -> Noted:
    where: dict[str, Any] = {
        "site_code": row.code or "",
        "zone": row.time_zone or "UTC",
        "place": row.name or "",
    }
    return Noted(topic=topic, at=at, by=row.display_name, **where, **more)


def _lot(row: Any) -> dict[str, Any]:
    return {"lot_id": row.lot_id, "lot_number": row.lot_number, "label": row.label_number}
