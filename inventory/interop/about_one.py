"""Everything that is recorded about one person: every row of every table that names a record of theirs, and what hangs on it.

Which tables these are is read from the tables themselves, so that one that is added later is in it from its first day.
"""

import base64
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Table, or_, select
from sqlalchemy.orm import Session

from inventory.kernel.db import db

PATIENT = "patient"
_AT_A_TIME = 500
Rows = dict[str, dict[tuple[Any, ...], dict[str, Any]]]
"""Rows by table and primary key."""


def rows_about(session: Session, records: Collection[UUID]) -> Rows:
    """Return every row about the person whose records these are, by table and key.

    A row is about them where it names one of the records, or a row that does: a dose has its sources, an entry of the trail
    its payload.
    """
    found: Rows = {}
    fresh: Rows = {}
    for table, columns in _naming_a_patient():
        fresh[table.name] = _read(session, table, columns, list(records))
    while fresh:
        new = {name: _merged(found, name, rows) for name, rows in fresh.items()}
        fresh = _hanging_on(session, {name: rows for name, rows in new.items() if rows and name != PATIENT})
    return {name: rows for name, rows in sorted(found.items()) if rows}


def _naming_a_patient() -> Iterator[tuple[Table, list[Column[Any]]]]:
    patient = db.metadata.tables[PATIENT]
    yield patient, [patient.c.id]
    for table in db.metadata.sorted_tables:
        columns = [column for column in table.columns if _names_patient(column)]
        if columns and table is not patient:
            yield table, columns


def _names_patient(column: Column[Any]) -> bool:
    return column.name == "patient_id" or any(
        key.target_fullname == f"{PATIENT}.id" for key in column.foreign_keys
    )


def _hanging_on(session: Session, rows: Rows) -> Rows:
    """Return the rows that name one of these by the key of its table.

    A row that names a patient itself is not looked for here: a dose that was written under the wrong record is amended by one
    of somebody else.
    """
    found: Rows = {}
    own = {PATIENT, *(table.name for table, _ in _naming_a_patient())}
    for table in db.metadata.sorted_tables:
        for column in table.columns if table.name not in own else ():
            for key in column.foreign_keys:
                parent, _, target = key.target_fullname.partition(".")
                values = [row[target] for row in rows.get(parent, {}).values()]
                if values:
                    found.setdefault(table.name, {}).update(_read(session, table, [column], values))
    return found


def _merged(
    found: Rows, name: str, rows: dict[tuple[Any, ...], dict[str, Any]]
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Add rows to what was found, and return those that are new."""
    known = found.setdefault(name, {})
    new = {key: row for key, row in rows.items() if key not in known}
    known.update(new)
    return new


def _read(
    session: Session, table: Table, columns: Sequence[Column[Any]], values: Sequence[Any]
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return the rows of which one of the columns has one of the values, by their key and in its order."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for start in range(0, len(values), _AT_A_TIME):
        some = values[start : start + _AT_A_TIME]
        named = select(table).where(or_(*(column.in_(some) for column in columns)))
        for row in session.execute(named.order_by(*table.primary_key.columns)).mappings():
            found[tuple(row[column.name] for column in table.primary_key.columns)] = dict(row)
    return found


def written(value: Any) -> Any:
    """Return a value as JSON has it: instants in UTC, days as 2026-03-16, bytes in base64; numbers, words and nothing as they are."""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value) if isinstance(value, UUID) else value
