"""What is shown when a request is refused or something breaks.

Law kept here: a refusal says what to do and costs no typed text; a crash is logged whole and shown
as a number to quote.
"""

import logging
from secrets import token_hex
from typing import Any

from flask import Flask, current_app, render_template, request
from flask_wtf.csrf import CSRFError
from jinja2 import Template
from werkzeug.exceptions import HTTPException, InternalServerError

from inventory.kernel.errors import Refusal, Refusals

log = logging.getLogger(__name__)
_SECRET_WORDS = ("password", "secret", "token", "code", "key")
_TITLES = {
    400: "The request could not be read",
    401: "You are signed out",
    403: "This is not open to you",
    404: "Nothing here",
    405: "This page does not do that",
    413: "That is too large",
    422: "This cannot be done",
    429: "Too many tries",
    500: "Something broke",
}


def typed_values() -> list[tuple[str, str]]:
    """What was typed into the form that was sent, so that it can be copied; never a secret."""
    return [
        (name.replace("_", " ").replace("-", " ").capitalize(), value)
        for name, value in _sent()
        if value.strip() and not any(word in name.lower() for word in _SECRET_WORDS)
    ]


def _sent() -> list[tuple[str, str]]:
    """The fields that were sent; none where the form is too large or broken to be read."""
    try:
        return list(request.form.items(multi=True))
    except HTTPException:
        return []


def show_error(status: int, *, code: str = "", message: str = "", reference: str = "") -> tuple[str, int]:
    """Render the page of `status`; statuses without a page of their own use the general one."""
    own = f"errors/{status}.html"
    names: list[str | Template] = [own, "errors/error.html"]
    title = _TITLES.get(status, "This cannot be done")
    values: dict[str, Any] = {"title": title, "code": code, "message": message, "reference": reference}
    return render_template(names, status=status, typed=typed_values(), **values), status


def _http(error: HTTPException) -> Any:
    status = error.code or 500
    if status < 400:
        return error
    body = show_error(status)
    response = current_app.make_response(body)
    _keep_headers(error, response.headers)
    return response


def _keep_headers(error: HTTPException, headers: Any) -> None:
    """What the error itself says besides its page: which methods are allowed, when to try again."""
    for name, value in error.get_headers():
        if name.lower() in {"allow", "retry-after", "www-authenticate"}:
            headers[name] = value


def _csrf(error: CSRFError) -> tuple[str, int]:
    log.info("csrf refused on %s: %s", request.endpoint, error.description)
    return show_error(400, code="CSRF-STALE", message="This page was open too long to be sent.")


def _refusal(refusal: Refusal) -> tuple[str, int]:
    return show_error(refusal.status, code=refusal.code, message=refusal.message)


def _refusals(refusals: Refusals) -> tuple[str, int]:
    return _refusal(refusals.refusals[0])


def _crash(error: InternalServerError) -> tuple[str, int]:
    """Give the crash, whose trace Flask has just logged, the number that the page shows."""
    reference = token_hex(4).upper()
    log.error("crash %s on %s: %s", reference, request.endpoint, type(error.original_exception).__name__)
    return show_error(500, reference=reference)


def init_app(app: Flask) -> None:
    """Register a page for every expected failure, and one for the rest."""
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Refusal, _refusal)
    app.register_error_handler(Refusals, _refusals)
    app.register_error_handler(InternalServerError, _crash)
