"""What waste has cost: by the price of the delivery before it, exact, each month and reason apart, never guessed."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.clinic.models import Site
from inventory.doses.rules.terms import VoidKind
from inventory.doses.services import void_dose
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.stock.models import Lot, Receipt, WasteReason
from inventory.stock.presenters.waste_cost import by_reason, cost_words
from inventory.stock.queries.waste_cost import Wasted, months_of, waste_by_month
from inventory.stock.services import Why, reverse_receipt, waste_from_vial, waste_sealed
from tests.conftest import AT
from tests.factories.catalogue import make_multi_dose_product, make_product, make_supplier
from tests.factories.doses import Bench
from tests.factories.stock import make_delivery, make_open_vial, make_place
from tests.support.client import CheckingClient

SignIn = Callable[..., CheckingClient]
YEAR = {"from_on": date(2026, 1, 1), "to_on": date(2026, 12, 31)}


@pytest.fixture
def clinic(app: Flask, at: datetime) -> Flask:
    return app


def again(lot: Lot, *, price: int | None, at: datetime | None = None) -> Lot:
    return make_delivery(
        product_id=lot.product_id, lot_number=lot.lot_number, container_price_minor=price, at=at
    )


def waste(lot: Lot, containers: int = 1, *, reason: str = "broken", at: datetime | None = None) -> None:
    waste_sealed(
        actor=SYSTEM_ACTOR,
        at=at or clock.now(),
        lot_id=lot.id,
        place=make_place(),
        containers=containers,
        why=Why(WasteReason(reason)),
    )


def found(**period: date) -> list[Wasted]:
    sites = db.session.scalars(select(Site).order_by(Site.code)).all()
    return waste_by_month(db.session(), sites, **(period or YEAR))


def test_costs_the_price_of_the_delivery(clinic: Flask) -> None:
    waste(make_delivery(container_price_minor=475), 2)
    (one,) = found()
    assert (one.month, one.reason, one.cost, one.containers) == (date(2026, 3, 1), "broken", 950, 2)


def test_costs_a_share_of_a_container_rounded_once(clinic: Flask, at: datetime) -> None:
    lot = make_delivery(product_id=make_multi_dose_product().id, container_price_minor=1_001)
    vial = make_open_vial(lot)
    for _ in range(3):
        why = Why(WasteReason.SAMPLE)
        waste_from_vial(actor=SYSTEM_ACTOR, at=at, vial_id=vial.id, volume_ul=1_234, why=why)
    (one,) = found()
    assert one.cost == Fraction(3 * 1_234 * 1_001, 10_000)
    assert cost_words(one, "USD") == "3.71 USD"


def test_takes_the_last_priced_delivery_before_the_waste(clinic: Flask) -> None:
    lot = make_delivery(container_price_minor=100, at=AT - timedelta(days=3))
    waste(lot, at=AT - timedelta(days=2))
    again(lot, price=300, at=AT - timedelta(days=1))
    again(lot, price=None)
    waste(lot)
    assert [one.cost for one in found()] == [400]


def test_a_delivery_that_was_undone_has_no_price(clinic: Flask, at: datetime) -> None:
    lot = make_delivery(container_price_minor=100)
    again(lot, price=9_900)
    wrong = db.session.scalars(select(Receipt).where(Receipt.container_price_minor == 9_900)).one()
    reverse_receipt(actor=SYSTEM_ACTOR, at=at, receipt_id=wrong.id, reason="Typed wrongly")
    waste(lot)
    assert [one.cost for one in found()] == [100]


def test_what_has_no_price_is_told_apart(clinic: Flask) -> None:
    waste(make_delivery(container_price_minor=475))
    waste(make_delivery(), 2)
    (one,) = found()
    assert (one.volume_ul, one.unpriced_ul, one.cost) == (3_000, 2_000, 475)
    waste(make_delivery(), reason="lost")
    assert cost_words(found()[-1], "USD") == "Not known"


def test_a_price_of_nothing_is_a_price(clinic: Flask) -> None:
    waste(make_delivery(container_price_minor=0))
    assert [(one.unpriced_ul, cost_words(one, "USD")) for one in found()] == [(0, "0.00 USD")]


def test_waste_that_was_reversed_does_not_count(clinic: Flask, at: datetime) -> None:
    bench = Bench()
    dose = bench.give(bench.request(volume_ul=250))
    assert [one.reason for one in found()] == ["remainder"]
    void_dose(actor=bench.nurse, at=at, dose_id=dose.id, kind=VoidKind.NEVER_OPENED, reason="Wrong day")
    assert found() == []


def test_a_month_is_that_of_the_site(clinic: Flask) -> None:
    lot = make_delivery(container_price_minor=100, at=datetime(2026, 3, 1, tzinfo=UTC))
    late = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)
    for instant in (late, late + timedelta(hours=1)):
        # London is an hour ahead of UTC by then: the second falls into April there.
        with clock.frozen(instant):
            waste(lot, at=instant)
    assert [one.month for one in found()] == [date(2026, 4, 1), date(2026, 3, 1)]
    assert found(from_on=date(2026, 4, 1), to_on=date(2026, 4, 30))[0].volume_ul == 1_000


def test_sites_are_told_apart(clinic: Flask, at: datetime) -> None:
    lot = make_delivery(container_price_minor=100)
    waste(lot)
    other = make_place(code="SECOND")
    make_delivery(product_id=lot.product_id, lot_number=lot.lot_number, place=other)
    why = Why(WasteReason.BROKEN)
    waste_sealed(actor=SYSTEM_ACTOR, at=at, lot_id=lot.id, place=other, containers=2, why=why)
    assert [(one.containers, one.cost) for one in found()] == [(1, 100), (2, 200)]
    (one,) = by_reason(found(), "USD")
    assert (one.cost, one.containers, one.part) == ("3.00 USD", "3", 1_000)


def test_months_of_a_period_begin_with_its_first_day() -> None:
    assert months_of(date(2026, 1, 15), date(2026, 3, 1)) == [
        date(2026, 1, 15),
        date(2026, 2, 1),
        date(2026, 3, 1),
    ]


def test_is_shown_to_a_manager_and_an_auditor_and_as_a_file(clinic: Flask, signed_in_client: SignIn) -> None:
    waste(make_delivery(container_price_minor=475), 2)
    for role in (Role.MANAGER, Role.AUDITOR):
        page = signed_in_client(role).get("/stock/waste-cost").get_data(as_text=True)
        assert "9.50 USD" in page
        assert "March 2026" in page
    answer = signed_in_client(Role.AUDITOR).get("/stock/waste-cost.csv")
    assert answer.headers["Content-Disposition"] == "attachment; filename=waste-cost.csv"
    (row,) = csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"), newline=""))
    assert (row["month"], row["site"], row["reason_code"]) == ("2026-03", "MAIN", "broken")
    assert (row["volume_ml"], row["containers"], row["cost"]) == ("2", "2.000000", "9.50")
    assert signed_in_client(Role.PRACTITIONER).get("/stock/waste-cost").status_code == 403


def test_a_period_the_wrong_way_round_is_refused(clinic: Flask, signed_in_client: SignIn) -> None:
    manager = signed_in_client(Role.MANAGER)
    assert "No waste in this period" in manager.get("/stock/waste-cost").get_data(as_text=True)
    for query, code in (
        ("from_on=2026-03-02&to_on=2026-03-01", "PERIOD-ORDER"),
        ("from_on=1900-01-01&to_on=2026-03-01", "PERIOD-LONG"),
    ):
        for path in ("/stock/waste-cost", "/stock/waste-cost.csv"):
            answer = manager.get(f"{path}?{query}")
            assert answer.status_code == 422
            assert code in answer.get_data(as_text=True)


def test_a_price_is_typed_with_the_delivery(clinic: Flask, signed_in_client: SignIn) -> None:
    place, product = make_place(), make_product()
    make_supplier()
    manager = signed_in_client(Role.MANAGER)
    typed = {
        "product": str(product.id),
        "lot_number": "P1",
        "expires_on": "2027-11",
        "containers": "3",
        "location": str(place.location_id),
    }
    refused = manager.submit("/stock/receive", {**typed, "price": "4.755"})
    assert refused.status_code == 422
    assert "PRICE-INVALID" in refused.get_data(as_text=True)
    manager.submit("/stock/receive", {**typed, "price": "4.75"})
    assert db.session.scalars(select(Receipt.container_price_minor)).all() == [475]
    with pytest.raises(Exception, match="PRICE-INVALID"):
        make_delivery(container_price_minor=-1)


def test_the_price_stands_with_its_receipt(clinic: Flask, signed_in_client: SignIn) -> None:
    path = f"/stock/lots/{make_delivery(container_price_minor=475).id}"
    assert "4.75 USD each" in signed_in_client(Role.MANAGER).get(path).get_data(as_text=True)
    assert "4.75" not in signed_in_client(Role.PRACTITIONER).get(path).get_data(as_text=True)
