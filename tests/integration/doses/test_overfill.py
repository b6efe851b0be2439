"""A vial holds a little more than its label says, once: the product's limit is of the vial, not of each dose."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.doses.models import Incident
from inventory.doses.rules.terms import EntryMode, IncidentKind, VoidKind
from inventory.doses.services import void_dose
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.stock import services
from inventory.stock.models import AdjustReason, Lot, MovementKind, Vial, WasteReason
from inventory.stock.services import Difference, Direction, Explanation, Tally, Why
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.staff import make_actor
from tests.factories.stock import make_delivery, make_open_vial, movements_of

HOUR = timedelta(hours=1)
R = AdjustReason


@pytest.fixture
def emptied(app: Flask, bench: Bench, at: datetime) -> tuple[Lot, Vial]:
    """A vial of which the label's 10 mL are used up but for a trace, of a product with 1 mL of overfill."""
    product = make_multi_dose_product(overfill_limit_ul=1_000)
    lot = make_delivery(place=bench.place, product_id=product.id, containers=1)
    vial = make_open_vial(lot, place=bench.place)
    why = Why(WasteReason.BROKEN, note="Spilt")
    services.waste_from_vial(actor=SYSTEM_ACTOR, at=at, vial_id=vial.id, volume_ul=9_999, why=why)
    return lot, vial


def adjusted(lot: Lot) -> list[str]:
    return [one.reason or "" for one in movements_of(lot) if one.kind == MovementKind.ADJUST]


def late_dose(bench: Bench, source: tuple[Lot, Vial], at: datetime) -> UUID:
    lot, vial = source
    asked = bench.request(
        lot=lot, vial=vial, patient_id=make_patient(), mode=EntryMode.ALREADY_GIVEN, given_at=at
    )
    return bench.give(asked, at=at).id


def test_what_the_limit_no_longer_covers_is_a_shortfall_with_its_incident(
    bench: Bench, emptied: tuple[Lot, Vial], at: datetime
) -> None:
    for hours in (1, 2):
        late_dose(bench, emptied, at + hours * HOUR)
    assert adjusted(emptied[0]) == [R.OVERFILL, R.SHORTFALL]
    kinds = [one.kind for one in db.session.scalars(select(Incident).order_by(Incident.number))]
    assert kinds.count(IncidentKind.STOCK_DISCREPANCY) == 1


def test_overfill_of_a_dose_that_was_voided_is_there_again(
    bench: Bench, emptied: tuple[Lot, Vial], at: datetime
) -> None:
    dose_id = late_dose(bench, emptied, at + HOUR)
    void_dose(
        actor=bench.nurse,
        at=at + 2 * HOUR,
        dose_id=dose_id,
        kind=VoidKind.NEVER_OPENED,
        reason="Not drawn",
    )
    late_dose(bench, emptied, at + 3 * HOUR)
    assert adjusted(emptied[0]) == [R.OVERFILL, R.OVERFILL]


def test_overfill_is_found_in_a_vial_once(bench: Bench, emptied: tuple[Lot, Vial], at: datetime) -> None:
    _, vial = emptied
    more = Difference(Direction.FOUND, R.OVERFILL, "As the maker says")

    def find(volume_ul: int) -> None:
        services.adjust_vial(
            actor=make_actor(Role.MANAGER), at=at, vial_id=vial.id, volume_ul=volume_ul, difference=more
        )

    find(600)
    with pytest.raises(Refusal, match="VIAL-OVERFULL"):
        find(600)
    find(400)


def test_a_count_finds_no_more_overfill_than_there_is(
    bench: Bench, emptied: tuple[Lot, Vial], at: datetime
) -> None:
    lot, vial = emptied
    late_dose(bench, emptied, at + HOUR)
    later = at + 2 * HOUR
    count_id = services.start_count(
        actor=SYSTEM_ACTOR, at=later, site_id=bench.place.site_id, location_id=bench.place.location_id
    ).subject_id
    shelf = {lot.id: 0, bench.lot.id: 3}
    services.hand_in_count(
        actor=SYSTEM_ACTOR, at=later, count_id=count_id, tally=Tally(shelf, {vial.id: 500})
    )

    def post(reason: AdjustReason) -> None:
        services.post_count(
            actor=make_actor(Role.MANAGER),
            at=later,
            count_id=count_id,
            explanations={position: Explanation(reason) for position in (1, 2, 3)},
        )

    with pytest.raises(Refusal, match="VIAL-OVERFULL"):
        post(R.OVERFILL)
    post(R.FOUND)
