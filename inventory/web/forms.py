"""The base of every form: one request key, coded errors, and a place for a service's refusals.

Law kept here: one act, one transaction. The same page sent twice carries the same `request_key`, and what it was sent
with is told by a digest, so that the same page with other content is not taken for the same act.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from flask import current_app, has_request_context, request
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import Field, FieldList, FormField

from inventory.kernel.errors import Refusal, Refusals
from inventory.web.controls import target_of
from inventory.web.fields import RequestKeyField
from inventory.web.typed_text import CodedMessage


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a form, ready for the summary. `target` is the id to go to, or empty."""

    code: str
    message: str
    label: str
    target: str


_NO_CONTENT = {"csrf_token", "request_key", "step", "password", "repeated", "current", "setup_code"}
_SOMEBODYS_WORD = ("_username", "_password")


class CodedForm(FlaskForm):
    """What forms that write and forms that filter share: errors with codes."""

    class Meta:
        """How what was sent is read."""

        def wrap_formdata(self, _form: FlaskForm, formdata: Any) -> Any:
            """Read typed fields only: no form takes a file or JSON, and neither is text under a field's name."""
            if formdata is None or isinstance(formdata, MultiDict):
                return formdata
            return (request.form or None) if has_request_context() and request.method == "POST" else None

    @property
    def status(self) -> int:
        """The HTTP status of the page that shows this form: 422 once it was sent and refused."""
        return 422 if self.is_submitted() else 200

    def problems(self) -> list[Problem]:
        """Everything wrong, form first, then field by field in the order of the page."""
        whole = [_problem(error, "", "") for error in self.form_errors]
        return whole + [p for field in self for p in _problems_of(field)]

    def add_error(self, field: str | None, code: str, message: str) -> None:
        """Put a coded error beside `field`, or on the form where there is no such field."""
        said = CodedMessage(code, message)
        found = self._fields.get(field) if field else None
        if found is None:
            self.form_errors.append(said)
        else:
            found.errors = [*found.errors, said]

    def apply_refusal(self, refusal: Refusal | Refusals) -> None:
        """Show a service's refusal where the person can mend it. The typed values stay."""
        for one in refusal.refusals if isinstance(refusal, Refusals) else [refusal]:
            self.add_error(one.field, one.code, one.message)


class ClinicForm(CodedForm):
    """A form that writes. Its `key` names the act it asks for."""

    request_key = RequestKeyField()

    @property
    def key(self) -> UUID:
        """The act's own id, the same however often the page is sent."""
        return UUID(self.request_key.data)

    @property
    def act_key(self) -> str:
        """The key that a service is given: "UUID.DIGEST", the act's own id and what it was sent with."""
        return f"{self.key}.{_content_digest()}"

    def part_key(self, prefix: str) -> str:
        """The key of one of several acts that a page asks for at once: of the fields whose names begin with `prefix`."""
        return f"{uuid5(self.key, prefix)}.{_content_digest(prefix)}"


class FilterForm(CodedForm):
    """A form that only asks: sent by GET, without a key and without a CSRF token."""

    class Meta:
        """Nothing is written, so nothing needs the token."""

        csrf = False

    def __init__(self, **kwargs: Any) -> None:
        """Read the query string."""
        super().__init__(formdata=request.args, **kwargs)

    @property
    def active(self) -> bool:
        """Whether anything is filtered."""
        return any(field.data for field in self if field.name in request.args)


def _content_digest(prefix: str = "") -> str:
    """Return the keyed SHA-256 of what was sent, and where to. No password is in it, and nobody without the key can guess.

    Whose word was given beside it does not count either: that is checked anew, and leads to the same act.
    """
    sent = request.form.items(multi=True)
    typed = sorted((name, value) for name, value in sent if is_content(name) and name.startswith(prefix))
    text = json.dumps([request.path, typed], separators=(",", ":"))
    return hmac.new(str(current_app.secret_key).encode(), text.encode(), hashlib.sha256).hexdigest()


def is_content(name: str) -> bool:
    """Whether the field called `name` is part of what a form asks for, and not of how, by whom or how safely."""
    return name not in _NO_CONTENT and not name.endswith(_SOMEBODYS_WORD)


def _problems_of(field: Field) -> Iterator[Problem]:
    if isinstance(field, FormField | FieldList):
        inner: Iterable[Field] = field
        for part in inner:
            yield from _problems_of(part)
        return
    for error in field.errors:
        yield _problem(error, field.label.text, target_of(field))


def _problem(error: Any, label: str, target: str) -> Problem:
    return Problem(getattr(error, "code", "FIELD-INVALID"), str(error), label, target)
