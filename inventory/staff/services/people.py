"""People's entries: added, edited, deactivated, reactivated; never deleted (law 4)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm.attributes import flag_modified

from inventory.audit.acts import Act, Outcome, perform
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.ids import uuid7
from inventory.kernel.laws import means
from inventory.kernel.permissions import Actor, Role
from inventory.staff import queries, rules
from inventory.staff.models import SiteAccess, User, UserRole
from inventory.staff.services.sessions import end_every_session

means(
    Refusal("USERNAME-TAKEN", "Somebody has this username already, perhaps deactivated.", "username"),
    constraint="uq_user_username",
    columns="user.username",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is written about a person, besides username and password."""

    display_name: str
    roles: frozenset[Role]
    email: str = ""
    credential_title: str = ""
    licence_number: str = ""
    licence_expires_on: date | None = None
    licence_renewal_pending: bool = False

    def refusals(self) -> list[Refusal]:
        """Return everything wrong with it."""
        return rules.person_refusals(
            display_name=self.display_name,
            email=self.email,
            roles=self.roles,
            licence_number=self.licence_number,
            licence_expires_on=self.licence_expires_on,
        )

    def facts(self) -> dict[str, Any]:
        """Return it as the trail tells it."""
        return {
            "display_name": self.display_name,
            "roles": sorted(self.roles),
            "email": self.email,
            "credential_title": self.credential_title,
            "licence_number": self.licence_number,
            "licence_expires_on": self.licence_expires_on,
            "licence_renewal_pending": self.licence_renewal_pending,
        }


