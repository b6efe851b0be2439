"""Databases for tests: migrated once per run and engine, then copied for each test, so that each test has its own."""

import itertools
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import flask_migrate
import psycopg
from flask import Flask
from sqlalchemy import create_engine, make_url

from config import load_config
from inventory.app import create_app
from inventory.kernel.database_role import grant_application_role
from inventory.kernel.db import db
from inventory.reports.jobs.queue import close_queue
from inventory.server import DEMO_BUILDER
from tests.support.postgres import APPLICATION_ROLE, FAST_AND_LOSSY, OWNER_ROLE, Postgres, running_postgres
from tests.support.signing_key import TEST_SECRETS, signing_key_file

ENGINE_KINDS = ("sqlite", "postgresql")
MEMORY = Path("/dev/shm")  # noqa: S108 - temporary files are what it is for
ENOUGH_MEMORY = 2 * 1024**3


@contextmanager
def short_lived_folder() -> Iterator[Path]:
    """Give a folder for what one test run writes: in memory where there is room, so that no commit waits for a disk."""
    in_memory = (
        MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH_MEMORY
    )
    with tempfile.TemporaryDirectory(
        prefix="clinic-", dir=MEMORY if in_memory else None, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


class OwnerConnection(Protocol):
    """A connection of the bare driver (sqlite3 or psycopg), as the owner of the tables."""

    def execute(self, statement: str, parameters: Any = ..., /) -> Any: ...
    def commit(self) -> None: ...
    def rollback(self) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class Database:
    """One migrated database of a test's own."""

    kind: str
    url: str
    owner_url: str
    instance: Path

    def config(self, **settings: object) -> dict[str, Any]:
        """Return the application's configuration for this database."""
        env = {"DATABASE_URL": self.url, "DEMO_DATABASE_URL": self.url, "INSTANCE": str(self.instance)}
        return {
            **load_config(env | TEST_SECRETS, demo=bool(settings.get("DEMO"))),
            "SIGNING_KEY_FILE": str(signing_key_file()),
            "TESTING": True,
            **settings,
        }

    def connect_as_owner(self) -> OwnerConnection:
        """Return a connection of the bare driver that goes around the application."""
        if self.kind == "sqlite":
            connection = sqlite3.connect(str(make_url(self.owner_url).database), timeout=20)
            connection.execute("PRAGMA foreign_keys=ON")
            return connection
        return psycopg.connect(self.owner_url.replace("+psycopg", "", 1))


def close_engines(app: Flask) -> None:
    """Give back every connection an application holds."""
    close_queue(app)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def migrated(database: Database) -> Database:
    """Bring a database to the newest revision, as its owner; on PostgreSQL grant the application's role what it needs."""
    app = create_app(database.config(OWNER_DATABASE_URI=database.owner_url))
    with app.app_context():
        flask_migrate.upgrade(directory=app.config["MIGRATIONS_DIR"])
    close_engines(app)
    if database.kind == "postgresql":
        engine = create_engine(database.owner_url)
        with engine.begin() as connection:
            grant_application_role(connection, APPLICATION_ROLE)
        engine.dispose()
    return database


@dataclass
class Databases:
    """Makes databases for tests; servers and templates are made when first asked for."""

    folder: Path
    postgres_settings: str = FAST_AND_LOSSY
    _stack: ExitStack = field(default_factory=ExitStack)
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _templates: dict[str, Database] = field(default_factory=dict)
    _demos: dict[str, Database] = field(default_factory=dict)

    @cached_property
    def postgres(self) -> Postgres:
        """The server of this run, started when first asked for."""
        return self._stack.enter_context(running_postgres(self.folder, settings=self.postgres_settings))

    @contextmanager
    def fresh(self, kind: str) -> Iterator[Database]:
        """Give a migrated database of its own, and drop it afterwards (20 to 30 ms altogether)."""
        with self.copy_of(self._template(kind)) as database:
            yield database

    @contextmanager
    def demo(self, kind: str) -> Iterator[Database]:
        """Give a copy of the demo clinic, built once per run and engine, and drop it afterwards."""
        if kind not in self._demos:
            demo = self._stack.enter_context(self.fresh(kind))
            app = create_app(demo.config(DEMO=True))
            with app.app_context():
                app.extensions[DEMO_BUILDER]()
            close_engines(app)
            _fold_wal(demo)
            self._demos[kind] = demo
        with self.copy_of(self._demos[kind]) as copy:
            yield copy

    @contextmanager
    def empty(self, kind: str) -> Iterator[Database]:
        """Give a database without any table, and drop it afterwards."""
        database = self._place(kind, self._name())
        if kind == "postgresql":
            self.postgres.create(self._database_name(database))
        yield database
        self._drop(database)

    @contextmanager
    def copy_of(self, template: Database) -> Iterator[Database]:
        """Give a copy of `template`, to which nothing may be connected, and drop it afterwards."""
        copy = self._place(template.kind, self._name())
        if template.kind == "sqlite":
            shutil.copyfile(self._database_name(template), self._database_name(copy))
        else:
            self.postgres.create(self._database_name(copy), template=self._database_name(template))
        yield copy
        self._drop(copy)

    def close(self) -> None:
        """Stop the server, if it was started."""
        self._stack.close()

    def _template(self, kind: str) -> Database:
        if kind not in self._templates:
            template = self._stack.enter_context(self.empty(kind))
            _fold_wal(migrated(template))
            self._templates[kind] = template
        return self._templates[kind]

    def _name(self) -> str:
        return f"test_{os.getpid()}_{next(self._numbers)}"

    def _place(self, kind: str, name: str) -> Database:
        instance = self.folder / name
        instance.mkdir()
        if kind == "sqlite":
            url = f"sqlite:///{(instance / 'clinic.sqlite3').as_posix()}"
            return Database(kind, url, url, instance)
        application, owner = (
            self.postgres.url(name, role).render_as_string(hide_password=False)
            for role in (APPLICATION_ROLE, OWNER_ROLE)
        )
        return Database(kind, application, owner, instance)

    def _drop(self, database: Database) -> None:
        if database.kind == "postgresql":
            self.postgres.drop(self._database_name(database))
        shutil.rmtree(database.instance)

    def _database_name(self, database: Database) -> str:
        return str(make_url(database.url).database)


def _fold_wal(database: Database) -> None:
    """Fold SQLite's write-ahead log into the file, so that copying the file copies everything."""
    if database.kind == "sqlite":
        connection = database.connect_as_owner()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
