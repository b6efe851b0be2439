"""The looks at patients are sealed into the chain: at most an hour after, all of them up to an id, none left out (law 4).

A look is one row and one insert, so that a page stays quick. A seal is an act: it holds a digest over the looks since the seal
before, and its own row is witnessed by its entry. What is sealed is decided by ids, never by times: a look that is
written down late is sealed later.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, func, select, text
from sqlalchemy.orm import Session

from inventory.audit import rules
from inventory.audit.acts import Act, Outcome, perform
from inventory.audit.models import GENESIS, AccessDigest, AccessEntry
from inventory.kernel import clock
from inventory.kernel.db import db, dialect_name, unit_of_work
from inventory.kernel.ids import uuid7
from inventory.kernel.laws import born_twice
from inventory.kernel.permissions import Actor

born_twice("uq_access_digest_number")

ACCESS = cast(Table, AccessEntry.__table__)
SEAL = cast(Table, AccessDigest.__table__)
CHECK_DIGITS = 8
"""How many digits of a look's digest a seal holds beside its id, only to tell which look it is that does not agree."""
MOST_LOOKS = 5_000
"""How many looks one seal holds, so that no act is long."""
WAIT = "200ms"
"""How long a seal waits for looks that are being written, and lets later ones wait behind it (PostgreSQL)."""


@dataclass(frozen=True, slots=True)
class LastSeal:
    """Where the seals end; the seal before the first is number 0, up to id 0."""

    number: int = 0
    to_id: int = 0
    digest: str = GENESIS


def last_seal(session: Session) -> LastSeal:
    """Return the newest seal."""
    newest = select(SEAL.c.number, SEAL.c.to_id, SEAL.c.digest).order_by(SEAL.c.number.desc()).limit(1)
    found = session.execute(newest).first()
    return LastSeal(*found) if found else LastSeal()


def unsealed_looks(session: Session) -> int:
    """Return how many of the newest looks no seal holds yet."""
    newer = select(func.count()).select_from(ACCESS).where(ACCESS.c.id > last_seal(session).to_id)
    return session.scalar(newer) or 0


def is_due(session: Session, at: datetime) -> bool:
    """Tell whether a look of an hour before that of `at` waits for its seal."""
    oldest = select(ACCESS.c.at).where(ACCESS.c.id > last_seal(session).to_id).order_by(ACCESS.c.id).limit(1)
    looked_at = session.scalar(oldest)
    return looked_at is not None and looked_at < at.replace(minute=0, second=0, microsecond=0)


def seal_looks(*, actor: Actor, at: datetime | None = None) -> Outcome | None:
    """Seal the looks that no seal holds, at most MOST_LOOKS; return None where there is none.

    Of two who seal at the same moment, one seals and the other finds it done. Raises OperationalError where looks that are
    being written keep it waiting for longer than WAIT (PostgreSQL).
    """
    to_id = final_id(ACCESS)
    if to_id <= last_seal(db.session()).to_id:
        return None
    instant = at or clock.now()
    return perform(lambda act: _sealed(act, to_id), actor=actor, at=instant)


def final_id(table: Table) -> int:
    """Return an id up to which every row of a log is committed, or never will be.

    On PostgreSQL an id is drawn before its row is committed, so a lower one may appear after a higher one. Who inserts holds
    the table's lock from before the id is drawn until the end of the transaction; so once SHARE is granted, no id at or
    below the highest is still under way. On SQLite writers take turns, and each id is one more than the highest.
    """
    highest = select(func.coalesce(func.max(table.c.id), 0))
    if dialect_name() == "sqlite":
        return int(db.session().scalar(highest) or 0)
    with unit_of_work() as session:
        session.execute(text(f"SET LOCAL lock_timeout = '{WAIT}'"))
        session.execute(text(f"LOCK TABLE {table.name} IN SHARE MODE"))
        return int(session.scalar(highest) or 0)


def _sealed(act: Act, to_id: int) -> Outcome:
    last = last_seal(act.session)
    rows = rows_to_seal(act.session, ACCESS, last.to_id, to_id)
    if not rows:
        done = select(SEAL.c.id).where(SEAL.c.number == last.number)
        return Outcome("access-digest", act.session.execute(done).scalar_one(), repeated=True)
    digests = [rules.row_digest(row) for row in rows]
    seal_id = uuid7()
    seal: dict[str, Any] = {
        "id": seal_id,
        "number": last.number + 1,
        "from_id": last.to_id + 1,
        "to_id": rows[-1]["id"] if len(rows) == MOST_LOOKS else to_id,
        "count": len(rows),
        "previous_digest": last.digest,
        "digest": rules.seal_digest(last.digest, digests),
        "looks": " ".join(check_of(row["id"], digest) for row, digest in zip(rows, digests, strict=True)),
        "sealed_at": act.recorded_at,
        "actor_id": act.actor.id,
    }
    act.insert(AccessDigest, seal)
    facts = {name: seal[name] for name in ("number", "from_id", "to_id", "count", "digest")}
    return act.record("audit.seal-looks", "access-digest", seal_id, facts=facts)


def rows_to_seal(session: Session, table: Table, after_id: int, to_id: int) -> list[Any]:
    """Return the rows of a log between two ids, at most as many as one seal holds."""
    between = table.c.id > after_id, table.c.id <= to_id
    found = session.execute(select(table).where(*between).order_by(table.c.id).limit(MOST_LOOKS))
    return list(found.mappings())


def check_of(look_id: int, digest: str) -> str:
    """Return how a seal names one look: `17:5d41402a`."""
    return f"{look_id}:{digest[:CHECK_DIGITS]}"
