"""What auditors were shown is sealed into the chain as looks at patients are (sealing.py), and the seals are added up again here.

Its seals need no table: each is an entry of the trail whose payload tells what was sealed. Of two who seal at the same moment, one
waits for the head of the chain, and finds it done.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, func, select
from sqlalchemy.orm import Session

from inventory.audit import rules
from inventory.audit.acts import Act, Outcome, perform
from inventory.audit.models import AuditEntry, AuditHead, AuditLink, AuditPayload, ViewEntry
from inventory.audit.raw_rows import coder_of, rows_between
from inventory.audit.sealed_looks import disagreeing
from inventory.audit.sealing import LastSeal, check_of, final_id, rows_to_seal
from inventory.kernel import clock
from inventory.kernel.db import db, dialect_name
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import Actor

VIEW = cast(Table, ViewEntry.__table__)
ACTION = "audit.seal-views"


def is_due(session: Session, at: datetime) -> bool:
    """Tell whether what was shown in an hour before that of `at` waits for its seal."""
    newer = select(VIEW.c.at).where(VIEW.c.id > last_seal(session).to_id).order_by(VIEW.c.id).limit(1)
    shown_at = session.scalar(newer)
    return shown_at is not None and shown_at < at.replace(minute=0, second=0, microsecond=0)


def seal_views(*, actor: Actor, at: datetime | None = None) -> Outcome | None:
    """Seal what auditors were shown since the seal before, as `sealing.seal_looks` does; return None where there is nothing."""
    to_id = final_id(VIEW)
    if to_id <= last_seal(db.session()).to_id:
        return None
    return perform(lambda act: _sealed(act, to_id), actor=actor, at=at or clock.now())


def last_seal(session: Session) -> LastSeal:
    """Return the newest seal."""
    newest = _seals().order_by(AuditLink.seq.desc()).limit(1)
    payload = session.scalar(newest)
    told = _facts(payload) if payload else {}
    return LastSeal(told["number"], told["to_id"], told["digest"]) if told else LastSeal()


@dataclass(slots=True)
class SealedViews:
    """One check of the seals. Once its lines have run out it knows how many views are sealed, and how many are not yet."""

    session: Session
    seals: int = 0
    sealed: int = 0
    unsealed: int = 0

    def wrong(self) -> Iterator[str]:
        """Yield one line for each view that does not agree with its seal, and for each seal that does not with those around it."""
        last = LastSeal()
        for payload in self.session.scalars(_seals().order_by(AuditLink.seq)).all():
            seal = _facts(payload)
            if not seal:
                yield f"view seal {last.number + 1}: it cannot be read any more"
                continue
            if (seal["number"], seal["from_id"], seal["previous_digest"]) != (
                last.number + 1,
                last.to_id + 1,
                last.digest,
            ):
                yield f"view seal {seal['number']}: it does not follow the seal before"
            yield from self._compare(seal, after_id=last.to_id)
            last = LastSeal(seal["number"], seal["to_id"], seal["digest"])
            self.seals, self.sealed = last.number, self.sealed + seal["count"]
        newer = select(func.count()).select_from(VIEW).where(VIEW.c.id > last.to_id)
        self.unsealed = self.session.scalar(newer) or 0

    def _compare(self, seal: Mapping[str, Any], *, after_id: int) -> Iterator[str]:
        coder = coder_of(VIEW, dialect_name())
        rows = rows_between(self.session, coder, after_id or None, seal["to_id"])
        found = {coder.key_of(row): coder.digest(row) for row in rows}
        if seal["digest"] == rules.seal_digest(seal["previous_digest"], found.values()):
            return
        told = dict(part.partition(":")[::2] for part in seal["views"].split())
        lines = list(disagreeing("view", seal["number"], told, found))
        yield from lines or [f"view seal {seal['number']}: it does not agree with the views it seals"]


def _sealed(act: Act, to_id: int) -> Outcome:
    act.session.execute(select(AuditHead.seq).with_for_update())
    last = last_seal(act.session)
    found = rows_to_seal(act.session, VIEW, last.to_id, to_id)
    if not found:
        return Outcome("view-seal", act.id, repeated=True)
    digests = [rules.row_digest(row) for row in found]
    told = {
        "number": last.number + 1,
        "from_id": last.to_id + 1,
        "to_id": found[-1]["id"],
        "count": len(found),
        "previous_digest": last.digest,
        "digest": rules.seal_digest(last.digest, digests),
        "views": " ".join(check_of(row["id"], digest) for row, digest in zip(found, digests, strict=True)),
    }
    return act.record(ACTION, "view-seal", uuid7(), facts=told)


def _seals() -> Any:
    return (
        select(AuditPayload.payload)
        .join(AuditEntry, AuditEntry.id == AuditPayload.entry_id)
        .join(AuditLink, AuditLink.entry_id == AuditEntry.id)
        .where(AuditEntry.action == ACTION)
    )


def _facts(payload: str) -> dict[str, Any]:
    """Return what a seal tells; nothing where its payload was changed so that it tells nothing."""
    try:
        facts = json.loads(payload)["facts"]
        return {**facts, "count": int(facts["count"]), "views": str(facts["views"])}
    except (ValueError, KeyError, TypeError):
        return {}
