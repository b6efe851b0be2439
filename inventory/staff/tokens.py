"""Secrets that machines carry: session tokens, one-time links, the setup code. Only their hash is ever stored."""

import hashlib
import secrets

_UNMISTAKABLE = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"


def new_token() -> str:
    """Return a token of 256 random bits, fit for an address or a cookie."""
    return secrets.token_urlsafe(32)


def new_code() -> str:
    """Return a code of 79 random bits for a person to type, such as ABCD-EFGH-JKMN-PQRS, without look-alike characters."""
    letters = [secrets.choice(_UNMISTAKABLE) for _ in range(16)]
    return "-".join("".join(letters[start : start + 4]) for start in range(0, 16, 4))


def token_hash(token: str) -> str:
    """Return the SHA-256 of `token` as 64 hexadecimal digits. A random token needs no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def code_hash(code: str) -> str:
    """Return the hash of a typed code: case, blanks and hyphens do not matter."""
    return token_hash("".join(c for c in code.upper() if c.isalnum()))
