"""Passwords: hashed by argon2id with a salt of their own, compared in a time that tells nothing about whose they are."""

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# OWASP's smaller argon2id profile (19 MiB, 2 passes): eight people may sign in at once on a small machine.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

NOBODYS_HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1$eiqcJdyB0brKA9vSbx4yIQ$K4knJM2EtMlooukKXDLY1uqsg2sW6CduDb1HA4Af/lY"
)
"""What a password is compared with where there is no person: as slow as a real one. A test keeps its cost in step."""


def hash_password(password: str) -> str:
    """Return the hash to store for `password`."""
    return _hasher.hash(_composed(password))


def matches(stored: str | None, password: str) -> bool:
    """Tell whether `password` is the one behind `stored`; without one the answer is no, after the same time."""
    try:
        _hasher.verify(stored or NOBODYS_HASH, _composed(password))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def needs_rehash(stored: str) -> bool:
    """Tell whether `stored` was made at another cost than today's."""
    return _hasher.check_needs_rehash(stored)


def _composed(password: str) -> str:
    # The same letters typed on another keyboard may arrive decomposed.
    return unicodedata.normalize("NFC", password)
