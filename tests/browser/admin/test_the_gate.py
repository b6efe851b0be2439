"""An administrator sets the gate, at a desk, on a phone, without scripts; a prescriber judges it, and follows up what it let happen."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from inventory.clinic.services import change_settings
from inventory.doses.rules.gate.registry import FIXED
from inventory.doses.rules.terms import EntryMode
from inventory.kernel import clock
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.patients.models import AlertKind
from inventory.patients.services import add_alert
from tests.factories.doses import Bench
from tests.support.browser_fixtures import PHONE
from tests.support.live_server import LiveServer

Axe = Callable[[Page], None]
DESK = {"viewport": {"width": 1280, "height": 800}}
WHERE = pytest.mark.parametrize(
    "options",
    [DESK, {"viewport": PHONE}, {"java_script_enabled": False}],
    ids=["desk", "phone", "without scripts"],
)


def send(page: Page) -> None:
    """Press the one primary button of the page's form."""
    page.locator("main form button.btn-primary").click()


def is_as_wide_as_its_window(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@WHERE
def test_a_finding_is_set_and_the_list_says_how_it_differs(
    signed_in_page: Callable[..., Page], live_server: LiveServer, axe: Axe, options: dict[str, Any]
) -> None:
    with live_server.app.app_context():
        change_settings(actor=SYSTEM_ACTOR, at=clock.now(), values={"clinic_name": "Riverside"})

    def looks_well(page: Page) -> None:
        if options.get("java_script_enabled", True):
            axe(page)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    page = signed_in_page(Role.ADMIN, page=options)
    page.goto("/settings")
    page.get_by_role("link", name="Set the gate").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The gate")
    expect(page.get_by_text("Cannot be quieted", exact=True)).to_have_count(len(FIXED))
    looks_well(page)
    page.get_by_role("link", name="VOLUME-HIGH").click()
    page.get_by_label("Acknowledged each time").check()
    page.get_by_label("Thigh: tell above").fill("9")
    send(page)
    expect(page.locator("#error-summary")).to_contain_text("LIMITS-ORDER")
    looks_well(page)
    page.get_by_label("Thigh: tell above").fill("2.5")
    send(page)
    line = page.locator("tr", has=page.get_by_role("link", name="VOLUME-HIGH"))
    expect(line).to_contain_text("Stricter than the default")
    expect(line).to_contain_text("2.5 mL")
    page.get_by_role("link", name="BLEEDING-RISK").click()
    page.get_by_label("The gate looks for this").uncheck()
    send(page)
    expect(page.locator("tr", has=page.get_by_role("link", name="BLEEDING-RISK"))).to_contain_text("Off")
    page.goto("/settings/gate/LOT-EXPIRED")
    expect(page.locator("main")).to_contain_text("This cannot be quieted")
    looks_well(page)


@pytest.mark.parametrize("options", [DESK, {"viewport": PHONE}], ids=["desk", "phone"])
def test_a_prescriber_sees_what_was_found_and_follows_an_incident_up(
    signed_in_page: Callable[..., Page], live_server: LiveServer, axe: Axe, options: dict[str, Any]
) -> None:
    with live_server.app.app_context():
        bench = Bench()
        add_alert(
            actor=bench.nurse,
            at=clock.now(),
            patient_id=bench.patient_id,
            kind=AlertKind.ALLERGY_COBALT,
        )
        bench.give(bench.request(mode=EntryMode.ALREADY_GIVEN))

    def looks_well(page: Page) -> None:
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    page = signed_in_page(Role.PRESCRIBER, page=options)
    page.goto("/incidents")
    expect(page.locator("main")).to_contain_text("No next step")
    looks_well(page)
    page.get_by_role("link", name="What the gate found").click()
    expect(page.locator("main")).to_contain_text("ALLERGY-COBALAMIN")
    looks_well(page)
    page.goto("/incidents")
    page.locator("main table a").first.click()
    page.get_by_role("link", name="Add a follow-up").click()
    page.get_by_label("What was found?").fill("The record was not read.")
    page.get_by_label("What is to be done next?").fill("Talk it through.")
    send(page)
    expect(page.locator("#error-summary")).to_contain_text("STEP-NEEDED")
    looks_well(page)
    page.get_by_label("Until").fill("2099-05-01")
    page.get_by_label("By whom").select_option(index=1)
    send(page)
    expect(page.locator("main")).to_contain_text("Until 1 May 2099")
    looks_well(page)
