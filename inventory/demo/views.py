"""How the server meets the demo: it has it built where there is nothing yet, and says who may sign in. It has no page."""

import click
from flask import Blueprint, Flask

from inventory.demo import services
from inventory.demo.people import ACCOUNTS
from inventory.kernel import clock
from inventory.kernel.errors import Refusal
from inventory.staff.rules import DEMO_PASSWORD

bp = Blueprint("demo", __name__)


def init_app(app: Flask) -> None:
    """Hand the server what builds the demo, and what it has to say; in a real clinic neither does anything."""
    app.extensions["demo_builder"] = _build_if_empty
    app.extensions.setdefault("serve_banner", []).append(lambda: _accounts(app))


def _build_if_empty() -> None:
    """Build where there is nothing. Raises ClickException where a building was interrupted: half a clinic misleads."""
    if services.is_empty():
        click.echo("Building the demo clinic (once) ...")
        services.build(at=clock.now())
    try:
        services.refuse_unfinished_clinic()
    except Refusal as refusal:
        raise click.ClickException(f"{refusal.code}: {refusal.message}") from refusal


def _accounts(app: Flask) -> list[str]:
    if not app.config["DEMO"]:
        return []
    names = ", ".join(account.username for account in ACCOUNTS)
    return [f"Sign in as {names}; the password of each is {DEMO_PASSWORD}"]
