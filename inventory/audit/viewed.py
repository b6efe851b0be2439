"""What auditors look at is logged, page by page, where the clinic can read it (law 11). One row a page, none for what belongs to it.

The row is written before the page is sent: where it cannot be written, nothing is shown.
"""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from flask import Flask, Response, request
from flask_login import current_user
from sqlalchemy import Select

from inventory.audit.presenters import field_words
from inventory.audit.services import log_view, patients_shown
from inventory.kernel.db import db
from inventory.kernel.numbering import written_number
from inventory.kernel.permissions import Role
from inventory.web.presenting import count

NAMED: dict[str, tuple[str, Callable[[Any], Select[Any]]]] = {}
"""By the name of a route's argument, what it names, and the statement for its number or for its site's code and number."""


def named(argument: str, what: str, statement: Callable[[Any], Select[Any]]) -> None:
    """Declare how the log calls what a route's `argument` names: by a number, never by a person's name."""
    NAMED[argument] = (what, statement)


def log_page(response: Response) -> Response:
    """Log a page or file that is about to be sent to an auditor."""
    is_shown = (
        response.status_code == 200 and request.method != "HEAD" and request.endpoint not in {None, "static"}
    )
    if is_shown and current_user.is_authenticated and Role.AUDITOR in current_user.roles:
        log_view(current_user.actor, page=str(request.endpoint), subject="; ".join(_subject(response)))
    return response


def _subject(response: Response) -> Iterator[str]:
    _, _, file_name = response.headers.get("Content-Disposition", "").partition("filename=")
    if file_name:
        yield f"File {file_name.strip(chr(34))}"
    for argument, value in (request.view_args or {}).items():
        yield _named(argument, value)
    for name, value in request.args.items():
        if value:
            yield "A further page" if name == "page" else f"{field_words(name)}: {value}"
    if request.method == "POST":
        yield "What was typed into a form"
    yield count(patients_shown(), "patient") if patients_shown() else "No patient"


def _named(argument: str, value: object) -> str:
    if argument not in NAMED:
        what = field_words(argument.removesuffix("_id"))
        return what if isinstance(value, UUID) else f"{what} {value}"
    what, statement = NAMED[argument]
    row = db.session.execute(statement(value)).first()
    if row is None:
        return what
    return f"{what} {written_number(row[0], row[1]) if len(row) == 2 else row[0]}"


def init_app(app: Flask) -> None:
    """Log every page that an auditor is shown."""
    app.after_request(log_page)
