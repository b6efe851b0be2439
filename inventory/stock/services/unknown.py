"""A lot that was used and never received: it gets its row, on hold, so that what was done can be written down (law 7)."""

from datetime import date
from uuid import UUID

from inventory.audit.acts import Act
from inventory.catalogue.models import Product
from inventory.kernel.errors import not_found
from inventory.kernel.ids import uuid7
from inventory.stock import ledger, queries, rules
from inventory.stock.models import Hold, HoldKind, Lot


def unknown_lot(act: Act, *, product_id: UUID, lot_number: str, expires_on: date) -> tuple[Lot, bool]:
    """Inside an act: return the lot of that number, and whether it had to be added, on hold, without stock.

    Raises Refusal NOT-FOUND for the product, LOT-NUMBER-INVALID.
    """
    key = rules.lot_number_key(lot_number)
    found = queries.lot_by_number(act.session, product_id=product_id, lot_number=lot_number)
    if found is not None:
        return found, False
    product = act.session.get(Product, product_id)
    if product is None:
        raise not_found("product")
    lot_id = uuid7()
    values = {
        "id": lot_id,
        "product_id": product.id,
        "lot_number": lot_number.strip(),
        "lot_number_key": key,
        "expires_on": expires_on,
        "expires_month_only": False,
        "raw_scan": None,
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
    act.session.add(
        Hold(
            id=uuid7(),
            lot_id=lot_id,
            kind=HoldKind.UNKNOWN_LOT,
            reason="Given before it was received: find out where it came from.",
            held_at=act.recorded_at,
            held_by_id=act.actor.id,
        )
    )
    act.session.flush()
    return queries.lot_by_id(act.session, lot_id), True
