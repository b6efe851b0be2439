"""Who may see a page: each view says so beside itself, and a page that says nothing is shut.

Law kept here: least sight. A view is marked by `requires` or `public`; `check_access` runs before every request and refuses an endpoint that carries no mark.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, abort, current_app, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from inventory.kernel.permissions import Permission

View = TypeVar("View", bound=Callable[..., Any])
log = logging.getLogger(__name__)
_MARK = "_access"


@dataclass(frozen=True, slots=True)
class Access:
    """What a view asks of the visitor. `why` says it for the reader of the code."""

    permissions: tuple[Permission, ...] = ()
    needs_sign_in: bool = True
    why: str = ""


def requires(*permissions: Permission) -> Callable[[View], View]:
    """Mark a view: the visitor is signed in and holds every one of `permissions`."""
    if not permissions:
        raise ValueError("Name a permission, or mark the view public.")
    return _mark(Access(permissions=permissions))


def public(why: str) -> Callable[[View], View]:
    """Mark a view that needs no sign-in; `why` says the reason."""
    return _mark(Access(needs_sign_in=False, why=why))


def _mark(access: Access) -> Callable[[View], View]:
    def mark(view: View) -> View:
        setattr(view, _MARK, access)
        return view

    return mark


def permission_of(view: Callable[..., Any]) -> Access | None:
    """The mark on `view`, or None where it has none. The route-walking test reads it."""
    found = getattr(view, _MARK, None)
    return found if isinstance(found, Access) else None


def check_access() -> Response | None:
    """Let the request pass, send it to sign in, or refuse it with 401 or 403."""
    if request.endpoint is None:
        return None
    access = permission_of(current_app.view_functions[request.endpoint])
    if access is None:
        log.error("endpoint %s declares no permission", request.endpoint)
        abort(403)
    if not access.needs_sign_in:
        return None
    if not current_user.is_authenticated:
        return _ask_to_sign_in()
    if not all(current_user.can(permission) for permission in access.permissions):
        log.warning("refused %s to %s", request.endpoint, current_user.get_id())
        abort(403)
    return None


def _ask_to_sign_in() -> Response:
    """A page that was only asked for comes back after sign-in; a form that was sent is kept on a 401 page."""
    sign_in = current_app.login_manager.login_view  # type: ignore[attr-defined]
    if request.method not in {"GET", "HEAD"} or sign_in not in current_app.view_functions:
        abort(401)
    wanted = request.full_path.rstrip("?")
    return redirect(url_for(sign_in, next=None if wanted == "/" else wanted))


def safe_next_path(target: str | None, default: str = "/") -> str:
    """Return `target` where it is a path of this site, else `default`: never another address."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return default
    if any(ord(character) < 0x21 or character == "\\" for character in target):
        return default
    parts = urlsplit(target)
    return default if parts.scheme or parts.netloc else target


def init_app(app: Flask) -> None:
    """Check every request; the files under /static are open to all."""
    if "static" in app.view_functions:
        serve = app.view_functions["static"]

        @public("style sheets, icons and scripts carry nothing of the clinic")
        def static(**values: Any) -> Any:
            return serve(**values)

        app.view_functions["static"] = static
    app.before_request(check_access)
