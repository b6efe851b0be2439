"""What lies at a location of which no temperature can be said to be outside its limits: its product has none recorded."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, contains_eager

from inventory.catalogue.models import Product
from inventory.stock.models import Account, Lot


def unwatched_lots(session: Session, location_id: UUID, *, since: datetime | None = None) -> list[Lot]:
    """Return the lots, with their products, that lie there without limits, or with `since` lay there after that instant."""
    lay = Account.balance_ul > 0
    there = (
        select(Account.lot_id)
        .join(Lot, Lot.id == Account.lot_id)
        .join(Product, Product.id == Lot.product_id)
        .where(
            Account.location_id == location_id,
            Product.storage_min_decicelsius.is_(None),
            Product.storage_max_decicelsius.is_(None),
            lay if since is None else or_(lay, Account.last_occurred_at > since),
        )
    )
    lots = select(Lot).join(Lot.product).options(contains_eager(Lot.product)).where(Lot.id.in_(there))
    return list(session.scalars(lots.order_by(Lot.lot_number, Lot.id)))
