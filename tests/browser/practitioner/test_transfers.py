"""A nurse sends stock from one site to another; a colleague there receives it on a telephone, and one container is broken."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.staff.services import set_sites
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.staff import make_user
from tests.factories.stock import make_delivery, make_open_vial, make_place
from tests.support.browser_fixtures import PHONE
from tests.support.live_server import LiveServer


@pytest.mark.parametrize("scripts", [True, False])
def test_sends_and_receives(
    live_server: LiveServer,
    signed_in_page: Callable[..., Page],
    axe: Callable[[Page], None],
    *,
    scripts: bool,
) -> None:
    with live_server.app.app_context():
        here, there = make_place(), make_place(code="NORTH", location="North fridge")
        lot = make_delivery(
            place=here, product_id=make_multi_dose_product(name="Depot").id, lot_number="CD 200", containers=5
        )
        make_open_vial(lot, place=here)
        there_only = make_user(roles=Role.PRACTITIONER)
        set_sites(
            actor=SYSTEM_ACTOR, at=there_only.created_at, user_id=there_only.id, site_ids=[there.site_id]
        )
    checked = axe if scripts else lambda _: None
    page = signed_in_page(Role.PRACTITIONER, page={"java_script_enabled": scripts})
    page.goto("/stock/transfers")
    checked(page)
    page.get_by_role("link", name="Send or move stock").first.click()
    page.get_by_label("Sent from").select_option("Cabinet")
    checked(page)
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Send to").select_option("North fridge, North Street")
    page.get_by_role("textbox", name="Lot CD 200").fill("9")
    checked(page)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Only 4 sealed containers").first).to_be_visible()
    page.get_by_role("textbox", name="Lot CD 200").fill("3")
    page.get_by_label("Vial 1").check()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Transfer MAIN-000001")
    checked(page)
    page.get_by_role("link", name="Vial 1").click()
    expect(page.get_by_text("on its way to North fridge").first).to_be_visible()
    checked(page)

    phone = signed_in_page(user=there_only, page={"viewport": PHONE, "java_script_enabled": scripts})
    phone.goto("/")
    checked(phone)
    phone.get_by_role("link", name="Transfer MAIN-000001").click()
    phone.get_by_role("link", name="Receive", exact=True).click()
    checked(phone)
    phone.get_by_label("Containers that came").fill("2")
    phone.get_by_label("It came").check()
    phone.get_by_role("button", name="Receive", exact=True).click()
    expect(phone.get_by_text("Less came than was sent. Say why.").first).to_be_visible()
    checked(phone)
    phone.get_by_label("If not all").first.select_option("Broken on the way")
    phone.get_by_role("button", name="Receive", exact=True).click()
    expect(phone.get_by_text("Received at North fridge")).to_be_visible()
    checked(phone)
    phone.goto("/stock/")
    expect(phone.get_by_text("CD 200").first).to_be_visible()
    expect(phone.get_by_text("Cabinet")).to_have_count(0)
