"""What every command of a clinic's own shares: it runs only on a clinic that is there, and says which one.

Law kept here: a command that only reads makes nothing, not even an empty database.
"""

from pathlib import Path
from typing import Any

import click
from alembic.script import ScriptDirectory
from flask import current_app, has_app_context
from flask.cli import AppGroup, ScriptInfo
from sqlalchemy import inspect, text
from sqlalchemy.exc import OperationalError

from inventory.kernel.db import db


class ClinicCommand(click.Command):
    """A command that needs the clinic: without one it ends in one line and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command within the application, if there is a clinic that it fits."""
        if not has_app_context():
            ctx.with_resource(ctx.ensure_object(ScriptInfo).load_app().app_context())
        refuse_without_clinic()
        return super().invoke(ctx)


class ClinicGroup(AppGroup):
    """A group whose commands need the clinic."""

    command_class = ClinicCommand


def refuse_without_clinic() -> None:
    """Refuse where the database is missing, empty, out of reach or of another version. Raises ClickException."""
    file = _sqlite_file()
    if file is not None and not file.exists():
        raise _no_clinic()
    try:
        with db.engine.connect() as connection:
            present = inspect(connection).has_table("alembic_version")
            versions = set(
                connection.scalars(text("SELECT version_num FROM alembic_version")) if present else ()
            )
    except OperationalError as error:
        raise click.ClickException(f"The database {database_name()} cannot be opened.") from error
    if not versions:
        raise _no_clinic()
    if versions != set(ScriptDirectory(current_app.config["MIGRATIONS_DIR"]).get_heads()):
        raise click.ClickException(
            f"The database {database_name()} is of another version; bring it up to date: flask --app wsgi prepare"
        )


def database_name() -> str:
    """Return what the database is called: the file of SQLite, the database of PostgreSQL; never a password."""
    url = db.engine.url
    return (
        Path(url.database or "").name
        if url.get_backend_name() == "sqlite"
        else f"“{url.database}” (PostgreSQL)"
    )


def _sqlite_file() -> Path | None:
    url = db.engine.url
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def _no_clinic() -> click.ClickException:
    if current_app.config["DEMO"]:
        return click.ClickException(f"There is no demo clinic in {database_name()} yet; run make demo.")
    return click.ClickException(
        f"There is no clinic in {database_name()} yet; run make run (for the demo, put DEMO=1 before this command)."
    )
