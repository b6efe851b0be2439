"""What is read about people, sessions and attempts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Row, Table, bindparam, exists, or_, select
from sqlalchemy.orm import Session, selectinload

from inventory.kernel.db import db
from inventory.kernel.errors import not_found
from inventory.kernel.permissions import SYSTEM_ACTOR, SYSTEM_USER_ID, Actor, Days, Role
from inventory.staff import rules
from inventory.staff.identity import SignedIn
from inventory.staff.models import (
    LinkPurpose,
    OneTimeLink,
    SignInAttempt,
    SiteAccess,
    User,
    UserRole,
    UserSession,
)
from inventory.staff.policy import current_policy
from inventory.staff.tokens import token_hash
from inventory.web.pagination import Page, paginate

_SESSION, _USER, _ROLE, _ACCESS = (
    cast(Table, model.__table__) for model in (UserSession, User, UserRole, SiteAccess)
)
# Every request sends it, so it is made once, and reads columns instead of loading objects.
_BY_TOKEN = (
    select(
        *(_SESSION.c[name] for name in ("id", "user_id", "site_id", "expires_at", "last_seen_at")),
        *(_USER.c[name] for name in ("username", "display_name", "licence_expires_on", "access_from")),
        *(_USER.c[name] for name in ("credential_title", "licence_number", "access_until")),
        *(_USER.c[name] for name in ("records_from", "records_until")),
        _ROLE.c.role,
        _ACCESS.c.site_id.label("works_at_id"),
    )
    .select_from(_SESSION.join(_USER, _USER.c.id == _SESSION.c.user_id))
    .outerjoin(_ROLE, _ROLE.c.user_id == _USER.c.id)
    .outerjoin(_ACCESS, _ACCESS.c.user_id == _USER.c.id)
    .where(
        _SESSION.c.token_hash == bindparam("token_hash"),
        _SESSION.c.revoked_at.is_(None),
        _USER.c.deactivated_at.is_(None),
    )
)
PEOPLE = User.id != SYSTEM_USER_ID
_WITH_ROWS = (selectinload(User.role_rows), selectinload(User.site_rows))


@dataclass(frozen=True, slots=True)
class FoundSession:
    """A live session, the person it belongs to, and when it was last marked as seen."""

    person: SignedIn
    last_seen_at: datetime


def session_by_token(token: str, *, at: datetime) -> FoundSession | None:
    """Return the live session of `token` with its person and roles, by one query; None when it has ended."""
    rows = db.session.execute(_BY_TOKEN, {"token_hash": token_hash(token)}).all()
    if not rows:
        return None
    found = rows[0]
    idle = current_policy().idle
    if rules.is_over(expires_at=found.expires_at, last_seen_at=found.last_seen_at, idle=idle, at=at):
        return None
    if not rules.is_within(found.access_from, found.access_until, at):
        return None
    return FoundSession(_signed_in(rows), found.last_seen_at)


def _signed_in(rows: Sequence[Any]) -> SignedIn:
    """Return whom the rows tell of, one for each role and site of theirs."""
    found = rows[0]
    return SignedIn(
        id=found.user_id,
        username=found.username,
        display_name=found.display_name,
        roles=frozenset(Role(row.role) for row in rows if row.role),
        credential=credential_of(found),
        licence_expires_on=found.licence_expires_on,
        session_id=found.id,
        site_id=found.site_id,
        site_ids=frozenset(row.works_at_id for row in rows if row.works_at_id) or None,
        days=Days(found.records_from, found.records_until),
        access_until=found.access_until,
    )


def credential_of(user: Any) -> str:
    """Return title and licence as they are copied onto a dose: `RN 12345`."""
    return " ".join(part for part in (user.credential_title, user.licence_number) if part)


def nobody_yet() -> bool:
    """Tell whether the clinic has no people at all."""
    return not db.session.execute(select(exists().where(PEOPLE))).scalar_one()


def person(user_id: UUID) -> User:
    """Return a person with their roles and sites. Raises Refusal NOT-FOUND; the row of commands is no person."""
    found = db.session.scalar(select(User).options(*_WITH_ROWS).where(User.id == user_id, PEOPLE))
    if found is None:
        raise not_found("person")
    return found


def person_named(username: str) -> User | None:
    """Return the person of this username with their roles and sites, deactivated or not."""
    return db.session.scalar(
        select(User).options(*_WITH_ROWS).where(User.username == rules.username_key(username), PEOPLE)
    )


def roles_of(user: User) -> frozenset[Role]:
    """Return the roles of a person whose role rows are loaded."""
    return frozenset(Role(row.role) for row in user.role_rows)


def actor_named(username: str | None, *, at: datetime) -> Actor | None:
    """Return the person of this username who may act at `at`; without a name the row of commands; None if there is none."""
    if not username or username == SYSTEM_ACTOR.name:
        return SYSTEM_ACTOR
    user = person_named(username)
    return actor_of(user) if user is not None and is_let_in(user, at) else None


def is_let_in(user: User, at: datetime) -> bool:
    """Tell whether the account is open at `at`: not deactivated, and within its own bounds of time."""
    return user.deactivated_at is None and rules.is_within(user.access_from, user.access_until, at)


def actor_of(user: User) -> Actor:
    """Return a person whose roles and sites are loaded as an actor."""
    return Actor(
        id=user.id,
        name=user.display_name,
        roles=roles_of(user),
        credential=credential_of(user),
        site_ids=sites_of(user),
        days=Days(user.records_from, user.records_until),
    )


def sites_of(user: User) -> frozenset[UUID] | None:
    """Return the sites at which a person works whose sites are loaded; None for every site."""
    return frozenset(row.site_id for row in user.site_rows) or None


def active_people(*roles: Role) -> list[Row[tuple[UUID, str]]]:
    """Return (id, display_name) of active people who hold any of `roles`, by name: the answers of a form's choice."""
    holds = select(UserRole.user_id).where(UserRole.role.in_(roles))
    return list(
        db.session.execute(
            select(User.id, User.display_name)
            .where(PEOPLE, User.deactivated_at.is_(None), User.id.in_(holds))
            .order_by(User.display_name, User.id)
        )
    )


