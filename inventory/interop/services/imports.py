"""What every import keeps to: one transaction, every fault named, the same file never twice."""

import base64
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome, batch, perform
from inventory.audit.models import AuditEntry
from inventory.interop.rules import Row
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.ids import uuid7
from inventory.kernel.laws import refusal_for
from inventory.kernel.permissions import Actor

Tell = Callable[[int], None]
"""Is told how many rows have been written since it was last told, for a progress bar."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file to import: its name, for the trail, and its bytes."""

    name: str
    raw: bytes

    @property
    def sha256(self) -> str:
        """The hash by which a file is known again, as hexadecimal digits."""
        return hashlib.sha256(self.raw).hexdigest()


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import wrote, or with `dry_run` would have written: how many of what."""

    counts: dict[str, int]
    dry_run: bool


class _NothingIsWrittenError(Exception):
    """Ends a dry run's transaction."""


@contextmanager
def all_or_nothing(key: str, *, dry_run: bool) -> Iterator[Session]:
    """Run the block as one transaction, which a dry run takes back at its end.

    Raises Refusal IMPORT-ALREADY when the import of this `key` was done before.
    """
    try:
        with batch() as session:
            _refuse_again(session, key)
            yield session
            _take_back_if(dry_run=dry_run)
    except _NothingIsWrittenError:
        return
    except IntegrityError as error:
        # On PostgreSQL a twin may have imported the same file meanwhile.
        _refuse_again(db.session(), key)
        refusal = refusal_for(error)
        if refusal is None:
            raise
        raise refusal from error


def _take_back_if(*, dry_run: bool) -> None:
    if dry_run:
        raise _NothingIsWrittenError


def import_key(*parts: str) -> str:
    """Return the request key under which an import is known again."""
    digest = hashlib.sha256("\n".join(parts).encode()).digest()
    return f"import:{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def record_import(
    what: str, source: Source, *, actor: Actor, at: datetime, key: str, counts: dict[str, int], **facts: Any
) -> Outcome:
    """Write the entry that says which file was imported; it spends the import's key."""

    def write(act: Act) -> Outcome:
        said = {"file": source.name, "sha256": source.sha256, **counts, **facts}
        site_id: UUID | None = facts.get("site_id")
        return act.record(f"interop.import-{what}", "import", uuid7(), site_id=site_id, facts=said)

    return perform(write, actor=actor, at=at, request_key=key)


def attempt(row: Row, write: Callable[[], object], columns: dict[str, str] | None = None) -> None:
    """Carry out one row's writes; what a service refuses becomes a fault of the row. A row with a fault is left out.

    The rows after a fault are still tried, so that everything wrong is named at once, though nothing will be kept.
    `columns` names the column of a service's field where they differ.
    """
    if row.faults:
        return
    try:
        write()
    except (Refusal, Refusals) as refused:
        for refusal in refused.refusals if isinstance(refused, Refusals) else [refused]:
            field = refusal.field or ""
            row.fault(refusal.code, refusal.message, (columns or {}).get(field, field))


def _refuse_again(session: Session, key: str) -> None:
    done = session.execute(select(AuditEntry.recorded_at).where(AuditEntry.request_key == key)).first()
    if done:
        when = f"{done.recorded_at:%Y-%m-%d %H:%M} UTC"
        message = f"This very file was imported on {when}. Nothing was written twice."
        raise Refusal("IMPORT-ALREADY", message)
