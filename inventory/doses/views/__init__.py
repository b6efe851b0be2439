"""The pages of the doses room: give a dose, one dose's record, corrections, lists, incidents."""

from uuid import UUID

from flask import Flask

from inventory.clinic.current import chosen_site, sites_here
from inventory.doses.presenters.dose import body_site_words, number_words
from inventory.doses.queries.lists import open_incidents
from inventory.doses.verification import disagreements
from inventory.doses.views import correcting, dose, giving, listing
from inventory.doses.views.blueprint import bp
from inventory.kernel.db import db
from inventory.kernel.numbering import written_number
from inventory.stock import verification
from inventory.web.navigation import add_badge

__all__ = ["bp", "correcting", "dose", "giving", "init_app", "listing"]


def init_app(app: Flask) -> None:
    """Let every page word body sites and numbers alike, say in the menu how many incidents are open, verify with the stock."""
    add_badge(app, "doses.incidents", _open_here)
    if disagreements not in verification.CHECKS:
        verification.CHECKS.append(disagreements)
    app.jinja_env.filters.update(body_site=body_site_words, numbered=_numbered)


def _open_here() -> int:
    site = chosen_site()
    return open_incidents(db.session(), site.id) if site else 0


def _numbered(number: int, site_id: UUID | None = None) -> str:
    """Word a number of the room; that of a dose, of which the site is told, as it is written everywhere."""
    code = next((site.code for site in sites_here() if site.id == site_id), "")
    return written_number(code, number) if code else number_words(number)
