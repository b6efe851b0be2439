"""A nurse opens a vial, prints its label, keeps it for a patient, and discards what is past its use-by from the first page."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.patients.models import Patient
from inventory.stock.models import WasteReason
from inventory.stock.services import Why, waste_sealed
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.doses import Bench
from tests.factories.patients import BORN_ON
from tests.factories.stock import make_delivery, make_open_vial
from tests.support.browser_fixtures import PHONE
from tests.support.live_server import LiveServer


def shot(page: Page, name: str) -> None:
    folder = os.environ.get("SHOTS")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


@pytest.fixture
def clinic(live_server: LiveServer) -> dict[str, str]:
    """A multi-dose lot whose syringes lose 0.05 mL, one vial of it past its use-by, and a patient."""
    with live_server.app.app_context():
        month_ago = clock.now() - timedelta(days=40)
        bench = Bench()
        product_id = make_multi_dose_product(name="Depot", dead_space_ul=50, overfill_limit_ul=500).id
        lot = make_delivery(
            place=bench.place, product_id=product_id, containers=5, at=month_ago, container_price_minor=4_750
        )
        make_open_vial(lot, place=bench.place, at=month_ago)
        why = Why(WasteReason.BROKEN)
        waste_sealed(
            actor=SYSTEM_ACTOR, at=clock.now(), lot_id=lot.id, place=bench.place, containers=1, why=why
        )
        patient = db.session.get_one(Patient, bench.patient_id)
        return {
            "lot": f"/stock/lots/{lot.id}",
            "give": f"/give/{patient.id}?mode=about",
            "number": patient.record_number,
        }


@pytest.mark.parametrize("wide", [True, False], ids=["desk", "phone"])
def test_opens_labels_keeps_gives_and_discards(
    clinic: dict[str, str], signed_in_page: Callable[..., Page], axe: Callable[[Page], None], wide: bool
) -> None:
    page = signed_in_page(Role.PRACTITIONER, page={} if wide else {"viewport": PHONE})
    page.goto("/")
    axe(page)
    shot(page, f"today-{wide}")
    page.get_by_role("button", name="Discard vial 1").click()
    page.get_by_role("dialog").get_by_role("button", name="Discard vial 1").click()
    expect(page.get_by_text("The vial is discarded.")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Today")
    page.goto(f"{clinic['lot']}/open")
    page.get_by_role("button", name="Open the vial").click()
    expect(page.get_by_text("Print its label, or write it, now.")).to_be_visible()
    axe(page)
    shot(page, f"vial-{wide}")
    label = page.get_by_role("link", name="Print label").get_attribute("href")
    assert page.request.get(label or "").headers["content-type"] == "application/pdf"
    page.get_by_role("link", name="Keep for one patient").click()
    axe(page)
    shot(page, f"keep-{wide}")
    page.get_by_label("Patient's record number").fill(clinic["number"])
    page.get_by_label("Date of birth").fill(BORN_ON.isoformat())
    page.get_by_role("button", name="Keep the vial for this patient").click()
    expect(page.get_by_text("For one patient only")).to_be_visible()
    axe(page)
    page.goto(clinic["give"])
    axe(page)
    shot(page, f"give-{wide}")
    page.get_by_text("Open vial 2").click()
    page.get_by_role("textbox", name="Dose").fill("1000")
    page.get_by_label("Indication").fill("B12 deficiency")
    page.get_by_label("Consent seen").check()
    page.get_by_label("I asked for name and date of birth").check()
    page.get_by_role("button", name="Check the dose").click()
    expect(page.get_by_text("0.05 mL dead space of the syringe")).to_be_visible()
    axe(page)
    shot(page, f"confirm-{wide}")
    page.get_by_role("button", name="Record the dose").click()
    expect(page.get_by_text("The dose is recorded.")).to_be_visible()
    page.goto("/stock/?q=MAIN-V000002")
    expect(page.get_by_role("heading", level=1)).to_have_text("Vial 2")
    expect(page.get_by_text("8.95 mL")).to_be_visible()
    shot(page, f"vial-after-{wide}")


@pytest.mark.parametrize("wide", [True, False], ids=["desk", "phone"])
def test_the_manager_reads_what_waste_has_cost(
    clinic: dict[str, str], signed_in_page: Callable[..., Page], axe: Callable[[Page], None], wide: bool
) -> None:
    page = signed_in_page(Role.MANAGER, page={} if wide else {"viewport": PHONE})
    page.goto("/stock/")
    page.get_by_role("link", name="What waste has cost").click()
    expect(page.get_by_text("47.50 USD").first).to_be_visible()
    axe(page)
    shot(page, f"cost-{wide}")
    page.goto("/catalogue/products/new")
    axe(page)
    shot(page, f"product-{wide}")
    page.goto("/stock/receive")
    axe(page)
    shot(page, f"receive-{wide}")
