"""What entries of the trail are about, found by the number that people know it by. Each room says what it keeps under which.

The trail knows subjects by kind and id only: a lot's number is of the stock room, a dose's of the doses room.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, false, select, union

from inventory.audit.models import AuditEntry

Subjects = Sequence[tuple[str, Any]]
"""Kinds of subjects, each with its ids: a list, or a statement that finds them."""
Finder = Callable[[str], Subjects]

_FINDERS: dict[str, list[Finder]] = {}


def found_by(number: str, finder: Finder) -> None:
    """Declare what `finder` finds under a typed `number`: "lot" or "dose"."""
    _FINDERS.setdefault(number, []).append(finder)


def entries_about(number: str, typed: str, conditions: Iterable[ColumnElement[bool]]) -> Subquery:
    """Return the ids of the entries about whatever is known under this number, under these conditions, each once."""
    asked = tuple(conditions)
    found = [one for finder in _FINDERS.get(number, []) for one in finder(typed)]
    statements: list[Select[Any]] = [
        select(AuditEntry.id).where(AuditEntry.subject_type == kind, AuditEntry.subject_id.in_(ids), *asked)
        for kind, ids in found
    ]
    nothing = select(AuditEntry.id).where(false())
    return union(*statements, nothing).subquery(f"about_{number}")
