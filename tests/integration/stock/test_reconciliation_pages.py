"""The reconciliation as a manager, a prescriber and an auditor read it."""

import csv
import html
import io
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.staff.services import set_sites
from inventory.stock import services
from inventory.stock.models import AdjustReason, Lot, TransferDifference, WasteReason
from inventory.stock.services import Difference, Direction, Why
from tests.conftest import AT
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.merges import make_twins, merge
from tests.factories.staff import make_actor, make_user
from tests.factories.stock import make_delivery, make_open_vial, make_place
from tests.factories.transfers import make_arrival, make_transfer

SignIn = Callable[..., Any]


@pytest.fixture
def lot(app: Flask, at: datetime) -> Lot:
    place = make_place()
    product = make_multi_dose_product(name="Invented B12")
    lot = make_delivery(place=place, product_id=product.id, containers=3, lot_number="LOT-A")
    vial = make_open_vial(lot, place=place)
    services.waste_from_vial(
        actor=SYSTEM_ACTOR, at=AT, vial_id=vial.id, volume_ul=250, why=Why(WasteReason.DRAWN_NOT_GIVEN)
    )
    services.adjust_shelf(
        actor=SYSTEM_ACTOR,
        at=AT,
        lot_id=lot.id,
        place=place,
        containers=1,
        difference=Difference(Direction.MISSING, AdjustReason.MISSING, "Not in the cabinet"),
    )
    return lot


@pytest.mark.parametrize("role", [Role.MANAGER, Role.PRESCRIBER, Role.AUDITOR])
def test_headline_rows_and_what_stands_out(lot: Lot, signed_in_client: SignIn, role: Role) -> None:
    page = signed_in_client(role).get("/stock/reconciliation").text
    assert "10 mL missing, 0 mL found, in 1 adjustment" in page
    assert "never counted" in page
    assert "It proves nothing alone" in page
    assert "19.75" in page
    assert '30 <span class="muted">(3)</span>' in page
    assert "19.75 <span" not in page
    assert "Drawn, not given: 0.25 mL" in page
    assert "Not in the cabinet" in page


def test_nurse_may_not(lot: Lot, signed_in_client: SignIn) -> None:
    client = signed_in_client(Role.PRACTITIONER)
    assert client.get("/stock/reconciliation").status_code == 403
    assert "/stock/reconciliation" not in client.get("/stock/").text


def test_shelf_leads_there(lot: Lot, signed_in_client: SignIn) -> None:
    assert "/stock/reconciliation" in signed_in_client(Role.MANAGER).get("/stock/").text


def test_vial_by_vial_names_what_is_sealed_and_each_vial(lot: Lot, signed_in_client: SignIn) -> None:
    page = signed_in_client(Role.MANAGER).get("/stock/reconciliation?level=vial").text
    assert "sealed" in page
    assert "vial 1" in page
    assert "Opened" in page


def test_lot_shows_each_movement_of_the_period(lot: Lot, signed_in_client: SignIn) -> None:
    make_delivery(place=make_place(), lot_number="OTHER")
    client = signed_in_client(Role.MANAGER)
    page = client.get(f"/stock/reconciliation/lots/{lot.id}").text
    for words in ("Received 30 mL", "Opened 10 mL", "Wasted 0.25 mL: Drawn, not given", "Missing: 10 mL"):
        assert words in page
    assert "Received 25 mL" not in page
    before = (AT - timedelta(days=60)).date().isoformat()
    empty = client.get(f"/stock/reconciliation/lots/{lot.id}?first_day={before}&last_day={before}").text
    assert "Nothing moved in these days." in empty


def test_lot_belongs_to_the_reconciliation_and_says_what_stands_in_brackets(
    lot: Lot, signed_in_client: SignIn
) -> None:
    page = signed_in_client(Role.MANAGER).get(f"/stock/reconciliation/lots/{lot.id}").text
    assert set(re.findall(r'href="([^"]+)" aria-current="page"', page)) == {"/stock/reconciliation"}
    assert '-10 <span class="muted">(-1)</span>' in page
    assert "in brackets the containers, where they are whole" in page


def test_movements_of_a_lot_are_paged(lot: Lot, signed_in_client: SignIn) -> None:
    for _ in range(30):
        make_delivery(place=make_place(), product_id=lot.product_id, lot_number="LOT-A", containers=1)
        make_open_vial(lot, place=make_place())
    client = signed_in_client(Role.MANAGER)
    first = client.get(f"/stock/reconciliation/lots/{lot.id}").text
    (following,) = {html.unescape(found) for found in re.findall(r'href="([^"]*page=[^"]*)"', first)}
    second = client.get(following).text
    assert [page.count("Opened 10 mL") for page in (first, second)] == [24, 7]


