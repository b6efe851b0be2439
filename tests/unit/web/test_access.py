"""Pages are shut unless they say who may open them; what is refused keeps its text and carries every header."""

import logging

import pytest
from flask import Flask, abort, request
from flask.testing import FlaskClient

from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Permission
from inventory.web import csrf
from inventory.web.access import permission_of, public, requires, safe_next_path
from inventory.web.headers import FIXED

PERSON = {"X-Person": "yes"}


@pytest.fixture(autouse=True)
def _views(web_app: Flask) -> None:
    @web_app.route("/open", methods=["GET", "POST"])
    @public("for this test")
    def open_to_all() -> str:
        return "open"

    @web_app.route("/sign-in")
    @public("for this test")
    def sign_in() -> str:
        return "sign in"

    @web_app.route("/shelf", methods=["GET", "POST"])
    @requires(Permission.STOCK_READ)
    def shelf() -> str:
        return "shelf"

    @web_app.route("/people")
    @requires(Permission.STOCK_READ, Permission.STAFF_MANAGE)
    def people() -> str:
        return "people"

    @web_app.route("/read", methods=["POST"])
    @public("for this test")
    def read() -> str:
        return request.form["name"]

    @web_app.route("/forgotten")
    def forgotten() -> str:
        return "forgotten"

    @web_app.route("/refuse")
    @public("for this test")
    def refuse() -> str:
        raise Refusal("LOT-HELD", "This lot is on hold.")

    @web_app.route("/abort/<int:status>")
    @public("for this test")
    def stop(status: int) -> str:
        abort(status)

    @web_app.route("/break")
    @public("for this test")
    def break_down() -> str:
        raise RuntimeError("secret detail")


def test_lets_in_who_holds_the_permission(visitor: FlaskClient) -> None:
    assert visitor.get("/shelf", headers=PERSON).text == "shelf"


def test_refuses_who_lacks_one_of_the_permissions(visitor: FlaskClient) -> None:
    assert visitor.get("/people", headers=PERSON).status_code == 403


def test_refuses_a_view_that_says_nothing(visitor: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    assert visitor.get("/forgotten", headers=PERSON).status_code == 403
    assert "declares no permission" in caplog.text


def test_sends_a_stranger_to_sign_in_and_back(visitor: FlaskClient) -> None:
    answer = visitor.get("/shelf?q=a b")
    assert answer.status_code == 302
    assert answer.location.startswith("/sign-in?next=/shelf")


def test_keeps_the_text_of_one_who_was_signed_out(visitor: FlaskClient) -> None:
    answer = visitor.post("/shelf", data={"lot_number": "HX2291", "password": "hunter2"})
    assert answer.status_code == 401
    assert "HX2291" in answer.text
    assert "hunter2" not in answer.text


def test_stale_page_keeps_the_text(web_app: Flask, visitor: FlaskClient) -> None:
    web_app.config["WTF_CSRF_ENABLED"] = True
    answer = visitor.post("/open", data={"name": "Ana <b>", "csrf_token": "old"})
    assert answer.status_code == 400
    assert "CSRF-STALE" in answer.text
    assert "Ana &lt;b&gt;" in answer.text
    assert csrf is web_app.extensions["csrf"]


def test_mark_can_be_read_from_the_view(web_app: Flask) -> None:
    marked = permission_of(web_app.view_functions["people"])
    assert marked is not None
    assert marked.permissions == (Permission.STOCK_READ, Permission.STAFF_MANAGE)
    assert permission_of(web_app.view_functions["forgotten"]) is None


def test_requires_names_something() -> None:
    with pytest.raises(ValueError, match="permission"):
        requires()


@pytest.mark.parametrize(
    "target,path",
    [
        ("/shelf?q=1", "/shelf?q=1"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\nb", "/"),
        ("/\t/evil.example", "/"),
        ("", "/"),
        (None, "/"),
    ],
)
def test_goes_on_only_within_this_site(target: str | None, path: str) -> None:
    assert safe_next_path(target) == path


def test_uncaught_refusal_is_a_page_with_its_code(visitor: FlaskClient) -> None:
    answer = visitor.get("/refuse")
    assert answer.status_code == 422
    assert "LOT-HELD" in answer.text
    assert "This lot is on hold." in answer.text


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 418, 422, 429, 500])
@pytest.mark.parametrize("headers", [{}, PERSON])
def test_every_error_has_a_page(visitor: FlaskClient, status: int, headers: dict[str, str]) -> None:
    answer = visitor.get(f"/abort/{status}", headers=headers)
    assert answer.status_code == status
    assert answer.text.count("<h1") == 1
    assert answer.headers["Cache-Control"] == "no-store"


def test_crash_shows_a_number_and_logs_it(visitor: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        answer = visitor.get("/break")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    reference = answer.text.split("<strong>")[1].split("</strong>")[0]
    assert reference in caplog.text
    assert "secret detail" in caplog.text


@pytest.mark.parametrize("protected", [True, False])
def test_too_much_text_is_refused_with_a_page(web_app: Flask, visitor: FlaskClient, protected: bool) -> None:
    web_app.config.update(MAX_CONTENT_LENGTH=1_000, WTF_CSRF_ENABLED=protected)
    answer = visitor.post("/read", data={"name": "a" * 2_000})
    assert answer.status_code == 413
    assert "larger than this clinic accepts" in answer.text


def test_wrong_method_says_which_are_allowed(visitor: FlaskClient) -> None:
    answer = visitor.delete("/open")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("path", ["/open", "/nowhere", "/static/css/clinic.css", "/break"])
def test_every_answer_carries_the_headers(visitor: FlaskClient, path: str) -> None:
    with visitor.get(path) as answer:
        assert {name: answer.headers.get(name) for name in FIXED} == FIXED
        assert "Strict-Transport-Security" not in answer.headers


def test_https_only_where_it_is_served_so(web_app: Flask, visitor: FlaskClient) -> None:
    web_app.config["SESSION_COOKIE_SECURE"] = True
    assert "max-age=" in visitor.get("/open").headers["Strict-Transport-Security"]


@pytest.mark.parametrize(
    "path,kept",
    [
        ("/static/css/clinic.css?v=1", "immutable"),
        ("/static/css/clinic.css", "no-cache"),
        ("/static/none.css?v=1", "no-store"),
        ("/open", "no-store"),
    ],
)
def test_only_versioned_files_are_kept_by_a_browser(visitor: FlaskClient, path: str, kept: str) -> None:
    with visitor.get(path) as answer:
        assert kept in answer.headers["Cache-Control"]
