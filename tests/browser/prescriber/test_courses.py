"""A prescriber starts a course at the desk and on a telephone without scripts, and sees what is to come; the nurse sees it on the record."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from inventory.courses.services import add_shipped
from inventory.kernel import clock
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from tests.factories.catalogue import make_product
from tests.factories.patients import make_patient
from tests.factories.stock import make_place
from tests.support.browser_fixtures import DESKTOP, PHONE
from tests.support.live_server import LiveServer

WEEKLY = "Weekly x4, then monthly"


def clinic_with_a_patient(app: Flask) -> str:
    with app.app_context():
        make_place()
        make_product()
        add_shipped(actor=SYSTEM_ACTOR, at=clock.now())
        return str(make_patient(family_name="Archer"))


def picture(page: Page, name: str) -> None:
    """Take a picture where somebody asked for pictures."""
    folder = os.environ.get("PICTURES_OF_COURSES")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def fits(page: Page) -> None:
    """Nothing is wider than the screen."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("viewport,scripts", [(DESKTOP, True), (PHONE, False)], ids=["desk", "telephone"])
def test_starts_weekly_then_monthly(
    live_server: LiveServer,
    signed_in_page: Callable[..., Page],
    axe: Callable[[Page], None],
    viewport: dict[str, int],
    scripts: bool,
) -> None:
    patient_id = clinic_with_a_patient(live_server.app)
    page = signed_in_page(Role.PRESCRIBER, page={"viewport": viewport, "java_script_enabled": scripts})

    def look(name: str) -> None:
        fits(page)
        picture(page, f"{name}-{viewport['width']}")
        if scripts:
            axe(page)

    page.goto("/protocols")
    look("protocols")
    page.get_by_role("link", name=WEEKLY).click()
    look("protocol")
    page.goto("/protocols/new")
    look("new-protocol")
    page.goto(f"/patients/{patient_id}")
    page.get_by_role("link", name="Start a course").click()
    page.get_by_label("Protocol").select_option(label=WEEKLY)
    page.get_by_label("Formulation").select_option(index=1)
    look("start")
    page.get_by_role("button", name="Order the course").click()
    expect(page.get_by_text("Say what the course is for.").first).to_be_visible()
    look("start-refused")
    page.get_by_label("What for").fill("B12 deficiency")
    page.get_by_role("button", name="Order the course").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(WEEKLY)
    expect(page.get_by_role("heading", name="To come")).to_be_visible()
    page.get_by_role("link", name="Adjust").click()
    page.get_by_label("Dose", exact=False).first.fill("500")
    page.get_by_label("Least dose the order allows").fill("500")
    page.get_by_label("Why").fill("Half is enough")
    look("adjust")
    page.get_by_role("button", name="Adjust").click()
    expect(page.get_by_text("Half is enough")).to_be_visible()
    look("course")
    page.goto("/authorities/new")
    look("authority")
    page.goto("/authorities")
    look("authorities")
    page.goto(f"/patients/{patient_id}")
    expect(page.get_by_role("link", name=WEEKLY)).to_be_visible()
    look("record")
