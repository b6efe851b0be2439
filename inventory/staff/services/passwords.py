"""Passwords are set by the person alone: through a one-time link, or by changing their own. An administrator never knows one."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome, perform
from inventory.kernel.db import unit_of_work
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Actor
from inventory.staff import passwords, queries, rules
from inventory.staff.models import User
from inventory.staff.policy import current_policy
from inventory.staff.services.sessions import end_every_session
from inventory.staff.services.sign_in import count_attempt, mark_success


def set_password(
    *, actor: Actor, at: datetime, user_id: UUID, password: str, request_key: str | None = None
) -> Outcome:
    """Give a person a password and end their sessions: for the first administrator, and for the demo's people.

    Raises Refusals PASSWORD-SHORT, PASSWORD-LONG, PASSWORD-OBVIOUS, PASSWORD-DEMO.
    """
    user = queries.person(user_id)
    hashed = accepted(password, username=user.username, display_name=user.display_name)

    def write(act: Act) -> Outcome:
        store(act.session, user_id, hashed, at=at)
        end_every_session(act.session, user_id, at=at)
        return act.record("staff.password-set", "user", user_id)

    return perform(write, actor=actor, at=at, request_key=request_key)


def change_password(
    *,
    actor: Actor,
    at: datetime,
    current: str,
    password: str,
    address: str,
    keep: UUID | None = None,
    request_key: str | None = None,
) -> Outcome:
    """Change one's own password, knowing the present one, and end one's other sessions than `keep`.

    Wrong tries count like those of sign-in. Raises Refusal PASSWORD-WRONG, SIGN-IN-WAIT; Refusals as `set_password`.
    """
    user = queries.person(actor.id)
    attempt = count_attempt(username=user.username, address=address, at=at)
    if not passwords.matches(user.password_hash, current):
        raise Refusal("PASSWORD-WRONG", "This is not your present password.", "current")
    # Known already here: what may be wrong with the new one is no guess at the present one.
    with unit_of_work() as session:
        mark_success(session, attempt)
    hashed = accepted(password, username=user.username, display_name=user.display_name)

    def write(act: Act) -> Outcome:
        store(act.session, actor.id, hashed, at=at)
        ended = end_every_session(act.session, actor.id, at=at, keep=keep)
        return act.record("staff.password-changed", "user", actor.id, facts={"sessions_ended": ended})

    return perform(write, actor=actor, at=at, request_key=request_key)


def accepted(password: str, *, username: str, display_name: str) -> str:
    """Return the hash of a new password that may be used. Raises Refusals; hashed here, while no writer waits for it."""
    policy = current_policy()
    refusals = rules.password_refusals(
        password,
        username=username,
        display_name=display_name,
        min_length=policy.min_password_length,
        is_demo=policy.is_demo,
    )
    if refusals:
        raise Refusals(refusals)
    return passwords.hash_password(password)


def store(session: Session, user_id: UUID, hashed: str, *, at: datetime) -> None:
    """Store a password's hash inside an act under way; it makes no new version of what is written about the person."""
    session.execute(
        update(User).where(User.id == user_id).values(password_hash=hashed, password_changed_at=at)
    )