def add_person(
    *,
    actor: Actor,
    at: datetime,
    username: str,
    display_name: str,
    roles: Iterable[Role],
    email: str = "",
    credential_title: str = "",
    licence_number: str = "",
    licence_expires_on: date | None = None,
    licence_renewal_pending: bool = False,
    request_key: str | None = None,
) -> Outcome:
    """Add a person, who has no password yet: give them a link (`issue_link`) or, in the demo, `set_password`.

    Raises Refusals of USERNAME-INVALID, NAME-NEEDED, EMAIL-INVALID, ROLE-NEEDED, AUDITOR-ALONE, LICENCE-NEEDED;
    Refusal USERNAME-TAKEN.
    """
    entry = Entry(
        display_name=display_name.strip(),
        roles=frozenset(roles),
        email=email,
        credential_title=credential_title,
        licence_number=licence_number,
        licence_expires_on=licence_expires_on,
        licence_renewal_pending=licence_renewal_pending,
    )
    name = rules.username_key(username)
    _refuse_if(rules.username_refusals(name) + entry.refusals())

    def write(act: Act) -> Outcome:
        user = User(id=uuid7(), username=name, created_at=at, role_rows=[], site_rows=[])
        _fill(user, entry)
        act.session.add(user)
        facts = {"username": name, **entry.facts()}
        return act.record("staff.person-added", "user", user.id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def edit_person(
    *, actor: Actor, at: datetime, user_id: UUID, version: int, entry: Entry, request_key: str | None = None
) -> Outcome:
    """Replace what is written about a person, as it was at `version`; roles count from their next request.

    Raises Refusal EDITED-MEANWHILE, LAST-ADMIN, NOT-FOUND; Refusals as `add_person`.
    """
    _refuse_if(entry.refusals())

    def write(act: Act) -> Outcome:
        user = locked_person(act, user_id)
        if user.version != version:
            raise edited_meanwhile()
        if user.deactivated_at is None and Role.ADMIN not in entry.roles:
            refuse_last_admin(act, user)
        before = _entry_of(user).facts()
        _fill(user, entry)
        flag_modified(user, "display_name")  # so that a change of roles alone also makes a new version
        return act.record("staff.person-edited", "user", user.id, facts=changes(before, entry.facts()))

    return perform(write, actor=actor, at=at, request_key=request_key)


def set_sites(
    *, actor: Actor, at: datetime, user_id: UUID, site_ids: Iterable[UUID], request_key: str | None = None
) -> Outcome:
    """Say at which sites a person works from their next request on; none named is every site. Outcome: the person.

    Raises Refusal NOT-FOUND.
    """

    def write(act: Act) -> Outcome:
        user = locked_person(act, user_id)
        wanted = frozenset(site_ids)
        before, after = sorted(queries.sites_of(user) or ()), sorted(wanted)
        kept = [row for row in user.site_rows if row.site_id in wanted]
        added = wanted - {row.site_id for row in kept}
        user.site_rows[:] = kept + [SiteAccess(site_id=one) for one in sorted(added)]
        facts = {"before": {"site_ids": before}, "after": {"site_ids": after}}
        return act.record("staff.sites-set", "user", user.id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def deactivate_person(
    *, actor: Actor, at: datetime, user_id: UUID, request_key: str | None = None
) -> Outcome:
    """Shut a person out from their next request on; what they did stays theirs. Raises Refusal LAST-ADMIN, ALREADY-DONE."""

    def write(act: Act) -> Outcome:
        user = locked_person(act, user_id)
        if user.deactivated_at is not None:
            raise already_done()
        refuse_last_admin(act, user)
        user.deactivated_at = at
        ended = end_every_session(act.session, user.id, at=at)
        return act.record("staff.person-deactivated", "user", user.id, facts={"sessions_ended": ended})

    return perform(write, actor=actor, at=at, request_key=request_key)


def reactivate_person(
    *, actor: Actor, at: datetime, user_id: UUID, request_key: str | None = None
) -> Outcome:
    """Let a deactivated person in again, with the password they had. Raises Refusal ALREADY-DONE."""

    def write(act: Act) -> Outcome:
        user = locked_person(act, user_id)
        if user.deactivated_at is None:
            raise already_done()
        user.deactivated_at = None
        return act.record("staff.person-reactivated", "user", user.id)

    return perform(write, actor=actor, at=at, request_key=request_key)


def changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the changed fields as they were and as they are."""
    changed = [name for name in after if before[name] != after[name]]
    return {"before": {n: before[n] for n in changed}, "after": {n: after[n] for n in changed}}


def edited_meanwhile() -> Refusal:
    """Return the refusal of a change to something that is no longer as the person saw it."""
    said = "Somebody changed this while you were typing. Load the page again, and repeat your change."
    return Refusal("EDITED-MEANWHILE", said)


def already_done() -> Refusal:
    """Return the refusal of what is so already."""
    return Refusal("ALREADY-DONE", "Somebody has done this already. Load the page again.")


def _refuse_if(refusals: list[Refusal]) -> None:
    if refusals:
        raise Refusals(refusals)


def locked_person(act: Act, user_id: UUID) -> User:
    """Return a person, while the act alone decides about people. Raises Refusal NOT-FOUND."""
    queries.take_staff_turn(act.session)
    return queries.person(user_id)


def refuse_last_admin(act: Act, user: User, field: str = "roles") -> None:
    """Raise Refusal LAST-ADMIN where nobody else is an administrator whose account stays."""
    if Role.ADMIN in queries.roles_of(user) and queries.is_last_admin(act.session, user.id):
        said = "This is the last administrator. Make somebody else administrator first."
        raise Refusal("LAST-ADMIN", said, field)


def _entry_of(user: User) -> Entry:
    return Entry(
        display_name=user.display_name,
        roles=queries.roles_of(user),
        email=user.email,
        credential_title=user.credential_title,
        licence_number=user.licence_number,
        licence_expires_on=user.licence_expires_on,
        licence_renewal_pending=user.licence_renewal_pending,
    )


def _fill(user: User, entry: Entry) -> None:
    for name in entry.facts():
        if name != "roles":
            setattr(user, name, getattr(entry, name))
    kept = [row for row in user.role_rows if Role(row.role) in entry.roles]
    added = entry.roles - {Role(row.role) for row in kept}
    user.role_rows[:] = kept + [UserRole(role=role) for role in sorted(added)]
