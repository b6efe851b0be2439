"""Vials that hold nothing here any more, so that a dose written down late can still name the one it came from."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, aliased

from inventory.catalogue.models import ContainerType, Product, Route
from inventory.clinic.models import Location
from inventory.stock.models import Account, Lot, Vial
from inventory.stock.queries import at_its_place
from inventory.stock.queries.transfers import is_travelling

REMEMBERED = timedelta(days=30)
_MOST = 50
_BEFORE = aliased(Account)


def used_up_vials(session: Session, *, site_id: UUID, at: datetime) -> Sequence[Any]:
    """Return the labelled vials of which nothing is left at the site, the last opened first.

    They are empty, were discarded in the last 30 days, or were here once and are elsewhere, or on their way.
    """
    here = select(Location.id).where(Location.site_id == site_id)
    was_here = (
        select(_BEFORE.vial_id).where(_BEFORE.vial_id == Vial.id, _BEFORE.location_id.in_(here)).exists()
    )
    empty = and_(Vial.closed_at.is_(None), Account.balance_ul <= 0)
    elsewhere = or_(Location.site_id != site_id, is_travelling())
    rows = session.execute(
        select(
            Vial.id,
            Vial.label_number,
            Vial.location_id,
            Vial.opened_at,
            Vial.closed_at,
            Lot.lot_number,
            Lot.strength_ng,
            Lot.strength_ul,
            Location.name.label("location"),
            elsewhere.label("is_elsewhere"),
            Product.name.label("product"),
            Product.maker,
            Product.routes,
            Product.default_dose_ng,
            Product.formulation_id,
        )
        .join(Account, at_its_place())
        .join(Lot, Lot.id == Vial.lot_id)
        .join(Product, Product.id == Lot.product_id)
        .join(Location, Location.id == Vial.location_id)
        .where(
            was_here,
            Lot.container_type == ContainerType.MULTI_DOSE,
            Vial.label_number.is_not(None),
            or_(Vial.closed_at > at - REMEMBERED, empty, and_(elsewhere, Vial.closed_at.is_(None))),
        )
        .order_by(Vial.opened_at.desc(), Vial.id.desc())
        .limit(_MOST)
    )
    return [row for row in rows if Route.IM in row.routes.split(",")]
