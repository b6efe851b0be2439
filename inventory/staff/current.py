"""Who is asking: Flask-Login on top of our own session rows. The cookie carries a token; one query finds all the rest."""

from typing import cast

from flask import Flask, request, session
from flask_login import LoginManager, current_user

from inventory.kernel.clock import now
from inventory.kernel.permissions import Actor
from inventory.staff import queries, services
from inventory.staff.identity import Nobody, SignedIn

TOKEN_KEY = "_user_id"  # noqa: S105  a place in the cookie, not a secret
"""Where Flask-Login looks in the cookie for what it hands to `load`."""

login_manager = LoginManager()
login_manager.login_view = "staff.sign_in"
login_manager.session_protection = None  # a session is bound to its token; an address may change on the way
login_manager.anonymous_user = Nobody


def init_login(app: Flask) -> None:
    """Attach sign-in to `app`."""
    app.config.setdefault("REMEMBER_COOKIE_NAME", "never_remembered")
    login_manager.init_app(app)


@login_manager.user_loader  # type: ignore[untyped-decorator]
def load(token: str) -> SignedIn | None:
    """Return the person whose live session this is, and keep it from resting."""
    at = now()
    found = queries.session_by_token(token, at=at)
    if found is None:
        return None
    services.mark_seen(session_id=found.person.session_id, last_seen_at=found.last_seen_at, at=at)
    return found.person


def signed_in() -> SignedIn:
    """Return the signed-in person. Only for pages that require a permission."""
    if not current_user.is_authenticated:
        raise RuntimeError("nobody is signed in here: mark the view with requires()")
    return cast(SignedIn, current_user._get_current_object())  # noqa: SLF001 - the proxy's documented way


def current_actor() -> Actor:
    """Return the signed-in person as the one in whose name an act is done."""
    return signed_in().actor


def enter(token: str) -> None:
    """Give the browser a new cookie with this session's token; nothing of the old one remains, nor its form tokens."""
    session.clear()
    session[TOKEN_KEY] = token


def leave() -> None:
    """Take everything out of the browser's cookie."""
    session.clear()


def had_session() -> bool:
    """Tell whether the browser came with a session that has ended."""
    return TOKEN_KEY in session and not current_user.is_authenticated


def address() -> str:
    """Return the address that asks; behind a trusted proxy, the one it asks for."""
    return request.remote_addr or ""


def user_agent() -> str:
    """Return what the browser says it is."""
    return request.user_agent.string
