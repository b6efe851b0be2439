"""The pages of stock as the manager, the nurse and the auditor see them."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.catalogue.models import Route
from inventory.kernel.db import db
from inventory.kernel.permissions import Role
from inventory.stock.models import AccountKind, Hold, Lot, Movement, Receipt, Vial
from tests.factories.catalogue import make_multi_dose_product, make_product, make_supplier
from tests.factories.staff import PASSWORD, make_user
from tests.factories.stock import balance_ul, make_delivery, make_open_vial, make_place, movements_of
from tests.support.client import CheckingClient

SignIn = Callable[..., CheckingClient]


def one_lot() -> Lot:
    return db.session.scalars(select(Lot)).one()


def test_the_manager_receives_a_delivery(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    product, place, supplier = make_product(pack_size=25), make_place(), make_supplier()
    manager = signed_in_client(Role.MANAGER)
    typed = {
        "product": str(product.id),
        "lot_number": "ab 123",
        "expires_on": "2027-03",
        "containers": "2",
        "unit": "packs",
        "location": str(place.location_id),
        "supplier": str(supplier),
        "document_number": "DN 7",
        "received_at": "2026-03-16T09:00",
    }
    form = manager.form("/stock/receive")
    answer = manager.send("/stock/receive", form, typed, follow_redirects=True)
    page = answer.get_data(as_text=True)
    assert "50 containers (2 packs of 25)" in page
    assert "the pack names the month only" in page
    lot = one_lot()
    assert (lot.lot_number, lot.expires_on) == ("ab 123", date(2027, 3, 31))
    again = manager.send("/stock/receive", form, typed, follow_redirects=True)
    assert "recorded already" in again.get_data(as_text=True)
    assert balance_ul(lot) == 50_000


def test_without_a_product_there_is_nothing_to_receive(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    make_place()
    page = signed_in_client(Role.MANAGER).get("/stock/receive").get_data(as_text=True)
    assert "no product to receive yet" in page
    assert "/catalogue/products/new" in page or "Add a product" in page
    assert "lot_number" not in page


def test_the_first_product_is_begun_by_a_scan(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    make_place()
    manager = signed_in_client(Role.MANAGER)
    scan = "]d201003014396201051728053110AB-123"
    page = manager.send(
        "/stock/receive", manager.form("/stock/receive", having="scan"), {"scan": scan}
    ).get_data(as_text=True)
    assert "SCAN-PRODUCT-UNKNOWN" in page
    assert "/catalogue/products/new?gtin=00301439620105" in page


@pytest.mark.parametrize(
    "typed, code",
    [
        ({"expires_on": "2026-02"}, "LOT-EXPIRED-ON-RECEIPT"),
        ({"expires_on": "2027-02-30"}, "DATE-INVALID"),
        ({"lot_number": "x" * 10_000}, "TEXT-TOO-LONG"),
        ({"lot_number": "A\u202eB"}, "TEXT-CONTROL"),
        ({"containers": "100001"}, "VALUE-RANGE"),
        ({"containers": "5000", "unit": "packs"}, "COUNT-RANGE"),
        ({"received_at": "2026-03-16T10:00"}, "TIME-FUTURE"),
        ({"product": "00000000-0000-0000-0000-000000000009"}, "CHOICE-INVALID"),
        ({"location": ""}, "FIELD-REQUIRED"),
    ],
)
def test_a_bad_delivery_is_refused_beside_its_field(
    app: Flask, signed_in_client: SignIn, at: datetime, typed: dict[str, str], code: str
) -> None:
    product, place = make_product(), make_place()
    manager = signed_in_client(Role.MANAGER)
    good = {"product": str(product.id), "lot_number": "AB123", "expires_on": "2027-03", "containers": "5"}
    answer = manager.submit(
        "/stock/receive", {**good, "location": str(place.location_id), "new_supplier": "Kept", **typed}
    )
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert code in page
    assert "Kept" in page
    assert db.session.scalars(select(Receipt)).all() == []


def test_the_shelf_shows_first_to_expire_on_top(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    product = make_product(name="Plain")
    make_delivery(product_id=product.id, lot_number="LATE")
    make_delivery(product_id=product.id, lot_number="SOON", expires_on=at.date() + timedelta(days=12))
    make_delivery(
        product_id=product.id, lot_number="PAST", expires_on=at.date() - timedelta(days=1), hold_expired=True
    )
    nurse = signed_in_client(Role.PRACTITIONER)
    page = nurse.get("/stock/").get_data(as_text=True)
    assert page.index("PAST") < page.index("SOON") < page.index("LATE")
    assert "Expires in 12 days" in page
    assert "50 usable containers" in page
    assert "25 containers not usable" in page
    near = nurse.get("/stock/?state=near").get_data(as_text=True)
    assert "SOON" in near
    assert "LATE" not in near
    assert "Nothing of this on the shelf" in nurse.get("/stock/?q=nothing").get_data(as_text=True)
    assert "LATE" in nurse.get("/stock/lots?q=late").get_data(as_text=True)
    assert nurse.get("/stock/?page=x").status_code == 422


def test_a_discardable_vial_does_not_put_its_lot_on_top(
    app: Flask, signed_in_client: SignIn, at: datetime, at_instant: Callable[[datetime], None]
) -> None:
    product = make_multi_dose_product()
    make_open_vial(make_delivery(product_id=product.id, lot_number="LATER"))
    make_delivery(product_id=product.id, lot_number="SOONER", expires_on=at.date() + timedelta(days=60))
    nurse = signed_in_client(Role.PRACTITIONER)
    page = nurse.get("/stock/").get_data(as_text=True)
    assert page.index("LATER") < page.index("SOONER")
    assert 'use by <time datetime="2026-04-13"' in page
    at_instant(at + timedelta(days=29))
    page = signed_in_client(Role.PRACTITIONER).get("/stock/").get_data(as_text=True)
    assert page.index("SOONER") < page.index("LATER")
    assert "past its use-by" in page


def test_what_is_not_for_injection_is_not_called_usable(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    lot = make_delivery(product_id=make_product(name="Infusion", routes=frozenset({Route.IV})).id)
    nurse = signed_in_client(Role.PRACTITIONER)
    for path in ("/stock/", f"/stock/lots/{lot.id}", "/stock/lots"):
        assert "Not for injection here" in nurse.get(path).get_data(as_text=True)
    assert "0 usable containers" in nurse.get("/stock/").get_data(as_text=True)


def test_the_shelf_has_pages(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    product = make_product()
    for n in range(52):
        make_delivery(
            product_id=product.id, lot_number=f"N{n:03d}", expires_on=date(2027, 1, 1) + timedelta(n)
        )
    nurse = signed_in_client(Role.PRACTITIONER)
    first, second = (nurse.get(f"/stock/?page={n}").get_data(as_text=True) for n in ("", "50"))
    assert "N049" in first
    assert "N050" not in first
    assert "N049" not in second
    assert "N051" in second


def test_a_vial_is_opened_wasted_from_and_discarded(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    place = make_place()
    lot = make_delivery(product_id=make_multi_dose_product().id, containers=2)
    nurse = signed_in_client(Role.PRACTITIONER)
    opened = nurse.submit(
        f"/stock/lots/{lot.id}/open", {"location": str(place.location_id)}, follow_redirects=True
    )
    assert "13 Apr 2026" in opened.get_data(as_text=True)
    vial = db.session.scalars(select(Vial)).one()
    path = f"/stock/vials/{vial.id}"
    wasted = nurse.submit(
        f"{path}/waste", {"volume": "0.5", "reason": "sample"}, follow_redirects=True
    ).get_data(as_text=True)
    assert "9.5 mL" in wasted
    short = nurse.submit(f"{path}/waste", {"volume": "9.501", "reason": "broken"})
    assert short.status_code == 422
    assert "STOCK-SHORT" in short.get_data(as_text=True)
    wordless = nurse.submit(f"{path}/discard", {"reason": "other"})
    assert "NOTE-NEEDED" in wordless.get_data(as_text=True)
    gone = nurse.submit(f"{path}/discard", {"reason": "contaminated"}, follow_redirects=True)
    assert "Discarded" in gone.get_data(as_text=True)
    assert (balance_ul(lot, AccountKind.VIAL), balance_ul(lot, AccountKind.WASTE)) == (0, 10_000)
    life = nurse.get(f"/stock/lots/{lot.id}").get_data(as_text=True)
    for words in (
        "Opened vial 1 from Cabinet",
        "Wasted 0.5 mL of vial 1: Taken as a sample",
        "Received 2 containers",
    ):
        assert words in life


def test_expired_containers_go_with_one_click(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    lot = make_delivery(expires_on=at.date() - timedelta(days=1), hold_expired=True)
    manager = signed_in_client(Role.MANAGER)
    hold = db.session.scalars(select(Hold)).one()
    manager.submit(f"/stock/holds/{hold.id}/release", {"reason": "To be wasted"})
    answer = manager.submit(
        f"/stock/lots/{lot.id}", {}, action=f"/stock/lots/{lot.id}/waste", follow_redirects=True
    )
    assert "The waste is recorded." in answer.get_data(as_text=True)
    assert (balance_ul(lot), balance_ul(lot, AccountKind.WASTE)) == (0, 25_000)


def test_a_vial_past_its_use_by_goes_with_one_click(
    app: Flask, signed_in_client: SignIn, at: datetime, at_instant: Callable[[datetime], None]
) -> None:
    vial = make_open_vial(make_delivery(product_id=make_multi_dose_product().id))
    at_instant(at + timedelta(days=29))
    nurse = signed_in_client(Role.PRACTITIONER)
    path = f"/stock/vials/{vial.id}"
    shown = " ".join(nurse.get(path).get_data(as_text=True).split())
    assert re.search(r">0<.{0,60}>May be given<.*>10 mL<.{0,60}>To discard<", shown)
    assert "Doses left" not in shown
    assert "10 mL to discard" in " ".join(nurse.get("/").get_data(as_text=True).split())
    answer = nurse.submit(path, {}, action=f"{path}/discard", follow_redirects=True)
    assert "The vial is discarded." in answer.get_data(as_text=True)


@pytest.mark.parametrize("act", ["discard", "waste", "adjust", "undo-opening"])
def test_no_form_is_shown_for_a_vial_that_is_closed(
    app: Flask, signed_in_client: SignIn, at: datetime, act: str
) -> None:
    vial = make_open_vial(make_delivery(product_id=make_multi_dose_product().id))
    manager, path = signed_in_client(Role.MANAGER), f"/stock/vials/{vial.id}"
    assert manager.get(f"{path}/{act}").status_code == 200
    manager.submit(f"{path}/discard", {"reason": "broken"})
    over = manager.get(f"{path}/{act}", follow_redirects=True)
    assert over.request.path == path
    assert "This vial was closed already." in over.get_data(as_text=True)


def test_a_used_vial_is_not_said_to_be_unopened(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    vial = make_open_vial(make_delivery(product_id=make_multi_dose_product().id))
    manager, path = signed_in_client(Role.MANAGER), f"/stock/vials/{vial.id}"
    assert "Not really opened" in manager.get(path).get_data(as_text=True)
    manager.submit(f"{path}/waste", {"volume": "0.5", "reason": "sample"})
    assert "Not really opened" not in manager.get(path).get_data(as_text=True)


def test_every_lot_says_what_became_of_it(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    place = make_place()
    gone = make_delivery(lot_number="GONE1", containers=1)
    make_delivery(lot_number="HERE1")
    manager = signed_in_client(Role.MANAGER)
    typed = {"containers": "1", "reason": "broken", "location": str(place.location_id)}
    manager.submit(f"/stock/lots/{gone.id}/waste", typed)
    rows = manager.get("/stock/lots").get_data(as_text=True).split("</tr>")
    assert "Used up" in next(row for row in rows if "GONE1" in row)
    assert "Usable" in next(row for row in rows if "HERE1" in row)


def test_a_lot_is_held_and_released(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    place = make_place()
    lot = make_delivery(product_id=make_multi_dose_product().id)
    manager, nurse = signed_in_client(Role.MANAGER), signed_in_client(Role.PRACTITIONER)
    held = manager.submit(
        f"/stock/lots/{lot.id}/hold", {"kind": "recall", "reason": "Letter"}, follow_redirects=True
    )
    assert "Recalled" in held.get_data(as_text=True)
    refused = nurse.submit(f"/stock/lots/{lot.id}/open", {"location": str(place.location_id)})
    assert "LOT-HELD" in refused.get_data(as_text=True)
    hold = db.session.scalars(select(Hold)).one()
    freed = manager.submit(
        f"/stock/holds/{hold.id}/release", {"reason": "Not our lot"}, follow_redirects=True
    )
    assert "Not our lot" in freed.get_data(as_text=True)
    again = manager.submit(f"/stock/holds/{hold.id}/release", {"reason": "Twice"})
    assert "HOLD-RELEASED" in again.get_data(as_text=True)


def test_found_and_missing_stock_is_adjusted(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    place = make_place()
    lot = make_delivery(product_id=make_multi_dose_product().id, containers=2)
    vial = make_open_vial(lot)
    manager = signed_in_client(Role.MANAGER)
    make_user(roles=Role.MANAGER, username="mira", password=PASSWORD)
    seen = {"approver_username": "mira", "approver_password": PASSWORD}
    common = {"reason": "miscounted", "note": "Counted twice"}
    found = {**common, "direction": "found", "containers": "3", "location": str(place.location_id)}
    path = f"/stock/lots/{lot.id}/adjust"
    assert "COUNT-APPROVAL" in manager.submit(path, found).get_data(as_text=True)
    manager.submit(path, {**found, **seen})
    assert balance_ul(lot) == 40_000
    missing = {**found, **seen, "direction": "missing", "containers": "5"}
    refused = manager.submit(path, missing)
    assert "STOCK-SHORT" in refused.get_data(as_text=True)
    vial_path = f"/stock/vials/{vial.id}/adjust"
    manager.submit(vial_path, {**common, "direction": "missing", "volume": "1"})
    assert balance_ul(lot, AccountKind.VIAL) == 9_000
    full = manager.submit(vial_path, {**common, **seen, "direction": "found", "volume": "2"})
    assert "VIAL-OVERFULL" in full.get_data(as_text=True)


@pytest.mark.parametrize(
    "direction, reason",
    [("missing", "found"), ("found", "missing"), ("missing", "overfill")],
)
def test_a_reason_that_contradicts_the_direction_is_refused(
    app: Flask, signed_in_client: SignIn, at: datetime, direction: str, reason: str
) -> None:
    place = make_place()
    lot = make_delivery(product_id=make_multi_dose_product().id, containers=2)
    vial = make_open_vial(lot)
    manager = signed_in_client(Role.MANAGER)
    typed = {"direction": direction, "reason": reason, "note": "Counted twice"}
    of_shelf = {**typed, "containers": "1", "location": str(place.location_id)}
    paths = [(f"/stock/vials/{vial.id}/adjust", {**typed, "volume": "0.1"})]
    if reason != "overfill":
        paths.append((f"/stock/lots/{lot.id}/adjust", of_shelf))
    for path, form in paths:
        answer = manager.submit(path, form)
        assert answer.status_code == 422
        assert "ADJUST-REASON" in answer.get_data(as_text=True)
    assert balance_ul(lot, AccountKind.ADJUSTMENT) == 0


def test_a_receipt_is_reversed_while_it_is_whole(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    lot = make_delivery(product_id=make_multi_dose_product().id, containers=2)
    receipt = db.session.scalars(select(Receipt)).one()
    manager = signed_in_client(Role.MANAGER)
    path = f"/stock/receipts/{receipt.id}/reverse"
    vial = make_open_vial(lot)
    assert "RECEIPT-USED" in manager.submit(path, {"reason": "Typed wrongly"}).get_data(as_text=True)
    manager.submit(f"/stock/vials/{vial.id}/undo-opening", {"reason": "Never opened"})
    done = manager.submit(path, {"reason": "Typed wrongly"}, follow_redirects=True).get_data(as_text=True)
    assert "Reversed: receipt of 2 containers" in done
    assert "ALREADY-REVERSED" in manager.submit(path, {"reason": "Twice"}).get_data(as_text=True)
    assert "Receipt reversed" in done
    assert f"/stock/lots/{lot.id}/hold" not in done
    assert f"/stock/lots/{lot.id}/adjust" not in done
    assert "Receipt reversed" in manager.get("/stock/lots").get_data(as_text=True)
    assert [m.amount_ul for m in movements_of(lot)] == [20_000, 10_000, 10_000, 20_000]
    assert balance_ul(lot) == 0


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.PRACTITIONER])
def test_who_may_not_manage_is_refused(
    app: Flask, signed_in_client: SignIn, at: datetime, role: Role
) -> None:
    lot = make_delivery()
    client = signed_in_client(role)
    assert client.get(f"/stock/lots/{lot.id}").status_code == 200
    assert client.get("/stock/receive").status_code == 403
    used = 403 if role == Role.AUDITOR else 200
    assert client.get(f"/stock/lots/{lot.id}/adjust").status_code == 403
    assert client.get(f"/stock/lots/{lot.id}/hold").status_code == used
    assert client.get(f"/stock/lots/{lot.id}/waste").status_code == used
    assert client.get("/stock/lots/00000000-0000-0000-0000-000000000009").status_code == 404


def test_an_act_dated_back_before_its_stock_is_refused(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    place = make_place()
    lot = make_delivery(product_id=make_multi_dose_product().id)
    nurse = signed_in_client(Role.PRACTITIONER)
    for path in (f"/stock/lots/{lot.id}/open", f"/stock/lots/{lot.id}/waste"):
        typed = {"location": str(place.location_id)}
        typed |= (
            {"opened_at": "2026-03-15T09:00"}
            if path.endswith("open")
            else {"occurred_at": "2026-03-15T09:00", "containers": "1", "reason": "broken"}
        )
        answer = nurse.submit(path, typed)
        assert answer.status_code == 422
        assert "STOCK-SHORT-THEN" in answer.get_data(as_text=True)
    assert len(db.session.scalars(select(Movement)).all()) == 1
