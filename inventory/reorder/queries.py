"""What is usable of each product at a site, against its reorder point. Sums of balances, never of the whole history."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from inventory.catalogue.models import ContainerType, Formulation, Product, Route
from inventory.clinic.models import Location, Site
from inventory.reorder import rules
from inventory.reorder.models import ReorderRule
from inventory.reorder.rules import Advice
from inventory.stock.models import Account, AccountKind, Hold, Lot, Movement, Vial
from inventory.stock.queries import at_its_place, is_kept_apart

USE_DAYS = 90
"""Over how many days past use is looked at."""


@dataclass(slots=True)
class Level:
    """One product at one site: what is usable (earlier versions of it included) and what its rule says."""

    product: Product
    formulation: Formulation
    rule: ReorderRule | None = None
    usable: int = 0
    unusable: int = 0
    open_ul: int = 0
    used_ul: int = 0
    used_containers: int = 0
    versions: list[UUID] = field(default_factory=list)
    for_im: list[UUID] = field(default_factory=list)
    """Those of the versions whose label allows intramuscular use: no other stock is ever given here."""

    @property
    def advice(self) -> Advice:
        """What to do about it."""
        levels = (self.rule.reorder_point, self.rule.order_up_to) if self.rule else None
        return rules.advise(
            usable=self.usable,
            unusable=self.unusable,
            open_ul=self.open_ul,
            levels=levels,
            pack_size=self.product.pack_size,
            is_for_im=Route.IM in self.product.route_set,
        )

    @property
    def days_of_supply(self) -> int | None:
        """How long the usable stock lasts at the pace of the last 90 days; None where nothing was given."""
        if self.product.container_type == ContainerType.SINGLE_DOSE:
            used, on_hand = self.used_containers, self.usable
        else:
            used = self.used_ul
            on_hand = self.usable * self.product.container_volume_ul + self.open_ul
        return rules.days_of_supply(on_hand=on_hand, used=used, over_days=USE_DAYS)


def levels(session: Session, *, site_id: UUID, on: date, at: datetime) -> list[Level]:
    """Return every product in use at the site's catalogue or in stock: stock-outs, then those to order, then by name."""
    found = _levels(session, site_id)
    sealed = _sealed(session, site_id=site_id, on=on)
    opened = _open(session, site_id=site_id, on=on)
    used = _used(session, site_id=site_id, since=at - timedelta(days=USE_DAYS))
    for level in found:
        for version in level.for_im:
            usable, everything = sealed[version]
            level.usable += usable
            level.unusable += everything - usable
            level.open_ul += opened[version]
            level.used_ul += used[version][0]
            level.used_containers += used[version][1]
    return sorted(
        found,
        key=lambda level: (
            not level.advice.is_out,
            not level.advice.is_due,
            level.product.name,
            level.product.id,
        ),
    )


def level_of(session: Session, *, product_id: UUID, site_id: UUID, on: date, at: datetime) -> Level | None:
    """Return one product's level, or None where the product is unknown or replaced."""
    found = levels(session, site_id=site_id, on=on, at=at)
    return next((level for level in found if level.product.id == product_id), None)


def due_count(session: Session, *, site_id: UUID, on: date) -> int:
    """Return how many products are at or below their reorder point: two small statements."""
    ruled = session.execute(
        select(
            Product.id, Product.replaces_id, Product.retired_at, Product.routes, ReorderRule.reorder_point
        ).outerjoin(ReorderRule, and_(ReorderRule.product_id == Product.id, ReorderRule.site_id == site_id))
    ).all()
    if all(row.reorder_point is None for row in ruled):
        return 0
    sealed = _sealed(session, site_id=site_id, on=on)
    points = {row.id: row.reorder_point for row in ruled}
    for_im = {row.id for row in ruled if Route.IM in row.routes.split(",")}
    return sum(
        rules.is_due(
            usable=sum(sealed[version][0] for version in versions if version in for_im),
            reorder_point=next((points[v] for v in versions if points[v] is not None), None),
        )
        for versions in _families([(row.id, row.replaces_id) for row in ruled])
        if versions[0] in for_im and next(row.retired_at is None for row in ruled if row.id == versions[0])
    )


def _levels(session: Session, site_id: UUID) -> list[Level]:
    rows = session.execute(
        select(Product, Formulation, ReorderRule)
        .join(Formulation, Formulation.id == Product.formulation_id)
        .outerjoin(ReorderRule, and_(ReorderRule.product_id == Product.id, ReorderRule.site_id == site_id))
    ).all()
    products = {product.id: (product, formulation, rule) for product, formulation, rule in rows}
    made = []
    for versions in _families([(product.id, product.replaces_id) for product, _, _ in rows]):
        newest, formulation, _ = products[versions[0]]
        rule = next((products[v][2] for v in versions if products[v][2] is not None), None)
        if newest.retired_at is None:
            for_im = [v for v in versions if Route.IM in products[v][0].route_set]
            made.append(Level(newest, formulation, rule, versions=versions, for_im=for_im))
    return made


