"""The front door: builds the application from a configuration. Imports every room; no room imports it.

A room is entered by convention: `models` are known to the database, `erasing` says what an erasure makes of its rows,
`views.bp` is served, `commands.COMMANDS` are added to the command line.
"""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from flask import Flask

from inventory import web
from inventory.kernel import db as database

ROOT = Path(__file__).resolve().parent.parent
ROOMS = (
    "audit",
    "staff",
    "clinic",
    "catalogue",
    "stock",
    "patients",
    "courses",
    "doses",
    "reorder",
    "reports",
    "interop",
    "desk",
    "demo",
)


def create_app(config: Mapping[str, Any]) -> Flask:
    """Return the application for `config` (see config.py), with every room registered. Touches no table."""
    app = Flask("inventory", root_path=str(ROOT), template_folder="templates", static_folder="static")
    app.config.from_mapping(config)
    app.config.setdefault("MIGRATIONS_DIR", str(ROOT / "migrations"))
    _import_rooms("models")
    _import_rooms("erasing")
    database.init_app(app)
    web.init_app(app)
    for views in _import_rooms("views"):
        app.register_blueprint(views.bp)
        if hasattr(views, "init_app"):
            views.init_app(app)
    for commands in _import_rooms("commands"):
        for command in commands.COMMANDS:
            app.cli.add_command(command)
    return app


def _import_rooms(part: str) -> list[Any]:
    names = (f"inventory.{room}.{part}" for room in ROOMS)
    return [import_module(name) for name in names if find_spec(name)]
