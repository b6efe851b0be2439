"""How people, their licences and their sessions are worded on a page."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from inventory.staff import queries, rules
from inventory.staff.models import User, UserSession
from inventory.web.presenting import relative_days, site_today

NEAR_DAYS = 60


@dataclass(frozen=True, slots=True)
class State:
    """A state in words, with the tone of its colour."""

    words: str
    tone: str


def role_words(user: User) -> str:
    """Return a person's roles: `Manager, Prescriber`."""
    return ", ".join(rules.ROLE_WORDS[role] for role in sorted(queries.roles_of(user)))


def account_state(user: User) -> State:
    """Return whether the person can sign in."""
    if user.deactivated_at is not None:
        return State("Deactivated", "quiet")
    return State("Active", "good") if user.password_hash else State("No password yet", "attention")


def licence_state(user: User, today: date | None = None) -> State | None:
    """Return how the person's licence stands; None for who needs none."""
    if user.licence_expires_on is None:
        return None
    left = (user.licence_expires_on - (today or site_today())).days
    if user.licence_renewal_pending:
        return State("Renewed, entry pending", "attention")
    if left < 0:
        return State(f"Expired {relative_days(user.licence_expires_on, today)}", "stop")
    if left <= NEAR_DAYS:
        return State(f"Expires {relative_days(user.licence_expires_on, today)}", "attention")
    return State("Valid", "good")


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A session as its owner knows it."""

    id: UUID
    browser: str
    address: str
    session: UserSession
    is_this: bool


def session_lines(sessions: list[UserSession], this: UUID | None) -> list[SessionLine]:
    """Return sessions for a table; `this` is the one the page is read in."""
    return [
        SessionLine(one.id, rules.browser_words(one.user_agent), one.address, one, one.id == this)
        for one in sessions
    ]
