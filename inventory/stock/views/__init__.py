"""The pages of stock: the shelf, a lot's whole life, an open vial, and a form for each act."""

from uuid import uuid4

from flask import Flask

from inventory.audit.witness import AS_INSERTED
from inventory.stock import presenters, words
from inventory.stock.versions import as_received
from inventory.stock.views import lots, receiving, shelf, vials
from inventory.stock.views.blueprint import bp

__all__ = ["bp", "init_app", "lots", "receiving", "shelf", "vials"]


def init_app(app: Flask) -> None:
    """Let templates word stock and name the act of a one-button form; tell the trail how a corrected lot was received."""
    AS_INSERTED["lot"] = as_received
    shared = {
        "new_request_key": lambda: str(uuid4()),
        "containers_words": presenters.containers_words,
        "hold_words": words.HOLDS,
    }
    app.jinja_env.globals.update(shared)
