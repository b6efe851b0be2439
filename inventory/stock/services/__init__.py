"""Every write to stock. Laws kept here: conservation, never negative, one act one transaction; the database holds them too."""

from inventory.stock.services.adjusting import (
    Difference,
    Direction,
    adjust_shelf,
    adjust_vial,
    reverse_receipt,
    undo_opening,
)
from inventory.stock.services.holding import hold_lot, place_hold, release_hold
from inventory.stock.services.opening import OpenedVial, open_vial, take_from_shelf
from inventory.stock.services.receiving import MOST_CONTAINERS, Delivery, receive_delivery
from inventory.stock.services.wasting import (
    OPEN_REASONS,
    SEALED_REASONS,
    Why,
    discard_vial,
    waste_from_vial,
    waste_sealed,
    witness_needed,
)

__all__ = [
    "MOST_CONTAINERS",
    "OPEN_REASONS",
    "SEALED_REASONS",
    "Delivery",
    "Difference",
    "Direction",
    "OpenedVial",
    "Why",
    "adjust_shelf",
    "adjust_vial",
    "discard_vial",
    "hold_lot",
    "open_vial",
    "place_hold",
    "receive_delivery",
    "release_hold",
    "reverse_receipt",
    "take_from_shelf",
    "undo_opening",
    "waste_from_vial",
    "waste_sealed",
    "witness_needed",
]
