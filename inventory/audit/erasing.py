"""How an erasure makes rows nameless and leaves the chain whole (law 10). Knows tables by name only.

Each room says which of its rows are about a patient and what becomes of their columns; the database lets an erasure do
that and nothing else. What an erased payload witnessed, and every row as it is afterwards, is witnessed anew by the entry
of the erasure: verification goes on from there.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, case, select, update
from sqlalchemy.orm import Session

from inventory.audit import rules, witness
from inventory.audit.acts import Act, row_key
from inventory.audit.models import AuditEntry, AuditPayload, Erasure, ErasureKind, ErasureRow
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import Actor, Permission

ERASED = "Erased"
ERASE_PATIENT = "patients.erase"
BIRTH_ERASED = date(1900, 1, 1)
"""What stands for the birth date of somebody whose record was erased."""
_BATCH = 200

Owned = Callable[[Session, UUID], Iterable[UUID]]
Digests = dict[str, dict[str, str]]
"""Digests of rows, by table and key."""


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


def begin_erasure(act: Act, *, kind: ErasureKind, second: Actor, request_id: UUID | None = None) -> UUID:
    """Inside an act: write down that this erasure is carried out, and by which two people. Returns its id.

    Raises Refusal ERASURE-SECOND unless `second` is another one who may decide about erasures.
    """
    if second.id == act.actor.id or not second.can(Permission.RETENTION_MANAGE):
        said = "The second person is another one who may decide about erasures: a prescriber or an administrator."
        raise Refusal("ERASURE-SECOND", said, "second_username")
    values = {
        "id": uuid7(),
        "request_id": request_id,
        "kind": kind,
        "at": act.recorded_at,
        "actor_id": act.actor.id,
        "second_id": second.id,
    }
    made: UUID = act.insert(Erasure, values)
    return made


def erase_rows(act: Act, erasure_id: UUID, patient_ids: Collection[UUID]) -> dict[str, int]:
    """Inside an act: blank every row about the patients, then the payloads of the entries about them. Returns how many, by table.

    Raises Refusal ERASURE-TRAIL-UNWELL, and nothing is erased, where one of those payloads or a row that it witnessed is
    not as it was recorded: an erasure must not cover what somebody changed.
    """
    payloads = list(_payloads(act.session, patient_ids))
    carried = _carried(payloads)
    _refuse_unwell(act.session, payloads, carried)
    counts = {
        one.table: _blank(act, erasure_id, one, _owners(act.session, one, patient_ids), carried)
        for one in ERASABLE.values()
    }
    _carry_over(act, erasure_id, carried)
    counts["audit_payload"] = _blank_payloads(act, erasure_id, payloads)
    return {table: count for table, count in counts.items() if count}


def _owners(session: Session, one: Erasable, patient_ids: Collection[UUID]) -> set[UUID]:
    return {owner for patient_id in patient_ids for owner in one.owned(session, patient_id)}


def erase_owned(act: Act, erasure_id: UUID, table: str, owners: Collection[UUID]) -> int:
    """Inside an act: blank the rows of `table` that belong to these owners. Returns how many."""
    return _blank(act, erasure_id, ERASABLE[table], owners, {})


def has_erasures(session: Session) -> bool:
    """Tell whether anything was ever erased: hardly anything is, and a check need not ask again and again."""
    return session.scalar(select(ErasureRow.row_key).limit(1)) is not None


def erased_payloads(session: Session, entry_keys: Collection[str]) -> set[str]:
    """Return those of the entries, by their ids in hexadecimal, whose payload an erasure blanked."""
    if not entry_keys:
        return set()
    named = select(ErasureRow.owner_key).where(
        ErasureRow.table_name == AuditPayload.__tablename__,
        ErasureRow.owner_key.in_(entry_keys),
        ErasureRow.is_blanked,
    )
    return set(session.scalars(named))


def later_digests(session: Session, table: str, keys: Collection[str]) -> dict[str, str]:
    """Return by key the digest under which an erasure witnesses a row of `table` anew; only of those that one does."""
    found: dict[str, str] = {}
    for some in _batches(list(keys), _BATCH):
        rows = session.execute(
            select(ErasureRow.row_key, ErasureRow.digest)
            .join(Erasure, Erasure.id == ErasureRow.erasure_id)
            .where(
                ErasureRow.table_name == table, ErasureRow.row_key.in_(some), ErasureRow.digest.is_not(None)
            )
            .order_by(Erasure.at, Erasure.id)
        )
        found.update({row.row_key: str(row.digest) for row in rows})
    return found


def carried_rows(session: Session) -> Iterator[tuple[str, list[str]]]:
    """Yield in batches, by table, the keys of the rows whose first witness was in a payload that was erased."""
    carried = select(ErasureRow.table_name, ErasureRow.row_key).where(ErasureRow.is_carried)
    rows = session.execute(carried.order_by(ErasureRow.table_name, ErasureRow.row_key)).all()
    for table, of_table in groupby(rows, key=lambda row: str(row.table_name)):
        for some in _batches([str(row.row_key) for row in of_table], _BATCH):
            yield table, list(some)


def _payloads(session: Session, patient_ids: Collection[UUID]) -> Iterator[Any]:
    """Yield the payloads of the entries about patients; that of an erasure names nobody, and witnesses what is left."""
    yield from session.execute(
        select(AuditEntry.id, AuditEntry.commitment, AuditPayload.payload, AuditPayload.salt)
        .join(AuditPayload, AuditPayload.entry_id == AuditEntry.id)
        .where(
            AuditEntry.patient_id.in_(patient_ids),
            AuditEntry.action != ERASE_PATIENT,
            AuditPayload.payload != "",
        )
        .order_by(AuditEntry.recorded_at, AuditEntry.id)
    )


def _carried(payloads: Iterable[Any]) -> Digests:
    """Return what the payloads witness: what is to be witnessed anew."""
    carried: Digests = {}
    for one in payloads:
        for table, digests in json.loads(one.payload)["rows"].items():
            if table in witness.WITNESSED:
                carried.setdefault(table, {}).update(digests)
    return carried


def _refuse_unwell(session: Session, payloads: Iterable[Any], carried: Digests) -> None:
    changed = any(rules.commitment(one.payload, one.salt) != one.commitment for one in payloads)
    now: dict[str, witness.Witnesses] = {}
    for table, digests in carried.items():
        now[table] = witness.Witnesses()
        now[table].add(0, digests | later_digests(session, table, digests))
    if changed or any(True for _ in witness.compare(session, now)):
        said = "The trail about this patient is not as it was recorded. Nothing was erased: run `flask audit verify` first."
        raise Refusal("ERASURE-TRAIL-UNWELL", said, status=409)


def _blank(act: Act, erasure_id: UUID, one: Erasable, owners: Collection[UUID], carried: Digests) -> int:
    table = db.metadata.tables[one.table]
    owner, blanked = table.c[one.owner], 0
    emptied = {name: case((table.c[name].is_(None), None), else_=value) for name, value in one.blanks.items()}
    for some in _batches(sorted(owners), witness.batch_of(table)):
        rows = act.session.execute(select(table).where(owner.in_(some))).mappings().all()
        for row in rows:
            after = {**row, **{name: value for name, value in one.blanks.items() if row[name] is not None}}
            key = row_key(tuple(row[column.name] for column in table.primary_key.columns))
            digest = rules.row_digest(after) if table.name in witness.WITNESSED else None
            is_carried = carried.get(table.name, {}).pop(key, None) is not None
            _name(
                act,
                erasure_id,
                table.name,
                key,
                row[one.owner].hex,
                digest=digest,
                is_carried=is_carried,
            )
        act.session.execute(update(table).where(owner.in_(some)).values(emptied))
        blanked += len(rows)
    return blanked


def _carry_over(act: Act, erasure_id: UUID, carried: Digests) -> None:
    """Witness anew what the payloads witnessed and this erasure leaves as it is."""
    for table, digests in carried.items():
        for key, digest in (digests | later_digests(act.session, table, digests)).items():
            owner_key = key.partition("/")[0]
            _name(
                act,
                erasure_id,
                table,
                key,
                owner_key,
                digest=digest,
                is_carried=True,
                is_blanked=False,
            )


def _blank_payloads(act: Act, erasure_id: UUID, payloads: Sequence[Any]) -> int:
    for one in payloads:
        _name(act, erasure_id, AuditPayload.__tablename__, one.id.hex, one.id.hex)
    for some in _batches([one.id for one in payloads], _BATCH):
        emptied = update(cast(Table, AuditPayload.__table__)).where(AuditPayload.entry_id.in_(some))
        act.session.execute(emptied.values(payload="", salt=""))
    return len(payloads)


def _name(
    act: Act,
    erasure_id: UUID,
    table: str,
    key: str,
    owner_key: str,
    *,
    digest: str | None = None,
    is_carried: bool = False,
    is_blanked: bool = True,
) -> None:
    values = {
        "erasure_id": erasure_id,
        "table_name": table,
        "row_key": key,
        "owner_key": owner_key,
        "is_blanked": is_blanked,
        "is_carried": is_carried,
        "digest": digest,
    }
    act.insert(ErasureRow, values)


def _batches(values: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
