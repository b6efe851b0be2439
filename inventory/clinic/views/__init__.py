"""The pages of the clinic itself: the first visit, its settings, its sites and their storage locations."""

from flask import Flask

from inventory.clinic import sight
from inventory.clinic.current import init_sources, site_to_show
from inventory.clinic.views import first_visit, people, places, settings
from inventory.clinic.views.blueprint import bp

__all__ = ["bp", "first_visit", "init_app", "people", "places", "settings"]


def init_app(app: Flask) -> None:
    """Tell the rooms below what the clinic knows, and lead every visitor of an empty clinic to the first visit."""
    init_sources(app)
    sight.init_app(app)
    first_visit.init_app(app)
    app.jinja_env.globals["site_to_show"] = site_to_show
