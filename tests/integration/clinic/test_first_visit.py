"""The first visit: an empty clinic opens to the printed code, once, and to nothing else."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select

from inventory.clinic import queries
from inventory.clinic.first_visit import FirstVisit, set_up
from inventory.clinic.settings import current_settings
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Role
from inventory.reports import manifest
from inventory.reports.models import SigningKey
from inventory.server import banner
from inventory.staff import queries as staff_queries
from inventory.staff import services as staff
from tests.factories.clinic import site_by_code
from tests.factories.staff import PASSWORD, make_user
from tests.support.client import CheckingClient
from tests.support.databases import OwnerConnection

MoveClock = Callable[[datetime], None]
TYPED = {
    "clinic_name": "Riverside Injection Clinic",
    "name": "Main Street",
    "code": "main",
    "time_zone": "Europe/London",
    "display_name": "Ada Minster",
    "username": "ada",
    "password": PASSWORD,
    "repeated": PASSWORD,
}


@pytest.fixture
def address(app: Flask, at: datetime) -> str:
    """The path that the server prints when it starts on an empty clinic."""
    parts = urlsplit(banner(app)[-1].strip())
    return f"{parts.path}?{parts.query}"


@pytest.mark.parametrize("path", ["/", "/sign-in", "/staff", "/account", "/no-such-page", "/link/x"])
def test_every_page_leads_to_the_first_visit(client: CheckingClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/setup")


def test_there_is_no_default_account(app: Flask, at: datetime) -> None:
    assert staff_queries.nobody_yet()
    with pytest.raises(Refusal, match="SIGN-IN-WRONG"):
        staff.sign_in(username="admin", password="admin", at=at, address="::1", user_agent="")


def test_printed_address_makes_the_clinic_and_signs_its_administrator_in(
    client: CheckingClient, address: str
) -> None:
    assert client.submit(address, TYPED).status_code == 302
    assert current_settings().clinic_name == "Riverside Injection Clinic"
    site = site_by_code("MAIN")
    assert (site.name, site.time_zone) == ("Main Street", "Europe/London")
    assert [location.name for location in queries.locations(site.id)] == ["Cabinet"]
    assert staff_queries.roles_of(staff_queries.person_named("ada")) == {Role.ADMIN}
    assert client.get("/settings").status_code == 200


def test_solo_prescriber_is_all_at_once(client: CheckingClient, address: str) -> None:
    also = {
        "also": ["prescriber", "manager"],
        "credential_title": "MD",
        "licence_number": "1234",
        "licence_expires_on": "2027-05-01",
    }
    assert client.submit(address, TYPED | also).status_code == 302
    ada = staff_queries.person_named("ada")
    assert staff_queries.roles_of(ada) == {Role.ADMIN, Role.PRESCRIBER, Role.MANAGER}
    assert staff_queries.credential_of(ada) == "MD 1234"


def test_clinic_has_its_signing_key_before_its_first_report(client: CheckingClient, address: str) -> None:
    client.submit(address, TYPED)
    [known] = db.session.scalars(select(SigningKey)).all()
    assert manifest.in_groups(known.fingerprint) in client.get("/reports/keys").get_data(as_text=True)


def test_a_key_that_cannot_be_opened_is_said_and_nothing_is_set_up(
    client: CheckingClient, address: str, app: Flask, tmp_path: Path
) -> None:
    broken = tmp_path / "own.p12"
    broken.write_bytes(b"not a key")
    app.config["SIGNING_P12"] = str(broken)
    answer = client.submit(address, TYPED)
    assert answer.status_code == 422
    assert "SIGNING-KEY-UNREADABLE" in answer.get_data(as_text=True)
    assert staff_queries.nobody_yet()
    app.config["SIGNING_P12"] = None
    assert client.submit(address, TYPED).status_code == 302


def test_works_once(client: CheckingClient, address: str, app: Flask) -> None:
    late = app.test_client()
    form = late.form(address)
    form.fields["request_key"] = ["01890000-0000-7000-8000-000000000000"]
    client.submit(address, TYPED)
    for answer in (late.get(address), late.send(address, form, TYPED | {"username": "eve"})):
        assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in")
    assert staff_queries.person_named("eve") is None
    assert len(banner(app)) == 1


def test_of_two_first_visitors_at_once_one_comes_first(app: Flask, at: datetime) -> None:
    code = staff.issue_setup_code(at=at)
    db.session.rollback()

    def visit(number: int) -> str:
        with app.app_context():
            said = FirstVisit(
                clinic_name="Riverside",
                name="Main",
                code="MAIN",
                time_zone="UTC",
                location="Cabinet",
                username=f"ada{number}",
                display_name="Ada Minster",
                roles=frozenset(),
                password=PASSWORD,
            )
            try:
                set_up(at=at, setup_code=code, visit=said)
            except Refusal as refusal:
                return refusal.code
        return "set up"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(visit, range(4))) == ["SETUP-DONE"] * 3 + ["set up"]


@pytest.mark.parametrize(
    "typed, code",
    [
        ({"setup_code": "AAAA-BBBB-CCCC-DDDD"}, "SETUP-CODE"),
        ({"setup_code": ""}, "FIELD-REQUIRED"),
        ({"time_zone": ""}, "FIELD-REQUIRED"),
        ({"time_zone": "Mars/Base"}, "CHOICE-INVALID"),
        ({"code": "A B"}, "SITE-CODE"),
        ({"also": ["practitioner"]}, "LICENCE-NEEDED"),
        ({"password": "short", "repeated": "short"}, "PASSWORD-SHORT"),
        ({"password": "demo-clinic-pass", "repeated": "demo-clinic-pass"}, "PASSWORD-DEMO"),
        ({"repeated": "something else"}, "PASSWORD-MISMATCH"),
        ({"username": "system:cli"}, "USERNAME-INVALID"),
    ],
)
def test_refuses_and_keeps_what_was_typed(
    client: CheckingClient, address: str, typed: dict, code: str, owner_connection: OwnerConnection
) -> None:
    answer = client.submit(address, TYPED | typed)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert code in page
    assert "Riverside Injection Clinic" in page
    assert PASSWORD not in page
    assert owner_connection.execute("SELECT count(*) FROM site").fetchone()[0] == 0
    assert staff_queries.nobody_yet()


def test_code_is_typed_in_any_case_and_ends_after_a_day(
    client: CheckingClient, address: str, at: datetime, at_instant: MoveClock
) -> None:
    code = address.partition("code=")[2]
    at_instant(at + timedelta(hours=24))
    assert "SETUP-CODE" in client.submit("/setup", TYPED | {"setup_code": code}).get_data(as_text=True)
    at_instant(at + timedelta(hours=23))
    loosely = code.lower().replace("-", " ")
    assert client.submit("/setup", TYPED | {"setup_code": loosely}).status_code == 302


def test_new_start_of_the_server_ends_the_code_before(
    client: CheckingClient, address: str, app: Flask
) -> None:
    banner(app)
    assert "SETUP-CODE" in client.submit(address, TYPED).get_data(as_text=True)


def test_command_prints_a_code_while_nobody_is_there(cli: FlaskCliRunner, client: CheckingClient) -> None:
    code = cli.invoke(args=["user", "setup-code"]).output.strip()
    assert client.submit("/setup", TYPED | {"setup_code": code}).status_code == 302
    told = cli.invoke(args=["user", "setup-code"])
    assert (told.exit_code, "set up already" in told.output) == (1, True)


def test_clinic_with_people_never_opens_again(app: Flask, client: CheckingClient) -> None:
    make_user()
    assert client.get("/setup").headers["Location"] == "/sign-in"
    assert banner(app)[1:] == []
