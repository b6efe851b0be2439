"""Public identifiers: UUID version 7 (RFC 9562), made by the application so that a row's id is known before it is written."""

import os
import time
from uuid import UUID


def uuid7() -> UUID:
    """Return a new time-ordered UUID (RFC 9562, section 5.7): 48 bits of Unix milliseconds, 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return UUID(int=value)
