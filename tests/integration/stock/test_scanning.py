"""A delivery is received by scan: what the scan fills in, what it leaves, and where it stops."""

import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.audit.models import AuditPayload
from inventory.catalogue import queries as catalogue
from inventory.catalogue.gs1 import SCAN_END
from inventory.catalogue.models import ContainerType, Product
from inventory.catalogue.services import new_product_version, retire_product
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.stock.models import Lot, Receipt
from tests.factories.catalogue import draft_of, make_formulation, make_multi_dose_product, make_product
from tests.factories.stock import balance_ul, make_delivery, make_place
from tests.support.client import CheckingClient
from tests.support.page_checks import Form, Page

SignIn = Callable[..., CheckingClient]
RECEIVE = "/stock/receive"
GTIN, OTHER_GTIN = "00301439620105", "00301439621256"
SCAN = f"]d201{GTIN}1728053110AB-123\x1d21S7"


def products() -> tuple[Product, Product]:
    """The multi-dose vial of the scan, and another product."""
    return make_multi_dose_product(name="Ten", gtin=GTIN), make_product(name="One", gtin=OTHER_GTIN)


def form_of(page: str) -> Form:
    """The form of a delivery as it stands on a page."""
    return next(form for form in Page(page).forms if "lot_number" in form.names)


def shown(page: str) -> dict[str, str]:
    """What the fields of the page hold; a drop-down holds what is chosen in it."""
    return {name: values[0] for name, values in form_of(page).fields.items()}


def scanned(client: CheckingClient, text: str = SCAN, **typed: Any) -> str:
    """The page after `text` was scanned into a form in which `typed` stood."""
    answer = client.submit(RECEIVE, {"scan": text, **typed})
    return str(answer.get_data(as_text=True))


def none_received() -> bool:
    return db.session.scalars(select(Receipt)).all() == []


