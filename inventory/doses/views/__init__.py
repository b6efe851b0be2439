"""The pages of the doses room: give a dose, one dose's record, corrections, lists, incidents."""

from flask import Flask

from inventory.doses.presenters.dose import body_site_words, number_words
from inventory.doses.views import dose, giving
from inventory.doses.views.blueprint import bp

__all__ = ["bp", "dose", "giving", "init_app"]


def init_app(app: Flask) -> None:
    """Let every page word body sites and numbers alike."""
    app.jinja_env.filters.update(body_site=body_site_words, numbered=number_words)
