"""The manager finds that a lot was mistyped: corrects its expiry, merges it with the lot it really is; a product gets a version."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from inventory.kernel import clock
from inventory.kernel.permissions import Role
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.stock import make_delivery, make_open_vial
from tests.support.browser_fixtures import PHONE
from tests.support.live_server import LiveServer


def shot(page: Page, name: str) -> None:
    folder = os.environ.get("SHOTS")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


@pytest.fixture
def mistyped(live_server: LiveServer) -> str:
    """Lot TYP0 with a given dose and an open vial, beside lot TYPO, which it really is; the address of the first."""
    with live_server.app.app_context():
        bench, product_id = Bench(), make_multi_dose_product(name="Depot").id
        wrong = make_delivery(place=bench.place, product_id=product_id, lot_number="TYP0", containers=4)
        make_delivery(place=bench.place, product_id=product_id, lot_number="TYPO", containers=5)
        vial = make_open_vial(wrong, place=bench.place)
        bench.give(bench.request(lot=wrong, vial=vial, patient_id=make_patient()))
        return f"/stock/lots/{wrong.id}"


@pytest.mark.parametrize("wide", [True, False], ids=["desk", "phone"])
def test_corrects_an_expiry_and_merges_two_numbers_of_one_lot(
    mistyped: str, signed_in_page: Callable[..., Page], axe: Callable[[Page], None], wide: bool
) -> None:
    page = signed_in_page(Role.MANAGER, page={} if wide else {"viewport": PHONE})
    page.goto(mistyped)
    page.get_by_role("link", name="Correct").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Correct lot TYP0")
    axe(page)
    shot(page, f"form-{wide}")
    yesterday = clock.now().date() - timedelta(days=1)
    page.get_by_label("Expiry").fill(yesterday.isoformat())
    page.get_by_label("How is it known?").fill("The pack was looked at again.")
    page.get_by_role("button", name="Correct the lot").click()
    expect(page.get_by_text("1 dose was given after the corrected expiry")).to_be_visible()
    expect(page.get_by_text("Its lot has expired, whatever use-by is written on it.")).to_be_visible()
    axe(page)
    shot(page, f"corrected-{wide}")
    page.goto(f"{mistyped}/correct")
    page.get_by_label("Lot number").fill("typo")
    page.get_by_label("How is it known?").fill("An O, not a zero.")
    page.get_by_role("button", name="Correct the lot").click()
    expect(page.get_by_text("Another lot has this number")).to_be_visible()
    axe(page)
    shot(page, f"collision-{wide}")
    page.get_by_label("They are one lot: merge them").check()
    page.get_by_label("as lot TYPO has it").check()
    page.get_by_role("button", name="Merge the two lots").click()
    expect(page.get_by_text("Write these labels now")).to_be_visible()
    expect(page.get_by_text("From vial 1 of lot TYP0.")).to_be_visible()
    axe(page)
    shot(page, f"merged-{wide}")
    page.goto(mistyped)
    expect(page.get_by_text("This number was a mistake")).to_be_visible()
    axe(page)
    shot(page, f"old-{wide}")
    page.get_by_role("link", name="TYPO").first.click()
    expect(page.get_by_text("Lot TYP0 was merged into this one")).to_be_visible()
    axe(page)
    shot(page, f"new-{wide}")


def test_a_giver_sees_the_correction_beside_the_dose(
    mistyped: str, signed_in_page: Callable[..., Page], axe: Callable[[Page], None]
) -> None:
    page = signed_in_page(Role.PRESCRIBER)
    page.goto(f"{mistyped}/correct")
    page.get_by_label("Lot number").fill("TYP00")
    page.get_by_label("How is it known?").fill("The pack was looked at again.")
    page.get_by_role("button", name="Correct the lot").click()
    page.goto("/doses")
    page.get_by_role("table").get_by_role("link").first.click()
    expect(page.get_by_text("A lot of this dose was corrected since")).to_be_visible()
    expect(page.get_by_text("number TYP0 to TYP00")).to_be_visible()
    axe(page)
    shot(page, "dose")
