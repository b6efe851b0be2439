"""What a database says of the clinic in it, asked in plain SQL, since a copy may be of an older schema."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from inventory.interop.copies.archive import ClinicFacts

Ask = Callable[[str], Sequence[Any] | None]
"""Runs one statement and returns its first row, or None."""


def facts_of(ask: Ask) -> ClinicFacts:
    """Return the facts of the clinic that `ask` reads from."""
    revision = ask("SELECT version_num FROM alembic_version") or ("",)
    head = ask("SELECT seq, hash FROM audit_head WHERE id = 1") or (0, "")
    return ClinicFacts(
        clinic=str(_setting(ask, "clinic_name", "")),
        demo=bool(_setting(ask, "is_demo", default=False)),
        revision=str(revision[0]),
        head_seq=int(head[0]),
        head_hash=str(head[1]),
    )


def _setting(ask: Ask, key: str, default: object) -> object:
    found = ask(f"SELECT value FROM setting WHERE key = '{key}'")  # noqa: S608  our own two keys
    return default if found is None else json.loads(found[0])
