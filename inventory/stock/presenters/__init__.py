"""The words for stock: where it stands, and a lot's life told as events."""

from inventory.stock.presenters.counts import (
    CSV_HEADING,
    by_product,
    count_state,
    counted_words,
    csv_rows,
    shown_counts,
    shown_lines,
    shown_rates,
    since_words,
)
from inventory.stock.presenters.discarding import ToDiscard, at_once, likely_reason, to_discard
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
    "CSV_HEADING",
    "Event",
    "Standing",
    "ToDiscard",
    "at_once",
    "by_product",
    "containers_words",
    "count_state",
    "counted_words",
    "csv_rows",
    "events_of",
    "likely_reason",
    "only_in_state",
    "reason_words",
    "shelf_page",
    "shown_counts",
    "shown_lines",
    "shown_rates",
    "shown_state",
    "since_words",
    "standing_of",
    "states_of",
    "to_discard",
]
