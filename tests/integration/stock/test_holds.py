"""Holds of a lot, of what lies at one place, of one vial: with a reason, in words, released with a reason, never lost."""

from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.stock import queries
from inventory.stock.models import Hold, HoldKind, Lot, WasteReason
from inventory.stock.services import Why, discard_vial, hold_lot, open_vial, release_hold
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.stock import make_delivery, make_open_vial, make_place
from tests.support.client import CheckingClient

SignIn = Callable[..., CheckingClient]


def usable(at: datetime) -> set[str]:
    """What may be given at the site: where sealed containers lie, and vials by number."""
    found = queries.drawable(db.session(), site_id=make_place().site_id, on=at.date())
    return {f"vial {one.vial.label_number}" if one.vial else one.location.name for one in found if one.usable}


@pytest.fixture
def lot(app: Flask, at: datetime) -> Lot:
    """Four containers in two places, one of them open in each."""
    product_id = make_multi_dose_product().id
    for location in ("Cabinet", "Fridge"):
        place = make_place(location=location)
        lot = make_delivery(product_id=product_id, lot_number="A1", containers=2, place=place)
        make_open_vial(lot, place=place)
    return lot


def test_a_hold_without_a_reason_is_refused(lot: Lot, at: datetime) -> None:
    with pytest.raises(Refusal, match="NOTE-NEEDED"):
        hold_lot(actor=SYSTEM_ACTOR, at=at, lot_id=lot.id, kind=HoldKind.HOLD, reason=" \n")
    assert db.session.scalars(select(Hold)).all() == []


def test_a_hold_at_one_place_holds_nothing_elsewhere(lot: Lot, at: datetime) -> None:
    fridge = make_place(location="Fridge")
    hold_lot(
        actor=SYSTEM_ACTOR,
        at=at,
        lot_id=lot.id,
        kind=HoldKind.HOLD,
        reason="Warm",
        location_id=fridge.location_id,
    )
    assert usable(at) == {"Cabinet", "vial 1"}
    with pytest.raises(Refusal, match="LOT-HELD"):
        open_vial(
            actor=SYSTEM_ACTOR, at=at, lot_id=lot.id, site_id=fridge.site_id, location_id=fridge.location_id
        )


def test_a_hold_of_a_vial_holds_that_vial(lot: Lot, at: datetime) -> None:
    vial = next(one for one, _, _ in queries.vials_of(db.session(), lot.id) if one.label_number == 2)
    made = {"actor": SYSTEM_ACTOR, "at": at, "lot_id": lot.id, "kind": HoldKind.HOLD, "reason": "Cloudy"}
    hold_lot(**made, vial_id=vial.id)
    assert usable(at) == {"Cabinet", "Fridge", "vial 1"}
    other = make_delivery()
    with pytest.raises(Refusal, match="NOT-FOUND"):
        hold_lot(**{**made, "lot_id": other.id}, vial_id=vial.id)
    hold = db.session.scalars(select(Hold)).one()
    release_hold(actor=SYSTEM_ACTOR, at=at, hold_id=hold.id, reason="Clear after all")
    assert usable(at) == {"Cabinet", "Fridge", "vial 1", "vial 2"}
    discard_vial(actor=SYSTEM_ACTOR, at=at, vial_id=vial.id, why=Why(WasteReason.BROKEN))
    with pytest.raises(Refusal, match="VIAL-CLOSED"):
        hold_lot(**made, vial_id=vial.id)


def test_the_page_offers_places_and_vials_and_says_what_is_held(
    lot: Lot, signed_in_client: SignIn, at: datetime
) -> None:
    manager = signed_in_client(Role.MANAGER)
    vial = next(one for one, _, _ in queries.vials_of(db.session(), lot.id) if one.label_number == 2)
    fridge = make_place(location="Fridge").location_id
    path = f"/stock/lots/{lot.id}/hold"
    refused = manager.submit(path, {"part": f"location:{fridge}", "reason": ""})
    assert refused.status_code == 422
    assert "FIELD-REQUIRED" in refused.get_data(as_text=True)
    elsewhere = manager.submit(path, {"part": f"vial:{lot.id}", "reason": "x"})
    assert "CHOICE-INVALID" in elsewhere.get_data(as_text=True)
    page = manager.submit(
        path, {"part": f"location:{fridge}", "reason": "Warm"}, follow_redirects=True
    ).get_data(as_text=True)
    assert "only in Fridge" in page
    assert "On hold, only in Fridge" in manager.get(f"/stock/vials/{vial.id}").get_data(as_text=True)
    assert f"part=vial:{vial.id}" in manager.get(f"/stock/vials/{vial.id}").get_data(as_text=True)
    assert manager.form(f"{path}?part=vial:{vial.id}").fields["part"] == [f"vial:{vial.id}"]
    manager.submit(f"{path}?part=vial:{vial.id}", {"reason": "Cloudy"})
    page = manager.get(f"/stock/vials/{vial.id}").get_data(as_text=True)
    assert "On hold, only vial 2" in page
    assert "part of it on hold" in manager.get("/stock/lots").get_data(as_text=True)
    hold = next(one for one in db.session.scalars(select(Hold)) if one.vial_id)
    assert "On hold, only vial 2" in manager.get(f"/stock/holds/{hold.id}/release").get_data(as_text=True)
    manager.submit(f"/stock/holds/{hold.id}/release", {"reason": "Clear after all"})
    page = manager.get(f"/stock/lots/{lot.id}").get_data(as_text=True)
    for words in ("Cloudy", "Clear after all", "only vial 2"):
        assert words in page
    assert "Cloudy" in manager.get(f"/stock/vials/{vial.id}").get_data(as_text=True)
