"""The full check of the trail: chain, payloads, and every witnessed row (laws 4 and 10). Reads only, in short batches.

Memory stays flat however long the trail is. It shows what was changed since a head that somebody else holds; it cannot
show that what was typed was true.
"""

import json
import sqlite3
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import RowMapping, Select, func, select, true
from sqlalchemy.orm import Session

from inventory.audit import rules, witness
from inventory.audit.erasing import carried_rows, erased_payloads, later_digests
from inventory.audit.models import GENESIS, AuditEntry, AuditHead, AuditLink, AuditPayload
from inventory.audit.witness import WITNESSED, Witness
from inventory.kernel.standing_laws import missing_laws

_ENTRY = AuditEntry.__table__.columns
_BATCH = 1_000
_Witnesses = defaultdict[str, dict[str, Witness]]


@dataclass(slots=True)
class Verification:
    """One check under way. Once its lines have run out it knows how far it walked, and where the sought head stands.

    `sought_head` is a head that somebody wrote down, as lower-case hexadecimal digits, whole or its beginning.
    """

    session: Session
    sought_head: str = ""
    entries: int = 0
    seq: int = 0
    hash: str = GENESIS
    sought_at: int | None = None
    erased: int = 0
    _present: Counter[str] = field(default_factory=Counter)

    def whole(self) -> Iterator[str]:
        """Check everything; yield one line for each thing that is not as it was recorded."""
        yield from missing_laws()
        counted = None
        while counted is None:
            yield from self._walk()
            counted = self._counted_at_the_end()
        yield from self._check_carried()
        yield from self._compare_head()
        yield from self._find_loose_entries()
        doubtful = {name for name in WITNESSED if counted[name] != self._present[name]}
        if doubtful:
            yield from _unwitnessed(self.session, doubtful)
        if self.sought_head and self.sought_at is None:
            yield f"the head {self.sought_head} is not in this chain: the trail was cut short, or it is another clinic's"

    def up_to(self, seq: int) -> Iterator[str]:
        """Check the chain from its beginning to entry `seq`, its payloads and the rows they witness; nothing that came later.

        Then `hash` is that of entry `seq`, where the chain reaches so far.
        """
        yield from self._walk(until=seq)
        if self.seq < seq:
            yield f"the chain ends at entry {self.seq}, before entry {seq}"

    def newest(self, links: int) -> Iterator[str]:
        """Check the newest links, their payloads and the rows they witness; what came before is taken as given."""
        last = self.session.scalar(select(func.max(AuditLink.seq))) or 0
        before = self.session.get(AuditLink, max(0, last - links))
        if before is not None:
            self.seq, self.hash = before.seq, before.hash
        yield from self._walk()
        yield from self._compare_head()

    def _walk(self, until: int | None = None) -> Iterator[str]:
        """Check link after link to the present end of the chain, or to entry `until`."""
        while True:
            # A reader that stays would keep the write-ahead log from being folded in.
            self.session.rollback()
            links = self.session.execute(_links_after(self.seq, until)).mappings().all()
            if not links:
                return
            witnesses: _Witnesses = defaultdict(dict)
            blank = [link["entry_id"] for link in links if link["payload"] == ""]
            erased = erased_payloads(self.session, blank) if blank else set()
            for link in links:
                yield from self._check_link(link)
                yield from self._check_entry(link, witnesses, is_erased=link["entry_id"] in erased)
            yield from self._compare(witnesses)

    def _compare(self, witnesses: _Witnesses) -> Iterator[str]:
        """Compare rows with their witnesses; what an erasure blanked, with the one that it left."""
        for table, known in witnesses.items():
            for key, digest in later_digests(self.session, table, known).items():
                known[key] = Witness(digest, known[key].seq)
        for doubt in witness.compare(self.session, witnesses):
            self._present[doubt.table] -= doubt.is_gone
            yield str(doubt)

    def _check_carried(self) -> Iterator[str]:
        """Compare the rows whose first witness was erased with the one that the erasure left in its place."""
        for table, keys in carried_rows(self.session):
            self._present[table] += len(keys)
            witnesses: _Witnesses = defaultdict(dict)
            witnesses[table] = {key: Witness("", 0) for key in keys}
            yield from self._compare(witnesses)

    def _check_link(self, link: RowMapping) -> Iterator[str]:
        seq = link["seq"]
        if seq != self.seq + 1:
            missing = f"{self.seq + 1}" if seq == self.seq + 2 else f"{self.seq + 1} to {seq - 1}"
            yield f"audit entry {missing}: missing from the chain"
        elif link["previous_hash"] != self.hash:
            yield f"audit entry {seq}: its link does not follow the one before"
        digest = link["entry_digest"] or GENESIS
        if link["hash"] != rules.link_hash(link["previous_hash"], seq, digest):
            yield f"audit entry {seq}: its link was changed"
        elif self.sought_head and link["hash"].startswith(self.sought_head):
            self.sought_at = seq
        self.seq, self.hash = seq, link["hash"]
        self.entries += 1

    def _check_entry(self, link: RowMapping, witnesses: _Witnesses, *, is_erased: bool) -> Iterator[str]:
        seq = link["seq"]
        entry = {column.name: link[f"entry_{column.name}"] for column in _ENTRY}
        if entry["id"] is None:
            yield f"audit entry {seq}: the entry is gone"
        elif rules.entry_digest(entry) != entry["digest"]:
            yield f"audit entry {seq}: it was changed"
        if is_erased:
            self.erased += 1
            return
        if link["payload"] is None:
            yield f"audit entry {seq}: its payload is gone"
            return
        is_true = rules.commitment(link["payload"], link["salt"]) == entry["commitment"]
        if not is_true:
            yield f"audit entry {seq}: its payload was changed"
        for table, digests in _rows_of(link["payload"]).items():
            self._present[table] += len(digests)
            if is_true:
                witnesses[table] |= {key: Witness(digest, seq) for key, digest in digests.items()}

    def _counted_at_the_end(self) -> dict[str, int] | None:
        """Return how many rows each table has while the chain ends where we stand, or None where it has grown."""
        self.session.rollback()
        counts = witness.count_rows(self.session)
        end = self.session.scalar(select(func.max(AuditLink.seq))) or 0
        return counts if end == self.seq else None

    def _compare_head(self) -> Iterator[str]:
        head = self.session.execute(select(AuditHead.seq, AuditHead.hash)).first()
        if head is None:
            yield "the head of the chain is gone"
        elif head.seq != self.seq or head.hash != self.hash:
            yield f"the head of the chain stands at entry {head.seq}, but the chain ends at entry {self.seq}"

    def _find_loose_entries(self) -> Iterator[str]:
        linked = select(AuditLink.entry_id).where(AuditLink.entry_id == AuditEntry.id)
        loose = select(AuditEntry.id, AuditEntry.action).where(~linked.exists()).order_by(AuditEntry.id)
        for entry in self.session.execute(loose.execution_options(yield_per=_BATCH)):
            yield f"audit entry {entry.id.hex} ({entry.action}): it is not in the chain"


