"""The triggers of the common laws, as a migration lays them on its tables (law 4). From revision 0003 on.

What they do is pinned by `expected_laws.py`: a change here shows there at once, and needs a migration of its own for the
clinics that stand already.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy.engine import Connection


def insert_only(bind: Connection, table: str, key: Sequence[str]) -> None:
    """Refuse to change, take out or replace a row of `table`, whose primary key is `key`."""
    if bind.dialect.name == "postgresql":
        _refuse_on_postgresql(bind, table, "UPDATE OR DELETE OR TRUNCATE", "insert_only")
        return
    _refuse_on_sqlite(bind, table, "UPDATE", "insert_only")
    _refuse_on_sqlite(bind, table, "DELETE", "insert_only")
    _refuse_replacing(bind, table, key, "insert_only")


def undeletable(bind: Connection, table: str, key: Sequence[str] = ("id",)) -> None:
    """Refuse to take out or replace a row of `table`; it may be changed."""
    if bind.dialect.name == "postgresql":
        _refuse_on_postgresql(bind, table, "DELETE OR TRUNCATE", "undeletable")
        return
    _refuse_on_sqlite(bind, table, "DELETE", "undeletable")
    _refuse_replacing(bind, table, key, "undeletable")


def finished_once(bind: Connection, table: str, columns: Sequence[str]) -> None:
    """Let a row of `table` change in `columns` only, and not at all once the first of them is filled."""
    if bind.dialect.name == "postgresql":
        arguments = ", ".join(f"'{column}'" for column in columns)
        bind.exec_driver_sql(
            f"CREATE TRIGGER {table}_finished_once BEFORE UPDATE ON public.{table}"
            f" FOR EACH ROW EXECUTE FUNCTION public.finish_once({arguments})"
        )
        return
    every = [row[1] for row in bind.exec_driver_sql(f"PRAGMA table_info({table})")]
    kept = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in every if name not in columns)
    bind.exec_driver_sql(
        f"CREATE TRIGGER {table}_finished_once BEFORE UPDATE ON {table} BEGIN"
        f" SELECT RAISE(ABORT, 'law:finished_once:{table}') WHERE OLD.{columns[0]} IS NOT NULL OR {kept}; END"
    )


def blanked_only(
    bind: Connection,
    table: str,
    key: str,
    blanks: Mapping[str, str | bytes],
    *,
    is_finished_once: bool = False,
) -> None:
    """Let an erasure that names a row of `table`, by its column `key`, turn `blanks` to what they say, and change nothing else.

    The table is insert-only already, or with `is_finished_once` one whose rows may be finished once. What is empty stays empty.
    Needs the table `erasure_row`, and on PostgreSQL the functions of revision 0007.
    """
    on_its_own = _blanked_on_postgresql if bind.dialect.name == "postgresql" else _blanked_on_sqlite
    on_its_own(bind, table, key, blanks, is_finished_once=is_finished_once)


def _blanked_on_sqlite(
    bind: Connection, table: str, key: str, blanks: Mapping[str, str | bytes], *, is_finished_once: bool
) -> None:
    rows = f"SELECT 1 FROM erasure_row WHERE table_name = '{table}' AND owner_key = OLD.{key} AND is_blanked"  # noqa: S608
    named = f"EXISTS ({rows})"
    every = [row[1] for row in bind.exec_driver_sql(f"PRAGMA table_info({table})")]
    differs = [f"NEW.{name} IS NOT OLD.{name}" for name in every if name not in blanks]
    differs += [f"NEW.{name} IS NOT {_blank_on_sqlite(name, blank)}" for name, blank in blanks.items()]
    guard = f"{table}_{'finished_once' if is_finished_once else 'no_update'}"
    found = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = ?"
    standing = bind.exec_driver_sql(found, (guard,)).scalar_one()
    bind.exec_driver_sql(f"DROP TRIGGER {guard}")
    bind.exec_driver_sql(standing.replace(" BEGIN", f" WHEN NOT {named} BEGIN", 1))
    bind.exec_driver_sql(
        f"CREATE TRIGGER {table}_blanked_only BEFORE UPDATE ON {table} WHEN {named} AND ({' OR '.join(differs)})"
        f" BEGIN SELECT RAISE(ABORT, 'law:blanked_only:{table}'); END"
    )


def _blank_on_sqlite(name: str, blank: str | bytes) -> str:
    words = "x''" if isinstance(blank, bytes) else f"'{blank}'"
    return f"(CASE WHEN OLD.{name} IS NULL THEN NULL ELSE {words} END)"


def _blanked_on_postgresql(
    bind: Connection, table: str, key: str, blanks: Mapping[str, str | bytes], *, is_finished_once: bool
) -> None:
    pairs = [(name, "\\x" if isinstance(blank, bytes) else blank) for name, blank in blanks.items()]
    arguments = ", ".join(f"'{word}'" for word in (key, *(word for pair in pairs for word in pair)))
    named = f"public.is_erased('{table}', OLD.{key})"
    if is_finished_once:
        found = "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = %s"
        standing = bind.exec_driver_sql(found, (f"{table}_finished_once",)).scalar_one()
        bind.exec_driver_sql(f"DROP TRIGGER {table}_finished_once ON public.{table}")
        bind.exec_driver_sql(standing.replace(" EXECUTE", f" WHEN (NOT {named}) EXECUTE", 1))
    else:
        bind.exec_driver_sql(f"DROP TRIGGER {table}_insert_only ON public.{table}")
        _refuse_on_postgresql(bind, table, "DELETE OR TRUNCATE", "insert_only")
        bind.exec_driver_sql(
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON public.{table} FOR EACH ROW"
            f" WHEN (NOT {named}) EXECUTE FUNCTION public.refuse_change('insert_only')"
        )
    bind.exec_driver_sql(
        f"CREATE TRIGGER {table}_blanked_only BEFORE UPDATE ON public.{table} FOR EACH ROW"
        f" WHEN ({named}) EXECUTE FUNCTION public.blank_only({arguments})"
    )


def run_script(bind: Connection, script: Path) -> None:
    """Run the statements of a file, which a line of `;;` divides."""
    for statement in script.read_text(encoding="utf-8").split("\n;;\n"):
        # The driver of PostgreSQL reads a percent sign as a placeholder.
        doubled = statement.replace("%", "%%") if bind.dialect.name == "postgresql" else statement
        bind.exec_driver_sql(doubled)


def _refuse_on_sqlite(bind: Connection, table: str, operation: str, law: str) -> None:
    bind.exec_driver_sql(
        f"CREATE TRIGGER {table}_no_{operation.lower()} BEFORE {operation} ON {table}"
        f" BEGIN SELECT RAISE(ABORT, 'law:{law}:{table}'); END"
    )


def _refuse_replacing(bind: Connection, table: str, key: Sequence[str], law: str) -> None:
    """REPLACE deletes without firing a delete trigger, whatever the pragma says."""
    same = " AND ".join(f"{column} = NEW.{column}" for column in key)
    known = f"EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608  names of our own tables
    bind.exec_driver_sql(
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} BEGIN"
        f" SELECT RAISE(ABORT, 'law:{law}:{table}') WHERE {known}; END"
    )


def _refuse_on_postgresql(bind: Connection, table: str, operations: str, law: str) -> None:
    bind.exec_driver_sql(
        f"CREATE TRIGGER {table}_{law} BEFORE {operations} ON public.{table}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change('{law}')"
    )
