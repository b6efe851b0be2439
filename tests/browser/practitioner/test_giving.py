"""A nurse gives a dose in a real browser: at the desk, on a phone without scripts, by keyboard alone."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.staff import queries as people
from inventory.staff.models import User
from inventory.stock.models import Lot
from tests.factories.catalogue import make_product
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.staff import make_user
from tests.factories.stock import balance_ul, make_delivery
from tests.support.browser_fixtures import PHONE
from tests.support.live_server import LiveServer

Axe = Callable[[Page], None]


@dataclass
class Clinic:
    """A clinic to work in; of its lot what outlives a session."""

    bench: Bench
    nurse: User
    lot_id: UUID
    lot_number: str


@pytest.fixture
def clinic(live_server: LiveServer) -> Clinic:
    """A patient, a nurse, three vials in date and four that expired, received while they were good."""
    with live_server.app.app_context():
        nurse = make_user(username="nora", display_name="Nora Quill")
        bench = Bench(nurse=people.actor_of(people.person(nurse.id)))
        lot_id, lot_number = bench.lot.id, bench.lot.lot_number
        bench.patient_id = make_patient(family_name="Okonkwo", given_name="Amarachi")
        before, today = clock.now() - timedelta(days=20), clock.now().date()
        make_delivery(
            place=bench.place,
            product_id=bench.lot.product_id,
            lot_number="OLD-77",
            containers=4,
            expires_on=today - timedelta(days=2),
            at=before,
        )
        return Clinic(bench, people.person(nurse.id), lot_id, lot_number)


def sealed(live_server: LiveServer, clinic: Clinic) -> int:
    """Return the sealed vials of the lot."""
    with live_server.app.app_context():
        return balance_ul(db.session.get_one(Lot, clinic.lot_id)) // 1_000


def test_gives_a_dose_to_the_left_arm(
    clinic: Clinic, live_server: LiveServer, signed_in_page: Callable[..., Any], axe: Axe
) -> None:
    page = signed_in_page(user=clinic.nurse)
    page.goto("/")
    page.locator("main").get_by_role("link", name="Give a dose").click()
    axe(page)
    page.get_by_label("Find the patient").fill("okon ama")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Choose").click()

    expect(page.get_by_label(re.compile("OLD-77"))).to_have_count(0)
    page.get_by_text("1 here must not be given").click()
    expect(page.get_by_text("LOT-EXPIRED")).to_be_visible()
    page.get_by_label("Left arm (deltoid)").check()
    page.get_by_label("Indication").fill("B12 deficiency")
    page.get_by_label("Consent seen").check()
    page.get_by_label("I asked for name and date of birth").check()
    axe(page)
    page.get_by_role("button", name="Check the dose").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Check and record the dose")
    expect(page.locator("main")).to_contain_text("1,000 mcg = 1 mL")
    assert sealed(live_server, clinic) == 3
    axe(page)
    page.get_by_role("button", name="Record the dose").dblclick()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dose MAIN-000001")
    expect(page.locator("main")).to_contain_text("Left arm (deltoid)")
    assert sealed(live_server, clinic) == 2
    axe(page)

    page.goto("/doses")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.goto("/stock")
    expect(page.locator("main")).to_contain_text(clinic.lot_number)
    assert sealed(live_server, clinic) == 2


def test_dose_and_volume_follow_each_other(
    clinic: Clinic, live_server: LiveServer, signed_in_page: Callable[..., Any]
) -> None:
    bench, nurse = clinic.bench, clinic.nurse
    with live_server.app.app_context():
        weak = make_product(name="Half", strength_ng=500_000, strength_ul=1_000, default_dose_ng=500_000)
        make_delivery(place=bench.place, product_id=weak.id)
    page = signed_in_page(user=nurse)
    page.goto(f"/give/{bench.patient_id}?mode=about")
    dose, volume = page.get_by_label("Dose in mcg"), page.get_by_label("Volume in mL")
    page.get_by_label(re.compile(clinic.lot_number)).check()
    expect(dose).to_have_value("1000")
    expect(volume).to_have_value("1")
    dose.fill("250")
    expect(volume).to_have_value("0.25")
    volume.fill("2")
    expect(dose).to_have_value("2000")
    dose.fill("1000")
    picks = page.locator("fieldset:has(legend:text('Vial or lot')) .pick-product:has-text('Half') + .pick")
    picks.get_by_role("radio").check()
    expect(dose).to_have_value("500")
    expect(volume).to_have_value("1")


def test_records_a_dose_already_given_on_a_phone_without_scripts(
    clinic: Clinic, live_server: LiveServer, signed_in_page: Callable[..., Any]
) -> None:
    bench, nurse = clinic.bench, clinic.nurse
    page = signed_in_page(user=nurse, page={"viewport": PHONE, "java_script_enabled": False})
    page.goto(f"/give/{bench.patient_id}")
    page.get_by_role("link", name="Already given, at").click()
    page.get_by_label("Given at").fill(f"{datetime.now(UTC):%Y-%m-%dT%H:%M}")
    page.get_by_label(re.compile("OLD-77")).check()
    page.get_by_label("Dose in mcg").fill("500")
    page.get_by_label("Volume in mL").fill("")
    page.get_by_label("Right thigh").check()
    page.get_by_label("Indication").fill("B12 deficiency")
    page.get_by_label("Consent seen").check()
    page.get_by_role("button", name="Check the dose").click()
    expect(page.locator("main")).to_contain_text("500 mcg = 0.5 mL")
    expect(page.locator("main")).to_contain_text("Recorded as a deviation")
    page.get_by_role("button", name="Record the dose").click()
    expect(page.locator("main")).to_contain_text("0.5 mL, remainder of a single-dose container")
    page.get_by_role("link", name="Incident 1").click()
    expect(page.locator("main")).to_contain_text("LOT-EXPIRED")


def test_amends_by_keyboard_what_was_recorded(
    clinic: Clinic, live_server: LiveServer, signed_in_page: Callable[..., Any], axe: Axe
) -> None:
    bench, nurse = clinic.bench, clinic.nurse
    with live_server.app.app_context():
        bench.lot = db.session.get_one(Lot, clinic.lot_id)
        dose_id = bench.give().id
    page = signed_in_page(user=nurse, page={"viewport": PHONE})
    page.goto(f"/doses/{dose_id}/amend")
    axe(page)
    page.get_by_label("Left arm (deltoid)").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Right arm (deltoid)")).to_be_checked()
    page.get_by_label("Why is it corrected?").fill("The other arm")
    page.get_by_role("button", name="Check the amendment").press("Enter")
    axe(page)
    page.get_by_role("button", name="Record the amendment").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Dose MAIN-000002")
    assert sealed(live_server, clinic) == 2
    page.get_by_role("link", name="dose MAIN-000001").click()
    expect(page.locator("main")).to_contain_text("This dose is void")
    axe(page)
