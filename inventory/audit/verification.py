"""The full check of the trail: chain, payloads, every witnessed row, and the seals over the looks (laws 4 and 10). Reads only.

It reads in short batches by the bare driver; memory stays flat however long the trail is. It shows what was changed since a
head that somebody else holds; it cannot show that what was typed was true.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import cast

from sqlalchemy import Table, func, select
from sqlalchemy.orm import Session

from inventory.audit import unwitnessed, witness
from inventory.audit.erasing import carried_rows, erased_payloads, has_erasures, later_digests
from inventory.audit.held_heads import HeldHead
from inventory.audit.models import GENESIS, AuditEntry, AuditHead, AuditLink
from inventory.audit.raw_rows import Row, RowCoder, coder_of, mark, run
from inventory.audit.sealed_looks import SealedLooks
from inventory.audit.sealed_views import SealedViews
from inventory.audit.witness import WITNESSED, Witnesses
from inventory.kernel.db import dialect_name
from inventory.kernel.standing_laws import missing_laws

_BATCH = 1_000
_Found = list[tuple[int, str]]
"""What a batch of entries brought to light: each line with the entry it is about."""


@dataclass(slots=True)
class Verification:
    """One check under way. Once its lines have run out it knows how far it walked, and where the sought head stands.

    `sought_head` is a head that somebody wrote down, as lower-case hexadecimal digits, whole or its beginning; `held_heads` are
    those of a file. `progress` is told after each batch how many entries it had. `first_bad` is the first entry that a line was
    about; `looks` and `seals` say what is sealed of the looks, `unsealed` how many of the newest are not; `views` and
    `unsealed_views` the same of what auditors were shown.
    """

    session: Session
    sought_head: str = ""
    held_heads: Sequence[HeldHead] = ()
    progress: Callable[[int], None] | None = None
    entries: int = 0
    seq: int = 0
    hash: str = GENESIS
    sought_at: int | None = None
    first_bad: int | None = None
    looks: int = 0
    seals: int = 0
    unsealed: int = 0
    views: int = 0
    unsealed_views: int = 0
    erased: int = 0
    _present: Counter[str] = field(default_factory=Counter)
    _held: dict[int, list[HeldHead]] = field(default_factory=dict)
    _has_erasures: bool = False
    _changed: list[int] = field(default_factory=list)
    """The entries whose payload is not what they committed to: nobody knows any more which rows they recorded."""

    def whole(self) -> Iterator[str]:
        """Check everything; yield one line for each thing that is not as it was recorded."""
        yield from self._wrong_beginnings()
        counted = None
        while counted is None:
            yield from self._walk()
            counted = self._counted_at_the_end()
        yield from self._compare_carried()
        yield from self._compare_head()
        yield from unwitnessed.entries(self.session)
        doubtful = {name for name in WITNESSED if counted[name] != self._present[name]}
        if doubtful:
            yield from unwitnessed.rows(self.session, doubtful, changed=self._changed)
        yield from self._compare_looks()
        yield from self._lost_heads()
        # What was changed comes before what let it be changed.
        yield from missing_laws()

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
        """Check link after link to the present end of the chain, or to entry `until`; within a batch, first things first."""
        for head in self.held_heads:
            self._held.setdefault(head.seq, []).append(head)
        self._has_erasures = has_erasures(self.session)
        coder = coder_of(cast(Table, AuditEntry.__table__), dialect_name(), without=("digest",))
        statement = _links(coder, bounded=until is not None)
        while True:
            # A reader that stays would keep the write-ahead log from being folded in.
            self.session.rollback()
            bounds = (self.seq,) if until is None else (self.seq, until)
            links = run(self.session, statement, bounds).fetchall()
            if not links:
                return
            for seq, line in sorted(self._check(coder, links), key=lambda found: found[0]):
                self.first_bad = self.first_bad or seq
                yield line
            if self.progress:
                self.progress(len(links))

    def _check(self, coder: RowCoder, links: Sequence[Row]) -> _Found:
        found: _Found = []
        witnesses: defaultdict[str, Witnesses] = defaultdict(Witnesses)
        id_at = _ENTRY + coder.names.index("id")
        erased = erased_payloads(self.session, [link[id_at] for link in links if link[_PAYLOAD] == ""])
        for link in links:
            self._check_link(link, found)
            self._check_entry(coder, link, witnesses, found, is_erased=link[id_at] in erased)
        return found + list(self._compare(witnesses))

    def _compare(self, witnesses: Mapping[str, Witnesses]) -> Iterator[tuple[int, str]]:
        """Compare rows with their witnesses; what an erasure blanked, with the one that it left."""
        for table, known in witnesses.items() if self._has_erasures else ():
            known.digests.update(later_digests(self.session, table, known.digests))
        for doubt in witness.compare(self.session, witnesses):
            self._present[doubt.table] -= doubt.is_gone
            yield doubt.seq, str(doubt)

    def _compare_carried(self) -> Iterator[str]:
        """Compare the rows whose first witness was erased with the one that the erasure left in its place."""
        for table, keys in carried_rows(self.session) if self._has_erasures else ():
            self._present[table] += len(keys)
            known = Witnesses()
            known.add(0, dict.fromkeys(keys, ""))
            yield from (line for _, line in self._compare({table: known}))

    def _check_link(self, link: Row, found: _Found) -> None:
        digest, seq, previous_hash, hash_ = link[_DIGEST], link[_SEQ], link[_PREVIOUS], link[_HASH]
        if seq != self.seq + 1:
            missing = f"{self.seq + 1}" if seq == self.seq + 2 else f"{self.seq + 1} to {seq - 1}"
            found.append((self.seq + 1, f"audit entry {missing}: missing from the chain"))
        elif previous_hash != self.hash:
            found.append((seq, f"audit entry {seq}: its link does not follow the one before"))
        if hash_ != _link_hash(previous_hash, seq, digest or GENESIS):
            found.append((seq, f"audit entry {seq}: its link was changed"))
        elif self.sought_head and hash_.startswith(self.sought_head):
            self.sought_at = seq
        if seq in self._held:
            found += [(seq, _other_head(head)) for head in self._held[seq] if head.hash != hash_]
        self.seq, self.hash = seq, hash_
        self.entries += 1

    def _check_entry(
        self,
        coder: RowCoder,
        link: Row,
        witnesses: Mapping[str, Witnesses],
        found: _Found,
        *,
        is_erased: bool,
    ) -> None:
        seq, payload, committed = link[_SEQ], link[_PAYLOAD], link[_COMMITMENT]
        if committed is None:
            found.append((seq, f"audit entry {seq}: the entry is gone"))
        elif coder.digest(link[_ENTRY:]) != link[_DIGEST]:
            found.append((seq, f"audit entry {seq}: it was changed"))
        if is_erased:
            self.erased += 1
            return
        if payload is None:
            found.append((seq, f"audit entry {seq}: its payload is gone"))
            return
        is_true = sha256(f"{link[_SALT]}:{payload}".encode()).hexdigest() == committed
        if not is_true:
            found.append((seq, f"audit entry {seq}: its payload was changed"))
            self._changed.append(seq)
        for table, digests in witness.rows_of(payload).items():
            self._present[table] += len(digests)
            if is_true:
                witnesses[table].add(seq, digests)

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

    def _compare_looks(self) -> Iterator[str]:
        looks = SealedLooks(self.session)
        yield from looks.wrong()
        self.looks, self.seals, self.unsealed = looks.sealed, looks.seals, looks.unsealed
        views = SealedViews(self.session)
        yield from views.wrong()
        self.views, self.unsealed_views = views.sealed, views.unsealed

    def _wrong_beginnings(self) -> Iterator[str]:
        for head in self.held_heads:
            if head.seq == 0 and head.hash != GENESIS:
                yield _other_head(head)

    def _lost_heads(self) -> Iterator[str]:
        for head in self.held_heads:
            if head.seq > self.seq:
                yield f"the head of {_said(head)} is not in this chain: it stood at entry {head.seq}, and the chain ends at entry {self.seq}"
        if self.sought_head and self.sought_at is None:
            yield f"the head {self.sought_head} is not in this chain: the trail was cut short, or it is another clinic's"


_SEQ, _PREVIOUS, _HASH, _PAYLOAD, _SALT, _DIGEST, _COMMITMENT, _ENTRY = range(8)
"""Where a row of `_links` holds what; from _ENTRY on, the columns of the entry."""


def _links(coder: RowCoder, *, bounded: bool) -> str:
    until = f" AND audit_link.seq <= {mark()}" if bounded else ""
    return (
        "SELECT audit_link.seq, audit_link.previous_hash, audit_link.hash, audit_payload.payload, audit_payload.salt,"  # noqa: S608
        f" audit_entry.digest, audit_entry.commitment, {coder.columns} FROM audit_link"
        " LEFT JOIN audit_entry ON audit_entry.id = audit_link.entry_id"
        " LEFT JOIN audit_payload ON audit_payload.entry_id = audit_link.entry_id"
        f" WHERE audit_link.seq > {mark()}{until} ORDER BY audit_link.seq LIMIT {_BATCH}"
    )


def _link_hash(previous_hash: str, seq: int, digest: str) -> str:
    """Return what `rules.link_hash` does; nothing where a part is no hash at all."""
    try:
        data = bytes.fromhex(previous_hash) + seq.to_bytes(8, "big") + bytes.fromhex(digest)
    except (ValueError, TypeError, OverflowError, AttributeError):
        return ""
    return sha256(data).hexdigest()


def _said(head: HeldHead) -> str:
    return f"{head.at:%Y-%m-%d %H:%M} (line {head.line})"


def _other_head(head: HeldHead) -> str:
    return f"audit entry {head.seq}: its hash is not the one that was held on {_said(head)}"
