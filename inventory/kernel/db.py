"""The database: typed base, instants in UTC, and the unit of work that holds the only commit (law 5).

A read is an ordinary transaction. A write happens inside `unit_of_work`: on SQLite it takes a fair turn and BEGIN
IMMEDIATE (a transaction that reads first and writes later starves), on PostgreSQL it is READ COMMITTED with row locks.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import (
    BigInteger,
    BindParameter,
    DateTime,
    Dialect,
    Engine,
    Integer,
    MetaData,
    Uuid,
    bindparam,
    event,
    text,
)
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import DeclarativeBase, Session, registry
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

from inventory.kernel.turns import WritersTurn

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant in UTC: timestamptz on PostgreSQL, fixed-width ISO text (so that it sorts) on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive instant; SQLite stores it without its offset, which is always zero."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        instant = value.astimezone(UTC)
        return instant.replace(tzinfo=None) if dialect.name == "sqlite" else instant

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the instant back aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


BigInt = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit whole number; SQLite's INTEGER is 64 bits already and only so becomes a row id."""


class Base(DeclarativeBase):
    """Base of every model: named constraints, aware instants, 64-bit whole numbers."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMING), type_annotation_map={datetime: UtcDateTime, int: BigInt}
    )


class OneDatabaseSession(FlaskSession):
    """A session that knows its engine. There is one database: nothing has to be looked up for each statement.

    Inside a unit of work, `writes_on` is its connection. A statement about tables alone goes straight there: it is the same
    transaction, without the detour through what only mapped objects need.
    """

    _engine: Engine | None = None
    writes_on: Connection | None = None

    def execute(self, statement: Any, params: Any = None, **how: Any) -> Any:
        """Run a statement."""
        if self.writes_on is None or how or _is_mapped(statement):
            return super().execute(statement, params, **how)
        return self.writes_on.execute(statement, params)

    def scalar(self, statement: Any, params: Any = None, **how: Any) -> Any:
        """Run a statement and return the first column of its first row, or None."""
        if self.writes_on is None or how or _is_mapped(statement):
            return super().scalar(statement, params, **how)
        return self.writes_on.scalar(statement, params)

    def get_bind(self, *_of_what: Any, bind: Any = None, **_more: Any) -> Any:
        """Return the engine, whatever the statement is about, or `bind` where one was given."""
        if bind is not None:
            return bind
        if self._engine is None:
            self._engine = self._db.engine
        return self._engine


def _is_mapped(statement: Any) -> bool:
    """Tell whether a statement names mapped classes; if SQLAlchemy ceased to say so, every statement would take the detour."""
    return bool(getattr(statement, "_propagate_attrs", True))


db = SQLAlchemy(
    model_class=Base,
    disable_autonaming=True,
    session_options={"class_": OneDatabaseSession, "expire_on_commit": False, "autoflush": False},
)
migrate = Migrate()

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


def only_where(condition: str) -> dict[str, Any]:
    """Return the arguments that make an index partial, on both databases."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def an_id(name: str, *, many: bool = False) -> BindParameter[Any]:
    """Return the parameter `name` of a statement made once and sent often: an id, or with `many` a list of them for `in_`.

    It says its type itself: a foreign key's column has none until the table it points to has been imported.
    """
    return bindparam(name, type_=Uuid(), expanding=many)


_before_commit: list[Callable[[Session], None]] = []


def before_commit(hook: Callable[[Session], None]) -> Callable[[Session], None]:
    """Register `hook` to run as the last thing before every unit of work commits."""
    _before_commit.append(hook)
    return hook


def is_writing() -> bool:
    """Tell whether the present session is inside a unit of work."""
    return bool(db.session().info.get("writing"))


def dialect_name() -> str:
    """Return `sqlite` or `postgresql`."""
    return db.engine.dialect.name


@contextmanager
def unit_of_work() -> Iterator[Session]:
    """Run the block as one transaction: all of it is committed, or none.

    Whatever was read before is forgotten first, so that a decision inside the block reads what is true now.
    `session.info["notes"]` is a mapping that lives as long as the transaction, for what hooks must do before it commits.
    """
    session = cast(OneDatabaseSession, db.session())
    if session.info.get("writing"):
        raise RuntimeError("a unit of work is already open")
    session.rollback()
    with _turn():
        session.info["writing"] = True
        session.info["notes"] = {}
        try:
            session.writes_on = session.connection(execution_options={"clinic_write": True})
            yield session
            session.flush()
            for hook in _before_commit:
                hook(session)
            session.commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            session.info["writing"] = False
            session.writes_on = None


def _turn() -> Any:
    turn: WritersTurn | None = getattr(db.engine, "clinic_turn", None)
    return turn.taken() if turn is not None else nullcontext()


def init_app(app: Flask) -> None:
    """Attach the database to `app` and prepare its engine."""
    db.init_app(app)
    migrate.init_app(
        app, db, directory=app.config["MIGRATIONS_DIR"], render_as_batch=False, compare_type=True
    )
    with app.app_context():
        prepare_engine(db.engine)


def prepare_engine(engine: Engine) -> None:
    """Teach an SQLite engine our pragmas, transactions and turns; PostgreSQL needs only its search path."""
    if engine.dialect.name != "sqlite":
        event.listen(engine, "connect", _prepare_postgresql)
        return
    database = engine.url.database
    in_file = database not in {None, "", ":memory:"}
    engine.clinic_turn = WritersTurn(database if in_file else None)  # type: ignore[attr-defined]
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "engine_disposed", lambda one: one.clinic_turn.close())


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    # The driver must not open transactions on its own: BEGIN is ours, below.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "recursive_triggers=ON",
        "busy_timeout=20000",
        "trusted_schema=OFF",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("clinic_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _prepare_postgresql(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    # A temporary table must never stand before ours.
    cursor.execute("SET search_path TO public, pg_temp")
    cursor.execute("SET timezone TO 'UTC'")
    cursor.close()
    connection.commit()


@event.listens_for(Session, "before_flush")
def _only_in_a_unit_of_work(session: Session, _context: Any, _instances: Any) -> None:
    if (session.new or session.dirty or session.deleted) and not session.info.get("writing"):
        raise RuntimeError("a write outside a unit of work")
