"""The record as it stood at one link of the chain (law 10): what a later entry recorded is not seen, and names are those of then.

Rows are left out by the entry that recorded them, never by a clock. A row that no entry recorded is shown: whoever compares a
report with the record is to find it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select, true
from sqlalchemy.engine import Connection

from inventory.audit.models import AuditEntry, AuditLink, AuditPayload
from inventory.clinic.models import Site
from inventory.staff.models import User

_Any = Select[*tuple[Any, ...]]

RECORDED = ("doses.record", "doses.amend")
"""What enters a dose; the entry is about the dose."""


@dataclass(frozen=True, slots=True)
class AsOf:
    """One moment of the record. `seq` is the last link that is seen; None is everything."""

    seq: int | None = None

    def known(self, subject: Any, *actions: str) -> ColumnElement[bool]:
        """The condition that no later entry of these actions is about `subject`, the column of an id."""
        if self.seq is None:
            return true()
        condition: ColumnElement[bool] = subject.not_in(self.later(*actions))
        return condition

    def acted(self, act: Any) -> ColumnElement[bool]:
        """The condition that no later entry belongs to `act`, the column of an act's id."""
        if self.seq is None:
            return true()
        condition: ColumnElement[bool] = act.not_in(self._later(select(AuditEntry.act_id)))
        return condition

    def later_acts(self) -> _Any | None:
        """The acts of the later entries; None where nothing is later."""
        return None if self.seq is None else self._later(select(AuditEntry.act_id))

    def later(self, *actions: str) -> _Any:
        """The subjects of the later entries of these actions."""
        chosen: _Any = select(AuditEntry.subject_id).where(
            AuditEntry.action.in_(actions), AuditEntry.subject_id.is_not(None)
        )
        return self._later(chosen)

    def later_by_site(self, connection: Connection, *actions: str) -> dict[UUID | None, int]:
        """How many later entries of these actions each site has."""
        if self.seq is None:
            return {}
        of_actions: _Any = select(AuditEntry.site_id, func.count()).where(AuditEntry.action.in_(actions))
        rows = connection.execute(self._later(of_actions).group_by(AuditEntry.site_id))
        return {site_id: int(count) for site_id, count in rows}

    def moments(
        self, connection: Connection, subject_type: str, *actions: str
    ) -> frozenset[tuple[UUID | None, datetime]]:
        """Each later entry about such a subject, or of these actions alone: which, and when it was recorded."""
        if self.seq is None:
            return frozenset()
        chosen: _Any = select(AuditEntry.subject_id, AuditEntry.recorded_at)
        chosen = chosen.where(AuditEntry.action.in_(actions)) if actions else chosen
        rows = connection.execute(self._later(chosen.where(AuditEntry.subject_type == subject_type)))
        return frozenset((row.subject_id, row.recorded_at) for row in rows)

    def before(self, connection: Connection, action: str, name: str) -> dict[UUID, str]:
        """What the field `name` was of each subject that a later edit changed."""
        found: dict[UUID, str] = {}
        for subject_id, facts in self._edits(connection, action):
            was = facts.get("before")
            if isinstance(was, Mapping) and name in was:
                found.setdefault(subject_id, str(was[name]))
        return found

    def were(self, connection: Connection, action: str) -> dict[UUID, dict[str, Any]]:
        """What every field was of each subject that later edits changed: only the fields that they changed."""
        found: dict[UUID, dict[str, Any]] = {}
        for subject_id, facts in self._edits(connection, action):
            was = facts.get("before")
            if isinstance(was, Mapping):
                # The first later edit knows what it was then.
                found[subject_id] = {**was, **found.get(subject_id, {})}
        return found

    def _edits(self, connection: Connection, action: str) -> Iterator[tuple[UUID, Mapping[str, Any]]]:
        if self.seq is None:
            return
        chosen: _Any = select(AuditEntry.subject_id, AuditPayload.payload).join(
            AuditPayload, AuditPayload.entry_id == AuditEntry.id
        )
        statement = self._later(chosen.where(AuditEntry.action == action)).order_by(AuditLink.seq)
        for subject_id, payload in connection.execute(statement):
            yield subject_id, _facts(payload)

    def _later(self, statement: _Any) -> _Any:
        linked = statement.join(AuditLink, AuditLink.entry_id == AuditEntry.id)
        return linked.where(AuditLink.seq > self.seq)


NOW = AsOf()


@dataclass(frozen=True, slots=True)
class Called:
    """What people and sites were called: display names, codes, zones and names by id."""

    people: Mapping[UUID, str] = field(default_factory=dict)
    codes: Mapping[UUID, str] = field(default_factory=dict)
    zones: Mapping[UUID, str] = field(default_factory=dict)
    sites: Mapping[UUID, str] = field(default_factory=dict)


def called(connection: Connection, as_of: AsOf = NOW) -> Called:
    """Read what everybody and every site was called then."""
    people = {row.id: row.display_name for row in connection.execute(select(User.id, User.display_name))}
    sites = connection.execute(select(Site.id, Site.code, Site.time_zone, Site.name)).all()
    return Called(
        people | as_of.before(connection, "staff.person-edited", "display_name"),
        {row.id: row.code for row in sites} | as_of.before(connection, "clinic.site-edited", "code"),
        {row.id: row.time_zone for row in sites}
        | as_of.before(connection, "clinic.site-edited", "time_zone"),
        {row.id: row.name for row in sites} | as_of.before(connection, "clinic.site-edited", "name"),
    )


def _facts(payload: str) -> Mapping[str, Any]:
    try:
        facts = json.loads(payload)["facts"]
    except (ValueError, KeyError, TypeError):
        return {}
    return facts if isinstance(facts, Mapping) else {}
