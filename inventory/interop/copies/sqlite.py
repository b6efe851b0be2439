"""A clinic in SQLite, copied out and in by SQLite's online backup: a consistent copy while the clinic works.

Never by copying the file: its newest rows are in the write-ahead log beside it.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inventory.interop.copies.archive import ClinicFacts, private_file
from inventory.interop.copies.facts import facts_of
from inventory.kernel.errors import Refusal

_BUSY_SECONDS = 60


def copy_out(database: Path, into: Path) -> ClinicFacts:
    """Copy the live `database` into the new file `into`, check the copy, and return what it says of its clinic."""
    private_file(into)
    with _opened(database) as source, _opened(into) as target:
        source.backup(target)
        # One file, without a log beside it.
        target.execute("PRAGMA journal_mode=DELETE")
    return check(into)


def copy_in(copy: Path, database: Path) -> None:
    """Make `database` what `copy` is. SQLite does it as one transaction: all of it, or none."""
    with _opened(copy) as source, _opened(database) as target:
        target.execute("PRAGMA journal_mode=WAL")
        source.backup(target)


def check(copy: Path) -> ClinicFacts:
    """Return what a copy says of its clinic, once SQLite finds it whole. Raises Refusal BACKUP-DAMAGED."""
    try:
        with _opened(copy) as connection:
            found = connection.execute("PRAGMA integrity_check(3)").fetchall()
            broken = connection.execute("PRAGMA foreign_key_check").fetchone()
            if found != [("ok",)] or broken:
                raise Refusal("BACKUP-DAMAGED", f"SQLite finds the copy damaged: {found[0][0]}.")
            return facts_of(lambda statement: connection.execute(statement).fetchone())
    except sqlite3.DatabaseError as error:
        raise Refusal("BACKUP-DAMAGED", f"SQLite cannot read the copy: {error}.") from error


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()
