"""The manager's day with a telephone and without scripts: a delivery comes, a vial is opened and thrown away, more is ordered."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from inventory.kernel.permissions import Role
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.stock import make_place
from tests.support.browser_fixtures import PHONE
from tests.support.live_server import LiveServer


def test_receives_opens_discards_and_sets_levels(
    live_server: LiveServer, signed_in_page: Callable[..., Page]
) -> None:
    with live_server.app.app_context():
        make_place()
        make_multi_dose_product(name="Depot", maker="Invented Makers")
    page = signed_in_page(Role.MANAGER, page={"viewport": PHONE, "java_script_enabled": False})
    page.goto("/stock/")
    page.get_by_role("link", name="Receive the first delivery").click()
    page.get_by_label("Product").select_option(index=1)
    page.get_by_label("Lot number").fill("AB 123")
    page.get_by_label("Expiry").fill("2020-01")
    page.get_by_label("How many").fill("3")
    page.get_by_role("button", name="Receive").click()
    expect(page.get_by_text("LOT-EXPIRED-ON-RECEIPT").first).to_be_visible()
    expect(page.get_by_label("Lot number")).to_have_value("AB 123")
    page.get_by_label("Expiry").fill("2199-01")
    page.get_by_role("button", name="Receive").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Lot AB 123")
    page.get_by_role("link", name="Open a vial").click()
    page.get_by_role("button", name="Open the vial").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Vial 1")
    page.get_by_role("link", name="Discard").click()
    page.get_by_label("Reason").select_option("contaminated")
    page.get_by_role("button", name="Discard the vial").click()
    expect(page.get_by_text("The vial is discarded.")).to_be_visible()
    page.goto("/reorder/")
    page.get_by_role("link", name="Set levels").click()
    page.get_by_label("Order when usable containers fall to").fill("2")
    page.get_by_label("Order up to").fill("15")
    page.get_by_role("button", name="Set").click()
    expect(page.get_by_text("Order now")).to_be_visible()
    expect(page.get_by_text("2 packs of 10")).to_be_visible()
