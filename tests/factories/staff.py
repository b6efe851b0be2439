"""People of the tests, and browsers in which they are signed in. Fixtures here are known to every test."""

from collections.abc import Callable
from datetime import date
from itertools import count
from typing import Any

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from inventory.kernel import clock
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor, Role
from inventory.staff import queries, services
from inventory.staff.current import TOKEN_KEY
from inventory.staff.models import User
from tests.support.client import CheckingClient

PASSWORD = "a quiet morning in march"
LICENSED = {Role.PRACTITIONER, Role.PRESCRIBER}
_numbers = count(1)


def make_user(
    *,
    roles: tuple[Role, ...] | Role = (Role.PRACTITIONER,),
    username: str = "",
    display_name: str = "",
    password: str = "",
    licence_number: str | None = None,
    licence_expires_on: date | None = date(2027, 12, 31),
    credential_title: str = "RN",
    **more: Any,
) -> User:
    """Add a person; practitioners and prescribers get a licence. Without `password` they can only be signed in by the fixtures."""
    roles = (roles,) if isinstance(roles, Role) else tuple(roles)
    number = next(_numbers)
    licensed = bool(LICENSED & set(roles))
    outcome = services.add_person(
        actor=SYSTEM_ACTOR,
        at=clock.now(),
        username=username or f"{roles[0]}-{number}",
        display_name=display_name or f"{roles[0].title()} Number {number}",
        roles=roles,
        licence_number=(f"L-{1000 + number}" if licence_number is None else licence_number)
        if licensed
        else "",
        licence_expires_on=licence_expires_on if licensed else None,
        credential_title=credential_title if licensed else "",
        **more,
    )
    if password:
        services.set_password(
            actor=SYSTEM_ACTOR, at=clock.now(), user_id=outcome.subject_id, password=password
        )
    return queries.person(outcome.subject_id)


def make_actor(*roles: Role, **more: Any) -> Actor:
    """Add a person and return them as the actor that services ask for."""
    return queries.actor_of(make_user(roles=roles or (Role.PRACTITIONER,), **more))


def session_cookie(app: Flask, user: User) -> tuple[str, str]:
    """Open a session for `user` and return the name and value of the cookie that carries it."""
    token = services.start_session(
        actor=queries.actor_of(user), at=clock.now(), address="127.0.0.1", user_agent="tests"
    )
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    return app.config["SESSION_COOKIE_NAME"], str(serializer.dumps({TOKEN_KEY: token}))


@pytest.fixture
def signed_in_client(app: Flask) -> Callable[..., CheckingClient]:
    """`signed_in_client(Role.MANAGER)` is a browser in which such a person is signed in; they are its `actor`.

    `signed_in_client(user=...)` signs in somebody who is there already; other keywords go to `make_user`.
    """

    def sign_in(*roles: Role, user: User | None = None, **more: Any) -> CheckingClient:
        person = user or make_user(roles=roles, **more)
        client = app.test_client()
        assert isinstance(client, CheckingClient)
        client.set_cookie(*session_cookie(app, person))
        client.actor = queries.actor_of(queries.person(person.id))  # type: ignore[attr-defined]
        return client

    return sign_in


@pytest.fixture
def signed_in_page(live_server: Any, new_page: Callable[..., Any]) -> Callable[..., Any]:
    """`signed_in_page(Role.MANAGER, page={"viewport": PHONE})` opens a page of the real browser, signed in."""

    def sign_in(
        *roles: Role, user: User | None = None, page: dict[str, Any] | None = None, **more: Any
    ) -> Any:
        with live_server.app.app_context():
            name, value = session_cookie(live_server.app, user or make_user(roles=roles, **more))
        opened = new_page(**(page or {}))
        opened.context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
        return opened

    return sign_in
