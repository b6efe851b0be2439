"""What came, went and is left, by site, lot and vial, over a period of each site's own days.

One statement, whatever the size, so that all of it is of one moment. What is there now is read from the balances; what moved
since the period began is summed; opening and closing follow. So its cost is that of the movements since, not of all history.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CompoundSelect,
    String,
    Table,
    Uuid,
    and_,
    case,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from inventory.catalogue.models import ContainerType, Formulation, Product
from inventory.clinic.models import Location, Site
from inventory.kernel.db import UtcDateTime
from inventory.stock.models import Account, AccountKind, Lot, Movement, Vial
from inventory.stock.reconciling import Flow, Sums, joined, period_of

ACCOUNT = cast(Table, Account.__table__)
LOCATION = cast(Table, Location.__table__)
LOT = cast(Table, Lot.__table__)
MOVEMENT = cast(Table, Movement.__table__)
PRODUCT = cast(Table, Product.__table__)
FORMULATION = cast(Table, Formulation.__table__)
SITE = cast(Table, Site.__table__)
VIAL = cast(Table, Vial.__table__)
HOLDING = (AccountKind.SHELF, AccountKind.VIAL)
Reader = Session | Connection
"""Whatever runs a statement; a report reads all of it on one connection, at one moment."""


class ScopeSite(NamedTuple):
    """A site of a reconciliation, with the IANA zone of its days."""

    id: UUID
    code: str
    name: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Scope:
    """Which stock over which days, both included. A filter that is None lets everything through."""

    sites: tuple[ScopeSite, ...]
    first_day: date
    last_day: date
    formulation_id: UUID | None = None
    lot_ids: tuple[UUID, ...] | None = None

    @property
    def site_ids(self) -> list[UUID]:
        """The ids of the sites."""
        return [site.id for site in self.sites]

    def bounds(self) -> dict[str, tuple[datetime, datetime]]:
        """Return by zone the instants at which the period begins and has ended."""
        zones = {site.time_zone for site in self.sites}
        return {zone: period_of(self.first_day, self.last_day, zone) for zone in zones}

    def begins(self, site: Any = SITE) -> Any:
        """Return the expression of the instant at which a row's site (a row of `site`) begins the period."""
        return self._by_zone(0, site)

    def ends(self, site: Any = SITE) -> Any:
        """Return the expression of the instant at which a row's site (a row of `site`) has ended the period."""
        return self._by_zone(1, site)

    def _by_zone(self, which: int, site: Any) -> Any:
        by_zone = {zone: literal(both[which], UtcDateTime()) for zone, both in self.bounds().items()}
        return case(by_zone, value=site.c.time_zone)


@dataclass(slots=True)
class Part:
    """What is sealed of a lot, one labelled vial of it, or all of its single-dose containers that were opened."""

    vial_id: UUID | None
    label: int | None
    is_opened: bool
    sums: Sums


@dataclass(slots=True)
class LotRow:
    """One lot at one site, and its parts: what is sealed first, then what was opened, by label."""

    site_id: UUID
    site_code: str
    lot_id: UUID
    lot_number: str
    expires_on: date
    formulation: str
    product: str
    container_ul: int
    parts: list[Part] = field(default_factory=list)
    sums: Sums = field(default_factory=Sums)

    @property
    def vials(self) -> list[Part]:
        """What was opened."""
        return [part for part in self.parts if part.is_opened]


def lot_rows(reader: Reader, scope: Scope) -> list[LotRow]:
    """Return every lot at every site of the scope that was there or moved, by site, formulation, product, expiry. One statement."""
    found = reader.execute(_told(scope)).all()
    rows = [_row(list(of_lot)) for _, of_lot in groupby(found, key=lambda one: (one.site_id, one.lot_id))]
    return [row for row in rows if row.parts]


def _row(told: Sequence[Any]) -> LotRow:
    first = told[0]
    row = LotRow(
        first.site_id,
        first.site_code,
        first.lot_id,
        first.lot_number,
        first.expires_on,
        first.formulation,
        first.product,
        first.container_volume_ul,
    )
    parts = [
        _part(list(of_part)) for _, of_part in groupby(told, key=lambda one: (one.is_opened, one.vial_id))
    ]
    row.parts = [part for part in parts if not part.sums.is_empty]
    row.sums = joined(part.sums for part in row.parts)
    return row


def _part(told: Sequence[Any]) -> Part:
    part = Part(told[0].vial_id, told[0].label_number, bool(told[0].is_opened), Sums())
    for one in told:
        if one.phase == "now":
            part.sums.closing_ul += one.amount_ul
        elif one.phase == "after":
            part.sums.closing_ul -= one.amount_ul
        else:
            part.sums.add(Flow(one.kind, one.reason, one.amount_ul, one.times, bool(one.is_reversal)))
    part.sums.opening_ul = part.sums.closing_ul - part.sums.net_ul
    return part


