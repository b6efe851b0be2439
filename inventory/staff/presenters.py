"""How people, their licences and their sessions are worded on a page."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from inventory.kernel.clock import now
from inventory.kernel.permissions import Days
from inventory.staff import queries, rules
from inventory.staff.models import User, UserSession
from inventory.web.presenting import day, local_time, relative_days, site_today

NEAR_DAYS = 60
ENDS_SOON = timedelta(days=7)
"""From when on an account that ends reminds of it."""


@dataclass(frozen=True, slots=True)
class State:
    """A state in words, with the tone of its colour."""

    words: str
    tone: str


def role_words(user: User) -> str:
    """Return a person's roles: `Manager, Prescriber`."""
    return ", ".join(rules.ROLE_WORDS[role] for role in sorted(queries.roles_of(user)))


def account_state(user: User, at: datetime | None = None) -> State:
    """Return whether the person can sign in at `at`, and until when."""
    if user.deactivated_at is not None:
        return State("Deactivated", "quiet")
    instant = at or now()
    if user.access_from is not None and instant < user.access_from:
        return State(f"Access from {local_time(user.access_from)}", "quiet")
    if user.access_until is not None and instant >= user.access_until:
        return State(f"Access ended {local_time(user.access_until)}", "quiet")
    if user.password_hash and user.access_until is not None:
        return State(
            f"Access ends {local_time(user.access_until)}",
            "attention" if ends_soon(user, instant) else "info",
        )
    return State("Active", "good") if user.password_hash else State("No password yet", "attention")


def ends_soon(person: Any, at: datetime | None = None) -> bool:
    """Tell whether the person's access ends within a week: who they are as a row, or as signed in."""
    instant = at or now()
    return person.access_until is not None and instant < person.access_until <= instant + ENDS_SOON


def days_words(days: Days) -> str:
    """Return the days whose records an account sees: `1 Mar 2026 to 31 Mar 2026`."""
    if not days:
        return "every day"
    if days.first is None:
        return f"{day(days.last)} and before"
    return f"{day(days.first)} to {day(days.last)}" if days.last else f"{day(days.first)} and after"


def days_of(user: User) -> str:
    """Return the days whose records a person's account sees, in words."""
    return days_words(Days(user.records_from, user.records_until))


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
