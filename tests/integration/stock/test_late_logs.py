"""A logger's file that comes late: what was exposed is held wherever it has gone meanwhile, and where it may come back to."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.clinic.models import Location
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.stock import queries, services
from inventory.stock.exposure import Reading
from inventory.stock.ledger import Place
from inventory.stock.models import (
    ExcursionDecision,
    HoldKind,
    Lot,
    TemperatureExcursion,
    Vial,
    WasteReason,
)
from inventory.stock.services.disposals import Document, SealedLine, return_to_supplier, reverse_disposal
from inventory.stock.services.temperatures import LoggerFile, decide_excursion, record_logger_file
from tests.factories.catalogue import make_multi_dose_product, make_product, make_supplier
from tests.factories.staff import make_actor
from tests.factories.stock import make_delivery, make_open_vial, make_place
from tests.factories.transfers import make_arrival, make_consignment, make_transfer

HOUR = timedelta(hours=1)
COLD: dict[str, Any] = {"storage_min_decicelsius": 20, "storage_max_decicelsius": 80}


@pytest.fixture
def fridge(app: Flask) -> Place:
    return make_place(location="Fridge")


@pytest.fixture
def room(app: Flask) -> Place:
    return make_place(location="Room")


def cold_lot(place: Place, at: datetime, **more: Any) -> Lot:
    product = make_multi_dose_product(**COLD) if more.pop("opens", False) else make_product(**COLD)
    return make_delivery(place=place, product_id=product.id, received_at=at - 100 * HOUR, **more)


def upload(place: Place, *, at: datetime, warm_at: datetime) -> None:
    where = db.session.get_one(Location, place.location_id)
    record_logger_file(
        actor=SYSTEM_ACTOR,
        at=at,
        location=where,
        readings=[Reading(warm_at, 250)],
        file=LoggerFile("weekly.csv", "0" * 64),
    )


def is_held(lot: Lot, place: Place, at: datetime, vial: Vial | None = None) -> bool:
    db.session.rollback()
    kinds = queries.active_hold_kinds(
        db.session(), lot_id=lot.id, location_id=place.location_id, at=at, vial_id=vial.id if vial else None
    )
    return HoldKind.TEMPERATURE in kinds


def release(at: datetime) -> None:
    (excursion_id,) = db.session.scalars(select(TemperatureExcursion.id))
    manager = make_actor(Role.MANAGER)
    done: dict[str, Any] = {"decision": ExcursionDecision.RELEASE, "note": "The maker allows it"}
    decide_excursion(actor=manager, at=at, excursion_id=excursion_id, **done)


def test_an_exposed_vial_on_its_way_is_held_when_it_arrives(fridge: Place, room: Place, at: datetime) -> None:
    lot = cold_lot(fridge, at, opens=True)
    vial = make_open_vial(lot, place=fridge, at=at)
    transfer_id = make_transfer(fridge, room, vials=(vial,), at=at + 2 * HOUR)
    upload(fridge, at=at + 3 * HOUR, warm_at=at + HOUR)
    make_arrival(transfer_id, 1, at=at + 4 * HOUR)
    assert is_held(lot, room, at + 4 * HOUR, vial)
    release(at + 5 * HOUR)
    assert not is_held(lot, room, at + 5 * HOUR, vial)


def test_a_vial_opened_from_exposed_stock_and_moved_is_held(fridge: Place, room: Place, at: datetime) -> None:
    lot = cold_lot(fridge, at, opens=True)
    vial = make_open_vial(lot, place=fridge, at=at)
    move = make_consignment(fridge, room, vials=(vial,))
    services.move_stock(actor=SYSTEM_ACTOR, at=at + HOUR, consignment=move)
    upload(fridge, at=at + 2 * HOUR, warm_at=at - 5 * HOUR)
    assert is_held(lot, room, at + 2 * HOUR, vial)


def test_a_vial_opened_where_exposed_stock_was_taken_and_moved_on_is_held(
    fridge: Place, room: Place, at: datetime
) -> None:
    lot = cold_lot(fridge, at, opens=True)
    north = make_place(code="NORTH", location="North")
    make_arrival(make_transfer(fridge, room, lot=lot, containers=3, at=at), 3, at=at)
    vial = make_open_vial(lot, place=room, at=at + HOUR)
    untouched = make_open_vial(lot, place=fridge, at=at - 10 * HOUR)
    for one, source in ((vial, room), (untouched, fridge)):
        make_arrival(make_transfer(source, north, vials=(one,), at=at + HOUR), 1, at=at + HOUR)
    upload(fridge, at=at + 2 * HOUR, warm_at=at - HOUR)
    assert is_held(lot, north, at + 2 * HOUR, vial)
    assert is_held(lot, north, at + 2 * HOUR, untouched), "it lay there itself"


def test_a_vial_opened_and_moved_before_it_was_warm_is_not_held(
    fridge: Place, room: Place, at: datetime
) -> None:
    lot = cold_lot(fridge, at, opens=True)
    vial = make_open_vial(lot, place=fridge, at=at)
    make_arrival(make_transfer(fridge, room, vials=(vial,), at=at + HOUR), 1, at=at + HOUR)
    upload(fridge, at=at + 3 * HOUR, warm_at=at + 2 * HOUR)
    assert is_held(lot, fridge, at + 3 * HOUR)
    assert not is_held(lot, room, at + 3 * HOUR, vial)


@pytest.mark.parametrize("all_of_it", [True, False])
def test_exposed_stock_on_its_way_is_held_where_it_comes_back_to(
    fridge: Place, room: Place, at: datetime, all_of_it: bool
) -> None:
    lot = cold_lot(fridge, at, containers=3)
    transfer_id = make_transfer(fridge, room, lot=lot, containers=3, at=at + 2 * HOUR)
    if not all_of_it:
        make_arrival(transfer_id, 3, at=at + 2 * HOUR)
        north = make_place(code="NORTH", location="North")
        transfer_id = make_transfer(room, north, lot=lot, containers=3, at=at + 2 * HOUR)
    upload(fridge, at=at + 3 * HOUR, warm_at=at + HOUR)
    services.cancel_transfer(actor=SYSTEM_ACTOR, at=at + 4 * HOUR, transfer_id=transfer_id, reason="Stays")
    assert is_held(lot, fridge if all_of_it else room, at + 4 * HOUR)


def test_exposed_stock_that_was_disposed_of_is_held_when_it_comes_back(fridge: Place, at: datetime) -> None:
    lot = cold_lot(fridge, at, containers=3)
    line = SealedLine(lot.id, fridge.location_id, 3, WasteReason.EXPIRED)
    document = Document(fridge.site_id, "RN1", [line], supplier_id=make_supplier())
    done = return_to_supplier(actor=SYSTEM_ACTOR, at=at + HOUR, document=document)
    upload(fridge, at=at + 2 * HOUR, warm_at=at)
    reverse_disposal(actor=SYSTEM_ACTOR, at=at + 3 * HOUR, disposal_id=done.subject_id, reason="Wrong lot")
    assert is_held(lot, fridge, at + 3 * HOUR)
