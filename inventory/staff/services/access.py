"""How long an account is open, and which days it sees: an auditor is let in for a while, and to a period of the records."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from inventory.audit.acts import Act, Outcome, perform
from inventory.kernel.errors import Refusals
from inventory.kernel.permissions import Actor, Days
from inventory.staff import queries, rules
from inventory.staff.services.people import changes, edited_meanwhile, locked_person, refuse_last_admin


@dataclass(frozen=True, slots=True)
class Bounds:
    """From when until when somebody signs in (until excluded), and the days they see; None is without end."""

    access_from: datetime | None = None
    access_until: datetime | None = None
    records_from: date | None = None
    records_until: date | None = None

    def facts(self) -> dict[str, Any]:
        """Return them as the trail tells them."""
        return {name: getattr(self, name) for name in self.__slots__}


def set_access(
    *,
    actor: Actor,
    at: datetime,
    user_id: UUID,
    version: int,
    bounds: Bounds,
    request_key: str | None = None,
) -> Outcome:
    """Bound a person's account, as it was at `version`; it counts from their next request on. Outcome: the person.

    Raises Refusals of ACCESS-ORDER, DAYS-ORDER, DAYS-AUDITOR; Refusal LAST-ADMIN, EDITED-MEANWHILE, NOT-FOUND.
    """

    def write(act: Act) -> Outcome:
        user = locked_person(act, user_id)
        if user.version != version:
            raise edited_meanwhile()
        wrong = rules.access_refusals(
            access_from=bounds.access_from,
            access_until=bounds.access_until,
            days=Days(bounds.records_from, bounds.records_until),
            roles=queries.roles_of(user),
        )
        if wrong:
            raise Refusals(wrong)
        if bounds.access_from or bounds.access_until:
            refuse_last_admin(act, user, "access_until")
        before = {name: getattr(user, name) for name in bounds.facts()}
        for name, value in bounds.facts().items():
            setattr(user, name, value)
        return act.record("staff.access-set", "user", user.id, facts=changes(before, bounds.facts()))

    return perform(write, actor=actor, at=at, request_key=request_key)
