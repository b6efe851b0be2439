"""People: added, edited, deactivated; let in by a link that works once; never deleted, never without an administrator."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.staff import queries, rules, services
from inventory.staff.services.people import Entry
from tests.factories.clinic import make_site
from tests.factories.staff import PASSWORD, make_actor, make_user
from tests.support.client import CheckingClient
from tests.support.databases import OwnerConnection

SignIn = Callable[..., CheckingClient]
NURSE = {
    "username": "nora",
    "display_name": "Nora Quill",
    "roles": ["practitioner"],
    "licence_number": "N-77",
    "licence_expires_on": "2027-05-01",
}
NEW = {"password": PASSWORD, "repeated": PASSWORD}


@pytest.fixture(autouse=True)
def _site(app: Flask, at: datetime) -> None:
    make_site()


@pytest.fixture
def admin(signed_in_client: SignIn) -> CheckingClient:
    """An administrator at a browser."""
    return signed_in_client(Role.ADMIN, username="ada", display_name="Ada Minster")


def link_in(page: str) -> str:
    start = page.index("/link/")
    return urlsplit(page[start : page.index('"', start)]).path


def last_facts(owner_connection: OwnerConnection) -> dict:
    rows = owner_connection.execute(
        "SELECT payload FROM audit_payload JOIN audit_entry ON id = entry_id ORDER BY recorded_at, id"
    )
    return json.loads(rows.fetchall()[-1][0])["facts"]


def test_admin_adds_a_nurse_who_sets_her_password_and_signs_in(
    admin: CheckingClient, client: CheckingClient
) -> None:
    shown = admin.submit("/staff/new", NURSE)
    assert shown.status_code == 200
    link = link_in(shown.get_data(as_text=True))
    assert client.get(link).status_code == client.get(link).status_code == 200  # looking does not use it up
    assert client.submit(link, NEW).headers["Location"] == "/sign-in"
    assert client.submit("/sign-in", {"username": "nora", "password": PASSWORD}).status_code == 302
    assert "Practitioner" in client.get("/account").get_data(as_text=True)


def test_link_works_once(admin: CheckingClient, client: CheckingClient, app: Flask) -> None:
    link = link_in(admin.submit("/staff/new", NURSE).get_data(as_text=True))
    form = client.form(link)
    client.submit(link, NEW)
    assert client.get(link).status_code == 410
    other = app.test_client().get(link)
    assert "LINK-SPENT" in other.get_data(as_text=True)
    assert client.post(link, data={**form.fields, **NEW}).status_code in {400, 410}


def test_link_ends_after_a_day_and_when_another_is_made(at: datetime) -> None:
    user = make_user()
    first, second = (services.issue_link(actor=SYSTEM_ACTOR, at=at, user_id=user.id).token for _ in range(2))
    assert queries.person_of_link(first, at=at) is None
    assert queries.person_of_link(second, at=at + timedelta(hours=23, minutes=59)) is not None
    assert queries.person_of_link(second, at=at + timedelta(hours=24)) is None


def test_link_is_spent_by_one_of_many_at_once(at: datetime, app: Flask) -> None:
    token = services.issue_link(actor=SYSTEM_ACTOR, at=at, user_id=make_user().id).token
    db.session.rollback()

    def spend(number: int) -> str:
        with app.app_context():
            try:
                services.spend_link(token=token, password=f"a quiet morning {number} in march", at=at)
            except Refusal as refusal:
                return refusal.code
        return "set"

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(spend, range(6))) == ["LINK-SPENT"] * 5 + ["set"]


def test_link_and_its_hash_are_different_things(at: datetime, owner_connection: OwnerConnection) -> None:
    token = services.issue_link(actor=SYSTEM_ACTOR, at=at, user_id=make_user().id).token
    stored = owner_connection.execute("SELECT token_hash FROM one_time_link").fetchall()
    assert token not in str(stored)
    payloads = owner_connection.execute("SELECT payload FROM audit_payload").fetchall()
    assert token not in str(payloads)


def test_reset_link_ends_sessions_and_old_password(signed_in_client: SignIn, at: datetime) -> None:
    client = signed_in_client(Role.MANAGER, username="max", password=PASSWORD)
    issued = services.issue_link(actor=SYSTEM_ACTOR, at=at, user_id=client.actor.id)
    assert client.get("/account").status_code == 200
    services.spend_link(token=issued.token, password="another quiet evening", at=at)
    assert client.get("/account").status_code == 302
    with pytest.raises(Refusal, match="SIGN-IN-WRONG"):
        services.sign_in(username="max", password=PASSWORD, at=at, address="::1", user_agent="")


def test_deactivated_person_gets_no_link_and_theirs_is_dead(at: datetime) -> None:
    user = make_user()
    token = services.issue_link(actor=SYSTEM_ACTOR, at=at, user_id=user.id).token
    services.deactivate_person(actor=SYSTEM_ACTOR, at=at, user_id=user.id)
    with pytest.raises(Refusal, match="LINK-SPENT"):
        services.spend_link(token=token, password=PASSWORD, at=at)
    with pytest.raises(Refusal, match="PERSON-DEACTIVATED"):
        services.issue_link(actor=SYSTEM_ACTOR, at=at, user_id=user.id)


def test_sent_twice_is_one_person(admin: CheckingClient) -> None:
    form = admin.form("/staff/new")
    admin.send("/staff/new", form, NURSE)
    again = admin.send("/staff/new", form, NURSE, follow_redirects=True)
    assert "recorded already" in again.get_data(as_text=True)
    assert len(queries.people_page(words="nora", state="all", cursor="").items) == 1


@pytest.mark.parametrize(
    "typed, code",
    [
        ({"username": "ada"}, "USERNAME-TAKEN"),
        ({"username": "system:cli"}, "USERNAME-INVALID"),
        ({"roles": ["auditor", "manager"]}, "AUDITOR-ALONE"),
        ({"roles": []}, "FIELD-REQUIRED"),
        ({"roles": ["emperor"]}, "CHOICE-INVALID"),
        ({"licence_number": ""}, "LICENCE-NEEDED"),
        ({"licence_expires_on": ""}, "LICENCE-NEEDED"),
        ({"licence_expires_on": "2027-02-30"}, "DATE-INVALID"),
        ({"email": "not an address"}, "EMAIL-INVALID"),
        ({"display_name": "x" * 10_000}, "TEXT-TOO-LONG"),
        ({"display_name": "No\0ra"}, "TEXT-CONTROL"),
        ({"display_name": "No\u202era"}, "TEXT-CONTROL"),
    ],
)
def test_refuses_entry_beside_its_field_and_keeps_what_was_typed(
    admin: CheckingClient, typed: dict, code: str
) -> None:
    answer = admin.submit("/staff/new", {**NURSE, "credential_title": "Typed RN"} | typed)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert code in page
    assert "Typed RN" in page
    assert queries.person_named("nora") is None


def test_edit_says_what_was_and_what_is(admin: CheckingClient, owner_connection: OwnerConnection) -> None:
    user = make_user(username="nora", display_name="Nora Quill", licence_number="N-77")
    page = f"/staff/{user.id}/edit"
    assert (
        admin.submit(
            page, {"display_name": "Nora Quill-Hart", "roles": ["practitioner", "manager"]}
        ).status_code
        == 302
    )
    assert last_facts(owner_connection) == {
        "before": {"display_name": "Nora Quill", "roles": ["practitioner"]},
        "after": {"display_name": "Nora Quill-Hart", "roles": ["manager", "practitioner"]},
    }


def test_edit_of_an_entry_that_changed_meanwhile_is_refused(admin: CheckingClient) -> None:
    user = make_user(username="nora")
    page = f"/staff/{user.id}/edit"
    old = admin.form(page)
    admin.submit(page, {"roles": ["practitioner", "manager"]})
    answer = admin.send(page, old, {"email": "nora@clinic.example"})
    assert answer.status_code == 422
    assert "EDITED-MEANWHILE" in answer.get_data(as_text=True)
    db.session.rollback()
    assert queries.roles_of(queries.person(user.id)) == {Role.PRACTITIONER, Role.MANAGER}


def test_last_admin_can_neither_go_nor_step_down(admin: CheckingClient, at: datetime) -> None:
    page = f"/staff/{admin.actor.id}"
    gone = admin.submit(page, action=f"{page}/deactivate")
    stepped_down = admin.submit(f"{page}/edit", {"roles": ["manager"]})
    for answer in (gone, stepped_down):
        assert answer.status_code == 422
        assert "LAST-ADMIN" in answer.get_data(as_text=True)
    other = make_actor(Role.ADMIN)
    services.deactivate_person(actor=SYSTEM_ACTOR, at=at, user_id=other.id)
    assert (
        admin.submit(page, action=f"{page}/deactivate").status_code == 422
    )  # one who is deactivated does not count


def test_two_admins_cannot_put_each_other_out_at_once(
    app: Flask, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(*asked: object) -> bool:
        answer = is_last_admin(*asked)
        time.sleep(0.2)  # time enough for the other to ask the same
        return answer

    is_last_admin = queries.is_last_admin
    monkeypatch.setattr(queries, "is_last_admin", slowly)
    admins = [make_actor(Role.ADMIN) for _ in range(2)]
    db.session.rollback()

    def put_out(number: int) -> str:
        with app.app_context():
            try:
                services.deactivate_person(actor=admins[number], at=at, user_id=admins[1 - number].id)
            except Refusal as refusal:
                return refusal.code
        return "out"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(put_out, range(2))) == ["LAST-ADMIN", "out"]


def test_deactivated_person_comes_back_with_the_password_they_had(
    admin: CheckingClient, client: CheckingClient
) -> None:
    user = make_user(username="nora", password=PASSWORD)
    page = f"/staff/{user.id}"
    admin.submit(page, action=f"{page}/deactivate")
    assert "Nora" not in admin.get("/staff").get_data(as_text=True)
    assert client.submit("/sign-in", {"username": "nora", "password": PASSWORD}).status_code == 422
    admin.submit(page, action=f"{page}/reactivate")
    assert client.submit("/sign-in", {"username": "nora", "password": PASSWORD}).status_code == 302


def test_database_deletes_nobody(owner_connection: OwnerConnection) -> None:
    make_user(username="nora")
    with pytest.raises(Exception, match="undeletable"):
        owner_connection.execute("DELETE FROM \"user\" WHERE username = 'nora'")


def test_people_are_found_by_name_and_state(admin: CheckingClient, at: datetime) -> None:
    make_user(username="nora", display_name="Nora Quill")
    gone = make_user(username="gus", display_name="Gus 100% Gone")
    services.deactivate_person(actor=SYSTEM_ACTOR, at=at, user_id=gone.id)

    def found(query: str) -> list[str]:
        page = admin.get(f"/staff?{query}").get_data(as_text=True)
        return [name for name in ("Ada Minster", "Nora Quill", "Gus 100% Gone") if f">{name}</a>" in page]

    assert found("") == ["Ada Minster", "Nora Quill"]
    assert found("state=all") == ["Ada Minster", "Nora Quill", "Gus 100% Gone"]
    assert found("q=QUILL") == ["Nora Quill"]
    assert found("q=100%25&state=deactivated") == ["Gus 100% Gone"]
    assert found("q=%25") == []
    assert admin.get("/staff?state=nonsense").status_code == 422


def test_row_of_commands_is_nobody(admin: CheckingClient) -> None:
    assert admin.get("/staff/00000000-0000-0000-0000-000000000000").status_code == 404
    assert "system:cli" not in admin.get("/staff?state=all").get_data(as_text=True)


def test_command_adds_a_person_and_prints_a_link(cli: FlaskCliRunner, client: CheckingClient) -> None:
    told = cli.invoke(
        args=["user", "add", "max", "--name", "Max Store", "--role", "manager", "--role", "admin"]
    )
    assert told.exit_code == 0, told.output
    link = told.output.split("24 hours: ")[1].strip()
    assert urlsplit(link).netloc == "127.0.0.1:8000"
    assert client.submit(urlsplit(link).path, NEW).status_code == 302
    assert queries.roles_of(queries.person_named("max")) == {Role.MANAGER, Role.ADMIN}


def test_command_says_who_did_it(cli: FlaskCliRunner, owner_connection: OwnerConnection) -> None:
    ada = make_actor(Role.ADMIN, username="ada")
    arguments = ["user", "add", "max", "--name", "Max Store", "--role", "manager"]
    assert cli.invoke(args=[*arguments, "--as", "ada"]).exit_code == 0
    row = owner_connection.execute(
        "SELECT actor_id FROM audit_entry WHERE action = 'staff.person-added' ORDER BY id"
    )
    last = row.fetchall()[-1][0]
    assert str(last).replace("-", "") == ada.id.hex
    refused = cli.invoke(args=["user", "link", "max", "--as", "nobody"])
    assert refused.exit_code == 2
    assert "no active person 'nobody'" in refused.output


@pytest.mark.parametrize(
    "arguments, code",
    [
        (["nora", "--role", "practitioner"], "LICENCE-NEEDED"),
        (["nora", "--role", "auditor", "--role", "admin"], "AUDITOR-ALONE"),
        (["NO RA", "--role", "admin"], "USERNAME-INVALID"),
    ],
)
def test_command_refuses_as_the_page_does(cli: FlaskCliRunner, arguments: list[str], code: str) -> None:
    told = cli.invoke(args=["user", "add", *arguments, "--name", "Nora Quill"])
    assert told.exit_code == 1
    assert code in told.output


def test_demo_password_is_set_only_in_a_demo(at: datetime) -> None:
    user = make_user()
    with pytest.raises(Exception, match="PASSWORD-DEMO"):
        services.set_password(actor=SYSTEM_ACTOR, at=at, user_id=user.id, password=rules.DEMO_PASSWORD)


def test_same_entry_twice_is_told_by_the_constraint(app: Flask, at: datetime) -> None:
    db.session.rollback()
    entry = Entry("Nora Quill", frozenset({Role.MANAGER}))

    def add(_: int) -> str:
        with app.app_context():
            try:
                services.add_person(
                    actor=SYSTEM_ACTOR,
                    at=at,
                    username="nora",
                    display_name=entry.display_name,
                    roles=entry.roles,
                )
            except Refusal as refusal:
                return refusal.code
        return "added"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(add, range(4))) == ["USERNAME-TAKEN"] * 3 + ["added"]
