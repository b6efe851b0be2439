"""The pages of the doses room: give a dose, one dose's record, corrections, lists, incidents."""

from flask import Flask

from inventory.clinic.current import chosen_site
from inventory.doses.presenters.dose import body_site_words, number_words
from inventory.doses.queries.lists import open_incidents
from inventory.doses.verification import disagreements
from inventory.doses.views import correcting, dose, giving, listing
from inventory.doses.views.blueprint import bp
from inventory.kernel.db import db
from inventory.stock import verification
from inventory.web.navigation import add_badge

__all__ = ["bp", "correcting", "dose", "giving", "init_app", "listing"]


def init_app(app: Flask) -> None:
    """Let every page word body sites and numbers alike, say in the menu how many incidents are open, verify with the stock."""
    add_badge(app, "doses.incidents", _open_here)
    if disagreements not in verification.CHECKS:
        verification.CHECKS.append(disagreements)
    app.jinja_env.filters.update(body_site=body_site_words, numbered=number_words)


def _open_here() -> int:
    site = chosen_site()
    return open_incidents(db.session(), site.id) if site else 0
