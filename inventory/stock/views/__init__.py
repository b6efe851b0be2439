"""The pages of stock: the shelf, a lot's whole life, an open vial, and a form for each act."""

from uuid import uuid4

from flask import Flask

from inventory.audit.witness import AS_INSERTED
from inventory.clinic.current import settings_here
from inventory.kernel.money import format_minor
from inventory.stock import belonging, presenters, words
from inventory.stock.versions import as_received
from inventory.stock.views import (
    counts,
    disposals,
    excursions,
    holds,
    lots,
    receiving,
    reconciliation,
    shelf,
    temperatures,
    transfers,
    vials,
    waste_cost,
)
from inventory.stock.views.blueprint import bp
from inventory.web.navigation import add_badge

__all__ = [
    "belonging",
    "bp",
    "counts",
    "disposals",
    "excursions",
    "holds",
    "init_app",
    "lots",
    "receiving",
    "reconciliation",
    "shelf",
    "temperatures",
    "transfers",
    "vials",
    "waste_cost",
]


def init_app(app: Flask) -> None:
    """Let templates word stock and name the act of a one-button form; tell the trail how a corrected lot was received."""
    AS_INSERTED["lot"] = as_received
    shared = {
        "new_request_key": lambda: str(uuid4()),
        "containers_words": presenters.containers_words,
        "hold_words": words.hold_words,
    }
    app.jinja_env.globals.update(shared)
    add_badge(app, "stock.transfer_list", transfers.waiting_here)
    app.jinja_env.filters["price"] = _price


def _price(minor: int) -> str:
    """Word an amount of the smallest unit of the clinic's currency: 4.75 USD."""
    currency = settings_here().currency
    return f"{format_minor(minor, currency)} {currency}"
