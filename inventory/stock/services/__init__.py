"""Every write to stock. Laws kept here: conservation, never negative, one act one transaction; the database holds them too."""

from inventory.stock.services.adjusting import (
    Difference,
    Direction,
    adjust_shelf,
    adjust_vial,
    may_undo_opening,
    reverse_receipt,
    undo_opening,
)
from inventory.stock.services.approving import approval_needed, may_approve
from inventory.stock.services.arriving import (
    Arrival,
    Arrived,
    cancel_transfer,
    move_stock,
    receive_transfer,
)
from inventory.stock.services.counts import (
    Explanation,
    Tally,
    abandon_count,
    hand_in_count,
    post_count,
    start_count,
)
from inventory.stock.services.holding import hold_lot, place_hold, release_hold
from inventory.stock.services.opening import OpenedVial, open_vial, take_from_shelf
from inventory.stock.services.reasons import DISCARD_REASONS, OPEN_REASONS, SEALED_REASONS, true_on
from inventory.stock.services.receiving import MOST_CONTAINERS, Delivery, receive_delivery
from inventory.stock.services.sending import Consignment, send_transfer
from inventory.stock.services.wasting import (
    Why,
    discard_vial,
    waste_from_vial,
    waste_sealed,
    witness_needed,
    witnessed_reasons,
)

__all__ = [
    "DISCARD_REASONS",
    "MOST_CONTAINERS",
    "OPEN_REASONS",
    "SEALED_REASONS",
    "Arrival",
    "Arrived",
    "Consignment",
    "Delivery",
    "Difference",
    "Direction",
    "Explanation",
    "OpenedVial",
    "Tally",
    "Why",
    "abandon_count",
    "adjust_shelf",
    "adjust_vial",
    "approval_needed",
    "cancel_transfer",
    "discard_vial",
    "hand_in_count",
    "hold_lot",
    "may_approve",
    "may_undo_opening",
    "move_stock",
    "open_vial",
    "place_hold",
    "post_count",
    "receive_delivery",
    "receive_transfer",
    "release_hold",
    "reverse_receipt",
    "send_transfer",
    "start_count",
    "take_from_shelf",
    "true_on",
    "undo_opening",
    "waste_from_vial",
    "waste_sealed",
    "witness_needed",
    "witnessed_reasons",
]
