"""An administrator opens the clinic, lets a nurse in, and keeps people and rules; on a desk, on a phone, without scripts."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from inventory.kernel.permissions import Role
from inventory.server import banner
from tests.factories.clinic import make_site
from tests.support.browser_fixtures import PHONE
from tests.support.live_server import LiveServer

Axe = Callable[[Page], None]
PASSWORD = "a quiet morning in march"


def local(address: str) -> str:
    return re.sub(r"^https?://[^/]*", "", address)


def send(page: Page) -> None:
    """Press the one primary button of the page's form."""
    page.locator("main form button.btn-primary").click()


def set_clinic_up(page: Page, live_server: LiveServer) -> None:
    page.goto(local(banner(live_server.app)[-1].strip()))
    page.get_by_label("Clinic's name").fill("Riverside Injection Clinic")
    page.get_by_label("Site's name").fill("Main Street")
    page.get_by_label("Time zone").select_option("Europe/London")
    page.get_by_label("Your name").fill("Ada Minster")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)


def test_from_the_printed_address_to_a_nurse_who_signs_in(
    page: Page, new_page: Callable[..., Page], live_server: LiveServer, axe: Axe
) -> None:
    page.goto("/sign-in")
    expect(page.get_by_role("heading", level=1)).to_have_text("Set up the clinic")
    set_clinic_up(page, live_server)
    axe(page)
    send(page)
    page.goto("/staff/new")
    page.get_by_label("Username").fill("nora")
    page.get_by_label("Name", exact=True).fill("Nora Quill")
    page.get_by_label("Practitioner: gives").check()
    send(page)
    summary = page.locator("#error-summary")
    expect(summary).to_contain_text("LICENCE-NEEDED")
    axe(page)
    summary.get_by_role("link", name="Licence number").click()
    page.keyboard.type("N-77")
    page.get_by_label("Licence expires on").fill("2099-05-01")
    send(page)
    axe(page)
    link = page.get_by_label("Link", exact=True).input_value()

    hers = new_page(viewport=PHONE)
    hers.goto(local(link))
    axe(hers)
    hers.get_by_label("New password", exact=True).fill("another quiet evening")
    hers.get_by_label("New password again").fill("another quiet evening")
    send(hers)
    hers.get_by_label("Username").fill("nora")
    hers.get_by_label("Password").fill("not her password")
    send(hers)
    expect(hers.locator("#error-summary")).to_contain_text("SIGN-IN-WRONG")
    axe(hers)
    hers.get_by_label("Password").fill("another quiet evening")
    send(hers)
    hers.goto("/account")
    expect(hers.locator("main")).to_contain_text("Practitioner")


@pytest.mark.parametrize("options", [{}, {"viewport": PHONE}], ids=["desk", "phone"])
def test_pages_are_accessible_and_fit(
    signed_in_page: Callable[..., Page], live_server: LiveServer, axe: Axe, options: dict[str, Any]
) -> None:
    with live_server.app.app_context():
        first, _ = make_site("MAIN", locations=("Cabinet", "Fridge 1")), make_site("HARB")
        site = f"/settings/sites/{first.id}"
    page = signed_in_page(Role.ADMIN, Role.PRESCRIBER, page=options, username="ada")
    page.goto("/staff")
    person = local(page.locator("main table a").first.get_attribute("href") or "")
    paths = ["/account", "/account/password", "/staff", "/staff/new", person, f"{person}/edit", "/site"]
    paths += [
        "/settings",
        "/settings/rules",
        "/settings/sites/new",
        site,
        f"{site}/edit",
        f"{site}/locations/new",
    ]
    for path in paths:
        page.goto(path)
        axe(page)
        overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= 0, f"{path} is {overflow} pixels too wide"


def test_works_without_scripts(new_page: Callable[..., Page], live_server: LiveServer) -> None:
    page = new_page(java_script_enabled=False)
    set_clinic_up(page, live_server)
    send(page)
    page.goto("/settings/rules")
    page.get_by_label("Near expiry within").fill("45")
    send(page)
    expect(page.locator("main")).to_contain_text("45 days")
    page.goto("/account")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