@pytest.mark.parametrize(
    "asked, code",
    [
        ("first_day=2026-03-02&last_day=2026-03-01", "REPORT-PERIOD"),
        ("last_day=2026-03-17", "REPORT-PERIOD"),
        ("first_day=yesterday", "DATE-INVALID"),
        ("lot_number=NOBODY", "REPORT-LOT"),
        ("site_code=NOWHERE", "CHOICE-INVALID"),
        ("first_day=0001-01-01", "DATE-INVALID"),
    ],
)
def test_what_cannot_be_asked_is_refused(lot: Lot, signed_in_client: SignIn, asked: str, code: str) -> None:
    client = signed_in_client(Role.MANAGER)
    for path in ("/stock/reconciliation", f"/stock/reconciliation/lots/{lot.id}"):
        page = client.get(f"{path}?{asked}")
        assert page.status_code == 422
        assert code in page.text


def test_columns_in_which_nothing_moved_are_left_out(lot: Lot, signed_in_client: SignIn) -> None:
    page = signed_in_client(Role.MANAGER).get("/stock/reconciliation").text
    assert 'data-label="Wasted"' in page
    assert 'data-label="Returned"' not in page


def test_person_of_one_site_sees_no_other(lot: Lot, signed_in_client: SignIn) -> None:
    north = make_place(code="NORTH")
    make_delivery(place=north, lot_number="NORTHERN")
    somebody = make_user(roles=Role.MANAGER)
    set_sites(actor=SYSTEM_ACTOR, at=AT, user_id=somebody.id, site_ids=[north.site_id])
    client = signed_in_client(user=somebody)
    page = client.get("/stock/reconciliation?site_code=").text
    assert "NORTHERN" in page
    assert "LOT-A" not in page
    assert client.get("/stock/reconciliation?site_code=MAIN").status_code == 422


def test_lot_is_found_under_any_spelling(lot: Lot, signed_in_client: SignIn) -> None:
    page = signed_in_client(Role.MANAGER).get("/stock/reconciliation?lot_number=lot-a").text
    assert "LOT-A" in page


def test_empty_period_says_so(lot: Lot, signed_in_client: SignIn) -> None:
    asked = "first_day=2020-01-01&last_day=2020-01-31"
    page = signed_in_client(Role.MANAGER).get(f"/stock/reconciliation?{asked}").text
    assert "Nothing was there, and nothing moved" in page


def test_what_is_on_its_way_is_told_by_lot_and_apart(lot: Lot, signed_in_client: SignIn) -> None:
    here, there = make_place(), make_place(code="EAST")
    sent = make_transfer(here, there, lot=lot, containers=1, at=AT)
    make_arrival(sent, (0, TransferDifference.BROKEN, "Fell"), at=AT)
    client = signed_in_client(Role.MANAGER)
    for address in ("/stock/reconciliation", f"/stock/reconciliation/lots/{lot.id}"):
        assert "LOT-A, on its way from MAIN" in client.get(address).text
    page = client.get("/stock/reconciliation").text
    assert "Broken or lost on the way" in page
    assert "10 mL broken" in page


def test_what_stands_out_is_a_file_of_its_own(lot: Lot, signed_in_client: SignIn) -> None:
    client = signed_in_client(Role.MANAGER)
    assert "/stock/reconciliation/exceptions.csv" in client.get("/stock/reconciliation").text
    file = client.get("/stock/reconciliation/exceptions.csv")
    heading, *told = csv.reader(io.StringIO(file.data.decode("utf-8-sig")))
    assert (heading[0], told[0][0], told[0][6]) == (
        "Topic",
        "Differences without a cause",
        "Not in the cabinet",
    )
    assert client.get("/stock/reconciliation/exceptions.csv?last_day=2020-01-01").status_code == 422
    assert signed_in_client(Role.PRACTITIONER).get("/stock/reconciliation/exceptions.csv").status_code == 403


def test_merged_lot_is_its_own_column_and_leads_to_the_life_of_the_old_number(
    app: Flask, at: datetime, signed_in_client: SignIn
) -> None:
    wrong, right = make_twins(make_multi_dose_product(), place=make_place())
    merge(make_actor(Role.MANAGER), wrong, right, at=AT)
    client = signed_in_client(Role.MANAGER)
    page = client.get("/stock/reconciliation").text
    assert "Came from another number" in page
    assert "Went to another number: 50 mL" in page
    assert 'data-label="Found"' not in page
    assert f'href="/stock/lots/{wrong.id}">TYP0</a>' in client.get(f"/stock/lots/{right.id}").text
