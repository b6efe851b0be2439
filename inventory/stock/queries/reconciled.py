"""A whole reconciliation: the columns, what was on its way, what stands out, and when stock was last counted."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import BigInteger, Table, and_, case, func, literal, select, union_all
from sqlalchemy import cast as sql_cast

from inventory.clinic.settings import Settings
from inventory.stock.models import MovementKind, Transfer, TransferLine, TransferReceiptLine
from inventory.stock.queries.exceptions import noted
from inventory.stock.queries.left_undone import last_counted
from inventory.stock.queries.reconciliation import (
    FORMULATION,
    LOT,
    MOVEMENT,
    NOW,
    PRODUCT,
    SITE,
    LotRow,
    Reader,
    Scope,
    Then,
    lot_rows,
    of_lots,
)
from inventory.stock.reconciling import LastCount, Noted, Sums, Transit, joined

TRANSFER = cast(Table, Transfer.__table__)
SENT = cast(Table, TransferLine.__table__)
CAME = cast(Table, TransferReceiptLine.__table__)
GOAL = SITE.alias("goal")


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The lots by site, all of it together, what was sent from these sites and on its way, and what a reader must be told.

    `ways` are rows of lots on their way, of the sites that sent them: on no shelf, and no part of `rows` and `whole`.
    """

    scope: Scope
    at: datetime
    rows: list[LotRow]
    whole: Sums
    ways: list[LotRow]
    transit: Transit
    noted: list[Noted]
    last_counts: list[LastCount]

    @property
    def agrees(self) -> bool:
        """Whether every vial, lot and site closes; a law, which says nothing of what was never recorded."""
        return not any(part.sums.difference_ul for row in self.rows for part in row.parts)


def reconciliation_of(reader: Reader, scope: Scope, *, settings: Settings, at: datetime) -> Reconciliation:
    """Return the reconciliation of the scope as it is known at the instant `at`. Nine statements, whatever the size."""
    rows = lot_rows(reader, scope)
    under_way = transits_of(reader, scope)
    left = {row.lot_id for row in rows if row.sums.closing_ul}
    return Reconciliation(
        scope=scope,
        at=at,
        rows=rows,
        whole=joined(row.sums for row in rows),
        ways=_ways(under_way),
        transit=sum(under_way.values(), Transit()),
        noted=noted(reader, scope, settings=settings, at=at, held=left),
        last_counts=last_counted(reader, scope, at=at),
    )


def ways_of(reader: Reader, scope: Scope, then: Then) -> list[LotRow]:
    """Return the lots that were on their way, as it was known then."""
    return _ways(transits_of(reader, scope, then))


def _ways(under_way: Mapping[tuple[Any, ...], Transit]) -> list[LotRow]:
    return [_way(key, transit) for key, transit in under_way.items() if not transit.is_empty]


def transits_of(reader: Reader, scope: Scope, then: Then = NOW) -> dict[tuple[Any, ...], Transit]:
    """Return what was sent from the sites of the scope and on its way, by site and lot. One statement, of the transfers alone."""
    sums: defaultdict[tuple[Any, ...], Counter[tuple[str, bool]]] = defaultdict(Counter)
    for what, is_within, amount_ul, *key in reader.execute(_told(scope, then)):
        sums[tuple(key)][what, bool(is_within)] += amount_ul
    return {key: _transit(of_lot) for key, of_lot in sums.items()}


def _transit(sums: Counter[tuple[str, bool]]) -> Transit:
    before = sums["sent", False] - sums["came", False] - sums["lost", False]
    return Transit(before, sums["sent", True], sums["came", True], sums["lost", True])


def _way(key: tuple[Any, ...], transit: Transit) -> LotRow:
    row = LotRow(*key)
    row.sums = transit.sums
    return row


def _told(scope: Scope, then: Then) -> Any:
    arrived = (CAME.c.movement_id, CAME.c.difference_movement_id)
    sent = _moved(scope, then, MOVEMENT.c.id == SENT.c.movement_id, literal("sent"))
    is_waste = MOVEMENT.c.kind == MovementKind.WASTE
    same_line = and_(CAME.c.transfer_id == SENT.c.transfer_id, CAME.c.position == SENT.c.position)
    ended = [
        _moved(scope, then, MOVEMENT.c.id == column, case((is_waste, "lost"), else_="came"), same_line)
        for column in arrived
    ]
    each = union_all(sent, *ended).subquery("each")
    amount = sql_cast(func.sum(each.c.amount_ul), BigInteger())
    # In the order of the fields of a LotRow.
    about = (
        SITE.c.id,
        then.site_code(),
        LOT.c.id,
        then.lot_number(),
        then.expires_on(),
        then.formulation(),
        then.product(),
        LOT.c.container_volume_ul,
    )
    return (
        select(each.c.what, each.c.is_within, amount, *about)
        .join(SITE, SITE.c.id == each.c.site_id)
        .join(LOT, LOT.c.id == each.c.lot_id)
        .join(PRODUCT, PRODUCT.c.id == LOT.c.product_id)
        .join(FORMULATION, FORMULATION.c.id == PRODUCT.c.formulation_id)
        # The rest of each follows from its key.
        .group_by(each.c.what, each.c.is_within, SITE.c.id, LOT.c.id, FORMULATION.c.id, PRODUCT.c.id)
        .order_by(
            then.site_code(),
            then.formulation(),
            then.product(),
            then.expires_on(),
            then.lot_number(),
            LOT.c.id,
        )
    )


def _moved(scope: Scope, then: Then, is_its: Any, what: Any, came: Any = None) -> Any:
    """What arrived, arrived on a day of the site that received it, as its own row tells; all else is of the site that sent."""
    of_lines = SENT.join(TRANSFER, TRANSFER.c.id == SENT.c.transfer_id)
    begins, ends = scope.begins(), scope.ends()
    if came is not None:
        of_lines = of_lines.join(CAME, came).join(GOAL, GOAL.c.id == TRANSFER.c.to_site_id)
        is_there = and_(MOVEMENT.c.id == CAME.c.movement_id, GOAL.c.id.in_(scope.site_ids))
        begins = case((is_there, scope.begins(GOAL)), else_=begins)
        ends = case((is_there, scope.ends(GOAL)), else_=ends)
    return (
        select(
            what.label("what"),
            (MOVEMENT.c.occurred_at >= begins).label("is_within"),
            MOVEMENT.c.amount_ul,
            SITE.c.id.label("site_id"),
            SENT.c.lot_id,
        )
        .select_from(of_lines)
        .join(MOVEMENT, is_its)
        .join(SITE, SITE.c.id == TRANSFER.c.from_site_id)
        .join(LOT, LOT.c.id == SENT.c.lot_id)
        .join(PRODUCT, PRODUCT.c.id == LOT.c.product_id)
        .where(MOVEMENT.c.occurred_at < ends, SITE.c.id.in_(scope.site_ids), *of_lots(scope))
        .where(~then.is_later(MOVEMENT.c.act_id))
    )
