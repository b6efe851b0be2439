"""How the trail is hashed. Pure: the same bytes in the application, in verification and on paper.

Every hash is SHA-256. An encoding is unambiguous: canonical JSON (sorted keys, no spaces, ASCII) of a list or mapping.
A row's digest leaves out empty columns, so that a column added later does not change the digests before it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

Scalar = UUID | date | datetime | bytes


def canonical(value: Any) -> str:
    """Return `value` as canonical JSON text; instants as ISO 8601 UTC, ids as 32 hexadecimal digits."""
    return _ENCODER.encode(value)


def commitment(payload: str, salt: str) -> str:
    """Return the commitment to `payload` text under `salt` (32 hexadecimal digits)."""
    return hashlib.sha256(f"{salt}:{payload}".encode()).hexdigest()


def entry_digest(entry: Mapping[str, Any]) -> str:
    """Return the digest of an entry's columns other than the digest itself."""
    return row_digest({name: value for name, value in entry.items() if name != "digest"})


def row_digest(row: Mapping[str, Any]) -> str:
    """Return the digest of a database row given by column name; empty columns do not count."""
    return hashlib.sha256(canonical({k: v for k, v in row.items() if v is not None}).encode()).hexdigest()


def link_hash(previous_hash: str, seq: int, digest: str) -> str:
    """Return the hash of link `seq`: 32 bytes before, 8 bytes of sequence, 32 bytes of entry digest."""
    data = bytes.fromhex(previous_hash) + seq.to_bytes(8, "big") + bytes.fromhex(digest)
    return hashlib.sha256(data).hexdigest()


def seal_digest(previous_digest: str, look_digests: Iterable[str]) -> str:
    """Return the digest of a seal: over that of the seal before and the row digests of its looks, a line each."""
    return hashlib.sha256("\n".join((previous_digest, *look_digests)).encode()).hexdigest()


def _plain(value: Scalar) -> str:
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    raise TypeError(f"{type(value).__name__} has no canonical form")


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_plain)