def _families(products: Sequence[tuple[UUID, UUID | None]]) -> list[list[UUID]]:
    """Return the versions of each product, the newest first."""
    before = {product_id: replaces_id for product_id, replaces_id in products if replaces_id}
    newest = [product_id for product_id, _ in products if product_id not in set(before.values())]
    families = []
    for product_id in newest:
        family = [product_id]
        while family[-1] in before:
            family.append(before[family[-1]])
        families.append(family)
    return families


def _sealed(session: Session, *, site_id: UUID, on: date) -> defaultdict[UUID, tuple[int, int]]:
    """Usable, and all, sealed containers of each product."""
    containers = Account.balance_ul // Lot.container_volume_ul
    usable = case((and_(Lot.expires_on >= on, ~_held(Account.location_id)), containers), else_=0)
    rows = session.execute(
        select(Lot.product_id, func.sum(usable), func.sum(containers))
        .select_from(Account)
        .join(Lot, Lot.id == Account.lot_id)
        .where(
            Account.kind == AccountKind.SHELF,
            Account.balance_ul > 0,
            Account.location_id.in_(_here(site_id)),
        )
        .group_by(Lot.product_id)
    )
    found: defaultdict[UUID, tuple[int, int]] = defaultdict(lambda: (0, 0))
    found.update({product_id: (int(good), int(everything)) for product_id, good, everything in rows})
    return found


def _open(session: Session, *, site_id: UUID, on: date) -> defaultdict[UUID, int]:
    """Usable microlitres in open vials of each product; what is kept for one patient is none."""
    rows = session.execute(
        select(Lot.product_id, func.sum(Account.balance_ul))
        .select_from(Vial)
        .join(Account, at_its_place())
        .join(Lot, Lot.id == Vial.lot_id)
        .where(
            Vial.location_id.in_(_here(site_id)),
            Vial.closed_at.is_(None),
            Vial.use_by_on >= on,
            Lot.expires_on >= on,
            ~_held(Vial.location_id, Vial.id),
            ~is_kept_apart(),
        )
        .group_by(Lot.product_id)
    )
    found: defaultdict[UUID, int] = defaultdict(int)
    found.update({product_id: int(volume) for product_id, volume in rows})
    return found


def _used(session: Session, *, site_id: UUID, since: datetime) -> defaultdict[UUID, tuple[int, int]]:
    """What was given of each product since then, in microlitres and in withdrawals; what was reversed does not count."""
    found: defaultdict[UUID, tuple[int, int]] = defaultdict(lambda: (0, 0))
    several = session.execute(_ANOTHER_SITE, {"site_id": site_id}).first() is not None
    for sign, statement in _GIVEN[several]:
        for product_id, volume, times in session.execute(statement, {"site_id": site_id, "since": since}):
            before = found[product_id]
            found[product_id] = (before[0] + sign * int(volume), before[1] + sign * int(times))
    return found


def _summed(movements: Any) -> Any:
    """Sum by product what `movements` finds for the account of what was given of a lot, of those given since then.

    Summed account by account, it is read from the index of movements alone.
    """
    volume_ul, times = (
        movements.with_only_columns(column).correlate(Account).scalar_subquery()
        for column in (func.coalesce(func.sum(Movement.amount_ul), 0), func.count())
    )
    of_lots = (
        select(Account.lot_id, volume_ul.label("volume_ul"), times.label("times"))
        .where(
            Account.kind == AccountKind.GIVEN,
            Account.location_id.is_(None),
            Account.last_occurred_at >= bindparam("since"),
        )
        .subquery()
    )
    return (
        select(Lot.product_id, func.sum(of_lots.c.volume_ul), func.sum(of_lots.c.times))
        .join(of_lots, of_lots.c.lot_id == Lot.id)
        .group_by(Lot.product_id)
    )


def _given(*where: ColumnElement[bool]) -> tuple[tuple[int, Any], tuple[int, Any]]:
    """Return what was given, and what of it was taken back: nothing else goes into these accounts, or comes out of them."""
    undo = aliased(Movement)
    since = Movement.occurred_at >= bindparam("since")
    given = select(Movement).where(Movement.to_id == Account.id, since, *where)
    undone = select(Movement).join(undo, undo.reverses_id == Movement.id)
    return (1, _summed(given)), (-1, _summed(undone.where(undo.from_id == Account.id, since, *where)))


_ANOTHER_SITE = select(Site.id).where(Site.id != bindparam("site_id")).limit(1)
_GIVEN = {False: _given(), True: _given(Movement.site_id == bindparam("site_id"))}
"""The statements, which are made once: of the only site, whose movements need not be looked at, and of one of several."""


def _here(site_id: UUID) -> Any:
    return select(Location.id).where(Location.site_id == site_id)


def _held(location_id: Any, vial_id: Any = None) -> ColumnElement[bool]:
    """Whether a hold that was not released covers the lot there, or the vial."""
    of_vial = (
        Hold.vial_id.is_(None) if vial_id is None else or_(Hold.vial_id.is_(None), Hold.vial_id == vial_id)
    )
    return (
        select(Hold.id)
        .where(
            Hold.lot_id == Lot.id,
            Hold.released_at.is_(None),
            or_(Hold.location_id.is_(None), Hold.location_id == location_id),
            of_vial,
        )
        .exists()
    )
