"""Every read of stock. Balances are read, never summed from movements, so a page costs the same however long the history."""

from inventory.stock.queries.lots import (
    active_hold_kinds,
    locations_of,
    lot_by_id,
    lot_by_number,
    open_hold,
    receipt_by_id,
    vial_by_id,
)
from inventory.stock.queries.on_hand import Drawable, drawable, on_hand

__all__ = [
    "Drawable",
    "active_hold_kinds",
    "drawable",
    "locations_of",
    "lot_by_id",
    "lot_by_number",
    "on_hand",
    "open_hold",
    "receipt_by_id",
    "vial_by_id",
]