def _told(scope: Scope) -> Any:
    told = _everything(scope).subquery("told")
    return (
        select(
            told,
            SITE.c.code.label("site_code"),
            LOT.c.lot_number,
            LOT.c.expires_on,
            LOT.c.container_volume_ul,
            PRODUCT.c.name.label("product"),
            FORMULATION.c.name.label("formulation"),
            VIAL.c.label_number,
        )
        .join(SITE, SITE.c.id == told.c.site_id)
        .join(LOT, LOT.c.id == told.c.lot_id)
        .join(PRODUCT, PRODUCT.c.id == LOT.c.product_id)
        .join(FORMULATION, FORMULATION.c.id == PRODUCT.c.formulation_id)
        .outerjoin(VIAL, VIAL.c.id == told.c.vial_id)
        .where(*of_lots(scope))
        .order_by(
            SITE.c.code,
            FORMULATION.c.name,
            PRODUCT.c.name,
            LOT.c.expires_on,
            LOT.c.lot_number,
            told.c.lot_id,
            told.c.is_opened,
            VIAL.c.opened_at,
            told.c.vial_id,
        )
    )


def of_lots(scope: Scope) -> Iterable[Any]:
    """Return the conditions on LOT and PRODUCT that the filters of a scope make."""
    if scope.formulation_id is not None:
        yield PRODUCT.c.formulation_id == scope.formulation_id
    if scope.lot_ids is not None:
        yield LOT.c.id.in_(scope.lot_ids)


def _everything(scope: Scope) -> CompoundSelect[Any]:
    return union_all(
        _sealed_now(scope), _open_now(scope), _moved(scope, into=True), _moved(scope, into=False)
    )


def _sealed_now(scope: Scope) -> Any:
    return (
        select(*_now(null()))
        .join(LOCATION, LOCATION.c.id == ACCOUNT.c.location_id)
        .where(
            LOCATION.c.site_id.in_(scope.site_ids),
            ACCOUNT.c.kind == AccountKind.SHELF,
            ACCOUNT.c.balance_ul != 0,
            *_named(scope, ACCOUNT),
        )
    )


def _open_now(scope: Scope) -> Any:
    """Only a vial that is open holds anything, so that the many that were ever opened need not be looked at."""
    return (
        select(*_now(ACCOUNT.c.vial_id))
        .select_from(VIAL)
        .join(ACCOUNT, ACCOUNT.c.vial_id == VIAL.c.id)
        .join(LOCATION, LOCATION.c.id == ACCOUNT.c.location_id)
        .where(
            LOCATION.c.site_id.in_(scope.site_ids),
            VIAL.c.closed_at.is_(None),
            ACCOUNT.c.balance_ul != 0,
            *_named(scope, ACCOUNT),
        )
    )


def _now(vial_id: Any) -> list[Any]:
    return [
        LOCATION.c.site_id,
        ACCOUNT.c.lot_id,
        (ACCOUNT.c.kind == AccountKind.VIAL).label("is_opened"),
        sql_cast(vial_id, Uuid()).label("vial_id"),
        literal("now", String()).label("phase"),
        sql_cast(null(), String()).label("kind"),
        sql_cast(null(), String()).label("reason"),
        literal(False, Boolean()).label("is_reversal"),  # noqa: FBT003  a column, no flag
        ACCOUNT.c.balance_ul.label("amount_ul"),
        literal(0, BigInteger()).label("times"),
    ]


def _moved(scope: Scope, *, into: bool) -> Any:
    """Sum what went into, or out of, shelves and vials since the period began, by what brought it about."""
    here, sign = (MOVEMENT.c.to_id, 1) if into else (MOVEMENT.c.from_id, -1)
    undone = MOVEMENT.alias("undone")
    keys = [
        LOCATION.c.site_id,
        ACCOUNT.c.lot_id,
        (ACCOUNT.c.kind == AccountKind.VIAL).label("is_opened"),
        # Single-dose containers are opened by the thousand, and each is empty at once: they are told together.
        case((LOT.c.container_type == ContainerType.MULTI_DOSE, ACCOUNT.c.vial_id)).label("vial_id"),
        case((MOVEMENT.c.occurred_at < scope.ends(), "within"), else_="after").label("phase"),
        func.coalesce(undone.c.kind, MOVEMENT.c.kind).label("kind"),
        case((undone.c.id.is_not(None), undone.c.reason), else_=MOVEMENT.c.reason).label("reason"),
        undone.c.id.is_not(None).label("is_reversal"),
    ]
    earliest = min(begins for begins, _ in scope.bounds().values())
    since = and_(MOVEMENT.c.occurred_at >= earliest, MOVEMENT.c.occurred_at >= scope.begins())
    each = (
        select(*keys, (sign * MOVEMENT.c.amount_ul).label("amount_ul"))
        .select_from(MOVEMENT)
        .join(ACCOUNT, ACCOUNT.c.id == here)
        .join(LOCATION, LOCATION.c.id == ACCOUNT.c.location_id)
        .join(SITE, SITE.c.id == LOCATION.c.site_id)
        .join(LOT, LOT.c.id == MOVEMENT.c.lot_id)
        .outerjoin(undone, undone.c.id == MOVEMENT.c.reverses_id)
        .where(since, SITE.c.id.in_(scope.site_ids), ACCOUNT.c.kind.in_(HOLDING), *_named(scope, MOVEMENT))
        .subquery("into_it" if into else "out_of_it")
    )
    columns = [each.c[key.name] for key in keys]
    amount = sql_cast(func.sum(each.c.amount_ul), BigInteger()).label("amount_ul")
    return select(*columns, amount, func.count().label("times")).group_by(*columns)


def _named(scope: Scope, table: Any) -> list[Any]:
    return [] if scope.lot_ids is None else [table.c.lot_id.in_(scope.lot_ids)]
