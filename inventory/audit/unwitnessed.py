"""What stands in the record and no entry of the chain knows: found where counts do not agree. Keys are held in a file, not in memory."""

import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.audit import witness
from inventory.audit.erasing import carried_rows
from inventory.audit.models import AuditEntry, AuditLink, AuditPayload

_BATCH = 1_000


def entries(session: Session) -> Iterator[str]:
    """Yield a line for each entry that has no link."""
    linked = select(AuditLink.entry_id).where(AuditLink.entry_id == AuditEntry.id)
    loose = select(AuditEntry.id, AuditEntry.action).where(~linked.exists()).order_by(AuditEntry.id)
    for entry in session.execute(loose.execution_options(yield_per=_BATCH)):
        yield f"audit entry {entry.id.hex} ({entry.action}): it is not in the chain"


def rows(session: Session, tables: set[str], *, changed: Sequence[int] = ()) -> Iterator[str]:
    """Yield a line for each row of `tables` that no entry witnesses.

    Where payloads were `changed`, the entries of these numbers may have recorded it: then nobody can tell.
    """
    said = _cannot_be_checked(changed) if changed else "no entry of the trail recorded this row"
    with tempfile.TemporaryDirectory() as folder, closing(sqlite3.connect(f"{folder}/rows")) as book:
        book.execute("CREATE TABLE loose (place, key, name, PRIMARY KEY (place, key)) WITHOUT ROWID")
        for table in sorted(tables):
            found = ((table, key, name) for key, name in witness.every_row(session, table))
            book.executemany("INSERT INTO loose VALUES (?, ?, ?)", found)
        # Read after the rows: whatever came meanwhile is witnessed by an entry that is read too.
        for payload in _payloads(session):
            keys = ((table, key) for table, told in witness.rows_of(payload).items() for key in told)
            book.executemany("DELETE FROM loose WHERE place = ? AND key = ?", keys)
        for table, some in carried_rows(session):
            book.executemany("DELETE FROM loose WHERE place = ? AND key = ?", [(table, key) for key in some])
        for (name,) in book.execute("SELECT name FROM loose ORDER BY place, key"):
            yield f"{name}: {said}"


def _cannot_be_checked(changed: Sequence[int]) -> str:
    which = f"audit entry {changed[0]}" + (f" and {len(changed) - 1} more" if len(changed) > 1 else "")
    return f"it cannot be checked: no other entry recorded this row, and the payload of {which} was changed"


def _payloads(session: Session) -> Iterator[str]:
    seq = 0
    while True:
        session.rollback()
        found = session.execute(
            select(AuditLink.seq, AuditPayload.payload)
            .join(AuditPayload, AuditPayload.entry_id == AuditLink.entry_id)
            .where(AuditLink.seq > seq)
            .order_by(AuditLink.seq)
            .limit(_BATCH)
        ).all()
        if not found:
            return
        seq = found[-1].seq
        yield from (row.payload for row in found)
