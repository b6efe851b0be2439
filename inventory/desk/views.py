"""The pages of the desk, each in a module of its own."""

from flask import Flask

from inventory.desk import (
    chart,
    disclosing,
    dose_story,
    due,
    merging,
    recalling,
    recalls,
    record,
    retention,
    today,
)
from inventory.desk.blueprint import bp
from inventory.desk.erasure_queries import waiting_requests
from inventory.kernel.db import db
from inventory.stock.queries.recalls import open_recalls
from inventory.web.navigation import add_badge

__all__ = [
    "bp",
    "chart",
    "disclosing",
    "dose_story",
    "due",
    "init_app",
    "merging",
    "recalling",
    "recalls",
    "record",
    "retention",
    "today",
]


def init_app(app: Flask) -> None:
    """Say in the menu how many recalls are open, and how many requests to erase wait."""
    add_badge(app, "desk.recalls_index", lambda: open_recalls(db.session()))
    add_badge(app, "desk.retention", lambda: waiting_requests(db.session()))
