"""A hold is released by whoever answers for all it covers: a recall's by its site, an excursion's by its decision."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.clinic.models import Location
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor, Role
from inventory.staff import queries as people
from inventory.staff.services import set_sites
from inventory.stock import services
from inventory.stock.ledger import Place
from inventory.stock.models import ExcursionDecision, Hold, HoldKind, Lot, TemperatureExcursion
from inventory.stock.notices import NamedLot
from inventory.stock.services.recalls import Notice, open_recall
from inventory.stock.services.temperatures import decide_excursion, record_temperature
from tests.factories.catalogue import make_product
from tests.factories.staff import make_user
from tests.factories.stock import make_delivery, make_place
from tests.factories.transfers import make_transfer
from tests.support.client import CheckingClient

SignIn = Callable[..., CheckingClient]


@pytest.fixture
def here(app: Flask, at: datetime) -> Place:
    return make_place()


@pytest.fixture
def east(here: Place) -> Place:
    return make_place(code="EAST", location="East fridge")


def manager_of(*places: Place) -> Actor:
    user = make_user(roles=Role.MANAGER)
    sites = [place.site_id for place in places]
    set_sites(actor=SYSTEM_ACTOR, at=user.created_at, user_id=user.id, site_ids=sites)
    return people.actor_of(people.person(user.id))


def hold_of(lot: Lot) -> Hold:
    db.session.rollback()
    return db.session.scalars(select(Hold).where(Hold.lot_id == lot.id)).one()


def release(hold: Hold, actor: Actor, at: datetime) -> None:
    services.release_hold(actor=actor, at=at, hold_id=hold.id, reason="It is clear")


def recall(place: Place, at: datetime) -> None:
    notice = Notice(title="Cracked vials", reason="Glass")
    named = [NamedLot("1662")]
    open_recall(actor=SYSTEM_ACTOR, at=at, site_id=place.site_id, notice=notice, named=named)


def test_a_recalls_hold_by_who_works_at_the_recalls_site(here: Place, east: Place, at: datetime) -> None:
    lot = make_delivery(place=east, lot_number="1662")
    recall(here, at)
    with pytest.raises(Refusal, match="SITE-NOT-YOURS"):
        release(hold_of(lot), manager_of(east), at)
    assert hold_of(lot).released_at is None
    release(hold_of(lot), manager_of(here), at)
    assert hold_of(lot).released_at == at


@pytest.mark.parametrize("is_on_its_way", [False, True])
def test_a_whole_lots_hold_by_who_works_wherever_it_lies(
    here: Place, east: Place, at: datetime, is_on_its_way: bool
) -> None:
    lot = make_delivery(place=east, containers=2)
    transfer_id = make_transfer(east, here, lot=lot)
    if not is_on_its_way:
        arrival = services.Arrival((services.Arrived(1, 1),))
        services.receive_transfer(actor=SYSTEM_ACTOR, at=at, transfer_id=transfer_id, arrival=arrival)
    services.hold_lot(actor=SYSTEM_ACTOR, at=at, lot_id=lot.id, kind=HoldKind.HOLD, reason="Doubtful")
    for one in (here, east):
        with pytest.raises(Refusal, match="HOLD-OTHER-SITES"):
            release(hold_of(lot), manager_of(one), at)
    release(hold_of(lot), manager_of(here, east), at)


def warmed(here: Place, at: datetime) -> tuple[Lot, UUID]:
    """A lot that lay too warm, and the excursion that holds it."""
    product = make_product(storage_min_decicelsius=20, storage_max_decicelsius=80)
    lot = make_delivery(place=here, product_id=product.id)
    location = db.session.get_one(Location, here.location_id)
    record_temperature(actor=SYSTEM_ACTOR, at=at, location=location, decicelsius=250)
    return lot, db.session.scalars(select(TemperatureExcursion.id)).one()


def test_an_excursions_hold_by_its_decision(here: Place, at: datetime) -> None:
    lot, excursion_id = warmed(here, at)
    with pytest.raises(Refusal, match="HOLD-EXCURSION"):
        release(hold_of(lot), SYSTEM_ACTOR, at)
    decide_excursion(
        actor=manager_of(here),
        at=at,
        excursion_id=excursion_id,
        decision=ExcursionDecision.CONDEMN,
        note="Too long",
    )
    release(hold_of(lot), SYSTEM_ACTOR, at)


def test_the_page_leads_to_the_decision(here: Place, at: datetime, signed_in_client: SignIn) -> None:
    lot, excursion_id = warmed(here, at)
    manager = signed_in_client(Role.MANAGER)
    answer = manager.get(f"/stock/holds/{hold_of(lot).id}/release")
    assert answer.location == f"/stock/excursions/{excursion_id}"
    page = manager.get(answer.location).get_data(as_text=True)
    assert "holds this until it is decided" in page
