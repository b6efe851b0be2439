"""The triggers of the common laws, as a migration lays them on its tables (law 4). From revision 0003 on.

What they do is pinned by `expected_laws.py`: a change here shows there at once, and needs a migration of its own for the
clinics that stand already.
"""

from collections.abc import Sequence
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
