"""Codes that work once: the first visit to an empty clinic, an invitation, a reset. Only their hash is kept."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome, perform
from inventory.kernel.errors import Refusal
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import SYSTEM_ACTOR, SYSTEM_USER_ID, Actor
from inventory.staff import queries, rules
from inventory.staff.models import LinkPurpose, OneTimeLink
from inventory.staff.services.passwords import accepted, store
from inventory.staff.services.sessions import end_every_session
from inventory.staff.tokens import code_hash, new_code, new_token, token_hash


@dataclass(frozen=True, slots=True)
class IssuedLink:
    """A link's token, shown once to whoever asked for it; None when the same request had been carried out before."""

    token: str | None
    outcome: Outcome


def issue_link(*, actor: Actor, at: datetime, user_id: UUID, request_key: str | None = None) -> IssuedLink:
    """Make the link by which a person sets a new password within 24 hours; earlier links of theirs end.

    Raises Refusal NOT-FOUND, PERSON-DEACTIVATED.
    """
    token = new_token()

    def write(act: Act) -> Outcome:
        queries.take_staff_turn(act.session)
        if queries.person(user_id).deactivated_at is not None:
            raise Refusal("PERSON-DEACTIVATED", "This person is deactivated. Reactivate them first.")
        _replace(act.session, LinkPurpose.NEW_PASSWORD, user_id, token_hash(token), at)
        return act.record("staff.link-issued", "user", user_id)

    outcome = perform(write, actor=actor, at=at, request_key=request_key)
    return IssuedLink(None if outcome.repeated else token, outcome)


def spend_link(*, token: str, password: str, at: datetime, request_key: str | None = None) -> Outcome:
    """Set the password of the person whose link this is, end their sessions, and end the link.

    Raises Refusal LINK-SPENT; Refusals as `set_password`.
    """
    user = queries.person_of_link(token, at=at)
    if user is None:
        raise link_spent()
    hashed = accepted(password, username=user.username, display_name=user.display_name)

    def write(act: Act) -> Outcome:
        link = queries.usable_link(
            act.session, hashed=token_hash(token), purpose=LinkPurpose.NEW_PASSWORD, at=at
        )
        if link is None or user.deactivated_at is not None:
            raise link_spent()
        link.used_at = at
        store(act.session, user.id, hashed, at=at)
        end_every_session(act.session, user.id, at=at)
        return act.record("staff.password-set", "user", user.id, facts={"by": "one-time link"})

    return perform(write, actor=queries.actor_of(user), at=at, request_key=request_key)


def issue_setup_code(*, at: datetime) -> str:
    """Make the code that opens the first visit, in place of any before it, and return it."""
    code = new_code()

    def write(act: Act) -> Outcome:
        _replace(act.session, LinkPurpose.SETUP, None, code_hash(code), at)
        return act.record("staff.setup-code-issued", "user", SYSTEM_USER_ID)

    perform(write, actor=SYSTEM_ACTOR, at=at)
    return code


def spend_setup_code(act: Act, *, code: str, at: datetime) -> None:
    """End the code of the first visit inside an act under way. Raises Refusal SETUP-CODE, or SETUP-DONE when people exist."""
    queries.take_staff_turn(act.session)
    if not queries.nobody_yet():
        raise Refusal("SETUP-DONE", "This clinic is set up already. Sign in.")
    link = queries.usable_link(act.session, hashed=code_hash(code), purpose=LinkPurpose.SETUP, at=at)
    if link is None:
        said = "This is not the code that the server printed last. Start it again for a new one."
        raise Refusal("SETUP-CODE", said, "setup_code")
    link.used_at = at


def link_spent() -> Refusal:
    """Return the refusal of a link that does not work, whatever the reason."""
    said = "This link does not work any more. Ask an administrator for a new one."
    return Refusal("LINK-SPENT", said, status=410)


def _replace(session: Session, purpose: LinkPurpose, user_id: UUID | None, hashed: str, at: datetime) -> None:
    session.execute(
        update(OneTimeLink)
        .where(OneTimeLink.purpose == purpose, OneTimeLink.user_id == user_id, OneTimeLink.used_at.is_(None))
        .values(used_at=at)
    )
    session.add(
        OneTimeLink(
            id=uuid7(),
            token_hash=hashed,
            purpose=purpose,
            user_id=user_id,
            created_at=at,
            expires_at=at + rules.LINK_LIFETIME,
        )
    )
