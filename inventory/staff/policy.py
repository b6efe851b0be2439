"""What the clinic's settings say about passwords and sessions. Staff stands below the clinic, so the clinic tells it here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from flask import Flask, current_app

_KEY = "staff.policy"


@dataclass(frozen=True, slots=True)
class Policy:
    """How long a password must be, how long a session may rest, and whether this database is a demo."""

    min_password_length: int = 12
    idle: timedelta = timedelta(minutes=30)
    is_demo: bool = False


def set_policy_source(app: Flask, source: Callable[[], Policy]) -> None:
    """Tell the staff room where to learn the clinic's policy."""
    app.extensions[_KEY] = source


def current_policy() -> Policy:
    """Return the policy as it stands; the strictest of what server and clinic say about idle time."""
    source: Callable[[], Policy] | None = current_app.extensions.get(_KEY)
    return source() if source else Policy(idle=current_app.config["SESSION_IDLE"])
