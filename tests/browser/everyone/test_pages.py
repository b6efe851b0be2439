"""Every page of the demo clinic in a real browser: accessible, in light and dark, and never wider than a phone."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

from tests.support.axe import assert_accessible
from tests.support.browser_fixtures import DESKTOP, PHONE
from tests.support.databases import Database, Databases
from tests.support.live_server import LiveServer
from tests.support.walk import ACCOUNTS, Walk, account

PEOPLE = [username for username in ACCOUNTS if username != "prescriber"]
"""Whose pages are looked at; the prescriber's are the nurse's."""


@pytest.fixture
def database(databases: Databases, engine_kind: str) -> Iterator[Database]:
    with databases.demo(engine_kind) as demo:
        yield demo


@pytest.fixture
def settings() -> dict[str, object]:
    return {"DEMO": True}


@pytest.mark.parametrize("username", PEOPLE)
def test_every_page_is_accessible_and_fits(
    username: str, live_server: LiveServer, signed_in_page: Callable[..., Page]
) -> None:
    with live_server.app.app_context():
        person = account(username)
    # Colours are judged where they end, not halfway through fading from light to dark.
    page = signed_in_page(user=person, page={"reduced_motion": "reduce"})
    walk = Walk(live_server.app, pages_of_a_kind=1)
    problems: list[str] = []
    for path in walk:
        if is_a_page(page, path):
            page.set_viewport_size(DESKTOP)
            page.emulate_media(color_scheme="light")
            page.goto(path)
            walk.read(path, page.content())
            problems += problems_of(page, f"{path} on a desktop, light")
            page.set_viewport_size(PHONE)
            page.emulate_media(color_scheme="dark")
            problems += problems_of(page, f"{path} on a phone, dark")
    assert problems == [], "\n".join(problems)


def is_a_page(page: Page, path: str) -> bool:
    """Tell whether a browser would show it; a report is a file to keep."""
    answer = page.request.get(path)
    return answer.headers.get("content-type", "").startswith("text/html")


def problems_of(page: Page, where: str) -> list[str]:
    found = []
    wide, room = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    if wide > room:
        found.append(f"{where}: {wide} pixels wide where there are {room}")
    try:
        assert_accessible(page)
    except AssertionError as error:
        found.append(f"{where}: {error}")
    return found


def test_what_names_a_row_begins_at_the_left_of_its_card_on_a_phone(
    live_server: LiveServer, signed_in_page: Callable[..., Page]
) -> None:
    """A long name takes several lines, which are to stand under each other."""
    with live_server.app.app_context():
        page = signed_in_page(user=account("manager"), page={"viewport": PHONE})
    page.goto("/reorder/")
    aligned = page.locator("tbody th").evaluate_all("all => all.map(one => getComputedStyle(one).textAlign)")
    assert aligned
    assert set(aligned) == {"start"}
