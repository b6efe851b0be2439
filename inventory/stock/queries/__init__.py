"""Every read of stock. Balances are read, never summed from movements, so a page costs the same however long the history."""

from inventory.stock.queries.life import (
    Life,
    Told,
    balances_of,
    holds_of,
    life_of,
    location_names,
    names_of,
    receipts_of,
    vial_life,
    vials_of,
)
from inventory.stock.queries.lots import (
    active_hold_kinds,
    left_and_moved,
    locations_of,
    lot_by_id,
    lot_by_number,
    open_hold,
    receipt_by_id,
    vial_by_id,
)
from inventory.stock.queries.on_hand import (
    Drawable,
    active_holds,
    at_its_place,
    drawable,
    on_hand,
    vial_on_hand,
)
from inventory.stock.queries.shelf import ShelfGroup, ShelfLot, lots_page, shelf

__all__ = [
    "Drawable",
    "Life",
    "ShelfGroup",
    "ShelfLot",
    "Told",
    "active_hold_kinds",
    "active_holds",
    "at_its_place",
    "balances_of",
    "drawable",
    "holds_of",
    "left_and_moved",
    "life_of",
    "location_names",
    "locations_of",
    "lot_by_id",
    "lot_by_number",
    "lots_page",
    "names_of",
    "on_hand",
    "open_hold",
    "receipt_by_id",
    "receipts_of",
    "shelf",
    "vial_by_id",
    "vial_life",
    "vial_on_hand",
    "vials_of",
]
