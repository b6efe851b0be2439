"""The pages of the clinic itself."""

from flask import Blueprint, Flask

from inventory.clinic.current import init_sources

bp = Blueprint("clinic", __name__)


def init_app(app: Flask) -> None:
    """Tell the rooms below what the clinic knows."""
    init_sources(app)
