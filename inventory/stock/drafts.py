"""The readings of a logger's file between their preview and their confirmation: sealed into the page, kept nowhere else.

Law kept here: nothing is written before a person has confirmed what was read; what comes back is what was shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate, pairwise
from typing import Any
from uuid import UUID

from itsdangerous import BadData, URLSafeSerializer

from inventory.kernel.errors import Refusal
from inventory.stock.exposure import Reading

_SALT = "logger-file"


@dataclass(frozen=True, slots=True)
class Draft:
    """What was read from a file, of a location, and what it was read from."""

    location_id: UUID
    name: str
    sha256: str
    left_out: int
    readings: Sequence[Reading]


def sealed(draft: Draft, *, secret: str) -> str:
    """Return the draft as signed, packed text. Its instants are whole seconds."""
    stamps = [int(one.read_at.timestamp()) for one in draft.readings]
    steps = stamps[:1] + [later - earlier for earlier, later in pairwise(stamps)]
    content = {
        "location": draft.location_id.hex,
        "name": draft.name,
        "sha256": draft.sha256,
        "left_out": draft.left_out,
        "steps": steps,
        "degrees": [one.decicelsius for one in draft.readings],
    }
    return str(_serializer(secret).dumps(content))


def opened(text: str, *, secret: str) -> Draft:
    """Return the draft that was sealed. Raises Refusal LOGGER-STALE."""
    try:
        content: dict[str, Any] = _serializer(secret).loads(text)
    except BadData:
        said = "What was read from the file did not come back whole. Choose the file again."
        raise Refusal("LOGGER-STALE", said, "file") from None
    stamps = accumulate(content["steps"])
    pairs = zip(stamps, content["degrees"], strict=True)
    readings = [Reading(datetime.fromtimestamp(stamp, UTC), degrees) for stamp, degrees in pairs]
    return Draft(UUID(content["location"]), content["name"], content["sha256"], content["left_out"], readings)


def _serializer(secret: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt=_SALT)
