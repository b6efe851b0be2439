"""A lot that was used and never received: it gets its row, on hold, so that what was done can be written down (law 7)."""

from datetime import date
from uuid import UUID

from inventory.audit.acts import Act
from inventory.catalogue.models import Product
from inventory.kernel.errors import not_found
from inventory.stock import queries
from inventory.stock.models import HoldKind, Lot
from inventory.stock.queries.named_lots import wait_for_recalls
from inventory.stock.services.holding import place_hold
from inventory.stock.services.lots import new_lot, refuse_merged
from inventory.stock.services.recalled import hold_if_recalled

WHY = "Given before it was received: find out where it came from."


def unknown_lot(act: Act, *, product_id: UUID, lot_number: str, expires_on: date) -> tuple[Lot, bool]:
    """Inside an act: return the lot of that number, and whether it had to be added, on hold, without stock.

    Raises Refusal NOT-FOUND for the product, LOT-NUMBER-INVALID, LOT-MERGED.
    """
    found = queries.lot_by_number(act.session, product_id=product_id, lot_number=lot_number)
    if found is not None:
        refuse_merged(act.session, found)
        return found, False
    product = act.session.get(Product, product_id)
    if product is None:
        raise not_found("product")
    wait_for_recalls(act.session)
    lot = new_lot(act, product, lot_number=lot_number, expires_on=expires_on)
    place_hold(act, lot.id, HoldKind.UNKNOWN_LOT, WHY)
    hold_if_recalled(act, lot)
    act.session.flush()
    return lot, True
