"""Sessions: rows that begin at sign-in, can be seen and ended, and end on their own."""

from datetime import datetime
from typing import cast
from uuid import UUID

from flask import current_app
from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome, perform
from inventory.kernel.db import unit_of_work
from inventory.kernel.errors import not_found
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import Actor
from inventory.staff import rules
from inventory.staff.models import UserSession
from inventory.staff.tokens import new_token, token_hash


def open_session(act: Act, *, user_id: UUID, at: datetime, address: str, user_agent: str) -> str:
    """Add a session to an act under way and return its token, which is stored nowhere."""
    token = new_token()
    act.session.add(
        UserSession(
            id=uuid7(),
            token_hash=token_hash(token),
            user_id=user_id,
            created_at=at,
            last_seen_at=at,
            expires_at=at + current_app.config["SESSION_ABSOLUTE"],
            address=address[:64],
            user_agent=user_agent[:300],
        )
    )
    return token


def start_session(*, actor: Actor, at: datetime, address: str, user_agent: str) -> str:
    """Sign in somebody who has proved who they are in another way (the first visit), and return the session's token."""
    token = ""

    def write(act: Act) -> Outcome:
        nonlocal token
        token = open_session(act, user_id=actor.id, at=at, address=address, user_agent=user_agent)
        return act.record("staff.signed-in", "user", actor.id, facts={"address": address})

    perform(write, actor=actor, at=at)
    return token


def mark_seen(*, session_id: UUID, last_seen_at: datetime, at: datetime) -> None:
    """Keep a session from resting, at most once a minute. Not an act: it says nothing that the trail should tell."""
    if at - last_seen_at < rules.LAST_SEEN_STEP:
        return
    with unit_of_work() as session:
        newer = update(UserSession).where(UserSession.id == session_id, UserSession.last_seen_at < at)
        session.execute(newer.values(last_seen_at=at))


def sign_out(*, actor: Actor, at: datetime, session_id: UUID) -> Outcome:
    """End the person's present session."""

    def write(act: Act) -> Outcome:
        _end(act.session, at, UserSession.id == session_id, UserSession.user_id == actor.id)
        return act.record("staff.signed-out", "user", actor.id)

    return perform(write, actor=actor, at=at)


def end_session(
    *, actor: Actor, at: datetime, user_id: UUID, session_id: UUID, request_key: str | None = None
) -> Outcome:
    """End one session of a person, from its next request on. Raises Refusal NOT-FOUND when it is not theirs."""

    def write(act: Act) -> Outcome:
        theirs = (UserSession.id == session_id, UserSession.user_id == user_id)
        if act.session.execute(select(UserSession.id).where(*theirs)).first() is None:
            raise not_found("session")
        if not _end(act.session, at, *theirs):
            return Outcome("user", user_id, repeated=True)
        facts = {"session": session_id}
        return act.record("staff.session-ended", "user", user_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def end_sessions_of(
    *, actor: Actor, at: datetime, user_id: UUID, keep: UUID | None = None, request_key: str | None = None
) -> Outcome:
    """End all sessions of a person, but the one to `keep`."""

    def write(act: Act) -> Outcome:
        ended = end_every_session(act.session, user_id, at=at, keep=keep)
        return act.record("staff.sessions-ended", "user", user_id, facts={"sessions_ended": ended})

    return perform(write, actor=actor, at=at, request_key=request_key)


def choose_site(*, actor: Actor, at: datetime, session_id: UUID, site_id: UUID, code: str) -> Outcome:
    """Let this session work at another site from now on."""

    def write(act: Act) -> Outcome:
        act.session.execute(
            update(UserSession)
            .where(UserSession.id == session_id, UserSession.user_id == actor.id)
            .values(site_id=site_id)
        )
        return act.record("staff.site-chosen", "user", actor.id, site_id=site_id, facts={"site": code})

    return perform(write, actor=actor, at=at)


def end_every_session(session: Session, user_id: UUID, *, at: datetime, keep: UUID | None = None) -> int:
    """End a person's sessions inside an act under way, and return how many there were."""
    return _end(session, at, UserSession.user_id == user_id, *([UserSession.id != keep] if keep else []))


def _end(session: Session, at: datetime, *which: object) -> int:
    ending = update(UserSession).where(UserSession.revoked_at.is_(None), UserSession.expires_at > at, *which)  # type: ignore[arg-type]
    return cast("CursorResult[object]", session.execute(ending.values(revoked_at=at))).rowcount
