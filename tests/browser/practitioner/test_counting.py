"""The nurse counts a cabinet on a telephone; it sleeps meanwhile, and a manager confirms what is missing."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from inventory.kernel.permissions import Role
from tests.factories.catalogue import make_multi_dose_product, make_product
from tests.factories.staff import PASSWORD, make_user
from tests.factories.stock import make_delivery, make_open_vial
from tests.support.browser_fixtures import PHONE
from tests.support.live_server import LiveServer


def stock_a_cabinet(live_server: LiveServer) -> None:
    with live_server.app.app_context():
        make_delivery(product_id=make_product(name="Ampoules").id, lot_number="AB 100", containers=50)
        make_open_vial(
            make_delivery(product_id=make_multi_dose_product(name="Depot").id, lot_number="CD 200")
        )
        make_user(roles=Role.MANAGER, username="manager", password=PASSWORD)


def test_counts_on_a_telephone_that_sleeps(
    live_server: LiveServer, signed_in_page: Callable[..., Page], axe: Callable[[Page], None]
) -> None:
    stock_a_cabinet(live_server)
    page = signed_in_page(Role.PRACTITIONER, page={"viewport": PHONE})
    page.goto("/stock/counts")
    axe(page)
    page.get_by_role("link", name="Count a location").click()
    page.get_by_label("Cabinet").check()
    axe(page)
    page.get_by_role("button", name="Begin to count").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Count Cabinet")
    axe(page)
    page.get_by_label("Lot AB 100").fill("47")
    page.reload()
    expect(page.get_by_label("Lot AB 100")).to_have_value("47")
    page.get_by_role("button", name="Hand in the count").click()
    expect(page.get_by_text("Type 0 if nothing of it is there.").first).to_be_visible()
    axe(page)
    page.get_by_label("Lot CD 200").fill("24")
    page.get_by_label("Vial 1").fill("9.5")
    page.get_by_role("button", name="Hand in the count").click()
    expect(page.get_by_text("3 containers less")).to_be_visible()
    axe(page)
    page.get_by_role("link", name="Explain and post").click()
    for reason in page.get_by_label("Why").all():
        reason.select_option("miscounted")
    page.get_by_label("Second person, user name").fill("manager")
    page.get_by_label("Second person, password").fill(PASSWORD)
    axe(page)
    page.get_by_role("button", name="Post the count").click()
    expect(page.get_by_text("Posted", exact=True).first).to_be_visible()
    axe(page)


def test_counts_without_scripts(live_server: LiveServer, signed_in_page: Callable[..., Page]) -> None:
    stock_a_cabinet(live_server)
    page = signed_in_page(Role.PRACTITIONER, page={"viewport": PHONE, "java_script_enabled": False})
    page.goto("/stock/counts/new")
    page.get_by_label("Cabinet").check()
    page.get_by_role("button", name="Begin to count").click()
    page.get_by_label("Lot AB 100").fill("50")
    page.get_by_label("Lot AB 100").press("Enter")
    expect(page.get_by_label("Lot AB 100")).to_have_value("50")
    expect(page.get_by_role("heading", level=1)).to_have_text("Count Cabinet")
    page.get_by_label("Lot CD 200").fill("24")
    page.get_by_label("Vial 1").fill("0")
    page.get_by_role("button", name="Hand in the count").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Count 1, Cabinet")
