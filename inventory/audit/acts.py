"""An act: what one person does, in one transaction, once, leaving its entry in the trail (laws 5, 6 and 10).

Every service of every room writes through `perform`. Inside it, `Act.insert` adds a row to an insert-only table and
has the trail witness it, so that verification finds a row that was changed, added or removed behind the application.
"""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, Insert, Table, bindparam, insert, select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from inventory.audit import rules
from inventory.audit.models import AuditEntry, AuditHead, AuditLink, AuditPayload
from inventory.kernel import clock
from inventory.kernel.db import before_commit, db, dialect_name, is_writing, unit_of_work
from inventory.kernel.errors import Refusal, Refusals, site_not_yours
from inventory.kernel.ids import uuid7
from inventory.kernel.laws import is_twin, refusal_for
from inventory.kernel.permissions import Actor

ENTRY = cast(Table, AuditEntry.__table__)
PAYLOAD = cast(Table, AuditPayload.__table__)
LINK = cast(Table, AuditLink.__table__)
_ENTRY_COLUMNS = tuple(column.name for column in ENTRY.columns)
# Statements that every act sends are made once: making one costs as much as sending it.
_DONE = select(ENTRY.c.subject_type, ENTRY.c.subject_id, ENTRY.c.actor_id, ENTRY.c.request_digest).where(
    ENTRY.c.request_key == bindparam("request_key")
)
_HEAD = select(AuditHead.__table__.c.seq, AuditHead.__table__.c.hash)
_RETRIES = 6
_RETRYABLE = {"40001", "40P01"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an act led to: the row it is about, and whether the same request had been carried out before."""

    subject_type: str
    subject_id: UUID
    repeated: bool = False


@dataclass(slots=True)
class Act:
    """One act under way, inside its unit of work."""

    id: UUID
    actor: Actor
    recorded_at: datetime
    session: Session
    request_key: str | None = None
    _witnessed: dict[str, dict[str, str]] = field(default_factory=dict)

    def insert(self, model: type[Any], values: Mapping[str, Any]) -> Any:
        """Insert one row by Core, let the trail witness it, and return its primary key (a tuple if composite).

        Every column must be given or be NULL by default: no column is filled by the database but an integer key.
        """
        table = cast(Table, model.__table__)
        result = cast("CursorResult[Any]", self.session.execute(inserting(table), dict(values)))
        key = tuple(result.inserted_primary_key or ())
        row = {**values, **{c.name: v for c, v in zip(table.primary_key.columns, key, strict=True)}}
        self.witness(table.name, row, key)
        return key[0] if len(key) == 1 else key

    def witness(self, table: str, row: Mapping[str, Any], key: tuple[Any, ...]) -> None:
        """Have this act's next entry hold the digest of `row` of the insert-only `table`."""
        self._witnessed.setdefault(table, {})[row_key(key)] = rules.row_digest(row)

    def record(
        self,
        action: str,
        subject_type: str,
        subject_id: UUID,
        *,
        site_id: UUID | None = None,
        patient_id: UUID | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> Outcome:
        """Write the entry that says `action` was done to the subject; `facts` are what a reader needs to see.

        Whatever was inserted since the last entry is witnessed by this one. Every act at a site passes here: it is refused
        (SITE-NOT-YOURS), and nothing of it is written, where the site is none of the actor's.
        """
        if site_id is not None and not self.actor.works_at(site_id):
            raise site_not_yours()
        payload = rules.canonical({"facts": dict(facts or {}), "rows": self._witnessed})
        self._witnessed = {}
        salt = secrets.token_hex(16)
        entry = {
            "id": uuid7(),
            "act_id": self.id,
            "recorded_at": self.recorded_at,
            "actor_id": self.actor.id,
            "action": action,
            "subject_type": subject_type,
            "subject_id": subject_id,
            "site_id": site_id,
            "patient_id": patient_id,
            **self._spend_request_key(),
            "commitment": rules.commitment(payload, salt),
        }
        entry["digest"] = rules.entry_digest(entry)
        self.session.flush()
        self.session.execute(inserting(ENTRY), entry)
        self.session.execute(inserting(PAYLOAD), {"entry_id": entry["id"], "payload": payload, "salt": salt})
        if dialect_name() == "sqlite":
            self.session.info["notes"].setdefault("unlinked", []).append((entry["id"], entry["digest"]))
        return Outcome(subject_type, subject_id)

    def _spend_request_key(self) -> dict[str, str | None]:
        key, digest = _parts_of(self.request_key)
        self.request_key = None
        return {"request_key": key, "request_digest": digest}


@cache
def inserting(table: Table) -> Insert:
    """Return the statement that inserts a row given as a mapping; made once a table."""
    return insert(table)


def row_key(key: tuple[Any, ...]) -> str:
    """Return a primary key as the text under which the trail names a row."""
    return "/".join(part.hex if isinstance(part, UUID) else str(part) for part in key)


def perform(
    write: Callable[[Act], Outcome],
    *,
    actor: Actor,
    at: datetime | None = None,
    request_key: str | None = None,
) -> Outcome:
    """Carry out `write` as one act of `actor`, recorded at `at` (default: now): everything in it is committed, or nothing.

    With a `request_key` ("KEY" or "KEY.DIGEST"), the same request sent twice is one act: the second answers with what the
    first led to, with `repeated` set. Raises Refusal REQUEST-CHANGED when its digest is another than the first one's, and
    REQUEST-OF-ANOTHER when the key was spent by somebody else. Serialization failures and deadlocks are tried again, and so
    is an act that found a row missing which somebody else was adding (`kernel.laws.born_twice`).
    Inside `batch`, the act joins the open transaction.
    """
    recorded_at = at or clock.now()
    if is_writing():
        return write(Act(uuid7(), actor, recorded_at, db.session(), request_key))
    for attempt in range(_RETRIES):
        try:
            return _attempt(write, actor, recorded_at, request_key)
        except (OperationalError, IntegrityError, Refusal) as error:
            if not _may_pass(error) or attempt == _RETRIES - 1:
                raise
            time.sleep(0.005 * 2**attempt * (1 + secrets.randbelow(100) / 100))
    raise AssertionError("unreachable")


def _may_pass(error: Exception) -> bool:
    """Tell whether somebody else was in the way, so that the act may do when it is tried again."""
    orig = getattr(error, "orig", None)
    return getattr(orig, "sqlstate", None) in _RETRYABLE or is_twin(error) or is_twin(error.__cause__)


@contextmanager
def batch() -> Iterator[Session]:
    """Let many acts share one commit (imports, the demo clinic): all of them, or none."""
    with unit_of_work() as session:
        yield session


def _attempt(
    write: Callable[[Act], Outcome], actor: Actor, recorded_at: datetime, request_key: str | None
) -> Outcome:
    try:
        with unit_of_work() as session:
            done = _done_before(session, request_key, actor)
            return done or write(Act(uuid7(), actor, recorded_at, session, request_key))
    except (IntegrityError, Refusal, Refusals) as error:
        # The same request may have been carried out by a twin that ran beside this one.
        done = _done_before(db.session(), request_key, actor)
        if done is not None:
            return done
        refusal = refusal_for(error) if isinstance(error, IntegrityError) else None
        if refusal is None:
            raise
        raise replace(refusal) from error


def _done_before(session: Session, request_key: str | None, actor: Actor) -> Outcome | None:
    key, digest = _parts_of(request_key)
    if key is None:
        return None
    found = session.execute(_DONE, {"request_key": key}).first()
    if found is None:
        return None
    if found.actor_id != actor.id:
        raise Refusal("REQUEST-OF-ANOTHER", "This form was already sent by somebody else. Open a new one.")
    if digest and found.request_digest and digest != found.request_digest:
        said = "This form was recorded already, with other content. Nothing more was written. Open a new one."
        raise Refusal("REQUEST-CHANGED", said, status=409)
    return Outcome(found.subject_type, found.subject_id, repeated=True)


def _parts_of(request_key: str | None) -> tuple[str | None, str | None]:
    """Return what is unique of a request's key, and the digest of its content where it came with one."""
    key, _, digest = (request_key or "").partition(".")
    return key or None, digest or None


@before_commit
def _link_on_sqlite(session: Session) -> None:
    """Link the entries of this unit of work; on PostgreSQL a deferred trigger does so at commit."""
    unlinked = session.info["notes"].pop("unlinked", [])
    if not unlinked:
        return
    head = session.execute(_HEAD).one()
    seq, last = head.seq, head.hash
    links = []
    for entry_id, digest in unlinked:
        seq += 1
        linked = rules.link_hash(last, seq, digest)
        links.append({"seq": seq, "entry_id": entry_id, "previous_hash": last, "hash": linked})
        last = linked
    # The head follows by trigger.
    session.execute(inserting(LINK), links)
