"""The pages of the staff room: the way in and out, one's own account, and the people of the clinic."""

from flask import Flask

from inventory.staff.current import init_login
from inventory.staff.views import sign_in
from inventory.staff.views.blueprint import bp

__all__ = ["bp", "init_app", "sign_in"]


def init_app(app: Flask) -> None:
    """Attach sign-in to the application."""
    init_login(app)
