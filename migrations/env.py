"""Runs the migrations, as the tables' owner, on either database. Online only: the triggers depend on the engine."""

from alembic import context
from flask import current_app
from sqlalchemy import create_engine, pool

from inventory.kernel.db import UtcDateTime, db, prepare_engine


def render_item(type_, obj, autogen_context):
    """Write our own column type as the plain type it is on the database."""
    if type_ == "type" and isinstance(obj, UtcDateTime):
        autogen_context.imports.add("from inventory.kernel.db import UtcDateTime")
        return "UtcDateTime()"
    return False


def run() -> None:
    owner = current_app.config.get("OWNER_DATABASE_URI")
    engine = create_engine(owner, poolclass=pool.NullPool) if owner else db.engine
    if owner:
        prepare_engine(engine)
    # The migration of an SQLite file is a write like any other: it takes BEGIN IMMEDIATE.
    with engine.connect().execution_options(clinic_write=True) as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_item=render_item,
            compare_type=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
