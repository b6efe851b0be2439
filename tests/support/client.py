"""A test client that behaves like a browser where it matters: it sends a form as the page gave it, and checks every page."""

from collections.abc import Mapping
from contextvars import copy_context
from typing import Any
from urllib.parse import urljoin, urlsplit

from flask import has_app_context
from flask.globals import _cv_app
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from inventory.kernel.db import db
from tests.support.page_checks import Form, Page, is_page, problems_of


class CheckingClient(FlaskClient):
    """Flask's client, with two differences.

    Every HTML page it receives is checked. And a request never shares the application context of the test: what the test read
    is let go before, so that a request neither waits for the test's transaction nor sees its session.
    """

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send one request as a stranger to the test's own context, and check the page that comes back."""
        if has_app_context():
            db.session.rollback()
        response: TestResponse = copy_context().run(self._open_apart, *args, **kwargs)
        if is_page(response):
            problems = problems_of(response)
            assert not problems, f"{response.request.path}: " + "; ".join(problems)
        return response

    def _open_apart(self, *args: Any, **kwargs: Any) -> TestResponse:
        _cv_app.set(None)  # type: ignore[arg-type]
        return super().open(*args, **kwargs)

    def form(self, path: str, *, action: str | None = None, having: str | None = None) -> Form:
        """Return the form of a page: the one to `action`, or with a field `having`, or else the last one that posts."""
        response = self.get(path)
        assert response.status_code == 200, f"GET {path} answered {response.status_code}"
        return pick_form(response, action=action, having=having)

    def submit(
        self,
        path: str,
        typed: Mapping[str, Any] | None = None,
        *,
        action: str | None = None,
        having: str | None = None,
        follow_redirects: bool = False,
    ) -> TestResponse:
        """Open a page, fill in its form and send it, with its hidden fields and its token.

        Names the form does not have are refused, so that a test cannot type where a person could not. A button is pressed by
        naming it in `typed`.
        """
        form = self.form(path, action=action, having=having)
        return self.send(path, form, typed, follow_redirects=follow_redirects)

    def send(
        self, path: str, form: Form, typed: Mapping[str, Any] | None = None, *, follow_redirects: bool = False
    ) -> TestResponse:
        """Send a form that stands on the page at `path`; sent twice, it is the same form twice."""
        data = filled(form, typed or {})
        target = urlsplit(urljoin(f"http://localhost{path}", form.action))
        address = target.path + (f"?{target.query}" if target.query else "")
        if form.method == "get":
            return self.get(target.path, query_string=data, follow_redirects=follow_redirects)
        return self.post(address, data=data, follow_redirects=follow_redirects)


def pick_form(response: TestResponse, *, action: str | None = None, having: str | None = None) -> Form:
    """Return one form of a page; where nothing is said, the last that posts (the first is the one that signs out)."""
    forms = Page(response.get_data(as_text=True)).forms
    found = [
        form
        for form in forms
        if (action is None or urlsplit(form.action).path == action)
        and (having is None or having in form.names | set(form.buttons))
    ]
    if action is None and having is None:
        found = [form for form in found if form.method == "post"]
    assert found, (
        f"{response.request.path} has no such form; it has {[(form.action, sorted(form.names)) for form in forms]}"
    )
    return found[-1]


def filled(form: Form, typed: Mapping[str, Any]) -> MultiDict[str, Any]:
    """Return what a browser would send after `typed` was typed; None leaves a field out, as an unticked box is."""
    unknown = set(typed) - form.names - set(form.buttons)
    assert not unknown, (
        f"the form has no {sorted(unknown)}; it has {sorted(form.names)} and buttons {sorted(form.buttons)}"
    )
    data: MultiDict[str, Any] = MultiDict(form.fields)
    for name, value in typed.items():
        data.poplist(name)
        if value is not None:
            data.setlist(name, list(value) if isinstance(value, (list, tuple)) else [value])
    return data
