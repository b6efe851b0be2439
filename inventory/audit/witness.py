"""What the trail witnesses, and how a row is compared with its witness. Knows tables by name only (law 4).

Each act's entry holds, in its payload, the digest of every row it inserted into one of these tables. So a row that was
changed, added or removed behind the application is found by reading the table again.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Column, LargeBinary, Table, Uuid, func, select
from sqlalchemy.orm import Session

from inventory.audit import rules
from inventory.audit.acts import row_key
from inventory.audit.raw_rows import Row, RowCoder, coder_of, mark, rows_whose, run
from inventory.kernel.db import db, dialect_name
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
    "report_revision",
    "signing_key",
    "erasure",
    "erasure_row",
    "access_digest",
    "lab_result",
    "symptom_score",
    "checklist_answer",
    "gate_rule",
    "incident_note",
    "protocol_version",
    "protocol_step",
    "course",
    "course_change",
    "dose_slot",
    "dose_authority",
    "reaction",
    "reaction_follow_up",
    "reaction_decision",
    "reaction_retraction",
    "patient_merge",
    "patient_merge_undo",
)
"""The insert-only tables whose rows the trail witnesses."""

HELD_OTHERWISE = {
    "audit_entry": "the chain itself holds it: its digest is in its link",
    "audit_payload": "its entry holds a commitment to it",
    "audit_link": "each link holds the hash of the one before",
    "view_entry": "as looks at patients: sealed hour by hour, each seal in the payload of an entry",
    "access_entry": "too many to witness one by one: sealed hour by hour, and the seal (access_digest) is witnessed",
}
"""The insert-only tables whose rows the trail does not witness, each with what holds them instead."""

_WITNESSED = frozenset(WITNESSED)
_BATCH = 1_000
_ID, _NUMBER = re.compile("[0-9a-f]{32}"), re.compile("-?[0-9]{1,18}")

AsInserted = Callable[[Session, Sequence[Mapping[str, Any]]], Iterable[Mapping[str, Any]]]
AS_INSERTED: dict[str, AsInserted] = {}
"""How the rows of a table that may change lawfully looked when they were inserted. Filled by the room of the table, which knows
what changed them; each change is a witnessed row of its own."""


@dataclass(slots=True)
class Witnesses:
    """What some entries say of the rows of one table: the digest of each, and the entry that recorded it, by the row's key."""

    digests: dict[str, str] = field(default_factory=dict)
    _told: list[tuple[int, Mapping[str, str]]] = field(default_factory=list)

    def add(self, seq: int, digests: Mapping[str, str]) -> None:
        """Add what entry `seq` says."""
        self.digests.update(digests)
        self._told.append((seq, digests))

    def seq_of(self, key: str) -> int:
        """Return the entry that recorded the row; the last one, should several say so."""
        return max(seq for seq, digests in self._told if key in digests)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A row that is not what entry `seq` witnessed. `what` finishes the sentence that `name` begins."""

    table: str
    seq: int
    name: str
    what: str
    is_gone: bool = False

    def __str__(self) -> str:
        return f"{self.name}: {self.what}"


def rows_of(payload: str) -> dict[str, dict[str, str]]:
    """Return the witnesses that a payload holds, by table and key; none where it cannot be read any more."""
    try:
        rows: dict[str, Any] = json.loads(payload)["rows"]
        return {
            table: digests for table, digests in rows.items() if table in _WITNESSED and type(digests) is dict
        }
    except (ValueError, LookupError, TypeError, AttributeError):
        return {}


def compare(session: Session, witnessed: Mapping[str, Witnesses]) -> Iterator[Doubt]:
    """Read the witnessed rows again and yield a doubt for each that was changed or is gone."""
    for name, witnesses in witnessed.items():
        yield from _compare_table(session, _coder(name), witnesses)


def count_rows(session: Session) -> dict[str, int]:
    """Return how many rows each witnessed table has, all at one moment."""
    counts = [
        select(func.count()).select_from(_table(name)).scalar_subquery().label(name) for name in WITNESSED
    ]
    return dict(session.execute(select(*counts)).mappings().one())


def every_row(session: Session, name: str) -> Iterator[tuple[str, str]]:
    """Yield the key and the human name of every row of a table, in short batches by its key."""
    coder = _coder(name)
    first = f'"{name}".{_first(coder.table).name}'
    last: Any = None
    while True:
        # A batch ends with the whole of a composite key's first part.
        after = "" if last is None else f"WHERE {first} > {mark()}"
        firsts = (
            f'SELECT DISTINCT {first} FROM "{name}" {after} ORDER BY {first} LIMIT {batch_of(coder.table)}'  # noqa: S608
        )
        parts = [row[0] for row in run(session, firsts, () if last is None else (last,))]
        if not parts:
            return
        last = parts[-1]
        for row in rows_whose(session, coder, _first(coder.table), parts):
            yield coder.key_of(row), _named(session, coder, row)


def _compare_table(session: Session, coder: RowCoder, witnesses: Witnesses) -> Iterator[Doubt]:
    table, unseen = coder.table, dict(witnesses.digests)
    for parts in _batches(_first_parts(table, unseen), batch_of(table)):
        digest_of = _as_it_was(session, coder, parts)
        for row in rows_whose(session, coder, _first(table), parts):
            key = coder.key_of(row)
            digest = unseen.pop(key, None)
            if digest is not None and digest != digest_of(row):
                what = "the row was changed after it was recorded"
                yield Doubt(table.name, witnesses.seq_of(key), _named(session, coder, row), what)
    for key in unseen:
        seq = witnesses.seq_of(key)
        what = f"the row that audit entry {seq} recorded is gone"
        yield Doubt(table.name, seq, f"{_words(table.name)} {key}", what, is_gone=True)


def _as_it_was(session: Session, coder: RowCoder, parts: Sequence[Any]) -> Callable[[Row], str]:
    """Return what digests a row as it was when it was inserted."""
    as_inserted = AS_INSERTED.get(coder.table.name)
    if as_inserted is None:
        return coder.digest
    then = _digests_then(session, coder.table, parts, as_inserted)
    return lambda row: then[coder.key_of(row)]


def _digests_then(
    session: Session, table: Table, parts: Sequence[Any], as_inserted: AsInserted
) -> dict[str, str]:
    key = [column.name for column in table.primary_key.columns]
    typed = [UUID(part) if isinstance(part, str) else part for part in parts]
    found = session.execute(select(table).where(_first(table).in_(typed))).mappings().all()
    rows = as_inserted(session, cast("Sequence[Mapping[str, Any]]", found))
    return {row_key(tuple(row[name] for name in key)): rules.row_digest(row) for row in rows}


def _named(session: Session, coder: RowCoder, row: Row) -> str:
    """Return what a person calls a row: dose MAIN-000012 (0193...), lot AB12 (...), or the table and its key."""
    table, key, named = coder.table.name, coder.key_of(row), dict(zip(coder.names, row, strict=False))
    number = named.get("number")
    if isinstance(number, int):
        code = _site_codes(session).get(str(named["site_id"])) if table == "dose" else None
        return f"{_words(table)} {written_number(code, number) if code else f'{number:06d}'} ({key})"
    if table == "lot":
        return f"lot {named['lot_number']} ({key})"
    return f"{_words(table)} {key}"


def _site_codes(session: Session) -> dict[str, str]:
    site = _table("site")
    return {row.id.hex: row.code for row in session.execute(select(site.c.id, site.c.code))}


def _first_parts(table: Table, keys: Iterable[str]) -> list[Any]:
    """Return the first part of each key as the driver takes it; what no key of this table can be is left out."""
    is_id = isinstance(_first(table).type, Uuid)
    texts = dict.fromkeys(key.partition("/")[0] for key in keys)
    return [text if is_id else int(text) for text in texts if (_ID if is_id else _NUMBER).fullmatch(text)]


def _first(table: Table) -> Column[Any]:
    """Return the first column of the primary key: enough to read whole acts, which insert composite keys together."""
    return next(iter(table.primary_key.columns))


def _words(table: str) -> str:
    return table.replace("_", " ")


def _batches(values: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def batch_of(table: Table) -> int:
    """Return how many rows to hold at once: few where a row holds a file."""
    return 5 if any(isinstance(column.type, LargeBinary) for column in table.columns) else _BATCH


def _coder(name: str) -> RowCoder:
    return coder_of(_table(name), dialect_name())


def _table(name: str) -> Table:
    return db.metadata.tables[name]
