"""Takes the pictures of the README from a freshly built demo clinic: `make pictures`."""

import io
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from flask import Flask
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from config import load_config
from inventory.app import create_app
from inventory.server import prepare
from inventory.staff.rules import DEMO_PASSWORD
from tests.support.browser_fixtures import CHROMIUM_FLAGS, DESKTOP, PHONE
from tests.support.browser_setup import find_chromium
from tests.support.live_server import served

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
COLOURS = 128
"""Flat pages need no more, and a picture stays small."""


def main() -> int:
    """Write every picture anew into docs/pictures."""
    path = find_chromium()
    if path is None:
        sys.exit("No Chromium: run make test once, it installs one.")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        app = demo_clinic(folder)
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        with served(app) as server:
            for name, (who, where, act) in PICTURES.items():
                take(browser, server.url, name, who=who, where=where, act=act)
            phone(browser, server.url)
        browser.close()
    return 0


def demo_clinic(folder: str) -> Flask:
    """Return the demo's application on a database of its own."""
    app = create_app(load_config({"INSTANCE": folder}, demo=True))
    prepare(app)
    return app


def take(
    browser: Browser, url: str, name: str, *, who: str, where: str, act: Callable[[Page], None] | None
) -> None:
    """Take the picture of one page as one person sees it."""
    page = signed_in(browser, url, who, DESKTOP)
    page.goto(where)
    if act is not None:
        act(page)
    keep(page, name)
    page.context.close()


def phone(browser: Browser, url: str) -> None:
    """Take the picture of the home page on a phone."""
    page = signed_in(browser, url, "nurse", PHONE)
    keep(page, "phone")
    page.context.close()


def signed_in(browser: Browser, url: str, who: str, viewport: dict[str, int]) -> Page:
    """Return a page on which one of the demo's people has just signed in."""
    context = browser.new_context(viewport=viewport, base_url=url)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto("/sign-in")
    page.get_by_label("Username").fill(who)
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", level=1, name="Today").wait_for()
    return page


def keep(page: Page, name: str) -> None:
    """Write what the window shows as a small PNG."""
    shot = Image.open(io.BytesIO(page.screenshot()))
    shot.convert("RGB").quantize(COLOURS).save(FOLDER / f"{name}.png", optimize=True)


def _find(page: Page, record_number: str) -> None:
    page.get_by_label("Find the patient").fill(record_number)
    page.get_by_role("button", name="Find the patient").click()
    page.get_by_role("link", name="Choose").first.click()
    page.get_by_role("heading", level=1, name="About to give a dose").wait_for()


def _confirm(page: Page) -> None:
    _find(page, "WS-00012")
    page.get_by_label("Indication").fill("B12 deficiency")
    page.get_by_label("Consent seen").check()
    page.get_by_role("button", name="Check the dose").click()
    page.get_by_role("heading", level=1, name="Check and record the dose").wait_for()


def _first_patient(page: Page) -> None:
    page.locator("main table a").first.click()
    page.wait_for_load_state()


def _first_lot(page: Page) -> None:
    page.locator("main table a").first.click()
    page.wait_for_load_state()


def _open_recall(page: Page) -> None:
    page.get_by_role("link", name="Particles in Cobalin-H").first.click()
    page.wait_for_load_state()


PICTURES: dict[str, tuple[str, str, Callable[[Page], None] | None]] = {
    "today": ("nurse", "/", None),
    "give": ("nurse", "/give", lambda page: _find(page, "WS-00012")),
    "confirm": ("nurse", "/give", _confirm),
    "patient": ("nurse", "/patients", _first_patient),
    "shelf": ("manager", "/stock/", None),
    "lot": ("manager", "/stock/", _first_lot),
    "recall": ("nurse", "/recalls", _open_recall),
    "temperatures": ("manager", "/stock/temperatures", None),
    "reconciliation": ("manager", "/stock/reconciliation", None),
    "reorder": ("manager", "/reorder/", None),
    "reports": ("auditor", "/reports/", None),
    "trail": ("auditor", "/audit", None),
}


if __name__ == "__main__":
    sys.exit(main())
