"""What came, went and is left, by site, lot and vial, over a period of each site's own days.

One statement, whatever the size, so that all of it is of one moment. What is there now is read from the balances; what moved
since the period began is summed; opening and closing follow. So its cost is that of the movements since, not of all history.
"""

from collections.abc import Iterable, Mapping, Sequence
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
    false,
    func,
    literal,
    null,
    or_,
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
        return self._by_site(0, site)

    def ends(self, site: Any = SITE) -> Any:
        """Return the expression of the instant at which a row's site (a row of `site`) has ended the period."""
        return self._by_site(1, site)

    def _by_site(self, which: int, site: Any) -> Any:
        bounds = self.bounds()
        of_site = {one.id: literal(bounds[one.time_zone][which], UtcDateTime()) for one in self.sites}
        return case(of_site, value=site.c.id)


@dataclass(frozen=True, slots=True)
class Then:
    """An earlier moment of the record. `later_acts` selects the acts that came after it; the rest is what was called otherwise, by id."""

    later_acts: Any = None
    codes: Mapping[UUID, str] = field(default_factory=dict)
    formulations: Mapping[UUID, str] = field(default_factory=dict)
    products: Mapping[UUID, str] = field(default_factory=dict)
    lots: Mapping[UUID, tuple[str, date]] = field(default_factory=dict)

    def is_later(self, act: Any) -> Any:
        """Return the condition that an act (its column) came later."""
        return false() if self.later_acts is None else act.in_(self.later_acts)

    def site_code(self) -> Any:
        """Return the expression of what a row of SITE was called."""
        return _otherwise(SITE.c.id, SITE.c.code, self.codes)

    def formulation(self) -> Any:
        """Return the expression of what a row of FORMULATION was called."""
        return _otherwise(FORMULATION.c.id, FORMULATION.c.name, self.formulations)

    def product(self) -> Any:
        """Return the expression of what a row of PRODUCT was called."""
        return _otherwise(PRODUCT.c.id, PRODUCT.c.name, self.products)

    def lot_number(self) -> Any:
        """Return the expression of the number of a row of LOT."""
        return _otherwise(LOT.c.id, LOT.c.lot_number, {one: number for one, (number, _) in self.lots.items()})

    def expires_on(self) -> Any:
        """Return the expression of the expiry of a row of LOT."""
        return _otherwise(LOT.c.id, LOT.c.expires_on, {one: on for one, (_, on) in self.lots.items()})


def _otherwise(key: Any, column: Any, names: Mapping[UUID, Any]) -> Any:
    if not names:
        return column
    return case({one: literal(name, column.type) for one, name in names.items()}, value=key, else_=column)


NOW = Then()


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


def lot_rows(reader: Reader, scope: Scope, then: Then = NOW) -> list[LotRow]:
    """Return every lot at every site of the scope that was there or moved, by site, formulation, product, expiry. One statement.

    With `then`, as it was known at that moment: what was recorded since is taken off again.
    """
    found = reader.execute(_told(scope, then)).all()
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


def _told(scope: Scope, then: Then) -> Any:
    told = _everything(scope, then).subquery("told")
    return (
        select(
            told,
            then.site_code().label("site_code"),
            then.lot_number().label("lot_number"),
            then.expires_on().label("expires_on"),
            LOT.c.container_volume_ul,
            then.product().label("product"),
            then.formulation().label("formulation"),
            VIAL.c.label_number,
        )
        .join(SITE, SITE.c.id == told.c.site_id)
        .join(LOT, LOT.c.id == told.c.lot_id)
        .join(PRODUCT, PRODUCT.c.id == LOT.c.product_id)
        .join(FORMULATION, FORMULATION.c.id == PRODUCT.c.formulation_id)
        .outerjoin(VIAL, VIAL.c.id == told.c.vial_id)
        .where(*of_lots(scope))
        .order_by(
            then.site_code(),
            then.formulation(),
            then.product(),
            then.expires_on(),
            then.lot_number(),
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


def _everything(scope: Scope, then: Then) -> CompoundSelect[Any]:
    return union_all(
        _sealed_now(scope),
        _open_now(scope),
        _moved(scope, then, into=True),
        _moved(scope, then, into=False),
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


def _moved(scope: Scope, then: Then, *, into: bool) -> Any:
    """Sum what went into, or out of, shelves and vials since the period began, by what brought it about.

    What was recorded later than `then` is as what moved after the period, whenever it took place: not known of yet.
    """
    here, sign = (MOVEMENT.c.to_id, 1) if into else (MOVEMENT.c.from_id, -1)
    undone = MOVEMENT.alias("undone")
    keys = [
        LOCATION.c.site_id,
        ACCOUNT.c.lot_id,
        (ACCOUNT.c.kind == AccountKind.VIAL).label("is_opened"),
        # Single-dose containers are opened by the thousand, and each is empty at once: they are told together.
        case((LOT.c.container_type == ContainerType.MULTI_DOSE, ACCOUNT.c.vial_id)).label("vial_id"),
        case(
            (then.is_later(MOVEMENT.c.act_id), "after"),
            (MOVEMENT.c.occurred_at < scope.ends(), "within"),
            else_="after",
        ).label("phase"),
        func.coalesce(undone.c.kind, MOVEMENT.c.kind).label("kind"),
        case((undone.c.id.is_not(None), undone.c.reason), else_=MOVEMENT.c.reason).label("reason"),
        undone.c.id.is_not(None).label("is_reversal"),
    ]
    earliest = min(begins for begins, _ in scope.bounds().values())
    since = and_(MOVEMENT.c.occurred_at >= earliest, MOVEMENT.c.occurred_at >= scope.begins())
    if then.later_acts is not None:
        since = or_(since, then.is_later(MOVEMENT.c.act_id))
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
