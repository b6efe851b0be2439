"""A recall from the pasted notice to its report, on a telephone without scripts, by a prescriber who is manager too."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from inventory.doses.rules.terms import EntryMode
from inventory.kernel.permissions import Role
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.stock import make_delivery, make_open_vial, make_place
from tests.support.browser_fixtures import PHONE
from tests.support.live_server import LiveServer


def filled() -> None:
    """Two lots at two sites, an open vial, and two patients."""
    bench = Bench()
    west = make_place(code="WEST", location="Fridge")
    lot = make_delivery(lot_number="1662", place=bench.place, containers=4)
    multi = make_delivery(
        lot_number="1679", place=west, product_id=make_multi_dose_product().id, containers=2
    )
    make_open_vial(multi, place=west)
    for name in ("Ames", "Bly"):
        patient_id = make_patient(family_name=name)
        bench.give(bench.request(lot=lot, patient_id=patient_id, mode=EntryMode.ALREADY_GIVEN))


def test_recalls_tells_and_prints_the_report(
    live_server: LiveServer, signed_in_page: Callable[..., Page], axe: Callable[[Page], Any]
) -> None:
    with live_server.app.app_context():
        filled()
    phone = {"viewport": PHONE, "java_script_enabled": False}
    page = signed_in_page(Role.PRESCRIBER, Role.MANAGER, page=phone)
    page.goto("/recalls")
    page.get_by_role("link", name="Open the first recall").click()
    page.get_by_label("What is recalled").fill("Cyanocobalamin 1 mL: cracked vials")
    page.get_by_label("Why it is recalled").fill("Glass particles were found.")
    page.get_by_label("This is a drill").check()
    page.get_by_label("Lot numbers").fill("1662, 1679\n1683")
    page.get_by_role("button", name="See which lots these are").click()
    expect(page.get_by_text("It is remembered")).to_be_visible()
    expect(page.get_by_label("Lot 1662")).to_be_checked()
    page.get_by_role("button", name="Place the holds and open the recall").click()
    expect(page.get_by_text("Everything of its lots is on hold, everywhere.")).to_be_visible()
    expect(page.get_by_text("0 of 2")).to_be_visible()
    expect(page.get_by_text("Open vial 1")).to_be_visible()
    wide = page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert wide, "the page is wider than the telephone"
    for name in ("Ames, Ada", "Bly, Ada"):
        page.get_by_role("row", name=name).get_by_role("link", name="Record a contact").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        page.get_by_label("Told", exact=True).check()
        page.get_by_role("button", name="Record it").click()
    expect(page.get_by_text("2 of 2")).to_be_visible()
    page.get_by_role("link", name="Release the holds").click()
    page.get_by_label("Reason").fill("The drill is over.")
    page.get_by_role("button", name="Release all of its holds").click()
    page.get_by_role("link", name="Close it out").click()
    page.get_by_label("What came of it").fill("Everybody was told.")
    page.get_by_role("button", name="Close the recall").click()
    expect(page.get_by_text("The recall is closed.")).to_be_visible()
    page.get_by_role("button", name="Issue the report").click()
    expect(page.get_by_text("Recall report").first).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download PDF").click()
    assert download.value.suggested_filename.startswith("recall-MAIN-1-")


def test_its_pages_pass_axe(
    live_server: LiveServer, signed_in_page: Callable[..., Page], axe: Callable[[Page], Any]
) -> None:
    with live_server.app.app_context():
        filled()
    page = signed_in_page(Role.PRESCRIBER, Role.MANAGER)
    page.goto("/recalls/new")
    axe(page)
    page.get_by_label("What is recalled").fill("Cracked vials")
    page.get_by_label("Why it is recalled").fill("Glass")
    page.get_by_label("Lot numbers").fill("1662, 1679\n1683")
    page.get_by_role("button", name="See which lots these are").click()
    axe(page)
    page.get_by_role("button", name="Place the holds and open the recall").click()
    axe(page)
    page.get_by_role("link", name="Record a contact").first.click()
    axe(page)
    page.goto("/recalls")
    axe(page)
    page.get_by_role("link", name="Cracked vials").click()
    page.get_by_role("link", name="Close it out").click()
    axe(page)