def _links_after(seq: int, until: int | None = None) -> Select[Any]:
    columns = [column.label(f"entry_{column.name}") for column in _ENTRY]
    link = (AuditLink.seq, AuditLink.previous_hash, AuditLink.hash)
    return (
        select(*link, AuditPayload.payload, AuditPayload.salt, *columns)
        .outerjoin(AuditEntry, AuditEntry.id == AuditLink.entry_id)
        .outerjoin(AuditPayload, AuditPayload.entry_id == AuditLink.entry_id)
        .where(AuditLink.seq > seq, true() if until is None else AuditLink.seq <= until)
        .order_by(AuditLink.seq)
        .limit(_BATCH)
    )


def _rows_of(payload: str) -> dict[str, dict[str, str]]:
    """Return the witnesses that a payload holds, by table and key; none where it cannot be read any more."""
    try:
        rows = json.loads(payload)["rows"]
        return {
            table: digests
            for table, digests in rows.items()
            if table in WITNESSED and isinstance(digests, dict)
        }
    except (ValueError, LookupError, TypeError, AttributeError):
        return {}


def _unwitnessed(session: Session, tables: set[str]) -> Iterator[str]:
    """Yield a line for each row of `tables` that no entry witnesses. Keys are held in a file, not in memory."""
    with tempfile.TemporaryDirectory() as folder, closing(sqlite3.connect(f"{folder}/rows")) as book:
        book.execute("CREATE TABLE loose (place, key, name, PRIMARY KEY (place, key)) WITHOUT ROWID")
        for table in sorted(tables):
            rows = ((table, key, name) for key, name in witness.every_row(session, table))
            book.executemany("INSERT INTO loose VALUES (?, ?, ?)", rows)
        # Read after the rows: whatever came meanwhile is witnessed by an entry that is read too.
        for payload in _payloads(session):
            keys = ((table, key) for table, rows in _rows_of(payload).items() for key in rows)
            book.executemany("DELETE FROM loose WHERE place = ? AND key = ?", keys)
        for table, some in carried_rows(session):
            book.executemany("DELETE FROM loose WHERE place = ? AND key = ?", [(table, key) for key in some])
        for (name,) in book.execute("SELECT name FROM loose ORDER BY place, key"):
            yield f"{name}: no entry of the trail recorded this row"


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
