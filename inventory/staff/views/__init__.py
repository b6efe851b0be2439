"""The pages of the staff room: the way in and out, one's own account, and the people of the clinic."""

from flask import Flask

from inventory.staff.current import init_login
from inventory.staff.presenters import ends_soon
from inventory.staff.views import account, people, sign_in
from inventory.staff.views.blueprint import bp

__all__ = ["account", "bp", "init_app", "people", "sign_in"]


def init_app(app: Flask) -> None:
    """Attach sign-in to the application."""
    init_login(app)
    app.jinja_env.globals["ends_soon"] = ends_soon
