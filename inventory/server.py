"""Runs the clinic: `flask serve` brings the database up to date, says where it listens, and serves with waitress.

It sits above the application so that `serve --demo` can make the demo's application in place of the clinic's. Law 4 on
PostgreSQL: the tables are migrated by their owner, the application is served by a role that owns nothing.
"""

import errno
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
import flask_migrate
from flask import Flask, current_app
from flask.cli import with_appcontext
from sqlalchemy import create_engine, make_url
from waitress.server import create_server

from config import SettingError, is_loopback, load_config
from inventory.app import create_app
from inventory.kernel.database_role import grant_application_role, make_queue_schema
from inventory.kernel.standing_laws import missing_laws
from inventory.reports.jobs.process import Keeper, worker_of

BANNER = "serve_banner"
"""Key in `app.extensions` of the callables whose lines are printed before serving: setup code, demo accounts."""

DEMO_BUILDER = "demo_builder"
"""Key in `app.extensions` of the callable that builds the demo clinic where there is none yet."""


@click.command("serve")
@click.option("--demo", is_flag=True, help="Serve an invented clinic, kept apart from a real one.")
@with_appcontext
def serve_command(*, demo: bool) -> None:
    """Bring the database up to date and serve the clinic; HOST and PORT say where."""
    app = _chosen_app(demo=demo)
    refuse_open_door(app)
    # Listening comes first: a second start must not migrate the database beneath the first.
    server = bind(app)
    prepare(app)
    for line in banner(app):
        click.echo(line)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    keep_what_is_made()
    with working(app):
        server.run()
    click.echo("Stopped.")


@contextmanager
def working(app: Flask) -> Iterator[None]:
    """Have long reports made beside the server, by as many processes as WORKERS says, and end them with it."""
    keepers = [Keeper(worker_of(app)) for _ in range(app.config["WORKERS"])]
    for keeper in keepers:
        keeper.start()
    try:
        yield
    finally:
        for keeper in keepers:
            keeper.stop()


def keep_what_is_made() -> None:
    """Spare the garbage collector what was made at the start and stays: it would search it again and again, a report longest."""
    gc.collect()
    gc.freeze()


@click.command("prepare")
@with_appcontext
def prepare_command() -> None:
    """Bring the database up to date, without serving: for gunicorn, and for containers."""
    prepare(_current())
    click.echo("The database is up to date.")


def refuse_open_door(app: Flask) -> None:
    """Refuse to serve beyond this machine without TLS before us: passwords and names would travel readable."""
    host = app.config["HOST"]
    if is_loopback(host) or app.config["HTTPS"]:
        return
    raise click.ClickException(
        f"HOST={host} would serve patients' records unencrypted to other machines. Put a TLS proxy before the clinic and "
        "set BEHIND_TLS_PROXY=1 (docs/deploy.md), or leave HOST at 127.0.0.1."
    )


def prepare(app: Flask) -> None:
    """Migrate as the owner of the tables, grant the application's role its rights, build the demo clinic where due."""
    with app.app_context():
        flask_migrate.upgrade(directory=app.config["MIGRATIONS_DIR"])
    _grant(app)
    refuse_lawless(app)
    builder: Callable[[], None] | None = app.extensions.get(DEMO_BUILDER)
    if app.config["DEMO"] and builder is not None:
        with app.app_context():
            builder()


def refuse_lawless(app: Flask) -> None:
    """Refuse to serve while a law of the database is missing, altered or switched off (law 4)."""
    with app.app_context():
        missing = missing_laws()
    if missing:
        raise click.ClickException(
            "The database does not hold every law of the clinic; it will not be served. Restore a backup, or have its "
            "owner put back what was taken away (docs/audit.md):\n"
            + "\n".join(f"- {line}" for line in missing)
        )


def bind(app: Flask) -> Any:
    """Return a waitress server that listens already. Raises ClickException where the place is taken or not ours."""
    config = app.config
    try:
        return create_server(
            app, host=config["HOST"], port=config["PORT"], threads=config["THREADS"], **_proxy(config)
        )
    except OSError as error:
        place = f"{config['HOST']}:{config['PORT']}"
        reason = (
            "is in use already" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        )
        raise click.ClickException(
            f"{place} {reason}. Choose another with PORT=8001, for example."
        ) from error


def banner(app: Flask) -> list[str]:
    """Return what the person at the terminal must know: the address, and what the rooms have to say."""
    config = app.config
    host = f"[{config['HOST']}]" if ":" in config["HOST"] else config["HOST"]
    kind = "The demo clinic" if config["DEMO"] else "The clinic"
    lines = [f"{kind} is served on http://{host}:{config['PORT']} (stop with Ctrl-C)"]
    with app.app_context():
        for speak in app.extensions.get(BANNER, []):
            lines += speak()
    return lines


def _chosen_app(*, demo: bool) -> Flask:
    app = _current()
    if not demo or app.config["DEMO"]:
        return app
    try:
        return create_app(load_config(os.environ, demo=True))
    except SettingError as error:
        raise click.ClickException(str(error)) from error


def _current() -> Flask:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's documented way
    return app


def _grant(app: Flask) -> None:
    """On PostgreSQL, give the application's role its rights, and the queue its schema."""
    url = make_url(app.config["SQLALCHEMY_DATABASE_URI"])
    if url.get_backend_name() != "postgresql":
        return
    owner = app.config["OWNER_DATABASE_URI"]
    engine = create_engine(owner or url)
    with engine.begin() as connection:
        give = grant_application_role if owner else make_queue_schema
        give(connection, str(url.username))
    engine.dispose()


def _proxy(config: dict[str, Any]) -> dict[str, Any]:
    """Return which address waitress believes when it says for whom it asks; without a proxy, none."""
    if not config["HTTPS"]:
        return {"clear_untrusted_proxy_headers": True}
    return {
        "trusted_proxy": config["TRUSTED_PROXY"],
        "trusted_proxy_count": 1,
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"},
        "clear_untrusted_proxy_headers": True,
    }
