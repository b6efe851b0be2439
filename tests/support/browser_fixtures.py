"""Fixtures of the tests that drive a real browser: a served clinic and a page on it."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from inventory.app import create_app
from tests.support.axe import assert_accessible
from tests.support.browser_setup import ADVICE, find_chromium
from tests.support.databases import Database, close_engines
from tests.support.live_server import LiveServer, served

SECONDS = 1000
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}

CHROMIUM_FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One Chromium for the whole run."""
    path = find_chromium()
    if path is None:
        pytest.fail(ADVICE, pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def served_app(database: Database, settings: dict[str, object]) -> Iterator[Flask]:
    """The application that `live_server` serves, on the test's own database."""
    made = create_app(database.config(**settings))
    yield made
    close_engines(made)


@pytest.fixture
def live_server(served_app: Flask) -> Iterator[LiveServer]:
    """The application, served on a free loopback port."""
    with served(served_app) as server:
        yield server


@pytest.fixture
def new_page(chromium: Browser, live_server: LiveServer) -> Iterator[Callable[..., Page]]:
    """Opens pages, each in a browser profile of its own: `new_page(viewport=PHONE, java_script_enabled=False)`.

    At the end the test fails on anything a page complained of: an uncaught error, a refused script or style, a missing file.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def complain(message: ConsoleMessage) -> None:
        # Chromium reports our own 4xx answers to bad input as errors of loading; those are meant.
        if message.type == "error" and "the server responded with a status of 4" not in message.text:
            complaints.append(message.text)

    def open_page(**options: object) -> Page:
        context = chromium.new_context(base_url=live_server.url, **({"viewport": DESKTOP} | options))  # type: ignore[arg-type]
        context.set_default_timeout(10 * SECONDS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", complain)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints, "the browser complained: " + "; ".join(complaints)


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """One page at desktop width."""
    return new_page()


@pytest.fixture
def axe() -> Callable[[Page], None]:
    """`axe(page)` fails with every accessibility violation of the present page."""
    return assert_accessible
