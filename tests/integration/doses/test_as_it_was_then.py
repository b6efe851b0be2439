"""What the gate asks of a container is what held where it was, when it was, and until which day it may be used now."""

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask

from inventory.doses.queries.assessment import assess
from inventory.doses.rules.terms import EntryMode
from inventory.doses.services import correct_lot
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.stock import queries, services
from inventory.stock.ledger import Place
from inventory.stock.models import HoldKind, Lot, Vial
from inventory.stock.services.correcting import Correction
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.doses import Bench
from tests.factories.staff import make_actor
from tests.factories.stock import make_delivery, make_open_vial, make_place
from tests.factories.transfers import make_arrival, make_transfer

HOUR = timedelta(hours=1)


def findings(bench: Bench, lot: Lot, vial: Vial, *, recorded_at: datetime, **asked: object) -> set[str]:
    db.session.rollback()
    found = queries.lot_by_id(db.session(), lot.id)
    request = bench.request(lot=found, vial=vial, **asked)
    assessment = assess(db.session(), request, giver=bench.nurse, recorded_at=recorded_at)
    return {finding.code for finding in assessment.findings}


def hold(lot: Lot, at: datetime, *, location_id: UUID | None = None) -> None:
    services.hold_lot(
        actor=SYSTEM_ACTOR,
        at=at,
        lot_id=lot.id,
        kind=HoldKind.HOLD,
        reason="Suspect",
        location_id=location_id,
    )


@pytest.fixture
def there(bench: Bench) -> Place:
    return make_place(location="Fridge")


def late(at: datetime) -> dict[str, object]:
    return {"mode": EntryMode.ALREADY_GIVEN, "given_at": at}


def test_a_late_dose_is_judged_by_the_holds_of_where_the_vial_was(
    app: Flask, bench: Bench, there: Place, at: datetime
) -> None:
    lot, vial = bench.open_multi(at=at)
    hold(lot, at + HOUR, location_id=there.location_id)
    make_arrival(make_transfer(bench.place, there, vials=(vial,), at=at + 3 * HOUR), 1, at=at + 3 * HOUR)
    now = at + 5 * HOUR
    assert "LOT-HELD" not in findings(bench, lot, vial, recorded_at=now, **late(at + 2 * HOUR))
    assert "LOT-HELD" in findings(bench, lot, vial, recorded_at=now, **late(at + 4 * HOUR))


def test_a_late_dose_from_where_it_was_held_is_a_deviation_wherever_the_vial_is_now(
    app: Flask, bench: Bench, there: Place, at: datetime
) -> None:
    lot, vial = bench.open_multi(at=at)
    hold(lot, at + HOUR, location_id=bench.place.location_id)
    make_arrival(make_transfer(bench.place, there, vials=(vial,), at=at + 3 * HOUR), 1, at=at + 3 * HOUR)
    assert "LOT-HELD" in findings(bench, lot, vial, recorded_at=at + 5 * HOUR, **late(at + 2 * HOUR))


def two_open(bench: Bench, at: datetime, *, corrected: date) -> tuple[tuple[Lot, Vial], tuple[Lot, Vial]]:
    """The first is labelled until mid April, and its lot's expiry corrected after that; the second runs out on 5 April."""
    product = make_multi_dose_product()
    lots = [
        make_delivery(place=bench.place, product_id=product.id, lot_number="AAA", containers=1),
        make_delivery(
            place=bench.place,
            product_id=product.id,
            lot_number="BBB",
            containers=1,
            expires_on=date(2026, 4, 5),
        ),
    ]
    vials = [make_open_vial(lot, place=bench.place, at=at) for lot in lots]
    manager = make_actor(Role.MANAGER)
    correction = Correction(
        lot_id=lots[0].id,
        lot_number="AAA",
        expires_on=corrected,
        reason="Misread",
        approved_by=manager,
    )
    correct_lot(actor=manager, at=at + HOUR, correction=correction)
    return (lots[0], vials[0]), (lots[1], vials[1])


def test_a_vial_whose_lot_was_corrected_to_expire_sooner_comes_first(
    app: Flask, bench: Bench, at: datetime
) -> None:
    sooner, other = two_open(bench, at, corrected=date(2026, 3, 25))
    now = at + 2 * HOUR
    assert "NOT-FIRST-EXPIRING" not in findings(bench, *sooner, recorded_at=now)
    assert "NOT-FIRST-EXPIRING" in findings(bench, *other, recorded_at=now)


def test_a_hold_at_another_place_hides_nothing_that_runs_out_sooner(
    app: Flask, bench: Bench, there: Place, at: datetime
) -> None:
    sooner = make_delivery(place=bench.place, containers=1, expires_on=date(2026, 12, 31))
    make_delivery(
        place=there, product_id=sooner.product_id, lot_number=sooner.lot_number, expires_on=sooner.expires_on
    )
    later = make_delivery(place=bench.place, product_id=sooner.product_id, containers=1)
    asked = bench.request(lot=later)
    hold(sooner, at, location_id=there.location_id)

    def codes() -> set[str]:
        db.session.rollback()
        found = assess(db.session(), asked, giver=bench.nurse, recorded_at=at + HOUR)
        return {finding.code for finding in found.findings}

    assert "NOT-FIRST-EXPIRING" in codes()
    hold(sooner, at, location_id=bench.place.location_id)
    assert "NOT-FIRST-EXPIRING" not in codes()
