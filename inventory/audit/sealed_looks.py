"""The seals over the looks at patients, added up again: which look was changed, taken out, or slipped in behind its seal.

That the seals themselves are the recorded ones is what the trail witnesses; here they are compared with the looks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from inventory.audit import rules
from inventory.audit.models import GENESIS
from inventory.audit.raw_rows import coder_of, rows_between
from inventory.audit.sealing import ACCESS, SEAL, check_of
from inventory.kernel.db import dialect_name

_TOLD = (
    SEAL.c.number,
    SEAL.c.from_id,
    SEAL.c.to_id,
    SEAL.c.count,
    SEAL.c.previous_digest,
    SEAL.c.digest,
    SEAL.c.looks,
)


@dataclass(slots=True)
class SealedLooks:
    """One check of the seals. Once its lines have run out it knows how many looks are sealed, and how many are not yet."""

    session: Session
    seals: int = 0
    sealed: int = 0
    unsealed: int = 0

    def wrong(self) -> Iterator[str]:
        """Yield one line for each look that does not agree with its seal, and for each seal that does not with those around it."""
        last, digest = 0, GENESIS
        for seal in self._every_seal():
            if (seal.number, seal.from_id, seal.previous_digest) != (self.seals + 1, last + 1, digest):
                yield f"access digest {seal.number}: it does not follow the seal before"
            yield from self._compare(seal, after_id=last)
            self.seals, last, digest = seal.number, seal.to_id, seal.digest
            self.sealed += seal.count
        self.session.rollback()
        newer = select(func.count()).select_from(ACCESS).where(ACCESS.c.id > last)
        self.unsealed = self.session.scalar(newer) or 0

    def _every_seal(self) -> Iterator[Any]:
        number = -1
        while True:
            self.session.rollback()
            following = select(*_TOLD).where(SEAL.c.number > number).order_by(SEAL.c.number).limit(1)
            seal = self.session.execute(following).first()
            if seal is None:
                return
            number = seal.number
            yield seal

    def _compare(self, seal: Any, *, after_id: int) -> Iterator[str]:
        coder = coder_of(ACCESS, dialect_name())
        # What stands before the first look that could be is read with the first seal.
        rows = rows_between(self.session, coder, after_id or None, seal.to_id)
        found = {coder.key_of(row): coder.digest(row) for row in rows}
        if len(found) == seal.count and seal.digest == rules.seal_digest(
            seal.previous_digest, found.values()
        ):
            return
        told = dict(part.partition(":")[::2] for part in seal.looks.split())
        lines = list(disagreeing("look", seal.number, told, found))
        yield from lines or [f"access digest {seal.number}: it does not agree with the looks it seals"]


def disagreeing(what: str, number: int, told: dict[str, str], found: dict[str, str]) -> Iterator[str]:
    """Yield a line for each row of a log that is not what a seal tells of it, by the row's key."""
    for key, digest in found.items():
        if key not in told:
            yield f"{what} {key}: it was slipped in behind seal {number}"
        elif check_of(int(key), digest).partition(":")[2] != told[key]:
            yield f"{what} {key}: it was changed after it was sealed (seal {number})"
    for key in told:
        if key not in found:
            yield f"{what} {key}: it is gone, though seal {number} holds it"
