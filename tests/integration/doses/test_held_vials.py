"""A vial that is held does not become free by being put back onto its shelf, sealed."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from inventory.doses.rules.terms import VoidKind
from inventory.doses.services import void_dose
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.stock import queries, services
from inventory.stock.models import Hold, HoldKind, Vial, VialClosure
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.doses import Bench
from tests.factories.stock import make_delivery

HOUR = timedelta(hours=1)


def hold(vial: Vial, at: datetime) -> None:
    services.hold_lot(
        actor=SYSTEM_ACTOR, at=at, lot_id=vial.lot_id, kind=HoldKind.HOLD, reason="Cloudy", vial_id=vial.id
    )


def test_the_opening_of_a_held_vial_is_not_undone(bench: Bench, at: datetime) -> None:
    _, vial = bench.open_multi(at=at)
    hold(vial, at + HOUR)
    with pytest.raises(Refusal) as caught:
        services.undo_opening(actor=SYSTEM_ACTOR, at=at + 2 * HOUR, vial_id=vial.id, reason="Never opened")
    assert caught.value.code == "VIAL-HELD"
    db.session.rollback()
    held = db.session.scalars(select(Hold.id)).one()
    services.release_hold(actor=SYSTEM_ACTOR, at=at + 3 * HOUR, hold_id=held, reason="It is clear")
    services.undo_opening(actor=SYSTEM_ACTOR, at=at + 4 * HOUR, vial_id=vial.id, reason="Never opened")


def test_a_void_puts_a_held_vial_back_onto_a_held_shelf(bench: Bench, at: datetime) -> None:
    lot = make_delivery(place=bench.place, product_id=make_multi_dose_product().id, containers=2)
    dose = bench.give(bench.request(lot=lot))
    vial = db.session.scalars(select(Vial).where(Vial.lot_id == lot.id)).one()
    hold(vial, at + HOUR)
    void_dose(
        actor=bench.nurse, at=at + 2 * HOUR, dose_id=dose.id, kind=VoidKind.NEVER_OPENED, reason="Not given"
    )
    db.session.rollback()
    assert db.session.get_one(Vial, vial.id).closure == VialClosure.NEVER_OPENED
    kinds = queries.active_hold_kinds(
        db.session(), lot_id=lot.id, location_id=bench.place.location_id, at=at + 2 * HOUR
    )
    assert kinds == (HoldKind.HOLD,)
