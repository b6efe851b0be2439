"""`flask stock verify` of a vial that was moved: over all its places, what came in is what went out and what it holds."""

from datetime import datetime

import pytest
from flask import Flask

from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.stock import services, verification
from inventory.stock.models import WasteReason
from inventory.stock.services import Why
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.stock import make_delivery, make_open_vial, make_place
from tests.factories.transfers import make_arrival, make_transfer
from tests.support.databases import OwnerConnection


@pytest.fixture
def moved(app: Flask, at: datetime) -> None:
    here, there = make_place(), make_place(code="NORTH", location="North fridge")
    lot = make_delivery(place=here, product_id=make_multi_dose_product().id, containers=2, lot_number="MOVED")
    vial = make_open_vial(lot, place=here)
    why = Why(WasteReason.CONTAMINATED)
    services.waste_from_vial(actor=SYSTEM_ACTOR, at=at, vial_id=vial.id, volume_ul=500, why=why)
    make_arrival(make_transfer(here, there, vials=(vial,)), 1)
    services.waste_from_vial(actor=SYSTEM_ACTOR, at=at, vial_id=vial.id, volume_ul=250, why=why)


def test_moved_vial_that_is_well_is_not_named(moved: None) -> None:
    assert list(verification.findings(db.session())) == []


def test_moved_vial_that_lost_a_movement_is_named(moved: None, owner_connection: OwnerConnection) -> None:
    db.session.rollback()
    if db.engine.dialect.name == "sqlite":
        triggers = owner_connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in triggers.fetchall():
            owner_connection.execute(f"DROP TRIGGER {name}")
    else:
        owner_connection.execute("ALTER TABLE movement DISABLE TRIGGER USER")
    owner_connection.execute("DELETE FROM movement WHERE amount_ul = 250")
    owner_connection.commit()
    said = (
        "Lot MOVED: vial 1 took in 19500 microlitres and gave out 10000, over all its places, and holds 9250."
    )
    assert said in list(verification.findings(db.session()))
