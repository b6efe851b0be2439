"""Who gives doses on the pages, and where."""

from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask

from inventory.staff import queries as people
from tests.factories.doses import Bench
from tests.factories.staff import make_user
from tests.support.client import CheckingClient

Client = Callable[..., CheckingClient]


@pytest.fixture
def bench(app: Flask, at: datetime) -> Bench:
    return Bench(
        nurse=people.actor_of(people.person(make_user(username="nora", display_name="Nora Nurse").id))
    )


@pytest.fixture
def nurse(bench: Bench, signed_in_client: Client) -> CheckingClient:
    return signed_in_client(user=people.person(bench.nurse.id))
