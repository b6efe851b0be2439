"""The manager scans a delivery of multi-dose vials, counts it, and finds it on the shelf: with a telephone and without scripts."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from inventory.kernel.permissions import Role
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.stock import make_place
from tests.support.browser_fixtures import PHONE
from tests.support.live_server import LiveServer

GTIN = "00301439620105"


@pytest.fixture
def stocked(live_server: LiveServer) -> None:
    """A clinic that keeps the product and has one cabinet."""
    with live_server.app.app_context():
        make_place()
        make_multi_dose_product(name="Depot", gtin=GTIN)


@pytest.mark.parametrize("engine_kind", ["sqlite", "postgresql"], indirect=True)
def test_scans_counts_and_confirms(
    stocked: None, signed_in_page: Callable[..., Page], axe: Callable[[Page], None]
) -> None:
    page = signed_in_page(Role.MANAGER, page={"viewport": PHONE, "java_script_enabled": False})
    page.goto("/stock/")
    page.get_by_role("link", name="Receive the first delivery").click()
    page.get_by_label("Scan the pack").fill(f"]d201{GTIN}1749050010AB-123{{GS}}21S7")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The scan is read")).to_be_visible()
    expect(page.get_by_text("its last day counts, 31 May 2049")).to_be_visible()
    expect(page.get_by_label("Lot number")).to_have_value("AB-123")
    page.get_by_label("How many").fill("2")
    page.get_by_label("Packs").check()
    page.get_by_role("button", name="Receive").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Lot AB-123")
    page.goto("/stock/")
    expect(page.get_by_role("link", name="AB-123")).to_be_visible()
    expect(page.get_by_text("20 usable containers")).to_be_visible()


def test_a_keyboard_scanner_sends_control_keys(
    stocked: None, signed_in_page: Callable[..., Page], axe: Callable[[Page], None]
) -> None:
    page = signed_in_page(Role.MANAGER)
    page.goto("/stock/receive")
    expect(page.get_by_label("Scan the pack")).to_be_focused()
    page.keyboard.type(f"01{GTIN}10AB123")
    page.keyboard.press("Control+]")
    page.keyboard.type("17490531")
    axe(page)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Lot number")).to_have_value("AB123")
    expect(page.get_by_label("Expiry")).to_have_value("2049-05-31")
    expect(page.get_by_label("How many")).to_be_focused()
    axe(page)
    page.get_by_label("Scan the pack").fill(f"(01){GTIN}(10)OTHER")
    page.keyboard.press("Enter")
    expect(page.get_by_text("SCAN-OTHER-LOT").first).to_be_visible()
    axe(page)
    page.get_by_role("link", name="Begin anew with this scan").click()
    expect(page.get_by_label("Lot number")).to_have_value("OTHER")
