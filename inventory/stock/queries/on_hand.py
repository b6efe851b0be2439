"""What lies on the shelves and in open vials of a site, first to expire first: three statements, however much there is."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Subquery, and_, false, or_, select, union_all
from sqlalchemy.orm import Session, contains_eager

from inventory.catalogue.models import ContainerType, Product, Route
from inventory.clinic.models import Location
from inventory.clinic.settings import Settings
from inventory.kernel.errors import not_found
from inventory.stock import rules
from inventory.stock.models import Account, AccountKind, Hold, HoldKind, Lot, Vial
from inventory.stock.queries.recalls import drills_among
from inventory.stock.queries.transfers import is_travelling

NEAR_DAYS = Settings().near_expiry_days
FefoKey = tuple[date, int, datetime, UUID]
KEPT_APART: list[ColumnElement[bool]] = []
"""Conditions on Vial under which an opened one is not for everybody; rooms above, who know patients, add theirs."""
OnHandRow = tuple[Lot, Location, int, int, Vial | None]


@dataclass(frozen=True, slots=True)
class Drawable:
    """The sealed containers of one lot at one location, or one open vial, with something in it. Volume in microlitres."""

    lot: Lot
    location: Location
    account_id: int
    volume_ul: int
    vial: Vial | None
    hold_kinds: tuple[str, ...]
    state: rules.State

    @property
    def product(self) -> Product:
        """The product, with its formulation loaded."""
        return self.lot.product

    @property
    def container_type(self) -> ContainerType:
        """Single-dose or multi-dose, as the lot has it."""
        return self.lot.container_type

    @property
    def containers(self) -> int:
        """Sealed containers; 0 for an open vial."""
        return 0 if self.vial else self.volume_ul // self.lot.container_volume_ul

    @property
    def use_by_on(self) -> date | None:
        """The use-by day of an open vial."""
        return self.vial.use_by_on if self.vial else None

    @property
    def last_usable_on(self) -> date:
        """The last day on which it may be given: its use-by is printed, and its lot's expiry may be corrected after that."""
        return min(self.use_by_on or self.lot.expires_on, self.lot.expires_on)

    @property
    def is_held(self) -> bool:
        """Whether a hold or a recall covers it."""
        return bool(self.hold_kinds)

    @property
    def usable(self) -> bool:
        """Not expired, not held, not past its use-by, and labelled for intramuscular use."""
        return self.state.usable

    @property
    def givable(self) -> bool:
        """Usable, and of a formulation the clinic does not refuse."""
        return self.usable and not self.product.formulation.refused

    @property
    def fefo_key(self) -> FefoKey:
        """First expiring first out: last usable day, open vials first, then as received."""
        return (self.last_usable_on, 0 if self.vial else 1, self.lot.created_at, (self.vial or self.lot).id)

    def doses_left(self, dose_ng: int | None = None) -> int | None:
        """Whole doses in it, of `dose_ng` or the product's default dose; None where neither is known.

        What is left in a sealed single-dose container is never part of the next dose; each dose from a multi-dose vial costs
        what the syringe keeps besides.
        """
        dose = dose_ng or self.product.default_dose_ng
        if not dose:
            return None
        lost = self.product.dead_space_ul if self.container_type == ContainerType.MULTI_DOSE else 0
        volume = max(1, self.lot.strength.volume_ul(dose)) + lost
        each = self.lot.container_volume_ul // volume
        return self.volume_ul // volume if self.vial else self.containers * each


def drawable(
    session: Session,
    *,
    site_id: UUID,
    on: date,
    product_id: UUID | None = None,
    formulation_id: UUID | None = None,
    near_days: int = NEAR_DAYS,
) -> list[Drawable]:
    """Return everything with content at the site, first expiring first, usable or not, as it stands on the day `on`.

    Three statements. `product_id` or `formulation_id` narrow it.
    """
    narrowed = [Product.id == product_id] if product_id else []
    if formulation_id:
        narrowed.append(Product.formulation_id == formulation_id)
    found = on_hand(session, site_id=site_id, on=on, near_days=near_days, where=narrowed)
    return [one for one in found if one.volume_ul]


def on_hand(
    session: Session,
    *,
    site_id: UUID,
    on: date,
    near_days: int = NEAR_DAYS,
    where: Sequence[Any] = (),
) -> list[Drawable]:
    """As `drawable`, with open vials that are empty, narrowed by any conditions on Lot, Product, Formulation or Location."""
    sealed = session.execute(_sealed(site_id).where(*where))
    opened = session.execute(_opened(site_id).where(*where))
    rows: list[OnHandRow] = [(lot, location, key, held, None) for lot, location, key, held in sealed]
    rows += [(lot, location, key, held, vial) for lot, location, key, held, vial in opened]
    holds = active_holds(session, {row[0].id for row in rows})
    drills = drills_among(session, chain.from_iterable(holds.values()))
    found = [
        Drawable(*row, *_standing(row, holds[row[0].id], drills, on=on, near_days=near_days)) for row in rows
    ]
    return sorted(found, key=lambda one: one.fefo_key)


