"""A nurse records a severe reaction in a real browser: the emergency note at once, and no further dose until a prescriber decides."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from inventory.kernel import clock
from inventory.staff import queries as people
from inventory.staff.models import User
from tests.factories.doses import Bench
from tests.factories.staff import make_user
from tests.support.browser_fixtures import DESKTOP, PHONE
from tests.support.live_server import LiveServer

NOTE = "Call the emergency number now."


@pytest.fixture
def given(live_server: LiveServer) -> tuple[User, UUID, UUID]:
    """A nurse, a dose of theirs of yesterday, and its patient."""
    with live_server.app.app_context():
        nurse = make_user(username="nora")
        with clock.frozen(clock.now() - timedelta(days=1)):
            bench = Bench(nurse=people.actor_of(people.person(nurse.id)))
            dose_id, patient_id = bench.give().id, bench.patient_id
        return people.person(nurse.id), dose_id, patient_id


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_severe_reaction_shows_the_note_and_blocks_the_next_dose(
    signed_in_page: Callable[..., Any],
    axe: Callable[[Page], None],
    given: tuple[User, UUID, UUID],
    size: dict[str, Any],
    scripts: bool,
) -> None:
    nurse, dose_id, patient_id = given
    page = signed_in_page(user=nurse, page={"viewport": size, "java_script_enabled": scripts})
    page.goto(f"/doses/{dose_id}/reaction")
    page.get_by_label("Hives").check()
    page.get_by_label("Severe", exact=True).check()
    beside = page.locator(".severe-now")
    expect(beside).to_contain_text(NOTE)
    assert _width(beside) == pytest.approx(_width(page.locator(".reaction-fields")), abs=1)
    page.get_by_label("It began after the dose by").fill("5")
    page.get_by_label("Over", exact=True).check()
    if scripts:
        axe(page)
    page.get_by_role("button", name="Record the reaction").click()
    expect(page.get_by_text("The reaction is recorded.")).to_be_visible()
    expect(page.locator(".emergency")).to_contain_text(NOTE)
    expect(page.get_by_text("The next dose is blocked until a prescriber decides")).to_be_visible()
    if scripts:
        axe(page)
    page.goto(f"/give/{patient_id}?mode=about")
    page.get_by_label("I asked for name and date of birth").check()
    page.get_by_label("Dose in mcg").fill("1000")
    page.get_by_label("Indication").fill("B12 deficiency")
    page.get_by_label("Consent seen").check()
    page.get_by_role("button", name="Check the dose").click()
    expect(page.get_by_text("REACTION-UNRESOLVED")).to_be_visible()


def _width(shown: Any) -> float:
    box = shown.bounding_box()
    assert box is not None
    return float(box["width"])
