"""What was recorded after a link of the chain, so that a report that was interrupted is drawn with the head it was entered with."""

import json
from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.engine import Connection

from inventory.audit.models import AuditEntry, AuditLink, AuditPayload


class Later(NamedTuple):
    """The rows that entries after the link witness, by their keys."""

    doses: frozenset[UUID] = frozenset()
    voids: frozenset[UUID] = frozenset()
    not_given: frozenset[UUID] = frozenset()
    corrections: frozenset[UUID] = frozenset()


def later_than(connection: Connection, seq: int | None) -> Later:
    """Return what the entries after the link `seq` recorded; nothing where no link is named."""
    if seq is None:
        return Later()
    payloads = connection.scalars(
        select(AuditPayload.payload)
        .join(AuditEntry, AuditEntry.id == AuditPayload.entry_id)
        .join(AuditLink, AuditLink.entry_id == AuditEntry.id)
        .where(AuditLink.seq > seq)
    )
    found: dict[str, set[UUID]] = {}
    for payload in payloads:
        for table, keys in _rows(payload).items():
            found.setdefault(table, set()).update(
                UUID(key) for key in keys if "/" not in key and len(key) == 32
            )
    names = ("dose", "dose_void", "not_given", "lot_correction")
    return Later(*(frozenset(found.get(name, ())) for name in names))


def _rows(payload: str) -> Mapping[str, Mapping[str, str]]:
    told: Mapping[str, Mapping[str, str]] = json.loads(payload).get("rows", {})
    return told