def vial_on_hand(session: Session, vial_id: UUID, *, on: date, near_days: int = NEAR_DAYS) -> Drawable:
    """Return one opened vial as it stands on the day `on`, also when it is empty or closed. Raises Refusal NOT-FOUND."""
    row = session.execute(_vials().where(Vial.id == vial_id)).one_or_none()
    if row is None:
        raise not_found("vial")
    lot, location, key, held, vial = row
    holds = active_holds(session, {lot.id})[lot.id]
    found: OnHandRow = (lot, location, key, held, vial)
    drills = drills_among(session, holds)
    return Drawable(*found, *_standing(found, holds, drills, on=on, near_days=near_days))


def active_holds(session: Session, lot_ids: Iterable[UUID] | None = None) -> defaultdict[UUID, list[Hold]]:
    """Return the holds that were not released, by lot."""
    ids = None if lot_ids is None else set(lot_ids)
    found: defaultdict[UUID, list[Hold]] = defaultdict(list)
    statement = select(Hold).where(Hold.released_at.is_(None)).order_by(Hold.held_at, Hold.id)
    if ids is not None and len(ids) <= 50:
        statement = statement.where(Hold.lot_id.in_(ids))
    for hold in session.scalars(statement):
        if ids is None or hold.lot_id in ids:
            found[hold.lot_id].append(hold)
    return found


def kinds_covering(
    holds: Iterable[Hold], *, location_id: UUID | None, vial_id: UUID | None, drills: Collection[UUID] = ()
) -> tuple[str, ...]:
    """Return the kinds of those holds that cover stock of their lot at a location, or one vial of it.

    For a hold that is among `drills` it is `rules.DRILL`, for the words; the gate knows no drill.
    """
    return tuple(
        rules.DRILL if hold.id in drills else HoldKind(hold.kind)
        for hold in holds
        if hold.location_id in (None, location_id) and hold.vial_id in (None, vial_id)
    )


def _sealed(site_id: UUID) -> Select[Lot, Location, int, int]:
    here = select(Location.id).where(Location.site_id == site_id)
    return (
        select(Lot, Location, Account.id, Account.balance_ul)
        .select_from(Account)
        .join(Lot, Lot.id == Account.lot_id)
        .join(Location, Location.id == Account.location_id)
        .join(Lot.product)
        .join(Product.formulation)
        .options(contains_eager(Lot.product).contains_eager(Product.formulation))
        .where(Account.kind == AccountKind.SHELF, Account.balance_ul > 0, Account.location_id.in_(here))
    )


def _opened(site_id: UUID) -> Select[Lot, Location, int, int, Vial]:
    # A vial on its way is nowhere: its account at the place it left is empty, and it is not there.
    is_there = or_(Account.balance_ul > 0, ~is_travelling())
    return _vials().where(Location.site_id == site_id, Vial.closed_at.is_(None), is_there)


def at_its_place() -> ColumnElement[bool]:
    """Return what joins a vial to its account where it is now; those where it was before hold nothing."""
    return and_(Account.vial_id == Vial.id, Account.location_id == Vial.location_id)


def lying_at(location_ids: Collection[UUID]) -> Subquery:
    """Return what lies at locations now, by account: shelves and open vials, never looked for among all that was opened there."""
    columns = (Account.id, Account.lot_id, Account.location_id)
    shelves = select(*columns).where(Account.kind == AccountKind.SHELF, Account.balance_ul > 0)
    opened = select(*columns).select_from(Vial).join(Account, at_its_place())
    return union_all(
        shelves.where(Account.location_id.in_(location_ids)),
        opened.where(Vial.closed_at.is_(None), Vial.location_id.in_(location_ids), Account.balance_ul > 0),
    ).subquery("lying")


def is_kept_apart() -> ColumnElement[bool]:
    """Return the condition under which a vial does not count as stock that everybody may be given."""
    return or_(false(), *KEPT_APART)


def _vials() -> Select[Lot, Location, int, int, Vial]:
    return (
        select(Lot, Location, Account.id, Account.balance_ul, Vial)
        .select_from(Vial)
        .join(Account, at_its_place())
        .join(Lot, Lot.id == Vial.lot_id)
        .join(Location, Location.id == Vial.location_id)
        .join(Lot.product)
        .join(Product.formulation)
        .options(contains_eager(Lot.product).contains_eager(Product.formulation))
    )


def _standing(
    row: OnHandRow, holds: list[Hold], drills: Collection[UUID], *, on: date, near_days: int
) -> tuple[tuple[str, ...], rules.State]:
    lot, location, _, _, vial = row
    vial_id = vial.id if vial else None
    kinds = kinds_covering(holds, location_id=location.id, vial_id=vial_id, drills=drills)
    state = rules.state_of(
        expires_on=lot.expires_on,
        use_by_on=vial.use_by_on if vial else None,
        hold_kinds=kinds,
        is_for_im=Route.IM in lot.product.route_set,
        on=on,
        near_days=near_days,
    )
    return kinds, state
