"""The demo clinic, walked link by link as each of its people: no page fails, and no page offers what it then refuses."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from tests.support.client import CheckingClient
from tests.support.databases import Database, Databases
from tests.support.page_checks import is_page
from tests.support.walk import ACCOUNTS, Walk, account


@pytest.fixture
def database(databases: Databases, engine_kind: str) -> Iterator[Database]:
    with databases.demo(engine_kind) as demo:
        yield demo


@pytest.fixture
def settings() -> dict[str, object]:
    return {"DEMO": True}


@pytest.mark.parametrize("username", ACCOUNTS)
def test_every_link_a_person_sees_leads_somewhere(
    username: str, app: Flask, signed_in_client: Callable[..., CheckingClient]
) -> None:
    client = signed_in_client(user=account(username))
    walk = Walk(app, pages_of_a_kind=2)
    answers: dict[str, int] = {}
    for path in walk:
        response = client.get(path)
        answers[path] = response.status_code
        if is_page(response):
            walk.read(path, response.get_data(as_text=True))
        elif response.location:
            walk.follow(path, response.location)
        response.close()
    assert {path: status for path, status in answers.items() if status >= 400} == {}
    assert walk.broken == {}
    assert len(answers) > 5
