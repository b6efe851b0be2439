"""Fixtures every test may ask for; what they are made of is in tests/support.

A test that touches data asks for `app` (or `client`, or `database`) and so runs twice: on SQLite and on PostgreSQL, each
time in a migrated database of its own. The application's context is pushed for the whole test; a request never shares it.
"""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import hypothesis
import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from inventory.app import create_app
from inventory.kernel import clock
from tests.support.client import CheckingClient
from tests.support.databases import (
    ENGINE_KINDS,
    Database,
    Databases,
    OwnerConnection,
    close_engines,
    short_lived_folder,
)
from tests.support.sockets import only_loopback

pytest_plugins = ["tests.support.browser_fixtures", "tests.factories.staff"]

AT = datetime(2026, 3, 16, 9, 30, tzinfo=UTC)
"""The Monday morning at which tests live that ask for `at`."""

hypothesis.settings.register_profile("clinic", deadline=None, print_blob=True)
hypothesis.settings.load_profile("clinic")


@pytest.fixture(scope="session", autouse=True)
def _stay_on_this_machine() -> Iterator[None]:
    with only_loopback():
        yield


@pytest.fixture(autouse=True)
def _loop_of_the_browser_is_its_own(request: pytest.FixtureRequest) -> Iterator[None]:
    # Playwright leaves its loop marked as running in this thread until the run ends, and pyHanko's `asyncio.run` refuses that.
    if "chromium" in request.fixturenames:
        yield
        return
    left = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(left)


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """Makes databases; for a test that needs several, such as a hypothesis machine: `with databases.fresh(kind) as one:`."""
    with short_lived_folder() as folder:
        made = Databases(folder)
        yield made
        made.close()


@pytest.fixture(params=ENGINE_KINDS)
def engine_kind(request: pytest.FixtureRequest) -> str:
    """`sqlite`, then `postgresql`."""
    return str(request.param)


@pytest.fixture
def database(databases: Databases, engine_kind: str) -> Iterator[Database]:
    """A migrated database of the test's own."""
    with databases.fresh(engine_kind) as fresh:
        yield fresh


@pytest.fixture
def settings() -> dict[str, object]:
    """Settings on top of the usual ones; a test module that needs some overrides this fixture."""
    return {}


@pytest.fixture
def app(database: Database, settings: dict[str, object]) -> Iterator[Flask]:
    """The application on `database`, its context pushed."""
    made = create_app(database.config(**settings))
    made.test_client_class = CheckingClient
    with made.app_context():
        yield made
    close_engines(made)


@pytest.fixture
def client(app: Flask) -> CheckingClient:
    """A browser without a sign-in that checks every page it gets."""
    made = app.test_client()
    assert isinstance(made, CheckingClient)
    return made


@pytest.fixture
def cli(app: Flask) -> FlaskCliRunner:
    """Runs the project's commands: `cli.invoke(args=["stock", "verify"])`."""
    return app.test_cli_runner()


@pytest.fixture
def owner_connection(database: Database) -> Iterator[OwnerConnection]:
    """The bare driver, connected as the owner of the tables: it goes around the application. Parameters are `?` or `%s`."""
    connection = database.connect_as_owner()
    yield connection
    connection.close()


@pytest.fixture
def at() -> Iterator[datetime]:
    """The instant AT, at which the clock stands still during the test."""
    with clock.frozen(AT):
        yield AT


@pytest.fixture
def at_instant() -> Iterator[Callable[[datetime], None]]:
    """Moves the clock within a test: `at_instant(AT + timedelta(days=29))`; it stands still there."""
    frozen: list[object] = []

    def move(instant: datetime) -> None:
        entered = clock.frozen(instant)
        entered.__enter__()
        frozen.append(entered)

    yield move
    for entered in reversed(frozen):
        entered.__exit__(None, None, None)  # type: ignore[attr-defined]
