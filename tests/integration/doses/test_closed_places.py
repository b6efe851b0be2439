"""Nothing is put back where nothing is kept any more, and what lies there all the same is named."""

from datetime import datetime, timedelta

import pytest
from flask import Flask

from inventory.clinic.services import close_location, reopen_location
from inventory.doses.models import Dose
from inventory.doses.rules.terms import VoidKind
from inventory.doses.services import void_dose
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.stock import verification
from inventory.stock.ledger import Place
from tests.factories.doses import Bench
from tests.factories.stock import balance_ul, make_delivery, make_place
from tests.support.databases import OwnerConnection

HOUR = timedelta(hours=1)


@pytest.fixture
def second(bench: Bench) -> Place:
    return make_place(location="Second")


@pytest.fixture
def dose(app: Flask, bench: Bench, second: Place, at: datetime) -> Dose:
    """The only container of a location, opened and given."""
    bench.lot = make_delivery(place=second, containers=1)
    bench.place = second
    given = bench.give()
    close_location(actor=SYSTEM_ACTOR, at=at + HOUR, location_id=second.location_id)
    return given


def void(bench: Bench, dose: Dose, kind: VoidKind, at: datetime) -> None:
    void_dose(actor=bench.nurse, at=at, dose_id=dose.id, kind=kind, reason="Wrong")


def test_a_container_does_not_go_back_to_a_closed_location(
    bench: Bench, dose: Dose, second: Place, at: datetime
) -> None:
    with pytest.raises(Refusal, match=r"VOID-LOCATION-CLOSED.*Second") as refused:
        void(bench, dose, VoidKind.NEVER_OPENED, at + 2 * HOUR)
    assert refused.value.status == 422
    reopen_location(actor=SYSTEM_ACTOR, at=at + 2 * HOUR, location_id=second.location_id)
    void(bench, dose, VoidKind.NEVER_OPENED, at + 3 * HOUR)
    assert balance_ul(bench.lot) == 1_000
    assert list(verification.findings(db.session())) == []


def test_what_was_drawn_and_not_given_puts_nothing_back(bench: Bench, dose: Dose, at: datetime) -> None:
    void(bench, dose, VoidKind.DRAWN_NOT_GIVEN, at + 2 * HOUR)
    assert balance_ul(bench.lot) == 0
    assert list(verification.findings(db.session())) == []


def test_stock_at_a_closed_location_is_named(
    app: Flask, bench: Bench, second: Place, owner_connection: OwnerConnection
) -> None:
    make_delivery(place=second, containers=2, lot_number="LEFT")
    db.session.rollback()
    owner_connection.execute(
        "UPDATE location SET closed_at = (SELECT max(recorded_at) FROM movement) WHERE name = 'Second'"
    )
    owner_connection.commit()
    found = list(verification.findings(db.session()))
    assert any("Lot LEFT: 2000 microlitres" in one and "Second" in one for one in found)
