"""Signing in: the tries are counted, the words and the time are the same whatever was wrong, and success is in the trail."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, update
from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome, perform
from inventory.kernel.db import unit_of_work
from inventory.kernel.errors import Refusal
from inventory.staff import passwords, queries, rules
from inventory.staff.models import SignInAttempt, User
from inventory.staff.policy import current_policy
from inventory.staff.services.sessions import open_session
from inventory.staff.tokens import token_hash
from inventory.web.presenting import local_time


@dataclass(slots=True)
class TooManyTries(Refusal):
    """The refusal to try again before `wait` is over."""

    wait: timedelta = field(default=timedelta(0))


@dataclass(frozen=True, slots=True)
class Entrance:
    """A sign-in that succeeded: the session's token, which is stored nowhere, for the cookie."""

    token: str
    outcome: Outcome


def sign_in(*, username: str, password: str, at: datetime, address: str, user_agent: str) -> Entrance:
    """Open a session for whoever knows this name and password.

    Raises Refusal SIGN-IN-WRONG, which never tells what was wrong, TooManyTries SIGN-IN-WAIT (429), and, told only to who
    knows the password, ACCESS-NOT-YET and ACCESS-ENDED (403).
    """
    attempt = count_attempt(username=username, address=address, at=at)
    user = queries.person_named(username)
    right = passwords.matches(user.password_hash if user else None, password)
    if user is None or not right or not _may_enter(user, password):
        raise Refusal("SIGN-IN-WRONG", "Username and password do not fit together.")
    _refuse_outside_access(user, at)
    judged, rehashed = user.password_hash, _rehashed(user, password)
    token = ""

    def write(act: Act) -> Outcome:
        nonlocal token
        _refuse_if_changed_meanwhile(act, user, judged)
        mark_success(act.session, attempt)
        if rehashed:
            act.session.execute(update(User).where(User.id == user.id).values(password_hash=rehashed))
        token = open_session(act, user_id=user.id, at=at, address=address, user_agent=user_agent)
        return act.record("staff.signed-in", "user", user.id, facts={"address": address})

    outcome = perform(write, actor=queries.actor_of(user), at=at)
    return Entrance(token, outcome)


def count_attempt(*, username: str, address: str, at: datetime) -> int:
    """Count one try before it is judged, so that many at once are many; return its id. Raises TooManyTries."""
    name, address = _counted_name(username), rules.counted_address(address)
    with unit_of_work() as session:
        queries.take_staff_turn(session)
        own = queries.failures(session, username=name, address=address, at=at)
        all_here = queries.address_failures(session, address=address, at=at)
        wait = max(rules.wait_for_pair(own, at), rules.wait_for_address(all_here, at))
        if wait:
            raise _too_many(wait)
        old = SignInAttempt.at < at - rules.ATTEMPTS_KEPT
        session.execute(delete(SignInAttempt).where(SignInAttempt.address == address, old))
        added = session.execute(
            insert(SignInAttempt)
            .values(username=name, address=address, at=at, succeeded=False)
            .returning(SignInAttempt.id)
        )
        return added.scalar_one()


def mark_success(session: Session, attempt_id: int) -> None:
    """Let a counted try be a success, inside an act under way."""
    session.execute(update(SignInAttempt).where(SignInAttempt.id == attempt_id).values(succeeded=True))


def _counted_name(username: str) -> str:
    # What was typed may be a password in the wrong field: only a hash of it is kept.
    return token_hash(rules.username_key(username))


def _too_many(wait: timedelta) -> TooManyTries:
    said = f"Too many tries. Wait {rules.wait_words(wait)}, then try again."
    return TooManyTries("SIGN-IN-WAIT", said, status=429, wait=wait)


def _may_enter(user: User, password: str) -> bool:
    is_known_to_all = password == rules.DEMO_PASSWORD and not current_policy().is_demo
    return user.deactivated_at is None and not is_known_to_all


def _refuse_outside_access(user: User, at: datetime) -> None:
    if user.access_from is not None and at < user.access_from:
        said = f"Your access to this clinic begins {local_time(user.access_from)}. Come back then."
        raise Refusal("ACCESS-NOT-YET", said, status=403)
    if user.access_until is not None and at >= user.access_until:
        said = f"Your access to this clinic ended {local_time(user.access_until)}. Ask the clinic if you still need it."
        raise Refusal("ACCESS-ENDED", said, status=403)


def _rehashed(user: User, password: str) -> str | None:
    stored = user.password_hash or ""
    return passwords.hash_password(password) if passwords.needs_rehash(stored) else None


def _refuse_if_changed_meanwhile(act: Act, user: User, judged: str | None) -> None:
    """Refuse when the person was shut out, or got another password, while the one typed was being judged."""
    act.session.refresh(user, with_for_update={"key_share": True})
    if user.deactivated_at is not None or user.password_hash != judged:
        raise Refusal("SIGN-IN-WRONG", "Username and password do not fit together.")
    _refuse_outside_access(user, act.recorded_at)
