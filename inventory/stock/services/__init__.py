"""Every write to stock. Laws kept here: conservation, never negative, one act one transaction; the database holds them too."""

from inventory.stock.services.opening import OpenedVial, open_vial, take_from_shelf
from inventory.stock.services.receiving import Delivery, receive_delivery

__all__ = [
    "Delivery",
    "OpenedVial",
    "open_vial",
    "receive_delivery",
    "take_from_shelf",
]
