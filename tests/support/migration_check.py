"""Checks on both engines that the migrations make what the models say: `python -m tests.support.migration_check`."""

import sys
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from inventory.app import create_app
from inventory.kernel.db import db
from tests.support.databases import (
    ENGINE_KINDS,
    Database,
    Databases,
    close_engines,
    migrated,
    short_lived_folder,
)


def differences(database: Database) -> list[str]:
    """Return what a migrated database lacks or has too much of, next to the models, as Alembic tells it."""
    app = create_app(database.config())
    engine = create_engine(database.owner_url)
    with app.app_context(), engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "target_metadata": db.metadata}
        )
        found = compare_metadata(context, db.metadata)
    engine.dispose()
    close_engines(app)
    return [str(difference) for difference in found]


def heads() -> list[str]:
    """Return the newest revisions; more than one means that two migrations have the same parent."""
    return list(ScriptDirectory(str(Path(__file__).parents[2] / "migrations")).get_heads())


def main() -> int:
    """Print every difference; return 0 when there is none."""
    found = [] if len(heads()) == 1 else [f"the migrations end in {len(heads())} revisions: {heads()}"]
    with short_lived_folder() as folder:
        databases = Databases(folder)
        for kind in ENGINE_KINDS:
            with databases.empty(kind) as empty:
                found += [f"{kind}: {difference}" for difference in differences(migrated(empty))]
        databases.close()
    for difference in found:
        print(difference)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
