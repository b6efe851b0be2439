"""The words for stock: where it stands, and a lot's life told as events."""

from inventory.stock.presenters.life import Event, events_of, reason_words
from inventory.stock.presenters.standing import (
    Standing,
    containers_words,
    only_in_state,
    shelf_page,
    shown_state,
    standing_of,
    states_of,
)

__all__ = [
    "Event",
    "Standing",
    "containers_words",
    "events_of",
    "only_in_state",
    "reason_words",
    "shelf_page",
    "shown_state",
    "standing_of",
    "states_of",
]
