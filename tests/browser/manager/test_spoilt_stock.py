"""A warm fridge, on a telephone and without scripts: the logger's file, what it holds, the decision, and the destruction."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Page, expect

from inventory.kernel import clock
from inventory.kernel.permissions import Role
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.staff import PASSWORD, make_user
from tests.factories.stock import make_delivery, make_place
from tests.support.browser_fixtures import PHONE
from tests.support.live_server import LiveServer


def test_reads_a_logger_condemns_and_destroys(
    live_server: LiveServer,
    signed_in_page: Callable[..., Page],
    tmp_path: Path,
) -> None:
    at = clock.now()
    with live_server.app.app_context():
        product = make_multi_dose_product(
            name="Cold depot", storage_min_decicelsius=20, storage_max_decicelsius=80
        )
        make_delivery(
            product_id=product.id,
            place=make_place(location="Fridge 1"),
            at=at - timedelta(days=2),
            containers=4,
            lot_number="WARM 1",
        )
        make_user(username="witness", password=PASSWORD)
    lines = [
        f"{at - timedelta(hours=n):%Y-%m-%dT%H:%M:%SZ};{'14,5' if n == 3 else '5,0'}" for n in range(1, 9)
    ]
    file = tmp_path / "fridge.csv"
    file.write_text("\n".join(["timestamp;temperature", *lines, "broken;line"]), encoding="utf-8")
    page = signed_in_page(Role.MANAGER, page={"viewport": PHONE, "java_script_enabled": False})
    page.goto("/stock/temperatures")
    page.get_by_role("link", name="Fridge 1").click()
    page.get_by_role("link", name="Read a logger's file").click()
    page.get_by_label("File of the logger").set_input_files(file)
    page.get_by_role("button", name="Read the file").click()
    expect(page.get_by_text("Outside the limits of what lay there")).to_be_visible()
    page.get_by_role("button", name="Record 8 readings and leave out 1 line").click()
    expect(page.get_by_text("The readings are recorded.")).to_be_visible()
    page.get_by_role("link", name="Excursion 1").click()
    page.get_by_role("link", name="Decide").click()
    page.get_by_label("Condemn").check()
    page.get_by_label("Reason").fill("The maker says no")
    page.get_by_role("button", name="Record the decision").click()
    page.get_by_role("link", name="Destroy").click()
    page.get_by_label("How many of 4").fill("4")
    page.get_by_label("Document number").fill("DR 7")
    page.get_by_role("button", name="Record the destruction").click()
    expect(page.get_by_text("WITNESS-NEEDED").first).to_be_visible()
    expect(page.get_by_label("How many of 4")).to_have_value("4")
    page.get_by_label("Witness, user name").fill("witness")
    page.get_by_label("Witness, password").fill(PASSWORD)
    page.get_by_role("button", name="Record the destruction").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Destruction 1")
    expect(page.get_by_text("4 containers")).to_be_visible()


def test_the_pages_of_temperatures_and_returns_pass_axe(
    live_server: LiveServer, signed_in_page: Callable[..., Page], axe: Callable[[Page], None]
) -> None:
    with live_server.app.app_context():
        place = make_place(location="Fridge 1")
        make_delivery(place=place)
    page = signed_in_page(Role.MANAGER, page={"viewport": PHONE})
    for path in (
        "/stock/temperatures",
        f"/stock/temperatures/{place.location_id}",
        f"/stock/temperatures/{place.location_id}/new",
        f"/stock/temperatures/{place.location_id}/file",
        "/stock/disposals",
        "/stock/disposals/new/destruction?what=all",
    ):
        page.goto(path)
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
