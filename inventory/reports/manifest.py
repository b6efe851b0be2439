"""The manifest of a report: one object of canonical JSON that commits to every row by a salted hash. Standard library only.

The hash of row i is SHA-256(salt_i || canonical JSON of the list of its cells), where salt_i = HMAC-SHA256(salt, i as 8 bytes, big
endian). A manifest that is to say nothing about its rows leaves the salt out.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Manifest:
    """The manifest's bytes and their SHA-256."""

    content: bytes
    sha256: str


class ManifestWriter:
    """Takes the rows of a report one by one, in their order."""

    def __init__(
        self, facts: Mapping[str, Any], *, salt: bytes | None = None, with_salt: bool = True
    ) -> None:
        self._facts = dict(facts)
        self._salt = secrets.token_bytes(32) if salt is None else salt
        self._with_salt = with_salt
        self._keyed = hmac.new(self._salt, digestmod=hashlib.sha256)
        self._hashes = bytearray()
        self._count = 0

    def add(self, cells: Sequence[str]) -> None:
        """Commit to one row."""
        salted = self._keyed.copy()
        salted.update(self._count.to_bytes(8, "big"))
        hashed = hashlib.sha256(salted.digest() + _ENCODER.encode(list(cells)).encode())
        self._hashes += hashed.digest()
        self._count += 1

    def close(self) -> Manifest:
        """Return the manifest of the rows so far."""
        rows = [self._hashes[at : at + 32].hex() for at in range(0, len(self._hashes), 32)]
        told = {
            **self._facts,
            "manifest": 1,
            "row_count": self._count,
            "rows": rows,
            "rows_root": hashlib.sha256(self._hashes).hexdigest(),
        }
        if self._with_salt:
            told["salt"] = self._salt.hex()
        content = _ENCODER.encode(told).encode()
        return Manifest(content, hashlib.sha256(content).hexdigest())
