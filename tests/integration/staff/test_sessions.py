"""Sessions: they rest, end, are seen and are ended; a person's rights are those of this moment."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import event, select

from inventory.clinic.services import change_settings
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.staff import passwords, queries, services
from inventory.staff.models import UserSession
from inventory.staff.services.people import Entry
from tests.factories.clinic import make_site
from tests.factories.staff import PASSWORD
from tests.support.client import CheckingClient

SignIn = Callable[..., CheckingClient]
MoveClock = Callable[[datetime], None]


@pytest.fixture(autouse=True)
def _site(app: Flask, at: datetime) -> None:
    make_site()


def is_in(client: CheckingClient) -> bool:
    return client.get("/account").status_code == 200


def test_ends_after_resting(signed_in_client: SignIn, at: datetime, at_instant: MoveClock) -> None:
    client = signed_in_client(Role.MANAGER)
    at_instant(at + timedelta(minutes=29))
    assert is_in(client)
    at_instant(at + timedelta(minutes=58))
    assert is_in(client)
    at_instant(at + timedelta(minutes=88))
    assert not is_in(client)
    page = client.get("/sign-in").get_data(as_text=True)
    assert "Your session has ended" in page
    assert "30 minutes without use" in page
    assert "or when somebody ends it" in page


def test_rests_as_long_as_the_clinic_says(
    signed_in_client: SignIn, at: datetime, at_instant: MoveClock
) -> None:
    change_settings(actor=SYSTEM_ACTOR, at=at, values={"clinic_name": "Riverside", "idle_minutes": 10})
    client = signed_in_client(Role.MANAGER)
    at_instant(at + timedelta(minutes=10))
    assert not is_in(client)


def test_ends_for_good_however_busy(signed_in_client: SignIn, at: datetime, at_instant: MoveClock) -> None:
    client = signed_in_client(Role.MANAGER)
    for quarter in range(1, 48):
        at_instant(at + timedelta(minutes=15 * quarter))
        assert is_in(client)
    at_instant(at + timedelta(hours=12))
    assert not is_in(client)


def test_is_marked_as_seen_once_a_minute(
    signed_in_client: SignIn, at: datetime, at_instant: MoveClock
) -> None:
    client = signed_in_client(Role.MANAGER)
    seen = select(UserSession.last_seen_at)
    for seconds, marked in ((59, 0), (60, 60), (90, 60), (120, 120)):
        at_instant(at + timedelta(seconds=seconds))
        client.get("/account")
        db.session.rollback()
        assert db.session.scalar(seen) == at + timedelta(seconds=marked)


def test_finds_session_person_and_roles_by_one_query(signed_in_client: SignIn, app: Flask) -> None:
    client = signed_in_client(Role.MANAGER, Role.PRACTITIONER)
    statements: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *said: statements.append(said[2]))
    client.get("/site")
    asked = [one for one in statements if "user_role" in one or "user_session" in one]
    assert len(asked) == 1


def test_person_sees_and_ends_their_own_sessions(signed_in_client: SignIn, app: Flask) -> None:
    here = signed_in_client(Role.MANAGER)
    there = signed_in_client(user=queries.person(here.actor.id))
    forms = [f"/account/sessions/{one.id}/end" for one in db.session.scalars(select(UserSession))]
    page = here.get("/account").get_data(as_text=True)
    assert sum(form in page for form in forms) == 1  # the session one looks from is ended by signing out
    action = next(form for form in forms if form in page)
    assert here.submit("/account", action=action).status_code == 302
    assert (is_in(here), is_in(there)) == (True, False)


def test_person_ends_all_other_sessions_at_once(signed_in_client: SignIn) -> None:
    here = signed_in_client(Role.MANAGER)
    others = [signed_in_client(user=queries.person(here.actor.id)) for _ in range(2)]
    here.submit("/account", action="/account/sessions/end-others")
    assert (is_in(here), [is_in(other) for other in others]) == (True, [False, False])


def test_nobody_ends_the_session_of_another(signed_in_client: SignIn) -> None:
    victim, thief = signed_in_client(Role.MANAGER), signed_in_client(Role.MANAGER)
    signed_in_client(user=queries.person(thief.actor.id))
    theirs = db.session.scalars(select(UserSession.id).where(UserSession.user_id == victim.actor.id)).one()
    form = thief.form("/account", action="/account/sessions/end-others")
    form.action = f"/account/sessions/{theirs}/end"
    assert thief.send("/account", form).status_code == 404
    assert is_in(victim)


def test_admin_ends_one_session_and_all(signed_in_client: SignIn) -> None:
    admin, one = signed_in_client(Role.ADMIN), signed_in_client(Role.MANAGER)
    two = signed_in_client(user=queries.person(one.actor.id))
    page = f"/staff/{one.actor.id}"
    session = db.session.scalars(select(UserSession.id).where(UserSession.user_id == one.actor.id)).first()
    admin.submit(page, action=f"{page}/sessions/{session}/end")
    assert sorted([is_in(one), is_in(two)]) == [False, True]
    admin.submit(page, action=f"{page}/sessions/end")
    assert not is_in(two)


def test_password_change_ends_the_other_sessions(signed_in_client: SignIn) -> None:
    here = signed_in_client(Role.MANAGER, password=PASSWORD)
    there = signed_in_client(user=queries.person(here.actor.id))
    typed = {"current": PASSWORD, "password": "another quiet evening", "repeated": "another quiet evening"}
    assert here.submit("/account/password", typed).status_code == 302
    assert (is_in(here), is_in(there)) == (True, False)


@pytest.mark.parametrize(
    "typed, status, code",
    [
        ({"current": "wrong"}, 422, "PASSWORD-WRONG"),
        ({"repeated": "something else entirely"}, 422, "PASSWORD-MISMATCH"),
        ({"password": "short", "repeated": "short"}, 422, "PASSWORD-SHORT"),
        ({"current": ""}, 422, "FIELD-REQUIRED"),
    ],
)
def test_refuses_password_change(signed_in_client: SignIn, typed: dict, status: int, code: str) -> None:
    client = signed_in_client(Role.MANAGER, password=PASSWORD)
    good = {"current": PASSWORD, "password": "another quiet evening", "repeated": "another quiet evening"}
    answer = client.submit("/account/password", good | typed)
    assert answer.status_code == status
    assert code in answer.get_data(as_text=True)
    assert passwords.matches(queries.person(client.actor.id).password_hash, PASSWORD)


def test_guessing_the_present_password_slows_down_too(signed_in_client: SignIn) -> None:
    client = signed_in_client(Role.MANAGER, password=PASSWORD)
    typed = {"current": "wrong", "password": "another quiet evening", "repeated": "another quiet evening"}
    statuses = [client.submit("/account/password", typed).status_code for _ in range(6)]
    assert statuses == [422] * 5 + [429]


def test_the_right_present_password_is_no_guess(signed_in_client: SignIn) -> None:
    client = signed_in_client(Role.MANAGER, password=PASSWORD)
    typed = {"current": PASSWORD, "password": "short", "repeated": "short"}
    statuses = [client.submit("/account/password", typed).status_code for _ in range(7)]
    assert statuses == [422] * 7


def test_deactivation_counts_from_the_next_request(signed_in_client: SignIn, at: datetime) -> None:
    client = signed_in_client(Role.MANAGER)
    services.deactivate_person(actor=SYSTEM_ACTOR, at=at, user_id=client.actor.id)
    assert not is_in(client)
    services.reactivate_person(actor=SYSTEM_ACTOR, at=at, user_id=client.actor.id)
    assert not is_in(client)


def test_role_change_counts_from_the_next_request(signed_in_client: SignIn, at: datetime) -> None:
    signed_in_client(Role.ADMIN)
    client = signed_in_client(Role.ADMIN)
    assert client.get("/staff").status_code == 200
    user = queries.person(client.actor.id)
    entry = Entry(display_name=user.display_name, roles=frozenset({Role.MANAGER}))
    services.edit_person(actor=SYSTEM_ACTOR, at=at, user_id=user.id, version=user.version, entry=entry)
    assert client.get("/staff").status_code == 403


def test_expired_post_is_refused_with_401_and_keeps_the_text(
    signed_in_client: SignIn, at: datetime, at_instant: MoveClock
) -> None:
    client = signed_in_client(Role.ADMIN)
    form = client.form("/settings/sites/new")
    at_instant(at + timedelta(minutes=31))
    answer = client.send("/settings/sites/new", form, {"name": "A name typed with care"})
    assert answer.status_code == 401
    assert "A name typed with care" in answer.get_data(as_text=True)
