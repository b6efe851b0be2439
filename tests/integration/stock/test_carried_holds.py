"""Holds go with what they hold: along with a transfer, back with what was not sent, onto a shelf, and to what is found."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.clinic.models import Location
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.stock import services
from inventory.stock.ledger import Place
from inventory.stock.models import (
    AdjustReason,
    ExcursionDecision,
    Hold,
    HoldKind,
    Lot,
    TemperatureExcursion,
    TransferDifference,
    Vial,
)
from inventory.stock.services import Difference, Direction, Explanation, Tally
from inventory.stock.services.temperatures import decide_excursion, record_temperature
from tests.factories.catalogue import make_multi_dose_product, make_product
from tests.factories.staff import make_actor
from tests.factories.stock import make_delivery, make_open_vial, make_place
from tests.factories.transfers import make_arrival, make_consignment, make_transfer

HOUR = timedelta(hours=1)
COLD: dict[str, Any] = {"storage_min_decicelsius": 20, "storage_max_decicelsius": 80}


@pytest.fixture
def here(app: Flask) -> Place:
    return make_place(location="Here")


@pytest.fixture
def there(app: Flask) -> Place:
    return make_place(location="There")


def more_of(lot: Lot, place: Place) -> None:
    make_delivery(place=place, product_id=lot.product_id, lot_number=lot.lot_number, containers=5)


def hold(
    lot: Lot, at: datetime, *, place: Place | None = None, vial: Vial | None = None, why: str = "Doubtful"
) -> None:
    services.hold_lot(
        actor=SYSTEM_ACTOR,
        at=at,
        lot_id=lot.id,
        kind=HoldKind.HOLD,
        reason=why,
        location_id=place.location_id if place else None,
        vial_id=vial.id if vial else None,
    )


def standing() -> list[tuple[str, UUID | None, UUID | None]]:
    """The holds that stand: why at first, where, and on which vial."""
    db.session.rollback()
    held = db.session.scalars(select(Hold).where(Hold.released_at.is_(None)).order_by(Hold.id))
    return [(one.reason.rpartition(": ")[2], one.location_id, one.vial_id) for one in held]


def release(at: datetime, *, place: Place, why: str = "") -> None:
    db.session.rollback()
    (found,) = db.session.scalars(
        select(Hold.id).where(
            Hold.location_id == place.location_id, Hold.reason.endswith(why), Hold.released_at.is_(None)
        )
    )
    services.release_hold(actor=SYSTEM_ACTOR, at=at, hold_id=found, reason="Looked at")


def cancel(transfer_id: UUID, at: datetime) -> None:
    services.cancel_transfer(actor=SYSTEM_ACTOR, at=at, transfer_id=transfer_id, reason="Stays")


def move(source: Place, target: Place, at: datetime, **what: Any) -> None:
    services.move_stock(actor=SYSTEM_ACTOR, at=at, consignment=make_consignment(source, target, **what))


def read(place: Place, decicelsius: int, at: datetime) -> UUID:
    where = db.session.get_one(Location, place.location_id)
    record_temperature(actor=SYSTEM_ACTOR, at=at, location=where, decicelsius=decicelsius)
    db.session.rollback()
    return db.session.scalars(
        select(TemperatureExcursion.id).where(TemperatureExcursion.location_id == place.location_id)
    ).one()


def decide(excursion_id: UUID, decision: ExcursionDecision, at: datetime) -> None:
    decide_excursion(
        actor=make_actor(Role.MANAGER),
        at=at,
        excursion_id=excursion_id,
        decision=decision,
        note="The maker says so",
    )


def test_cancelling_one_transfer_leaves_the_hold_that_another_relies_on(
    here: Place, there: Place, at: datetime
) -> None:
    lot = make_delivery(place=here, containers=4)
    hold(lot, at, place=here)
    first = make_transfer(here, there, lot=lot, containers=2, at=at + HOUR)
    second = make_transfer(here, there, lot=lot, containers=2, at=at + 2 * HOUR)
    cancel(first, at + 3 * HOUR)
    make_arrival(second, 2, at=at + 4 * HOUR)
    assert ("Doubtful", there.location_id, None) in standing()


def test_when_none_of_several_transfers_arrives_no_hold_stays_for_nothing(
    here: Place, there: Place, at: datetime
) -> None:
    lot = make_delivery(place=here, containers=4)
    hold(lot, at, place=here)
    both = [
        make_transfer(here, there, lot=lot, at=at + HOUR),
        make_transfer(here, there, lot=lot, at=at + 2 * HOUR),
    ]
    for one in both:
        cancel(one, at + 3 * HOUR)
    assert standing() == [("Doubtful", here.location_id, None)]


@pytest.mark.parametrize("came", [0, 1])
def test_what_was_not_sent_is_held_though_its_place_was_released_meanwhile(
    here: Place, there: Place, at: datetime, came: int
) -> None:
    lot = make_delivery(place=here, containers=2)
    hold(lot, at, place=here)
    transfer_id = make_transfer(here, there, lot=lot, containers=2, at=at + HOUR)
    release(at + 2 * HOUR, place=here)
    make_arrival(transfer_id, (came, TransferDifference.NOT_SENT), at=at + 3 * HOUR)
    back = ("Doubtful", here.location_id, None)
    assert standing() == ([("Doubtful", there.location_id, None), back] if came else [back])


def test_a_vial_that_was_not_sent_stays_held_though_its_place_was_released(
    here: Place, there: Place, at: datetime
) -> None:
    lot = make_delivery(place=here, product_id=make_multi_dose_product().id)
    vial = make_open_vial(lot, place=here)
    hold(lot, at, place=here)
    transfer_id = make_transfer(here, there, vials=(vial,), at=at + HOUR)
    release(at + 2 * HOUR, place=here)
    cancel(transfer_id, at + 3 * HOUR)
    assert standing() == [("Doubtful", None, vial.id)]


def test_a_hold_goes_along_to_where_the_lot_is_held_for_another_reason(
    here: Place, there: Place, at: datetime
) -> None:
    lot = make_delivery(place=here, containers=5)
    more_of(lot, there)
    hold(lot, at, place=here, why="Contaminated")
    hold(lot, at, place=there, why="Label")
    move(here, there, at + HOUR, lot=lot, containers=5)
    release(at + 2 * HOUR, place=there, why="Label")
    assert ("Contaminated", there.location_id, None) in standing()


def test_a_hold_goes_along_with_a_vial_that_is_held_for_another_reason(
    here: Place, there: Place, at: datetime
) -> None:
    lot = make_delivery(place=here, product_id=make_multi_dose_product().id)
    vial = make_open_vial(lot, place=here)
    hold(lot, at, place=here, why="Place")
    hold(lot, at, vial=vial, why="Label")
    move(here, there, at + HOUR, vials=(vial,))
    assert ("Place", None, vial.id) in standing()
    move(there, here, at + 2 * HOUR, vials=(vial,))
    assert len(standing()) == 3, "one hold for one reason, however often it is moved"


@pytest.mark.parametrize("first", [ExcursionDecision.RELEASE, ExcursionDecision.CONDEMN])
def test_the_excursion_of_another_place_frees_nothing_that_was_moved_there(
    here: Place, there: Place, at: datetime, first: ExcursionDecision
) -> None:
    lot = make_delivery(place=here, product_id=make_product(**COLD).id, containers=5)
    more_of(lot, there)
    warm, cool = read(here, 250, at), read(there, 90, at)
    move(here, there, at + HOUR, lot=lot, containers=5)
    decide(cool, ExcursionDecision.RELEASE, at + 2 * HOUR)
    assert there.location_id in [place for _, place, _ in standing()]
    decide(warm, first, at + 3 * HOUR)
    held = there.location_id in [place for _, place, _ in standing()]
    assert held == (first == ExcursionDecision.CONDEMN)


def find(lot: Lot, place: Place, at: datetime) -> None:
    services.adjust_shelf(
        actor=SYSTEM_ACTOR,
        at=at,
        lot_id=lot.id,
        place=place,
        containers=1,
        difference=Difference(Direction.FOUND, AdjustReason.FOUND, "In the drawer", make_actor(Role.MANAGER)),
    )


def test_what_is_found_is_held_as_its_lot_is_held_elsewhere_at_the_site(
    here: Place, there: Place, at: datetime
) -> None:
    lot, north = make_delivery(place=here), make_place(code="NORTH", location="North")
    hold(lot, at, place=here)
    find(lot, there, at + HOUR)
    find(lot, there, at + 2 * HOUR)
    find(lot, north, at + 2 * HOUR)
    held = [("Doubtful", here.location_id, None), ("Doubtful", there.location_id, None)]
    assert standing() == held
    release(at + 3 * HOUR, place=here)
    find(lot, here, at + 4 * HOUR)
    assert standing() == [held[1], held[0]], "what is found is held by what holds the rest"


def test_what_a_count_finds_is_held_as_its_lot_is_held_elsewhere_at_the_site(
    here: Place, there: Place, at: datetime
) -> None:
    lot = make_delivery(place=here)
    hold(lot, at, place=here)
    counter, poster = make_actor(Role.PRACTITIONER), make_actor(Role.MANAGER)
    started = services.start_count(
        actor=counter, at=at, site_id=there.site_id, location_id=there.location_id
    ).subject_id
    services.hand_in_count(actor=counter, at=at, count_id=started, tally=Tally({lot.id: 1}))
    why = {1: Explanation(AdjustReason.FOUND)}
    services.post_count(actor=poster, at=at + HOUR, count_id=started, explanations=why)
    assert ("Doubtful", there.location_id, None) in standing()
