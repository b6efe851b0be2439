"""Journeys run on SQLite, unless a test asks for both engines: `@pytest.mark.parametrize("engine_kind", ..., indirect=True)`."""

import pytest


@pytest.fixture
def engine_kind(request: pytest.FixtureRequest) -> str:
    """The engine a journey runs on; the pages are the same on both, and what is beneath them is tested on both."""
    return str(getattr(request, "param", "sqlite"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what drives a browser, so that `-m 'not browser'` leaves it out."""
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)
