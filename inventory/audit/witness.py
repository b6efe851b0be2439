"""What the trail witnesses, and how a row is compared with its witness. Knows tables by name only (law 4).

Each act's entry holds, in its payload, the digest of every row it inserted into one of these tables. So a row that was
changed, added or removed behind the application is found by reading the table again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Column, LargeBinary, Table, func, select
from sqlalchemy.orm import Session

from inventory.audit import rules
from inventory.audit.acts import row_key
from inventory.kernel.db import db
from inventory.kernel.numbering import written_number

WITNESSED = (
    "lot",
    "receipt",
    "movement",
    "consent",
    "dose",
    "dose_source",
    "dose_finding",
    "dose_void",
    "not_given",
    "report",
    "report_file",
    "lot_correction",
    "vial_dedication",
    "vial_dedication_end",
    "transfer",
    "transfer_line",
    "transfer_receipt",
    "transfer_receipt_line",
    "stock_count_result",
    "stock_count_line",
    "stock_count_variance",
    "recall_line",
    "recall_contact",
    "temperature_reading",
    "excursion_hold",
    "disposal",
    "disposal_line",
)
"""The insert-only tables whose rows the trail witnesses: all but the trail's own, which the chain itself holds together,
and the logs of looks at patients and of what auditors were shown (`access_entry`, `view_entry`), which nothing witnesses: only the database's laws keep it."""

_BATCH = 500

AsInserted = Callable[[Session, Sequence[Mapping[str, Any]]], Iterable[Mapping[str, Any]]]
AS_INSERTED: dict[str, AsInserted] = {}
"""How the rows of a table that may change lawfully looked when they were inserted. Filled by the room of the table, which knows
what changed them; each change is a witnessed row of its own."""


@dataclass(frozen=True, slots=True)
class Witness:
    """The digest of a row as the entry `seq` of the trail recorded it."""

    digest: str
    seq: int


Witnesses = Mapping[str, Mapping[str, Witness]]
"""Witnesses by table and by key."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A row that is not what its witness says. `what` finishes the sentence that `name` begins."""

    table: str
    name: str
    what: str
    is_gone: bool = False

    def __str__(self) -> str:
        return f"{self.name}: {self.what}"


def compare(session: Session, witnessed: Witnesses) -> Iterator[Doubt]:
    """Read the witnessed rows again and yield a doubt for each that was changed or is gone."""
    for name, witnesses in witnessed.items():
        yield from _compare_table(session, _table(name), witnesses)


def count_rows(session: Session) -> dict[str, int]:
    """Return how many rows each witnessed table has, all at one moment."""
    counts = [
        select(func.count()).select_from(_table(name)).scalar_subquery().label(name) for name in WITNESSED
    ]
    return dict(session.execute(select(*counts)).mappings().one())


def every_row(session: Session, name: str) -> Iterator[tuple[str, str]]:
    """Yield the key and the human name of every row of a table, in short batches by its key."""
    table, codes = _table(name), _site_codes(session)
    first = _first(table)
    last: Any = None
    while True:
        # A batch ends with the whole of a composite key's first part.
        firsts = select(first).distinct().order_by(first).limit(_batch_of(table))
        parts = session.scalars(firsts if last is None else firsts.where(first > last)).all()
        if not parts:
            return
        last = parts[-1]
        for row in _rows(session, table, parts):
            yield _key_of(table, row), named(name, row, codes)


def named(table: str, row: Mapping[str, Any], codes: Mapping[Any, str]) -> str:
    """Return what a person calls a row: dose MAIN-000012 (0193...), lot AB12 (...), or the table and its key."""
    key = _key_of(_table(table), row)
    if table == "dose" and row["site_id"] in codes:
        return f"dose {written_number(codes[row['site_id']], row['number'])} ({key})"
    if "number" in row:
        return f"{_words(table)} {row['number']:06d} ({key})"
    if table == "lot":
        return f"lot {row['lot_number']} ({key})"
    return f"{_words(table)} {key}"


def _site_codes(session: Session) -> dict[Any, str]:
    site = _table("site")
    return {row.id: row.code for row in session.execute(select(site.c.id, site.c.code))}


def _compare_table(session: Session, table: Table, witnesses: Mapping[str, Witness]) -> Iterator[Doubt]:
    unseen, codes = dict(witnesses), _site_codes(session)
    for parts in _batches(_first_parts(table, witnesses), _batch_of(table)):
        for row in _rows(session, table, parts):
            seen = unseen.pop(_key_of(table, row), None)
            if seen is not None and seen.digest != rules.row_digest(row):
                yield Doubt(
                    table.name, named(table.name, row, codes), "the row was changed after it was recorded"
                )
    for key, witness in unseen.items():
        what = f"the row that audit entry {witness.seq} recorded is gone"
        yield Doubt(table.name, f"{_words(table.name)} {key}", what, is_gone=True)


def _rows(session: Session, table: Table, parts: Sequence[Any]) -> Iterable[Mapping[str, Any]]:
    found = session.execute(select(table).where(_first(table).in_(parts)))
    rows = cast("Sequence[Mapping[str, Any]]", found.mappings().all())
    as_inserted = AS_INSERTED.get(table.name)
    return as_inserted(session, rows) if as_inserted else rows


def _first_parts(table: Table, keys: Iterable[str]) -> list[Any]:
    first = _first(table)
    return [_typed(first, text) for text in dict.fromkeys(key.partition("/")[0] for key in keys)]


def _first(table: Table) -> Column[Any]:
    """Return the first column of the primary key: enough to read whole acts, which insert composite keys together."""
    return next(iter(table.primary_key.columns))


def _words(table: str) -> str:
    return table.replace("_", " ")


def _typed(column: Column[Any], text: str) -> Any:
    kind = column.type.python_type
    return UUID(text) if kind is UUID else kind(text)


def _key_of(table: Table, row: Mapping[str, Any]) -> str:
    return row_key(tuple(row[column.name] for column in table.primary_key.columns))


def _batches(values: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def _batch_of(table: Table) -> int:
    """Return how many rows to hold at once: few where a row holds a file."""
    return 5 if any(isinstance(column.type, LargeBinary) for column in table.columns) else _BATCH


def _table(name: str) -> Table:
    return db.metadata.tables[name]
