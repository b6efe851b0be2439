"""How an erasure makes rows nameless and leaves the chain whole (law 10). Knows tables by name only.

Each room says which of its rows are about a patient and what becomes of their columns; the database lets an erasure do
that and nothing else. What an erased payload witnessed, and every row as it is afterwards, is witnessed anew by the entry
of the erasure: verification goes on from there.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast
from uuid import UUID

from sqlalchemy import RowMapping, Table, case, select, update
from sqlalchemy.orm import Session

from inventory.audit import rules, witness
from inventory.audit.acts import Act, row_key
from inventory.audit.models import AuditEntry, AuditPayload, Erasure, ErasureKind, ErasureRow
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.ids import uuid7

ERASED = "Erased"
ERASE_PATIENT = "patients.erase"
BIRTH_ERASED = date(1900, 1, 1)
"""What stands for the birth date of somebody whose record was erased."""
_BATCH = 200

Owned = Callable[[Session, UUID], Iterable[UUID]]


@dataclass(frozen=True, slots=True)
class Erasable:
    """The rows of one table that an erasure blanks: `owner` is the column that names them, `blanks` what becomes of the others.

    `owned` finds the values of `owner` for a patient. A column that is empty stays so.
    """

    table: str
    owner: str
    blanks: Mapping[str, str | bytes | date]
    owned: Owned


ERASABLE: dict[str, Erasable] = {}
"""By table, what the rooms have declared."""


def erasable(table: str, owner: str, owned: Owned, **blanks: str | bytes | date) -> None:
    """Declare that rows of `table` are about a patient, and what an erasure makes of their columns."""
    ERASABLE[table] = Erasable(table, owner, blanks, owned)


def begin_erasure(act: Act, *, kind: ErasureKind, second_id: UUID, request_id: UUID | None = None) -> UUID:
    """Inside an act: write down that this erasure is carried out, and by which two people. Returns its id."""
    values = {
        "id": uuid7(),
        "request_id": request_id,
        "kind": kind,
        "at": act.recorded_at,
        "actor_id": act.actor.id,
        "second_id": second_id,
    }
    made: UUID = act.insert(Erasure, values)
    return made


def erase_rows(act: Act, erasure_id: UUID, patient_id: UUID) -> dict[str, int]:
    """Inside an act: blank every row about the patient, then the payloads of the entries about them. Returns how many, by table.

    Raises Refusal ERASURE-TRAIL-UNWELL, and nothing is erased, where one of those payloads or a row that it witnessed is
    not as it was recorded: an erasure must not cover what somebody changed.
    """
    payloads = list(_payloads(act.session, patient_id))
    _refuse_unwell(act.session, payloads)
    counts: dict[str, int] = {}
    for one in ERASABLE.values():
        counts[one.table] = blank(act, erasure_id, one, set(one.owned(act.session, patient_id)))
    counts["audit_payload"] = _blank_payloads(act, erasure_id, payloads)
    return {table: count for table, count in counts.items() if count}


def blank(act: Act, erasure_id: UUID, one: Erasable, owners: Collection[UUID]) -> int:
    """Inside an act: name the rows of these owners in the erasure, then blank them. Returns how many."""
    table = db.metadata.tables[one.table]
    owner, blanked = table.c[one.owner], 0
    emptied = {name: case((table.c[name].is_(None), None), else_=value) for name, value in one.blanks.items()}
    for some in _batches(sorted(owners)):
        rows = act.session.execute(select(table).where(owner.in_(some))).mappings().all()
        for row in rows:
            _name(act, erasure_id, table, _blanked(one, row), owner_key=row[one.owner].hex)
        act.session.execute(update(table).where(owner.in_(some)).values(emptied))
        blanked += len(rows)
    return blanked


def erased_payloads(session: Session, entry_ids: Collection[UUID]) -> set[UUID]:
    """Return those of the entries whose payload an erasure blanked."""
    keys = {entry_id.hex: entry_id for entry_id in entry_ids}
    named = select(ErasureRow.owner_key).where(
        ErasureRow.table_name == AuditPayload.__tablename__,
        ErasureRow.owner_key.in_(keys),
        ErasureRow.is_blanked,
    )
    return {keys[key] for key in session.scalars(named)}


def later_digests(session: Session, table: str, keys: Collection[str]) -> dict[str, str]:
    """Return by key the digest under which an erasure witnesses a row of `table` anew; only of those that one does."""
    rows = session.execute(
        select(ErasureRow.row_key, ErasureRow.digest)
        .join(Erasure, Erasure.id == ErasureRow.erasure_id)
        .where(ErasureRow.table_name == table, ErasureRow.row_key.in_(keys), ErasureRow.digest.is_not(None))
        .order_by(Erasure.at, Erasure.id)
    )
    return {row.row_key: row.digest for row in rows}


def _blanked(one: Erasable, row: RowMapping) -> dict[str, Any]:
    """Return the row as it is to be."""
    return {**row, **{name: value for name, value in one.blanks.items() if row[name] is not None}}


def _name(act: Act, erasure_id: UUID, table: Table, row: Mapping[str, Any], *, owner_key: str) -> None:
    key = tuple(row[column.name] for column in table.primary_key.columns)
    is_witnessed = table.name in witness.WITNESSED
    values = {
        "erasure_id": erasure_id,
        "table_name": table.name,
        "row_key": row_key(key),
        "owner_key": owner_key,
        "is_blanked": True,
        "digest": rules.row_digest(row) if is_witnessed else None,
    }
    act.insert(ErasureRow, values)


def _payloads(session: Session, patient_id: UUID) -> Iterator[Any]:
    """Yield the payloads of the entries about a patient; that of an erasure names nobody, and witnesses what is left."""
    yield from session.execute(
        select(
            AuditEntry.id, AuditEntry.action, AuditEntry.commitment, AuditPayload.payload, AuditPayload.salt
        )
        .join(AuditPayload, AuditPayload.entry_id == AuditEntry.id)
        .where(
            AuditEntry.patient_id == patient_id,
            AuditEntry.action != ERASE_PATIENT,
            AuditPayload.payload != "",
        )
        .order_by(AuditEntry.recorded_at, AuditEntry.id)
    )


def _refuse_unwell(session: Session, payloads: Sequence[Any]) -> None:
    doubts = [one.action for one in payloads if rules.commitment(one.payload, one.salt) != one.commitment]
    known: dict[str, dict[str, witness.Witness]] = {}
    for one in payloads:
        for table, digests in witnessed_by(one.payload).items():
            known.setdefault(table, {}).update(
                {key: witness.Witness(text, 0) for key, text in digests.items()}
            )
    doubts += [str(doubt) for doubt in witness.compare(session, known)]
    if doubts:
        said = "The trail about this patient is not as it was recorded. Nothing was erased: run `flask audit verify` first."
        raise Refusal("ERASURE-TRAIL-UNWELL", said, status=409)


def witnessed_by(payload: str) -> dict[str, dict[str, str]]:
    """Return the digests that a sound payload holds, by table and key."""
    rows = json.loads(payload)["rows"]
    return {table: digests for table, digests in rows.items() if table in witness.WITNESSED}


def _blank_payloads(act: Act, erasure_id: UUID, payloads: Sequence[Any]) -> int:
    for one in payloads:
        for table, digests in witnessed_by(one.payload).items():
            _take_over(act, erasure_id, table, digests)
        values = {
            "erasure_id": erasure_id,
            "table_name": AuditPayload.__tablename__,
            "row_key": one.id.hex,
            "owner_key": one.id.hex,
            "is_blanked": True,
            "digest": None,
        }
        act.insert(ErasureRow, values)
    for some in _batches([one.id for one in payloads]):
        emptied = update(cast(Table, AuditPayload.__table__)).where(AuditPayload.entry_id.in_(some))
        act.session.execute(emptied.values(payload="", salt=""))
    return len(payloads)


def _take_over(act: Act, erasure_id: UUID, table: str, digests: Mapping[str, str]) -> None:
    """Witness anew what an erased payload witnessed and no erasure has named yet."""
    named = later_digests(act.session, table, list(digests))
    for key, digest in digests.items():
        if key not in named:
            values = {
                "erasure_id": erasure_id,
                "table_name": table,
                "row_key": key,
                "owner_key": key.partition("/")[0],
                "is_blanked": False,
                "digest": digest,
            }
            act.insert(ErasureRow, values)


def _batches(values: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(values), _BATCH):
        yield values[start : start + _BATCH]