def people_page(*, words: str, state: str, cursor: str) -> Page[User]:
    """Return a page of people by name; `state` is active, deactivated or all."""
    statement = select(User).options(*_WITH_ROWS).where(PEOPLE)
    if words:
        statement = statement.where(
            or_(
                User.display_name.icontains(words, autoescape=True),
                User.username.icontains(words, autoescape=True),
            )
        )
    if state != "all":
        active = User.deactivated_at.is_(None)
        statement = statement.where(active if state == "active" else ~active)
    return paginate(db.session, statement, order=[User.display_name, User.id], cursor=cursor)


def ending_access(*, by: datetime, at: datetime) -> list[str]:
    """Return the names of active people whose access ends before `by`, the first one first."""
    ends_soon = (User.deactivated_at.is_(None), User.access_until > at, User.access_until <= by)
    return list(
        db.session.scalars(select(User.display_name).where(*ends_soon).order_by(User.access_until, User.id))
    )


def live_sessions(user_id: UUID, *, at: datetime) -> list[UserSession]:
    """Return a person's sessions that have not ended, the last used first."""
    idle = current_policy().idle
    return list(
        db.session.scalars(
            select(UserSession)
            .where(
                UserSession.user_id == user_id,
                UserSession.revoked_at.is_(None),
                UserSession.expires_at > at,
                UserSession.last_seen_at > at - idle,
            )
            .order_by(UserSession.last_seen_at.desc(), UserSession.id)
        )
    )


def failures(session: Session, *, username: str, address: str, at: datetime) -> list[datetime]:
    """Return when this account failed at this address since it last succeeded there, oldest first."""
    since = at - rules.TRIES_COUNT_FOR
    tries = session.execute(
        select(SignInAttempt.at, SignInAttempt.succeeded)
        .where(SignInAttempt.username == username, SignInAttempt.address == address, SignInAttempt.at > since)
        .order_by(SignInAttempt.at, SignInAttempt.id)
    ).all()
    last_success = max((n for n, attempt in enumerate(tries) if attempt.succeeded), default=-1)
    return [attempt.at for attempt in tries[last_success + 1 :]]


def address_failures(session: Session, *, address: str, at: datetime) -> list[datetime]:
    """Return when anybody failed at this address lately, oldest first."""
    return list(
        session.scalars(
            select(SignInAttempt.at)
            .where(
                SignInAttempt.address == address,
                SignInAttempt.at > at - rules.ADDRESS_WINDOW,
                SignInAttempt.succeeded.is_(False),
            )
            .order_by(SignInAttempt.at, SignInAttempt.id)
        )
    )


def usable_link(session: Session, *, hashed: str, purpose: LinkPurpose, at: datetime) -> OneTimeLink | None:
    """Return the link of this hash while it works, locked against a second use."""
    return session.scalar(
        select(OneTimeLink)
        .where(
            OneTimeLink.token_hash == hashed,
            OneTimeLink.purpose == purpose,
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > at,
        )
        .with_for_update()
    )


def take_staff_turn(session: Session) -> None:
    """Let one act at a time decide about people, such as who is the last administrator: lock the row of commands."""
    session.execute(select(User.id).where(User.id == SYSTEM_USER_ID).with_for_update(key_share=True))


def is_last_admin(session: Session, user_id: UUID) -> bool:
    """Tell whether no other active person is an administrator. Asked while holding the staff turn."""
    others = select(User.id).join(UserRole, UserRole.user_id == User.id)
    found = session.execute(
        others.where(
            UserRole.role == Role.ADMIN,
            User.deactivated_at.is_(None),
            # An account that ends, or has not begun, is no administrator to rely on.
            User.access_from.is_(None),
            User.access_until.is_(None),
            User.id != user_id,
        ).limit(1)
    )
    return found.first() is None


def person_of_link(token: str, *, at: datetime) -> User | None:
    """Return the active person, with their roles, whose link works; None for any other link."""
    return db.session.scalar(
        select(User)
        .options(*_WITH_ROWS)
        .join(OneTimeLink, OneTimeLink.user_id == User.id)
        .where(
            OneTimeLink.token_hash == token_hash(token),
            OneTimeLink.purpose == LinkPurpose.NEW_PASSWORD,
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > at,
            User.deactivated_at.is_(None),
        )
    )
