"""The auditor reads the trail, checks it, and sees who looked at a patient."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from inventory.kernel.permissions import Role
from inventory.patients.models import AlertKind
from inventory.patients.services import add_alert
from tests.factories.doses import Bench
from tests.support.browser_fixtures import PHONE

Axe = Callable[[Page], None]
SignIn = Callable[..., Page]


@pytest.fixture
def bench(live_server: Any) -> Bench:
    """A clinic in which one dose was given, and an alert noted."""
    with live_server.app.app_context():
        made = Bench()
        add_alert(
            actor=made.nurse,
            at=made.give().recorded_at,
            patient_id=made.patient_id,
            kind=AlertKind.BLEEDING_RISK,
            note="Takes warfarin",
        )
    return made


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_auditor_reads_the_trail_and_checks_it(bench: Bench, signed_in_page: SignIn, axe: Axe) -> None:
    page = signed_in_page(Role.AUDITOR)
    page.goto("/audit")
    axe(page)
    page.get_by_label("What was done").select_option("doses.record")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("region", name="Entries").get_by_role("link").first.click()
    expect(page.get_by_text("Commitment to the payload")).to_be_visible()
    page.get_by_text("rows witnessed").click()
    axe(page)
    page.get_by_role("link", name="Trail").last.click()
    page.get_by_role("link", name="Check the newest entries").click()
    expect(page.get_by_text("The newest entries are well")).to_be_visible()
    axe(page)


def test_auditor_sees_a_record_and_their_own_look_at_it_on_a_phone(
    bench: Bench, signed_in_page: SignIn, axe: Axe
) -> None:
    page = signed_in_page(Role.AUDITOR, page={"viewport": PHONE})
    page.goto(f"/patients/{bench.patient_id}")
    expect(page.get_by_text("Takes warfarin").first).to_be_visible()
    assert fits(page)
    axe(page)
    page.get_by_role("link", name="Who looked").click()
    expect(page.get_by_role("region", name="Looks").get_by_text("Record", exact=True)).to_be_visible()
    assert fits(page)
    axe(page)