def test_scan_count_confirm(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    product, _ = products()
    place = make_place()
    manager = signed_in_client(Role.MANAGER)
    first = manager.submit(RECEIVE, {"scan": SCAN})
    assert first.status_code == 200
    page = first.get_data(as_text=True)
    filled = shown(page)
    assert filled["product"] == str(product.id)
    assert (filled["lot_number"], filled["expires_on"], filled["scan"]) == ("AB-123", "2028-05-31", "")
    assert "Nothing is received yet" in page
    assert none_received()
    form = form_of(page)
    typed = {"containers": "2", "unit": "packs", "location": str(place.location_id)}
    manager.send(RECEIVE, form, typed)
    again = manager.send(RECEIVE, form, typed, follow_redirects=True)
    assert "recorded already" in again.get_data(as_text=True)
    lot = db.session.scalars(select(Lot)).one()
    assert (lot.lot_number, lot.expires_on, lot.expires_month_only) == ("AB-123", date(2028, 5, 31), False)
    assert lot.raw_scan == f"]d201{GTIN}1728053110AB-123␝21S7"
    assert balance_ul(lot) == 200_000


def test_a_scan_can_come_with_the_address(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    products()
    make_place()
    page = signed_in_client(Role.MANAGER).get(RECEIVE, query_string={"scan": SCAN}).get_data(as_text=True)
    assert shown(page)["lot_number"] == "AB-123"


def test_what_is_typed_stays_and_what_the_scan_lacks_is_not_blanked(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    product, _ = products()
    place = make_place()
    manager = signed_in_client(Role.MANAGER)
    typed = {
        "product": str(product.id),
        "lot_number": "ab -123",
        "expires_on": "05/2028",
        "containers": "7",
        "location": str(place.location_id),
        "new_supplier": "Kept",
    }
    filled = shown(scanned(manager, GTIN, **typed))
    assert {name: filled[name] for name in typed} == typed
    filled = shown(scanned(manager, **typed))
    assert {name: filled[name] for name in typed} == typed
    assert filled["scans"]


def test_an_expiry_that_is_no_date_is_not_typed_over(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    products()
    make_place()
    assert shown(scanned(signed_in_client(Role.MANAGER), expires_on="soon"))["expires_on"] == "soon"


def test_two_barcodes_of_one_pack_add_up(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    product, _ = products()
    place = make_place()
    manager = signed_in_client(Role.MANAGER)
    form = form_of(scanned(manager, GTIN))
    for text in ("]C11728050010AB123", "]C11728050010AB123", f"01{GTIN}21S9"):
        page = manager.send(RECEIVE, form, {"scan": text}).get_data(as_text=True)
        form = form_of(page)
    typed = {"containers": "3", "location": str(place.location_id)}
    manager.send(RECEIVE, form, typed)
    lot = db.session.scalars(select(Lot)).one()
    assert lot.product_id == product.id
    assert lot.raw_scan == f"{GTIN}{SCAN_END}]C11728050010AB123"


def test_day_00_is_accepted_and_flagged(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    products()
    place = make_place()
    manager = signed_in_client(Role.MANAGER)
    page = scanned(manager, f"01{GTIN}1728020010A1")
    assert "its last day counts, 29 Feb 2028" in page
    manager.send(RECEIVE, form_of(page), {"containers": "1", "location": str(place.location_id)})
    lot = db.session.scalars(select(Lot)).one()
    assert (lot.expires_on, lot.expires_month_only) == (date(2028, 2, 29), True)


@pytest.mark.parametrize(
    "typed, says",
    [
        ({"lot_number": "AB124"}, ("SCAN-OTHER-LOT", "AB-123", "AB124")),
        ({"expires_on": "2028-06-30"}, ("SCAN-OTHER-EXPIRY", "31 May 2028", "30 Jun 2028")),
        ({"product": "One"}, ("SCAN-OTHER-PRODUCT", "Ten Invented Makers", "One Invented Makers")),
    ],
)
def test_a_scan_that_disagrees_stops_and_names_both(
    app: Flask,
    signed_in_client: SignIn,
    at: datetime,
    typed: dict[str, str],
    says: tuple[str, str, str],
) -> None:
    ids = {product.name: str(product.id) for product in products()}
    place = make_place()
    manager = signed_in_client(Role.MANAGER)
    entered = {name: ids.get(value, value) for name, value in typed.items()}
    answer = manager.submit(RECEIVE, {"scan": SCAN, **entered})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert all(words in page for words in says)
    filled = shown(page)
    assert filled["scan"]
    assert {name: filled[name] for name in entered} == entered
    assert sum(bool(filled.get(name)) for name in ("product", "lot_number", "expires_on")) == 1
    # The same once it was scanned first and mended by hand afterwards.
    late = manager.send(
        RECEIVE,
        form_of(scanned(manager)),
        {**entered, "containers": "1", "location": str(place.location_id)},
    )
    assert late.status_code == 422
    assert says[0] in late.get_data(as_text=True)
    assert none_received()
    left_out = {**entered, "containers": "1", "location": str(place.location_id), "without_scan": "y"}
    manager.send(RECEIVE, form_of(scanned(manager)), left_out)
    assert db.session.scalars(select(Lot.raw_scan)).all() == [None]


def test_the_expiry_of_the_stored_lot_counts(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    product, _ = products()
    make_place()
    lot = make_delivery(product_id=product.id, lot_number="ab-123", expires_on=date(2028, 6, 30))
    page = scanned(signed_in_client(Role.MANAGER))
    assert "LOT-EXPIRY-DIFFERS" in page
    assert "2028-06-30" in page
    assert "2028-05-31" in page
    assert balance_ul(lot) == 250_000


def test_an_unknown_gtin_leads_to_the_catalogue_and_back(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    make_product(name="One", gtin=OTHER_GTIN)
    formulation = make_formulation()
    make_place()
    manager = signed_in_client(Role.MANAGER)
    answer = manager.submit(RECEIVE, {"scan": SCAN})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "SCAN-PRODUCT-UNKNOWN" in page
    assert (shown(page)["lot_number"], shown(page)["expires_on"]) == ("AB-123", "2028-05-31")
    link = next(link for link in Page(page).links if link.startswith("/catalogue/products/new"))
    typed = {
        "formulation": str(formulation),
        "name": "Ten",
        "strength": "1000",
        "container_type": ContainerType.MULTI_DOSE.value,
        "container_volume": "10",
        "routes": ["IM"],
    }
    back = manager.submit(link, typed, follow_redirects=True)
    assert back.request.path == RECEIVE
    made = db.session.scalars(select(Product).where(Product.name == "Ten")).one()
    filled = shown(back.get_data(as_text=True))
    assert made.gtin == GTIN
    assert (filled["product"], filled["lot_number"]) == (str(made.id), "AB-123")


def test_the_way_back_never_leads_elsewhere(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    manager = signed_in_client(Role.MANAGER)
    typed = {
        "formulation": str(make_formulation()),
        "name": "Ten",
        "strength": "1000",
        "container_type": "multi_dose",
        "container_volume": "10",
        "routes": ["IM"],
    }
    answer = manager.submit(
        "/catalogue/products/new?gtin=x%00%3Cb%3E&next=//elsewhere.example", {**typed, "gtin": ""}
    )
    assert answer.headers["Location"].startswith("/catalogue/products/")


def test_a_product_whose_gtin_is_not_recorded_may_be_chosen(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    bare, other, place = (
        make_product(name="Bare"),
        make_product(name="Other", ndc10="0143-9621-25"),
        make_place(),
    )
    manager = signed_in_client(Role.MANAGER)
    typed = {"containers": "1", "location": str(place.location_id)}
    form = form_of(scanned(manager))
    wrong = manager.send(RECEIVE, form, {**typed, "product": str(other.id)}).get_data(as_text=True)
    assert "SCAN-OTHER-PRODUCT" in wrong
    assert GTIN in wrong
    manager.send(RECEIVE, form_of(wrong), {**typed, "product": str(bare.id)})
    assert db.session.scalars(select(Lot.product_id)).all() == [bare.id]


def test_a_gtin_made_of_an_ndc_finds_its_product(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    product, _ = make_product(name="Ten", ndc10="0143-9620-10"), make_place()
    case_of_ten = "50301439620100"
    assert shown(scanned(signed_in_client(Role.MANAGER), f"(01){case_of_ten}"))["product"] == str(product.id)


def test_the_newest_version_is_found(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    old, _ = products()
    make_place()
    draft = draft_of(old.formulation_id, name="Ten", gtin=None)
    newer = new_product_version(actor=SYSTEM_ACTOR, at=at, product_id=old.id, draft=draft).subject_id
    manager = signed_in_client(Role.MANAGER)
    assert shown(scanned(manager))["product"] == str(newer)
    retire_product(actor=SYSTEM_ACTOR, at=at, product_id=newer)
    assert "PRODUCT-RETIRED" in scanned(manager)


def test_two_products_of_one_gtin_are_asked(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    one, two = (make_product(name=name, gtin=GTIN) for name in ("First", "Second"))
    other, place = make_product(name="Third"), make_place()
    manager = signed_in_client(Role.MANAGER)
    page = scanned(manager)
    assert "SCAN-PRODUCT-SEVERAL" in page
    assert not shown(page).get("product")
    typed = {"containers": "1", "location": str(place.location_id)}
    wrong = manager.send(RECEIVE, form_of(page), {**typed, "product": str(other.id)}).get_data(as_text=True)
    assert "SCAN-OTHER-PRODUCT" in wrong
    manager.send(RECEIVE, form_of(page), {**typed, "product": str(two.id)})
    assert db.session.scalars(select(Lot.product_id)).all() == [two.id]
    assert {p.id for p in catalogue.products_of_gtin(db.session(), GTIN)} == {one.id, two.id}
    retire_product(actor=SYSTEM_ACTOR, at=at, product_id=two.id)
    assert shown(scanned(manager))["product"] == str(one.id)


@pytest.mark.parametrize(
    "text", ["<script>", "\x00\x1d", "9" * 5_000, "🏥", "\u202e]d2", "00301439620106", "]d2"]
)
def test_a_hostile_scan_is_refused_and_shown_again(
    app: Flask, signed_in_client: SignIn, at: datetime, text: str
) -> None:
    products()
    make_place()
    manager = signed_in_client(Role.MANAGER)
    for answer in (
        manager.submit(RECEIVE, {"scan": text, "new_supplier": "Kept"}),
        manager.submit(RECEIVE, {"scan": f"x{text}", "new_supplier": "Kept"}),
    ):
        assert answer.status_code == 422
        assert shown(answer.get_data(as_text=True))["new_supplier"] == "Kept"


@pytest.mark.parametrize("kept", ["x" * 9_000, "\x00", SCAN_END * 9, f"01{OTHER_GTIN}"])
def test_scans_that_were_changed_on_the_way_write_nothing(
    app: Flask, signed_in_client: SignIn, at: datetime, kept: str
) -> None:
    products()
    place = make_place()
    manager = signed_in_client(Role.MANAGER)
    form = form_of(scanned(manager))
    answer = manager.send(
        RECEIVE, form, {"scans": kept, "containers": "1", "location": str(place.location_id)}
    )
    assert answer.status_code == 422
    assert "SCAN-" in answer.get_data(as_text=True)
    assert none_received()


def test_the_service_itself_refuses_a_scan_that_disagrees(app: Flask, at: datetime) -> None:
    product, _ = products()
    with pytest.raises(Refusals, match="SCAN-OTHER-LOT"):
        make_delivery(product_id=product.id, lot_number="X", expires_on=date(2028, 5, 31), raw_scan=SCAN)
    with pytest.raises(Refusal, match="SCAN-UNREADABLE"):
        make_delivery(product_id=product.id, raw_scan="nonsense")
    assert none_received()


def test_the_trail_keeps_what_was_scanned(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    product, _ = products()
    make_delivery(product_id=product.id, lot_number="AB-123", expires_on=date(2028, 5, 31))
    lot = make_delivery(
        product_id=product.id, lot_number="AB-123", expires_on=date(2028, 5, 31), raw_scan=GTIN
    )
    assert lot.raw_scan is None
    told = [
        json.loads(text)["facts"].get("scanned") for text in db.session.scalars(select(AuditPayload.payload))
    ]
    assert [one for one in told if one] == [GTIN]


def test_a_scan_finds_its_lot(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    product, other = products()
    lot = make_delivery(product_id=product.id, lot_number="ab-123")
    make_delivery(product_id=other.id, lot_number="AB-123")
    draft = draft_of(product.formulation_id, name="Ten", gtin=GTIN)
    new_product_version(actor=SYSTEM_ACTOR, at=at, product_id=product.id, draft=draft)
    nurse = signed_in_client(Role.PRACTITIONER)
    for path in ("/stock/", "/stock/lots"):
        answer = nurse.get(path, query_string={"q": f"{SCAN}\r"})
        assert answer.headers["Location"] == f"/stock/lots/{lot.id}"
        assert nurse.get(path, query_string={"q": "]C110AB-123"}).status_code == 200
        assert nurse.get(path, query_string={"q": GTIN}).status_code == 200
        assert nurse.get(path, query_string={"q": f"]d201{GTIN}10NONE"}).status_code == 200
        assert nurse.get(path, query_string={"q": "A\x00\x1dB"}).status_code == 422


def test_a_key_is_spent_by_the_receipt_alone(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    products()
    place = make_place()
    manager = signed_in_client(Role.MANAGER)
    form = form_of(scanned(manager))
    typed = {"containers": "1", "location": str(place.location_id)}
    manager.send(RECEIVE, form, {**typed, "scan": SCAN})
    assert none_received()
    manager.send(RECEIVE, form, {**typed, "request_key": str(uuid4())})
    assert len(db.session.scalars(select(Receipt)).all()) == 1
