"""Writes down the laws of a freshly migrated database, for the application to look for: `python -m tests.support.expected_laws`."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from inventory.app import create_app
from inventory.kernel.standing_laws import laws_in_place
from tests.support.databases import ENGINE_KINDS, Database, Databases, close_engines

PLACE = Path(__file__).parents[2] / "inventory" / "kernel" / "expected_laws"
HEAD = '''"""Every trigger of a migrated database of this kind, and a digest of what it does. Made by `python -m tests.support.expected_laws`."""

LAWS = {
'''


def laws_of(database: Database) -> dict[str, str]:
    """Return the laws that stand in a database."""
    app = create_app(database.config())
    with app.app_context():
        found = laws_in_place()
    close_engines(app)
    return found


def written(laws: Mapping[str, str]) -> str:
    """Return the text of the module of one kind of database."""
    return "".join([HEAD, *(f'    "{law}": "{laws[law]}",\n' for law in sorted(laws)), "}\n"])


def main() -> None:
    """Migrate a database of each kind and write down its laws."""
    with tempfile.TemporaryDirectory() as folder:
        databases = Databases(Path(folder))
        for kind in ENGINE_KINDS:
            with databases.fresh(kind) as fresh:
                (PLACE / f"{kind}.py").write_text(written(laws_of(fresh)), encoding="utf-8")
        databases.close()


if __name__ == "__main__":
    main()
