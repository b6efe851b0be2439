"""One lot, vial, receipt or hold, and where things may lie."""

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from inventory.catalogue.gs1 import Scan
from inventory.catalogue.models import Product
from inventory.catalogue.queries import products_of_gtin
from inventory.clinic.models import Location
from inventory.kernel.errors import not_found
from inventory.stock import rules
from inventory.stock.models import Account, AccountKind, Hold, Lot, Receipt, Vial
from inventory.stock.queries.on_hand import kinds_covering

_LEFT = {AccountKind.SHELF, AccountKind.VIAL, AccountKind.TRANSIT}
_NOWHERE = tuple(kind for kind in AccountKind if kind not in _LEFT)
"""The accounts that a lot has once, of what is not here any more, or not yet."""


def lot_by_id(session: Session, lot_id: UUID, *, lock: bool = False) -> Lot:
    """Return the lot with its product and formulation; with `lock`, held until the act ends. Raises Refusal NOT-FOUND."""
    statement = (
        select(Lot)
        .join(Lot.product)
        .join(Product.formulation)
        .options(contains_eager(Lot.product).contains_eager(Product.formulation))
        .where(Lot.id == lot_id)
    )
    if lock:
        statement = statement.with_for_update(of=Lot, key_share=True)
    lot = session.scalar(statement)
    if lot is None:
        raise not_found("lot")
    return lot


def lots_by_id(session: Session, lot_ids: Collection[UUID]) -> list[Lot]:
    """Return the lots with their products, by lot number: one statement, however many."""
    lots = select(Lot).join(Lot.product).options(contains_eager(Lot.product)).where(Lot.id.in_(lot_ids))
    return list(session.scalars(lots.order_by(Lot.lot_number, Lot.id)))


def left_and_moved(session: Session, lot_ids: Iterable[UUID]) -> dict[UUID, tuple[int, bool]]:
    """Return by lot what is left of it at all sites, sealed, open or on its way, in microlitres, and whether anything came of it at all.

    A lot's accounts sum to zero, so what is left follows from the others: a handful, however many were opened.
    """
    rows = session.execute(
        select(Account.lot_id, func.sum(Account.balance_ul), func.sum(func.abs(Account.balance_ul)))
        .where(Account.lot_id.in_(set(lot_ids)), Account.kind.in_(_NOWHERE))
        .group_by(Account.lot_id)
    )
    return {lot_id: (-int(gone), bool(moved)) for lot_id, gone, moved in rows}


def lot_by_number(session: Session, *, product_id: UUID, lot_number: str) -> Lot | None:
    """Return the product's lot of this number, however it is spelt. Raises Refusal LOT-NUMBER-INVALID."""
    key = rules.lot_number_key(lot_number)
    return session.scalar(select(Lot).where(Lot.product_id == product_id, Lot.lot_number_key == key))


def lots_of_scan(session: Session, scan: Scan) -> list[UUID]:
    """Return the ids of the lots that a scan may name; without a lot number, none. Raises Refusal LOT-NUMBER-INVALID."""
    if scan.lot_number is None:
        return []
    key = rules.lot_number_key(scan.lot_number)
    statement = select(Lot.id).join(Lot.product).where(Lot.lot_number_key == key).order_by(Lot.id)
    if scan.gtin:
        ids = [product.id for product in products_of_gtin(session, scan.gtin)]
        # A lot stays with the version of the product that it came as, which bears the same GTIN.
        statement = statement.where(or_(Product.gtin == scan.gtin, Product.id.in_(ids)))
    return list(session.scalars(statement))


def vial_by_id(session: Session, vial_id: UUID, *, lock: bool = False) -> Vial:
    """Return the vial with its lot, product and formulation. Raises Refusal NOT-FOUND."""
    statement = (
        select(Vial)
        .options(joinedload(Vial.lot).joinedload(Lot.product).joinedload(Product.formulation))
        .where(Vial.id == vial_id)
    )
    vial = session.scalar(statement.with_for_update(of=Vial, key_share=True) if lock else statement)
    if vial is None:
        raise not_found("vial")
    return vial


def receipt_by_id(session: Session, receipt_id: UUID) -> Receipt:
    """Return the receipt. Raises Refusal NOT-FOUND."""
    receipt = session.get(Receipt, receipt_id)
    if receipt is None:
        raise not_found("receipt")
    return receipt


def open_hold(session: Session, hold_id: UUID) -> Hold:
    """Return the hold, locked until the act ends. Raises Refusal NOT-FOUND."""
    hold = session.scalar(select(Hold).where(Hold.id == hold_id).with_for_update())
    if hold is None:
        raise not_found("hold")
    return hold


def active_hold_kinds(
    session: Session, *, lot_id: UUID, location_id: UUID, at: datetime, vial_id: UUID | None = None
) -> tuple[str, ...]:
    """Return the kinds of hold that covered stock of the lot at a location, or one vial of it, at the instant `at`."""
    holds = session.scalars(
        select(Hold).where(
            Hold.lot_id == lot_id,
            Hold.held_at <= at,
            or_(Hold.released_at.is_(None), Hold.released_at > at),
        )
    )
    return kinds_covering(holds, location_id=location_id, vial_id=vial_id)


def locations_of(session: Session, site_id: UUID) -> list[Location]:
    """Return the site's storage locations that are in use, by name."""
    return list(
        session.scalars(
            select(Location)
            .where(Location.site_id == site_id, Location.closed_at.is_(None))
            .order_by(Location.name, Location.id)
        )
    )
