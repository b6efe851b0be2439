"""Where a benchmark runs: databases on a real disk that keep what they are told, the application, and the machine's name."""

import os
import platform
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from flask import Flask

from inventory.app import create_app
from inventory.demo import services as demo
from inventory.kernel import clock
from tests.support.databases import Database, Databases, close_engines

ENGINE_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
PROJECT = Path(__file__).resolve().parents[1]

# Everything as a fresh installation has it: a commit waits for the disk.
DURABLE = """
max_connections = 60
"""


@dataclass
class Ground:
    """Where one run of the benchmarks finds its databases."""

    databases: Databases
    stack: ExitStack
    quick: bool = False
    _clinics: dict[int, Database] = field(default_factory=dict)

    def clinic(self, doses: int) -> Database:
        """Return the demo clinic with so many doses, on SQLite; built when first asked for, by its own builder."""
        if doses not in self._clinics:
            print(f"Building a clinic of {doses:,} doses ...", flush=True)
            database = self.stack.enter_context(self.databases.fresh("sqlite"))
            app = create_app(database.config(DEMO=True))
            with app.app_context():
                demo.build(at=clock.now(), doses=doses)
            close_engines(app)
            settle(database)
            self._clinics[doses] = database
        return self._clinics[doses]


@contextmanager
def a_ground(*, quick: bool) -> Iterator[Ground]:
    """Give the ground of one run; whatever stood on it is gone afterwards."""
    with databases() as made, ExitStack() as stack:
        yield Ground(made, stack, quick)


@contextmanager
def databases() -> Iterator[Databases]:
    """Give a maker of databases on the project's own disk; whatever it made is gone afterwards."""
    (PROJECT / "instance").mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix="b", dir=PROJECT / "instance", ignore_cleanup_errors=True
    ) as folder:
        made = Databases(Path(folder), postgres_settings=DURABLE)
        try:
            yield made
        finally:
            made.close()


@contextmanager
def running(database: Database, **settings: object) -> Iterator[Flask]:
    """Give the application on `database` with these settings, its context pushed; close its connections afterwards."""
    app = create_app(database.config(**{"TESTING": False, **settings}))
    with app.app_context():
        yield app
    close_engines(app)


def settle(database: Database) -> None:
    """Bring a database that was just filled to rest: fold the log in, gather the planner's statistics."""
    connection = database.connect_as_owner()
    if database.kind == "sqlite":
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    else:
        connection.execute("ANALYZE")
        connection.commit()
    connection.close()


def machine(postgres: str) -> str:
    """Return the machine in a line: cores, system, versions."""
    return (
        f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, PostgreSQL {postgres}"
    )


def postgres_version(database: Database) -> str:
    """Return the version of the server behind `database`, such as 18.1."""
    with psycopg.connect(database.owner_url.replace("+psycopg", "", 1)) as connection:
        return str(connection.info.parameter_status("server_version")).split()[0]
