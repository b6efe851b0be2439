"""Vials that hold nothing any more, so that a dose written down late can still name the one it came from."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from inventory.catalogue.models import ContainerType, Product, Route
from inventory.clinic.models import Location
from inventory.stock.models import Account, Lot, Vial
from inventory.stock.queries import at_its_place

REMEMBERED = timedelta(days=30)
_MOST = 50


def used_up_vials(session: Session, *, site_id: UUID, at: datetime) -> Sequence[Any]:
    """Return the site's labelled vials that are empty, or were discarded in the last 30 days, the last opened first."""
    empty = and_(Vial.closed_at.is_(None), Account.balance_ul <= 0)
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
            Location.site_id == site_id,
            Lot.container_type == ContainerType.MULTI_DOSE,
            Vial.label_number.is_not(None),
            or_(Vial.closed_at > at - REMEMBERED, empty),
        )
        .order_by(Vial.opened_at.desc(), Vial.id.desc())
        .limit(_MOST)
    )
    return [row for row in rows if Route.IM in row.routes.split(",")]
