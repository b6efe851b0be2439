"""A delivery comes in: what becomes of it, and what is refused."""

from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.catalogue.models import Supplier
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.stock import queries
from inventory.stock.models import AccountKind, Hold, Lot, Receipt
from inventory.stock.services import release_hold
from tests.factories.catalogue import make_multi_dose_product, make_product
from tests.factories.stock import balance_ul, make_delivery, make_open_vial, make_place


def test_a_delivery_lies_on_its_shelf(app: Flask, at: datetime) -> None:
    lot = make_delivery(containers=25, new_supplier_name="Invented Wholesale", document_number="DN 7")
    assert balance_ul(lot) == 25_000
    assert balance_ul(lot, AccountKind.SUPPLIER) == -25_000
    receipt = db.session.scalars(select(Receipt)).one()
    supplier = db.session.scalars(select(Supplier)).one()
    assert (receipt.containers, receipt.document_number, receipt.supplier_id) == (25, "DN 7", supplier.id)
    assert receipt.received_at == at


@pytest.mark.parametrize("spelling", ["ab 123", "AB123", " ab12 3", "ＡＢ123"])
def test_other_case_or_spacing_is_the_same_lot(app: Flask, at: datetime, spelling: str) -> None:
    product = make_product()
    lot = make_delivery(product_id=product.id, lot_number="AB123", containers=5)
    again = make_delivery(product_id=product.id, lot_number=spelling, containers=2)
    assert again.id == lot.id
    assert balance_ul(lot) == 7_000


def test_an_expiry_that_disagrees_is_refused(app: Flask, at: datetime) -> None:
    lot = make_delivery(lot_number="AB123")
    with pytest.raises(Refusal, match="LOT-EXPIRY-DIFFERS"):
        make_delivery(product_id=lot.product_id, lot_number="ab 123", expires_on=date(2027, 9, 30))
    assert balance_ul(lot) == 25_000


def test_an_expiry_already_past_needs_the_tick_and_is_held(app: Flask, at: datetime) -> None:
    yesterday = at.date() - timedelta(days=1)
    with pytest.raises(Refusal, match="LOT-EXPIRED-ON-RECEIPT"):
        make_delivery(expires_on=yesterday)
    assert db.session.scalars(select(Lot)).all() == []
    lot = make_delivery(expires_on=yesterday, hold_expired=True)
    assert db.session.scalars(select(Hold.lot_id)).all() == [lot.id]


def test_another_delivery_of_an_expired_lot_adds_no_second_hold(app: Flask, at: datetime) -> None:
    yesterday = at.date() - timedelta(days=1)
    lot = make_delivery(expires_on=yesterday, hold_expired=True)
    make_delivery(
        product_id=lot.product_id, lot_number=lot.lot_number, expires_on=yesterday, hold_expired=True
    )
    assert balance_ul(lot) == 50_000
    hold = db.session.scalars(select(Hold)).one()
    release_hold(actor=SYSTEM_ACTOR, at=at, hold_id=hold.id, reason="To be returned")
    make_delivery(
        product_id=lot.product_id, lot_number=lot.lot_number, expires_on=yesterday, hold_expired=True
    )
    assert len(db.session.scalars(select(Hold)).all()) == 2


def test_the_labelled_day_is_the_last_on_which_it_may_come(app: Flask, at: datetime) -> None:
    assert balance_ul(make_delivery(expires_on=at.date())) == 25_000


@pytest.mark.parametrize(
    "typed, code",
    [
        ({"containers": 0}, "COUNT-RANGE"),
        ({"containers": 100_001}, "COUNT-RANGE"),
        ({"lot_number": " "}, "LOT-NUMBER-INVALID"),
        ({"lot_number": "ﷺ" * 39}, "LOT-NUMBER-INVALID"),
        ({"received_at": datetime.fromisoformat("2026-03-16T09:31:00+00:00")}, "TIME-FUTURE"),
        ({"received_at": datetime.fromisoformat("2024-03-16T09:31:00+00:00")}, "TIME-TOO-EARLY"),
    ],
)
def test_refuses_what_cannot_be(app: Flask, at: datetime, typed: dict[str, object], code: str) -> None:
    with pytest.raises((Refusal, Refusals), match=code):
        make_delivery(**typed)  # type: ignore[arg-type]
    assert db.session.scalars(select(Receipt)).all() == []


def test_opening_sets_label_and_use_by(app: Flask, at: datetime) -> None:
    lot = make_delivery(product_id=make_multi_dose_product().id, containers=3)
    first, second = make_open_vial(lot), make_open_vial(lot)
    assert (first.label_number, second.label_number) == (1, 2)
    assert first.use_by_on == date(2026, 4, 13)
    assert (balance_ul(lot), balance_ul(lot, AccountKind.VIAL)) == (10_000, 20_000)


def test_use_by_never_passes_the_expiry(app: Flask, at: datetime) -> None:
    lot = make_delivery(product_id=make_multi_dose_product().id, expires_on=date(2026, 3, 20))
    assert make_open_vial(lot).use_by_on == date(2026, 3, 20)


def test_what_may_be_drawn_comes_first_expiring_first(app: Flask, at: datetime) -> None:
    place = make_place()
    product = make_multi_dose_product()
    late = make_delivery(product_id=product.id, expires_on=date(2027, 8, 31))
    soon = make_delivery(product_id=product.id, expires_on=date(2026, 4, 1))
    past = make_delivery(product_id=product.id, expires_on=date(2026, 3, 1), hold_expired=True)
    vial = make_open_vial(late)
    found = queries.drawable(db.session(), site_id=place.site_id, on=at.date(), product_id=product.id)
    assert [(one.lot.id, one.vial and one.vial.id) for one in found] == [
        (past.id, None),
        (soon.id, None),
        (late.id, vial.id),
        (late.id, None),
    ]
    assert [one.usable for one in found] == [False, True, True, True]
    assert [one.state.words for one in found] == [
        "Expired 15 days ago; on hold",
        "Expires in 16 days",
        "Use within 28 days",
        "Usable",
    ]
    assert [one.doses_left() for one in found] == [250, 250, 10, 240]
