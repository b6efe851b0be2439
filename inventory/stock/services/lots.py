"""A lot is added: it copies what its product is at that moment (law 9), and gets its accounts."""

from datetime import date

from inventory.audit.acts import Act
from inventory.catalogue.models import Product
from inventory.kernel.ids import uuid7
from inventory.stock import ledger, queries, rules
from inventory.stock.models import Lot


def new_lot(
    act: Act,
    product: Product,
    *,
    lot_number: str,
    expires_on: date,
    expires_month_only: bool = False,
    raw_scan: str | None = None,
) -> Lot:
    """Inside an act: add a lot of `product` without stock. Raises Refusal LOT-NUMBER-INVALID."""
    lot_id = uuid7()
    values = {
        "id": lot_id,
        "product_id": product.id,
        "lot_number": lot_number.strip(),
        "lot_number_key": rules.lot_number_key(lot_number),
        "expires_on": expires_on,
        "expires_month_only": expires_month_only,
        "raw_scan": raw_scan,
        "container_type": product.container_type,
        "strength_ng": product.strength_ng,
        "strength_ul": product.strength_ul,
        "container_volume_ul": product.container_volume_ul,
        "in_use_days": product.in_use_days,
        "created_at": act.recorded_at,
        "created_by_id": act.actor.id,
    }
    act.insert(Lot, values)
    ledger.open_lot_accounts(act.session, lot_id)
    return queries.lot_by_id(act.session, lot_id)
