"""Rows as the driver gives them, and their digests: what `rules.row_digest` says of the same rows, in a fraction of the time.

A verification reads every row of the record. Making objects of ids and instants only to write them as text again would cost
more than reading and hashing them. So each table has its own coder, made once from its columns; tests compare it with
`rules.row_digest` for every table, type and awkward value. What it cannot read as the column's type has no digest: such a row is not
what was recorded.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from json.encoder import encode_basestring_ascii as quoted
from operator import itemgetter
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, Integer, LargeBinary, String, Table, Uuid
from sqlalchemy.orm import Session

from inventory.kernel.db import UtcDateTime, dialect_name

UNREADABLE = ""
"""In place of the digest of a row that holds what its columns cannot: no digest is equal to it."""

_ARRAYS = {True: "uuid[]", False: "bigint[]"}

Row = Sequence[Any]
Encode = Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class RowCoder:
    """How one table is read and its rows are digested: the columns in the order of their names, then the key's."""

    table: Table
    columns: str
    names: tuple[str, ...]
    key_of: Callable[[Row], str]
    """The key under which the trail names a row."""
    _cells: tuple[tuple[str, Encode], ...]

    def reading(self, condition: str) -> str:
        """Return the statement that reads the rows that keep a condition."""
        return f'SELECT {self.columns} FROM "{self.table.name}" WHERE {condition}'  # noqa: S608  names of our own tables

    def digest(self, row: Row) -> str:
        """Return the digest of a row, which begins with the columns in the order of `names`; UNREADABLE where it has none."""
        try:
            cells = [
                name + encode(value)
                for (name, encode), value in zip(self._cells, row, strict=False)
                if value is not None
            ]
        except (TypeError, ValueError, KeyError, AttributeError):
            return UNREADABLE
        return hashlib.sha256(("{" + ",".join(cells) + "}").encode()).hexdigest()


@cache
def coder_of(table: Table, dialect: str, *, without: tuple[str, ...] = ()) -> RowCoder:
    """Return the coder of a table on a database; `without` leaves columns out of its digests."""
    columns = sorted((c for c in table.columns if c.name not in without), key=lambda c: c.name)
    names = tuple(column.name for column in columns)
    return RowCoder(
        table=table,
        columns=", ".join(_read(table, column, dialect) for column in columns),
        names=names,
        key_of=_key([(names.index(column.name), column) for column in table.primary_key.columns]),
        _cells=tuple((f'"{column.name}":', _encoder(column)) for column in columns),
    )


def _key(parts: Sequence[tuple[int, Column[Any]]]) -> Callable[[Row], str]:
    place, column = parts[0]
    if len(parts) > 1:
        places = [place for place, _ in parts]
        return lambda row: "/".join([str(row[place]) for place in places])
    # An id is text already.
    return itemgetter(place) if isinstance(column.type, Uuid) else lambda row: str(row[place])


def run(session: Session, statement: str, parameters: Sequence[Any] = ()) -> Any:
    """Run a plain statement on the session's connection by the bare driver, within its transaction; return the cursor.

    Parameters are `?` on SQLite and `%s` on PostgreSQL.
    """
    cursor = session.connection().connection.cursor()
    cursor.execute(statement, tuple(parameters))
    return cursor


def mark() -> str:
    """Return how the driver writes a parameter."""
    return "?" if dialect_name() == "sqlite" else "%s"


def rows_whose(
    session: Session, coder: RowCoder, column: Column[Any], values: Sequence[Any]
) -> Iterator[Row]:
    """Yield the rows of a table of which `column` is one of `values`."""
    if dialect_name() == "sqlite":
        among = f"{column} IN (SELECT value FROM json_each(?))"  # noqa: S608  names of our own tables
        yield from run(session, coder.reading(among), [json.dumps(values)])
        return
    among = f"{column} = ANY(%s::{_ARRAYS[isinstance(column.type, Uuid)]})"
    yield from run(session, coder.reading(among), [values])


def rows_between(session: Session, coder: RowCoder, after: int | None, up_to: int) -> list[Row]:
    """Return the rows of a table with a whole number as its key, from beyond `after` (None: from the first) up to `up_to`."""
    lowest, bounds = ("", (up_to,)) if after is None else (f"id > {mark()} AND ", (after, up_to))
    rows: list[Row] = run(session, coder.reading(f"{lowest}id <= {mark()} ORDER BY id"), bounds).fetchall()
    return rows


def _read(table: Table, column: Column[Any], dialect: str) -> str:
    """Return how a column is read: an id and an instant as the text that is hashed."""
    name = f'"{table.name}"."{column.name}"'
    if isinstance(column.type, UtcDateTime):
        said = {
            "sqlite": "replace({0}, ' ', 'T') || 'Z'",
            "postgresql": "to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
        }
        return said[dialect].format(name)
    is_id = dialect == "postgresql" and isinstance(column.type, Uuid)
    return f"replace({name}::text, '-', '')" if is_id else name


def _encoder(column: Column[Any]) -> Encode:
    for kind, encode in _ENCODERS.items():
        if isinstance(column.type, kind):
            return encode
    raise TypeError(f"{column} has a type without a canonical form: {column.type!r}")


def _day(value: Any) -> str:
    return quoted(value if type(value) is str else value.isoformat())


def _content(value: bytes) -> str:
    return f'"{hashlib.sha256(value).hexdigest()}"'


_BOOLEANS = {0: "false", 1: "true"}
_ENCODERS: dict[Any, Encode] = {
    UtcDateTime: quoted,
    Uuid: quoted,
    String: quoted,
    Boolean: _BOOLEANS.__getitem__,
    BigInteger: int.__repr__,
    Integer: int.__repr__,
    Date: _day,
    LargeBinary: _content,
}
"""By type. Each refuses a value of another kind, which SQLite would store; text is always escaped, so that no value can end
its own cell and begin another."""
