"""A count is blind, explained line by line, and posted as adjustments; above a threshold by two people."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select

from inventory.clinic.models import Setting
from inventory.clinic.services import close_location, reopen_location
from inventory.clinic.settings import encode
from inventory.kernel.db import db, unit_of_work
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor, Role
from inventory.stock import queries, services
from inventory.stock.ledger import Place
from inventory.stock.models import (
    AccountKind,
    AdjustReason,
    CountOutcome,
    Lot,
    Movement,
    MovementKind,
    StockCount,
    StockCountLine,
    StockCountVariance,
    Vial,
    WasteReason,
)
from inventory.stock.queries import CountedLine
from inventory.stock.services import Explanation, Tally, Why
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.staff import make_actor
from tests.factories.stock import balance_ul, make_delivery, make_open_vial, make_place

R = AdjustReason


def codes(caught: pytest.ExceptionInfo[Refusal | Refusals]) -> list[str]:
    return [one.code for one in getattr(caught.value, "refusals", [caught.value])]


def start(place: Place, at: datetime, *, actor: Actor = SYSTEM_ACTOR) -> UUID:
    return services.start_count(
        actor=actor, at=at, site_id=place.site_id, location_id=place.location_id
    ).subject_id


def hand_in(count_id: UUID, at: datetime, *, actor: Actor = SYSTEM_ACTOR, **counted: Any) -> UUID:
    tally = Tally(counted.get("containers", {}), counted.get("volumes_ul", {}), counted.get("note", ""))
    return services.hand_in_count(actor=actor, at=at, count_id=count_id, tally=tally).subject_id


def post(count_id: UUID, at: datetime, *, actor: Actor = SYSTEM_ACTOR, **more: Any) -> Any:
    explanations = more.pop("explanations", None)
    if explanations is None:
        explanations = {
            line.line.position: Explanation(R.MISSING if line.difference_ul < 0 else R.FOUND)
            for line in differing(count_id)
        }
    return services.post_count(actor=actor, at=at, count_id=count_id, explanations=explanations, **more)


def differing(count_id: UUID) -> list[CountedLine]:
    count = queries.count_by_id(db.session(), count_id)
    return [line for line in queries.lines_of(db.session(), count) if line.difference_ul]


def count_of(count_id: UUID) -> StockCount:
    return db.session.get_one(StockCount, count_id, populate_existing=True)


def adjusted(lot: Lot) -> list[Movement]:
    found = select(Movement).where(Movement.lot_id == lot.id, Movement.kind == MovementKind.ADJUST)
    return list(db.session.scalars(found.order_by(Movement.id)))


def make_cabinet() -> tuple[Place, Lot, Vial]:
    """A cabinet with nine sealed containers of 10 mL and one open vial of them."""
    place = make_place()
    lot = make_delivery(product_id=make_multi_dose_product(overfill_limit_ul=500).id, containers=10)
    return place, lot, make_open_vial(lot)


def test_a_count_that_agrees_is_posted_at_once(app: Flask, at: datetime) -> None:
    place, lot, vial = make_cabinet()
    full = vial.lot.container_volume_ul
    count = start(place, at)
    hand_in(count, at + timedelta(minutes=5), containers={lot.id: 9}, volumes_ul={vial.id: full})
    assert count_of(count).outcome == CountOutcome.POSTED
    assert adjusted(lot) == []
    assert queries.last_counts(db.session(), place.site_id) == {place.location_id: at + timedelta(minutes=5)}


def test_each_difference_is_one_adjustment_with_its_reason(
    app: Flask, cli: FlaskCliRunner, at: datetime
) -> None:
    place, lot, vial = make_cabinet()
    full = lot.container_volume_ul
    count = start(place, at)
    hand_in(count, at, containers={lot.id: 8}, volumes_ul={vial.id: full + 300})
    sealed, opened = differing(count)
    assert (sealed.difference_containers, opened.difference_ul) == (-1, 300)
    assert (balance_ul(lot), count_of(count).outcome) == (9 * full, None)
    why = {1: Explanation(R.OTHER, "Given to the ward"), 2: Explanation(R.OVERFILL)}
    post(count, at, explanations=why)
    first, second = adjusted(lot)
    assert (first.reason, first.amount_ul, first.note) == (R.OTHER, full, "Count 1: Given to the ward")
    assert (second.reason, second.amount_ul, second.note) == (R.OVERFILL, 300, "Count 1")
    assert (balance_ul(lot), balance_ul(lot, AccountKind.VIAL)) == (8 * full, full + 300)
    assert count_of(count).outcome == CountOutcome.POSTED
    variances = db.session.scalars(select(StockCountVariance)).all()
    assert {one.movement_id for one in variances} == {first.id, second.id}
    db.session.rollback()
    assert cli.invoke(args=["stock", "verify"]).exit_code == 0
    assert cli.invoke(args=["audit", "verify"]).exit_code == 0


def test_what_was_used_up_lately_is_listed_too(app: Flask, at: datetime) -> None:
    place = make_place()
    used_up = make_delivery(containers=1, lot_number="USED-UP")
    make_delivery(containers=1, lot_number="THERE", product_id=used_up.product_id)
    wasted = Why(WasteReason.BROKEN)
    services.waste_sealed(actor=SYSTEM_ACTOR, at=at, lot_id=used_up.id, place=place, containers=1, why=wasted)
    elsewhere = make_place(location="Fridge")
    make_delivery(place=elsewhere, lot_number="ELSEWHERE")

    def listed(days: int) -> list[str]:
        count = queries.count_by_id(db.session(), counted)
        found = queries.sheet(db.session(), count, at=at + timedelta(days=days))
        return [line.lot.lot_number for line in found]

    counted = start(place, at)
    assert listed(89) == ["THERE", "USED-UP"]
    assert listed(91) == ["THERE"]


def test_what_had_stock_at_the_last_count_is_listed_however_long_ago(app: Flask, at: datetime) -> None:
    place = make_place()
    lot = make_delivery(containers=1)
    hand_in(start(place, at), at, containers={lot.id: 1})
    later = at + timedelta(days=1)
    wasted = Why(WasteReason.BROKEN)
    services.waste_sealed(actor=SYSTEM_ACTOR, at=later, lot_id=lot.id, place=place, containers=1, why=wasted)
    again = queries.count_by_id(db.session(), start(place, at + timedelta(days=200)))
    assert len(queries.sheet(db.session(), again, at=at + timedelta(days=200))) == 1


def test_everything_listed_has_to_be_counted(app: Flask, at: datetime) -> None:
    place, lot, vial = make_cabinet()
    count = start(place, at)
    with pytest.raises(Refusals) as caught:
        hand_in(count, at)
    assert codes(caught) == ["COUNT-LINE-EMPTY"] * 2
    assert {one.field for one in caught.value.refusals} == {f"lot_{lot.id.hex}", f"vial_{vial.id.hex}"}
    assert db.session.scalars(select(StockCountLine)).all() == []


@pytest.mark.parametrize(
    "containers, volume_ul, code",
    [
        (-1, 0, "COUNT-RANGE"),
        (100_001, 0, "COUNT-RANGE"),
        (0, 10_501, "VIAL-OVERFULL"),
        (0, -1, "VIAL-OVERFULL"),
    ],
)
def test_what_cannot_be_there_is_refused(
    app: Flask, at: datetime, containers: int, volume_ul: int, code: str
) -> None:
    place, lot, vial = make_cabinet()
    assert lot.container_volume_ul == 10_000
    count = start(place, at)
    with pytest.raises(Refusals) as caught:
        hand_in(count, at, containers={lot.id: containers}, volumes_ul={vial.id: volume_ul})
    assert codes(caught) == [code]
    assert "90" not in str(caught.value).replace("10.5", "")


def test_a_lot_found_where_it_was_not_is_put_there(app: Flask, at: datetime) -> None:
    fridge = make_place(location="Fridge")
    lot = make_delivery(containers=3)
    count = start(fridge, at)
    hand_in(count, at, containers={lot.id: 1})
    post(count, at)
    db.session.rollback()
    balances = {name: held for kind, name, _, held in queries.balances_of(db.session(), lot.id) if name}
    assert balances == {"Cabinet, MAIN": 3_000, "Fridge, MAIN": 1_000}


def test_a_vial_closed_meanwhile_is_left_out(app: Flask, at: datetime) -> None:
    place, lot, vial = make_cabinet()
    count = start(place, at)
    why = Why(WasteReason.CONTAMINATED)
    services.discard_vial(actor=SYSTEM_ACTOR, at=at, vial_id=vial.id, why=why)
    with pytest.raises(Refusals) as caught:
        hand_in(count, at, containers={lot.id: 9}, volumes_ul={vial.id: 10_000})
    assert codes(caught) == ["COUNT-VIAL-GONE"]
    hand_in(count, at, containers={lot.id: 9})
    assert count_of(count).outcome == CountOutcome.POSTED


def test_what_is_drawn_after_the_count_stays_counted(app: Flask, at: datetime) -> None:
    place, lot, vial = make_cabinet()
    count = start(place, at)
    hand_in(count, at, containers={lot.id: 9}, volumes_ul={vial.id: 9_000})
    why = Why(WasteReason.CONTAMINATED)
    services.waste_from_vial(actor=SYSTEM_ACTOR, at=at, vial_id=vial.id, volume_ul=400, why=why)
    post(count, at)
    assert balance_ul(lot, AccountKind.VIAL) == 8_600


def test_what_was_moved_during_the_count_is_marked(app: Flask, at: datetime) -> None:
    place, lot, vial = make_cabinet()
    count = start(place, at)
    why = Why(WasteReason.CONTAMINATED)
    later = at + timedelta(minutes=2)
    services.waste_from_vial(actor=SYSTEM_ACTOR, at=later, vial_id=vial.id, volume_ul=400, why=why)
    done = at + timedelta(minutes=4)
    hand_in(count, done, containers={lot.id: 8}, volumes_ul={vial.id: 10_000})
    sealed, opened = differing(count)
    assert (sealed.moved_meanwhile, opened.moved_meanwhile) == (False, True)


@pytest.mark.parametrize("what", ["shelf", "vial drawn", "vial closed"])
def test_a_difference_that_no_longer_fits_is_refused(app: Flask, at: datetime, what: str) -> None:
    place, lot, vial = make_cabinet()
    count = start(place, at)
    counted = {"shelf": (1, 10_000), "vial drawn": (9, 1_000), "vial closed": (9, 10_300)}[what]
    hand_in(count, at, containers={lot.id: counted[0]}, volumes_ul={vial.id: counted[1]})
    why = Why(WasteReason.BROKEN)
    if what == "shelf":
        services.waste_sealed(actor=SYSTEM_ACTOR, at=at, lot_id=lot.id, place=place, containers=2, why=why)
    elif what == "vial drawn":
        services.waste_from_vial(actor=SYSTEM_ACTOR, at=at, vial_id=vial.id, volume_ul=2_000, why=why)
    else:
        services.discard_vial(actor=SYSTEM_ACTOR, at=at, vial_id=vial.id, why=why)
    with pytest.raises(Refusal, match="COUNT-STALE"):
        post(count, at, approved_by=make_actor(Role.MANAGER))
    assert adjusted(lot) == []
    manager = make_actor(Role.MANAGER)
    services.abandon_count(actor=manager, at=at, count_id=count, reason="Counted again")
    assert count_of(count).outcome == CountOutcome.ABANDONED
    assert queries.last_counts(db.session(), place.site_id) == {}


@pytest.mark.parametrize(
    "why, code",
    [
        (None, "COUNT-REASON"),
        (Explanation(R.FOUND), "ADJUST-REASON"),
        (Explanation(R.OVERFILL), "ADJUST-REASON"),
        (Explanation(R.SHORTFALL), "ADJUST-REASON"),
        (Explanation(R.OTHER, "  "), "NOTE-NEEDED"),
    ],
)
def test_every_difference_needs_a_reason_that_fits(
    app: Flask, at: datetime, why: Explanation | None, code: str
) -> None:
    place = make_place()
    lot = make_delivery(containers=5)
    count = start(place, at)
    hand_in(count, at, containers={lot.id: 4})
    with pytest.raises(Refusals) as caught:
        post(count, at, explanations={1: why} if why else {})
    assert codes(caught) == [code]
    assert balance_ul(lot) == 5_000


@pytest.mark.parametrize(
    "containers, volume_ul, is_needed",
    [(8, 10_000, False), (7, 10_000, True), (9, 9_000, False), (9, 8_999, True)],
)
def test_a_second_person_is_needed_above_the_threshold(
    app: Flask, at: datetime, containers: int, volume_ul: int, is_needed: bool
) -> None:
    place, lot, vial = make_cabinet()
    count = start(place, at)
    hand_in(count, at, containers={lot.id: containers}, volumes_ul={vial.id: volume_ul})
    if is_needed:
        with pytest.raises(Refusal, match="COUNT-APPROVAL"):
            post(count, at)
        assert adjusted(lot) == []
    else:
        post(count, at)
        assert len(adjusted(lot)) == 1


def test_more_and_less_do_not_cancel_out(app: Flask, at: datetime) -> None:
    place = make_place()
    one = make_delivery(containers=5)
    other = make_delivery(containers=5, product_id=one.product_id)
    count = start(place, at)
    hand_in(count, at, containers={one.id: 4, other.id: 6})
    with pytest.raises(Refusal, match="COUNT-APPROVAL"):
        post(count, at)


def test_the_clinic_sets_the_threshold(app: Flask, at: datetime) -> None:
    with unit_of_work() as session:
        session.add(Setting(key="count_approval_containers", value=encode(0)))
    place = make_place()
    lot = make_delivery(containers=5)
    count = start(place, at)
    hand_in(count, at, containers={lot.id: 4})
    with pytest.raises(Refusal, match="COUNT-APPROVAL"):
        post(count, at)


def test_the_second_person_manages_stock_and_did_not_count(app: Flask, at: datetime) -> None:
    nurse, manager = make_actor(Role.PRACTITIONER), make_actor(Role.MANAGER)
    counting_manager = make_actor(Role.MANAGER)
    place = make_place()
    lot = make_delivery(containers=9)
    count = start(place, at, actor=nurse)
    hand_in(count, at, actor=counting_manager, containers={lot.id: 4})
    for approver in (nurse, counting_manager):
        with pytest.raises(Refusal, match="COUNT-APPROVER"):
            post(count, at, actor=nurse, approved_by=approver)
    with pytest.raises(Refusal, match="COUNT-APPROVAL"):
        post(count, at, actor=counting_manager)
    post(count, at, actor=counting_manager, approved_by=manager)
    assert [(m.actor_id, m.witness_id) for m in adjusted(lot)] == [(counting_manager.id, manager.id)]
    (line,) = differing(count)
    assert line.approver == manager.name


def test_a_manager_who_did_not_count_posts_alone(app: Flask, at: datetime) -> None:
    nurse, manager = make_actor(Role.PRACTITIONER), make_actor(Role.MANAGER)
    place = make_place()
    lot = make_delivery(containers=9)
    count = start(place, at, actor=nurse)
    hand_in(count, at, actor=nurse, containers={lot.id: 4})
    post(count, at, actor=manager)
    assert [(m.actor_id, m.witness_id) for m in adjusted(lot)] == [(manager.id, None)]


def test_one_location_is_counted_once_at_a_time(app: Flask, at: datetime) -> None:
    place, fridge = make_place(), make_place(location="Fridge")
    first = start(place, at)
    with pytest.raises(Refusal, match="COUNT-OPEN-ALREADY"):
        start(place, at)
    start(fridge, at)
    services.abandon_count(actor=SYSTEM_ACTOR, at=at, count_id=first, reason="Called away")
    numbers = select(StockCount.number).order_by(StockCount.number)
    start(place, at)
    assert db.session.scalars(numbers).all() == [1, 2, 3]


def test_a_closed_location_is_not_counted_and_a_counted_one_not_closed(app: Flask, at: datetime) -> None:
    place, north = make_place(), make_place(code="NORTH")
    with pytest.raises(Refusal, match="LOCATION-ELSEWHERE"):
        start(Place(north.site_id, place.location_id), at)
    count = start(place, at)
    with pytest.raises(Refusal, match=r"LOCATION-IN-USE.*being counted"):
        close_location(actor=SYSTEM_ACTOR, at=at, location_id=place.location_id)
    hand_in(count, at)
    close_location(actor=SYSTEM_ACTOR, at=at, location_id=place.location_id)
    with pytest.raises(Refusal, match="COUNT-LOCATION-CLOSED"):
        start(place, at)
    reopen_location(actor=SYSTEM_ACTOR, at=at, location_id=place.location_id)
    start(place, at)


def test_what_has_ended_stays_as_it_ended(app: Flask, at: datetime) -> None:
    place = make_place()
    lot = make_delivery(containers=5)
    count = start(place, at)
    with pytest.raises(Refusal, match="COUNT-NOT-HANDED-IN"):
        post(count, at, explanations={})
    hand_in(count, at, containers={lot.id: 4})
    with pytest.raises(Refusal, match="COUNT-HANDED-IN"):
        hand_in(count, at, containers={lot.id: 5})
    post(count, at)
    for again in (
        lambda: hand_in(count, at, containers={lot.id: 5}),
        lambda: post(count, at, explanations={}),
        lambda: services.abandon_count(actor=SYSTEM_ACTOR, at=at, count_id=count, reason="No"),
    ):
        with pytest.raises(Refusal, match="COUNT-ENDED"):
            again()
    assert balance_ul(lot) == 4_000


def test_differences_are_not_made_to_disappear(app: Flask, at: datetime) -> None:
    nurse = make_actor(Role.PRACTITIONER)
    place = make_place()
    lot = make_delivery(containers=9)
    count = start(place, at, actor=nurse)
    hand_in(count, at, actor=nurse, containers={lot.id: 1})
    with pytest.raises(Refusal, match="COUNT-ABANDON"):
        services.abandon_count(actor=nurse, at=at, count_id=count, reason="Never mind")
    manager = make_actor(Role.MANAGER)
    with pytest.raises(Refusal, match="NOTE-NEEDED"):
        services.abandon_count(actor=manager, at=at, count_id=count, reason=" ")
    services.abandon_count(actor=manager, at=at, count_id=count, reason="Wrong cabinet")
    assert (len(differing(count)), adjusted(lot)) == (1, [])


def test_the_same_request_twice_is_one_count(app: Flask, at: datetime) -> None:
    place = make_place()
    lot = make_delivery(containers=5)
    key = "0189c2f0-0000-7000-8000-000000000001"
    count = start(place, at)
    tally = Tally({lot.id: 4})
    first, second = (
        services.hand_in_count(actor=SYSTEM_ACTOR, at=at, request_key=key, count_id=count, tally=tally)
        for _ in range(2)
    )
    assert (first.repeated, second.repeated) == (False, True)
    assert len(differing(count)) == 1


def test_the_discrepancy_rate_of_a_period(
    app: Flask, at: datetime, at_instant: Callable[[datetime], None]
) -> None:
    place, fridge = make_place(), make_place(location="Fridge")
    lot = make_delivery(containers=10)
    other = make_delivery(containers=10, product_id=lot.product_id)
    count = start(place, at)
    hand_in(count, at, containers={lot.id: 9, other.id: 10})
    post(count, at)
    ignored = start(place, at)
    hand_in(ignored, at, containers={lot.id: 1, other.id: 1})
    services.abandon_count(actor=make_actor(Role.MANAGER), at=at, count_id=ignored, reason="Wrong cabinet")
    hour = timedelta(hours=1)
    cabinet, cold = queries.count_rates(db.session(), site_id=place.site_id, since=at - hour, until=at + hour)
    assert (cabinet.counts, cabinet.lines, cabinet.differing) == (1, 2, 1)
    assert (cabinet.differing_ul, cabinet.counted_ul) == (1_000, 19_000)
    assert (cold.location_id, cold.counts, cold.last_counted_at) == (fridge.location_id, 0, None)
    before = queries.count_rates(db.session(), site_id=place.site_id, since=at - hour, until=at)
    assert [one.counts for one in before] == [0, 0]
    assert before[0].last_counted_at == at


def test_small_losses_of_one_person_add_up_over_a_week(app: Flask, at: datetime) -> None:
    place, lot, vial = make_cabinet()
    nurse, manager = make_actor(Role.PRACTITIONER), make_actor(Role.MANAGER)

    def lose_one(left: int, when: datetime, actor: Actor, **more: Any) -> None:
        count_id = start(place, when, actor=actor)
        hand_in(count_id, when, actor=actor, containers={lot.id: left}, volumes_ul={vial.id: 10_000})
        post(count_id, when, actor=actor, **more)

    day = timedelta(days=1)
    lose_one(8, at, nurse)
    with pytest.raises(Refusal) as caught:
        lose_one(7, at + 6 * day, nurse)
    assert codes(caught) == ["COUNT-APPROVAL"]
    services.abandon_count(
        actor=manager, at=at + 6 * day, count_id=open_count(place).id, reason="Counted by another"
    )
    lose_one(7, at + 6 * day, nurse, approved_by=manager)
    lose_one(6, at + 7 * day, nurse)
    lose_one(5, at + 7 * day, make_actor(Role.PRACTITIONER))


def open_count(place: Place) -> StockCount:
    db.session.rollback()
    found = select(StockCount).where(
        StockCount.location_id == place.location_id, StockCount.closed_at.is_(None)
    )
    return db.session.scalars(found).one()
