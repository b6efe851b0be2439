"""Whether the laws still stand in the database: every trigger that a migrated database has, enabled and unaltered.

An owner of the tables can drop a trigger, switch it off or put an empty one in its place. It cannot be prevented, so it
is looked for: before serving, and by `flask audit verify`.
"""

import hashlib

from sqlalchemy import text

from inventory.kernel.db import db, dialect_name
from inventory.kernel.expected_laws import EXPECTED_LAWS

_SQLITE = (
    "SELECT tbl_name AS place, name, sql AS words, 'O' AS state FROM sqlite_master WHERE type = 'trigger'"
)
_POSTGRESQL = """
    SELECT pg_class.relname AS place, pg_trigger.tgname AS name, pg_trigger.tgenabled::text AS state,
        pg_get_triggerdef(pg_trigger.oid) || pg_proc.prosrc AS words
    FROM pg_trigger
    JOIN pg_class ON pg_class.oid = pg_trigger.tgrelid
    JOIN pg_namespace ON pg_namespace.oid = pg_class.relnamespace
    JOIN pg_proc ON pg_proc.oid = pg_trigger.tgfoid
    WHERE NOT pg_trigger.tgisinternal AND pg_namespace.nspname = 'public'
"""


def laws_in_place() -> dict[str, str]:
    """Return every enabled trigger of the database as "table.trigger", with a digest of what it does."""
    query = _SQLITE if dialect_name() == "sqlite" else _POSTGRESQL
    return {
        f"{row.place}.{row.name}": hashlib.sha256(row.words.encode()).hexdigest()[:16]
        for row in db.session.execute(text(query))
        if row.state in {"O", "A"}
    }


def missing_laws() -> list[str]:
    """Return a line for each trigger that does not stand as it was written, or that is not ours; empty when all is well."""
    found, expected = laws_in_place(), EXPECTED_LAWS[dialect_name()]
    lacking = [
        f"the law {law} is {'not what it was' if law in found else 'missing or switched off'}"
        for law, digest in expected.items()
        if found.get(law) != digest
    ]
    return lacking + [f"the trigger {law} is not ours" for law in found if law not in expected]
