"""Signing in: who comes in, who does not, and how little a stranger learns."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from inventory.clinic.services import change_settings
from inventory.kernel.db import db, unit_of_work
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.staff import passwords, rules, services
from inventory.staff.current import TOKEN_KEY
from inventory.staff.models import SignInAttempt, User, UserSession
from inventory.staff.tokens import token_hash
from tests.factories.clinic import make_site
from tests.factories.staff import PASSWORD, make_user
from tests.support.client import CheckingClient
from tests.support.databases import OwnerConnection

MoveClock = Callable[[datetime], None]
WRONG = "wrong"
ELSEWHERE = {"REMOTE_ADDR": "203.0.113.9"}


@pytest.fixture
def nora(app: Flask, at: datetime) -> User:
    """Somebody who knows her password."""
    make_site()
    return make_user(username="nora", display_name="Nora Quill", password=PASSWORD)


def try_in(
    client: CheckingClient, username: str = "nora", *, password: str = WRONG, **more: Any
) -> TestResponse:
    form = client.form("/sign-in")
    data = {name: values[0] for name, values in form.fields.items()}
    return client.post("/sign-in", data={**data, "username": username, "password": password}, **more)


def words_of(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def test_lets_in_who_knows_name_and_password(nora: User, client: CheckingClient) -> None:
    answer = client.submit("/sign-in?next=/account", {"username": " Nora ", "password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/account")
    assert "Nora Quill" in words_of(client.get("/account"))


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:1"]
)
def test_never_goes_on_to_another_address(nora: User, client: CheckingClient, target: str) -> None:
    answer = client.submit(f"/sign-in?next={target}", {"username": "nora", "password": PASSWORD})
    assert answer.headers["Location"] == "/"


def test_says_the_same_whatever_was_wrong(nora: User, client: CheckingClient, at: datetime) -> None:
    gone = make_user(username="gone", password=PASSWORD)
    make_user(username="invited")
    services.deactivate_person(actor=SYSTEM_ACTOR, at=at, user_id=gone.id)
    tries = [
        ("nora", "wrong"),
        ("nobody", PASSWORD),
        ("gone", PASSWORD),
        ("invited", ""),
        ("system:cli", PASSWORD),
    ]
    answers = [try_in(client, name, password=password or "x") for name, password in tries]
    assert {answer.status_code for answer in answers} == {422}
    told = {re.sub(r'value="[^"]*"', "", words_of(answer)) for answer in answers}
    assert len(told) == 1
    assert "SIGN-IN-WRONG" in told.pop()


def test_keeps_the_username_and_never_shows_the_password_again(nora: User, client: CheckingClient) -> None:
    page = words_of(try_in(client, password="my secret slip"))
    assert 'value="nora"' in page
    assert "my secret slip" not in page


def test_cookie_of_before_is_worth_nothing_after_sign_in(
    nora: User, client: CheckingClient, app: Flask
) -> None:
    name = app.config["SESSION_COOKIE_NAME"]
    client.get("/sign-in")
    before = client.get_cookie(name).value
    with client.session_transaction() as planted:
        planted["planted"] = "by a stranger"
    client.submit("/sign-in", {"username": "nora", "password": PASSWORD})
    with client.session_transaction() as renewed:
        assert set(renewed) == {TOKEN_KEY}
    stranger = app.test_client()
    stranger.set_cookie(name, before)
    assert stranger.get("/account").status_code == 302


def test_cookie_is_out_of_reach_of_scripts_and_other_sites(nora: User, client: CheckingClient) -> None:
    cookie = client.submit("/sign-in", {"username": "nora", "password": PASSWORD}).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_only_the_hash_of_the_token_is_stored(nora: User, at: datetime) -> None:
    entrance = services.sign_in(username="nora", password=PASSWORD, at=at, address="::1", user_agent="x")
    stored = db.session.scalars(select(UserSession.token_hash)).all()
    assert stored == [token_hash(entrance.token)]


def test_guessing_slows_down_and_waiting_helps(
    nora: User, client: CheckingClient, at: datetime, at_instant: MoveClock
) -> None:
    assert [try_in(client).status_code for _ in range(6)] == [422] * 5 + [429]
    refused = try_in(client, password=PASSWORD)
    assert refused.status_code == 429
    assert "Wait 15 seconds" in words_of(refused)
    assert refused.headers["Retry-After"] == "15"
    at_instant(at + timedelta(seconds=15))
    assert try_in(client, password=PASSWORD).status_code == 302


def test_nobody_elsewhere_can_lock_her_out(nora: User, client: CheckingClient) -> None:
    for _ in range(30):
        try_in(client, environ_overrides=ELSEWHERE)
    assert try_in(client, password=PASSWORD, environ_overrides=ELSEWHERE).status_code == 429
    assert try_in(client, password=PASSWORD).status_code == 302


def test_success_forgives_the_slips_before_it(nora: User, client: CheckingClient, app: Flask) -> None:
    for _ in range(4):
        try_in(client)
    assert try_in(app.test_client(), password=PASSWORD).status_code == 302
    assert [try_in(client).status_code for _ in range(5)] == [422] * 5


def test_an_address_that_tries_many_names_waits_too(nora: User, client: CheckingClient) -> None:
    for number in range(rules.ADDRESS_TRIES):
        assert try_in(client, f"name{number}", environ_overrides=ELSEWHERE).status_code == 422
    waiting = try_in(client, "another", environ_overrides=ELSEWHERE)
    assert "Wait 15 minutes" in words_of(waiting)


def test_many_tries_at_once_are_many(nora: User, app: Flask, at: datetime) -> None:
    def attempt(_: int) -> str:
        with app.app_context():
            try:
                services.sign_in(username="nora", password="wrong", at=at, address="::1", user_agent="")
            except Refusal as refusal:
                return refusal.code
        return "in"

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(attempt, range(16)))
    assert (told.count("SIGN-IN-WRONG"), told.count("SIGN-IN-WAIT")) == (5, 11)


def test_attempts_keep_no_name_that_may_be_a_password(nora: User, client: CheckingClient) -> None:
    try_in(client, "my password in the wrong field")
    assert "password" not in db.session.scalars(select(SignInAttempt.username)).one()


def test_rehashes_when_the_cost_has_changed(nora: User, at: datetime) -> None:
    cheap = passwords.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
    with unit_of_work() as session:
        session.execute(update(User).where(User.id == nora.id).values(password_hash=cheap))
    services.sign_in(username="nora", password=PASSWORD, at=at, address="::1", user_agent="")
    db.session.rollback()
    assert not passwords.needs_rehash(db.session.get_one(User, nora.id).password_hash)
    services.sign_in(username="nora", password=PASSWORD, at=at, address="::1", user_agent="")


def test_demo_password_opens_nothing_outside_a_demo(nora: User, client: CheckingClient, at: datetime) -> None:
    known = passwords.hash_password(rules.DEMO_PASSWORD)
    with unit_of_work() as session:
        session.execute(update(User).where(User.id == nora.id).values(password_hash=known))
    assert try_in(client, password=rules.DEMO_PASSWORD).status_code == 422
    change_settings(actor=SYSTEM_ACTOR, at=at, values={"clinic_name": "Demo", "is_demo": True})
    assert try_in(client, password=rules.DEMO_PASSWORD).status_code == 302


def test_trail_tells_of_sign_in_and_sign_out(
    nora: User, client: CheckingClient, owner_connection: OwnerConnection
) -> None:
    client.submit("/sign-in", {"username": "nora", "password": PASSWORD})
    client.submit("/account", action="/sign-out")
    actions = owner_connection.execute("SELECT action FROM audit_entry ORDER BY id").fetchall()
    assert [row[0] for row in actions][-2:] == ["staff.signed-in", "staff.signed-out"]


def test_signed_out_cookie_is_dead_wherever_it_was_copied(
    nora: User, client: CheckingClient, app: Flask
) -> None:
    client.submit("/sign-in", {"username": "nora", "password": PASSWORD})
    name = app.config["SESSION_COOKIE_NAME"]
    copied = client.get_cookie(name).value
    client.submit("/account", action="/sign-out")
    thief = app.test_client()
    thief.set_cookie(name, copied)
    assert thief.get("/account").status_code == 302


def test_attempts_of_long_ago_are_not_kept(
    nora: User, client: CheckingClient, at: datetime, at_instant: MoveClock
) -> None:
    try_in(client)
    at_instant(at + timedelta(days=31))
    try_in(client)
    assert db.session.scalar(select(func.count()).select_from(SignInAttempt)) == 1


def test_another_address_of_the_same_connection_does_not_help(client: CheckingClient, nora: User) -> None:
    statuses = [
        try_in(client, environ_overrides={"REMOTE_ADDR": f"2001:db8:1:2::{n}"}).status_code
        for n in range(1, 7)
    ]
    assert statuses == [422] * 5 + [429]
