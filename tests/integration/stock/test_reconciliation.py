"""What came, went and is left over a period, and what a reader must be told of it; on both databases."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from inventory.clinic.models import Site
from inventory.clinic.settings import Settings
from inventory.doses.services import correct_lot
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.stock import services
from inventory.stock.ledger import Place
from inventory.stock.models import AdjustReason, HoldKind, Lot, Receipt, TransferDifference, WasteReason
from inventory.stock.queries.reconciled import Reconciliation, reconciliation_of
from inventory.stock.queries.reconciliation import LotRow, Scope, ScopeSite
from inventory.stock.reconciling import Column, Noted, Topic
from inventory.stock.services import Difference, Direction, Why
from inventory.stock.services.correcting import Correction
from tests.conftest import AT
from tests.factories.catalogue import make_formulation, make_multi_dose_product
from tests.factories.merges import make_twins, merge
from tests.factories.staff import make_actor
from tests.factories.stock import make_delivery, make_open_vial, make_place
from tests.factories.transfers import make_arrival, make_transfer

TODAY = AT.date()
C = Column
AtInstant = Callable[[datetime], AbstractContextManager[None]]


@pytest.fixture
def place(app: Flask, at: datetime) -> Place:
    return make_place()


def reconciled(
    first: date = TODAY,
    last: date | None = None,
    *,
    at: datetime = AT,
    codes: tuple[str, ...] = (),
    **rest: Any,
) -> Reconciliation:
    db.session.rollback()
    settings = rest.pop("settings", Settings())
    sites = db.session.scalars(select(Site).order_by(Site.code))
    chosen = tuple(ScopeSite(s.id, s.code, s.name, s.time_zone) for s in sites if s.code in (codes or s.code))
    scope = Scope(chosen, first, last or first, **rest)
    return reconciliation_of(db.session(), scope, settings=settings, at=at)


def only(found: Reconciliation) -> LotRow:
    assert found.agrees
    (row,) = found.rows
    return row


def of(found: Reconciliation, topic: Topic) -> list[Noted]:
    return [one for one in found.noted if one.topic is topic]


def multi(place: Place, containers: int = 3, **rest: Any) -> Lot:
    product = make_multi_dose_product(overfill_limit_ul=1_000)
    return make_delivery(place=place, product_id=product.id, containers=containers, **rest)


def test_day_of_a_vial_closes_in_every_part(place: Place) -> None:
    lot = multi(place)
    vial = make_open_vial(lot, place=place)
    later = AT + timedelta(minutes=1)
    services.adjust_vial(
        actor=SYSTEM_ACTOR,
        at=later,
        vial_id=vial.id,
        volume_ul=300,
        difference=Difference(Direction.FOUND, AdjustReason.OVERFILL, "As the maker says"),
    )
    services.waste_from_vial(
        actor=SYSTEM_ACTOR, at=later, vial_id=vial.id, volume_ul=100, why=Why(WasteReason.DEAD_SPACE)
    )
    row = only(reconciled(at=later))
    assert (row.sums.opening_ul, row.sums.closing_ul) == (0, 30_200)
    assert dict(+row.sums.moved) == {C.RECEIVED: 30_000, C.OVERFILL: 300, C.WASTED: 100}
    assert row.sums.reasons(C.WASTED) == [("dead_space", 100)]
    sealed, opened = row.parts
    assert (sealed.sums.moved[C.OPENED], sealed.sums.closing_ul) == (-10_000, 20_000)
    assert (opened.label, opened.sums.moved[C.OPENED], opened.sums.closing_ul) == (1, 10_000, 10_200)


def test_next_day_opens_with_what_the_day_closed_with(place: Place) -> None:
    make_open_vial(multi(place), place=place)
    tomorrow = TODAY + timedelta(days=1)
    row = only(reconciled(tomorrow, at=AT + timedelta(days=1)))
    assert (row.sums.opening_ul, row.sums.closing_ul) == (30_000, 30_000)
    assert [part.sums.opening_ul for part in row.parts] == [20_000, 10_000]
    assert not any(row.sums.moved.values())


def test_past_period_is_told_as_it_was(place: Place) -> None:
    lot = multi(place)
    with_more = AT + timedelta(days=2)
    make_delivery(
        product_id=lot.product_id, lot_number=lot.lot_number, place=place, containers=5, at=with_more
    )
    assert only(reconciled(at=with_more)).sums.closing_ul == 30_000
    assert reconciled(TODAY - timedelta(days=9), at=with_more).rows == []


def test_single_dose_containers_are_told_together(place: Place) -> None:
    lot = make_delivery(place=place, containers=5)
    services.waste_sealed(
        actor=SYSTEM_ACTOR, at=AT, lot_id=lot.id, place=place, containers=2, why=Why(WasteReason.BROKEN)
    )
    row = only(reconciled())
    assert [part.is_opened for part in row.parts] == [False]
    assert row.sums.moved[C.WASTED] == 2_000


def test_receipt_reversed_the_day_after_is_negative_then(place: Place) -> None:
    lot = multi(place)
    receipt = db.session.scalars(select(Receipt)).one()
    later = AT + timedelta(days=1)
    services.reverse_receipt(actor=SYSTEM_ACTOR, at=later, receipt_id=receipt.id, reason="Not ours")
    assert only(reconciled(at=later)).sums.moved[C.RECEIVED] == 30_000
    found = reconciled(later.date(), at=later)
    assert only(found).sums.moved[C.RECEIVED] == -30_000
    (told,) = of(found, Topic.REVERSED)
    assert (told.lot_id, told.undone, told.amount_ul, told.note) == (lot.id, "receive", -30_000, "Not ours")


def test_each_site_has_its_own_days(place: Place) -> None:
    """At 09:30 UTC it is evening in Auckland; at 12:30 it is the next day there, and not in London."""
    east = make_place(code="EAST", zone="Pacific/Auckland")
    product = make_multi_dose_product()
    for where in (place, east):
        for hours in (0, 3):
            make_delivery(
                product_id=product.id,
                place=where,
                lot_number="ONE",
                containers=1,
                at=AT + timedelta(hours=hours),
            )
    found = reconciled(at=AT + timedelta(hours=4))
    assert {row.site_code: row.sums.moved[C.RECEIVED] for row in found.rows} == {
        "EAST": 10_000,
        "MAIN": 20_000,
    }
    assert reconciled(at=AT + timedelta(hours=4), codes=("EAST",)).whole.closing_ul == 10_000


def test_filters_by_formulation_and_lot(place: Place) -> None:
    other = make_formulation(name="Hydroxocobalamin")
    first, second = (
        multi(place),
        make_delivery(place=place, product_id=make_multi_dose_product(formulation_id=other).id),
    )
    assert only(reconciled(formulation_id=other)).lot_id == second.id
    assert only(reconciled(lot_ids=(first.id,))).lot_id == first.id


def test_transfer_is_out_here_and_in_there_and_apart_on_its_way(place: Place) -> None:
    lot, east = multi(place, 5), make_place(code="EAST", zone="Pacific/Auckland")
    vial = make_open_vial(lot, place=place)
    sent = make_transfer(place, east, lot=lot, containers=3, vials=(vial,), at=AT)
    under_way = reconciled(codes=("MAIN",))
    assert only(under_way).sums.moved[C.TRANSFERRED_OUT] == 40_000
    assert under_way.transit.closing_ul == under_way.transit.sent_ul == 40_000
    assert of(under_way, Topic.ON_ITS_WAY) == []
    later = AT + timedelta(days=8)
    day = later.date()
    overdue = reconciled(day, at=later)
    assert [one.amount_ul for one in of(overdue, Topic.ON_ITS_WAY)] == [40_000]
    assert overdue.transit.opening_ul == overdue.transit.closing_ul == 40_000
    make_arrival(sent, (2, TransferDifference.BROKEN), 1, at=later)
    found = reconciled(day, at=later + timedelta(minutes=1))
    main, there = [row for row in found.rows if row.site_code == "MAIN"], found.rows[0]
    assert main[0].sums.opening_ul == main[0].sums.closing_ul == 10_000
    assert there.sums.moved[C.TRANSFERRED_IN] == 30_000
    assert {part.label for part in there.vials} == {1}
    assert found.agrees
    assert (found.transit.arrived_ul, found.transit.lost_ul, found.transit.closing_ul) == (30_000, 10_000, 0)
    assert of(found, Topic.ON_ITS_WAY) == []


def test_what_arrives_arrives_on_a_day_of_the_site_that_receives_it(place: Place) -> None:
    """At 12:30 UTC it is the next day in Auckland, and not in London: what came is there or on its way, never both or neither."""
    lot, east = multi(place, 5), make_place(code="EAST", zone="Pacific/Auckland")
    sent = make_transfer(place, east, lot=lot, containers=3, at=AT)
    make_arrival(sent, 3, at=AT + timedelta(hours=3))
    for day in (TODAY, TODAY + timedelta(days=1)):
        found = reconciled(day, at=AT + timedelta(days=3))
        assert found.agrees
        assert found.whole.closing_ul + found.transit.closing_ul == 50_000
        assert found.transit.arrived_ul == found.whole.moved.get(C.TRANSFERRED_IN, 0)
    assert reconciled(codes=("MAIN",), at=AT + timedelta(days=3)).transit.arrived_ul == 30_000


@pytest.mark.parametrize("code", ["MAIN", "EAST"])
def test_vial_lost_on_the_way_is_told_where_it_was_sent_and_where_it_was_awaited(
    place: Place, code: str
) -> None:
    lot, east = multi(place), make_place(code="EAST")
    vial = make_open_vial(lot, place=place)
    sent = make_transfer(place, east, lot=lot, containers=1, vials=(vial,), at=AT)
    make_arrival(sent, 1, (0, TransferDifference.LOST, "Not in the box"), at=AT)
    found = reconciled(codes=(code,))
    (told,) = of(found, Topic.LOST_UNDERWAY)
    assert (told.lot_id, told.label, told.amount_ul, told.note) == (lot.id, 1, -10_000, "Not in the box")
    assert (told.site_code, told.number, told.kind, told.place) == ("MAIN", 1, "lost", "to Cabinet")
    if code == "MAIN":
        (way,) = found.ways
        assert (way.lot_number, way.sums.moved[C.WASTED], way.sums.difference_ul) == (
            lot.lot_number,
            10_000,
            0,
        )
    assert of(reconciled(TODAY + timedelta(days=1), at=AT + timedelta(days=1)), Topic.LOST_UNDERWAY) == []
    assert of(reconciled(lot_ids=(vial.id,)), Topic.LOST_UNDERWAY) == []


def test_stock_of_two_numbers_of_one_lot_is_neither_lost_nor_found(place: Place) -> None:
    wrong, right = make_twins(make_multi_dose_product(), place=place, containers=2)
    make_open_vial(wrong, place=place)
    merge(make_actor(Role.MANAGER), wrong, right, at=AT)
    found = reconciled()
    moved = {row.lot_number: dict(+row.sums.moved) for row in found.rows}
    assert moved == {
        "TYP0": {C.RECEIVED: 20_000, C.WENT_OVER: 20_000},
        "TYPO": {C.RECEIVED: 20_000, C.CAME_OVER: 20_000},
    }
    assert found.agrees
    assert found.whole.moved[C.CAME_OVER] == found.whole.moved[C.WENT_OVER]


def test_vial_of_a_lot_that_was_corrected_to_expire_sooner_is_past_its_use_by(place: Place) -> None:
    lot = multi(place)
    make_open_vial(lot, place=place)
    manager = make_actor(Role.MANAGER)
    sooner = Correction(
        lot_id=lot.id,
        lot_number=lot.lot_number,
        expires_on=TODAY + timedelta(days=2),
        reason="Misread",
        approved_by=manager,
    )
    correct_lot(actor=manager, at=AT, correction=sooner)
    later = AT + timedelta(days=3)
    (noted,) = of(reconciled(later.date(), at=later), Topic.PAST_USE_BY)
    assert noted.use_by_on == TODAY + timedelta(days=2)


def test_vial_that_came_back_is_one_row(place: Place) -> None:
    lot, fridge = multi(place), make_place(location="Fridge")
    vial = make_open_vial(lot, place=place)
    for minutes, (source, target) in enumerate([(place, fridge), (fridge, place)], start=1):
        at = AT + timedelta(minutes=minutes)
        make_arrival(make_transfer(source, target, vials=(vial,), at=at), 1, at=at)
    row = only(reconciled(at=AT + timedelta(hours=1)))
    (opened,) = row.vials
    assert opened.sums.moved[C.TRANSFERRED_IN] == opened.sums.moved[C.TRANSFERRED_OUT] == 20_000
    assert opened.sums.closing_ul == 10_000


def test_differences_without_a_cause_stand_in_the_headline(place: Place) -> None:
    lot, second = multi(place), make_actor(Role.MANAGER)
    for direction, reason, containers in (
        (Direction.MISSING, AdjustReason.MISSING, 2),
        (Direction.FOUND, AdjustReason.FOUND, 1),
        (Direction.FOUND, AdjustReason.OPENING_BALANCE, 1),
    ):
        services.adjust_shelf(
            actor=SYSTEM_ACTOR,
            at=AT,
            lot_id=lot.id,
            place=place,
            containers=containers,
            difference=Difference(direction, reason, "Looked again", approved_by=second),
        )
    found = reconciled()
    whole = found.whole
    assert (whole.unexplained, whole.unexplained_found_ul, whole.unexplained_lost_ul) == (2, 10_000, 20_000)
    assert whole.moved[C.FOUND] == 20_000
    assert [one.amount_ul for one in of(found, Topic.UNEXPLAINED)] == [-20_000, 10_000]
    assert [(one.reason, one.by) for one in of(found, Topic.EXPLAINED)] == [
        ("opening_balance", "Command line")
    ]


def test_waste_is_told_by_its_witness_where_one_was_asked(place: Place) -> None:
    lot, witness = multi(place), make_actor(Role.MANAGER, display_name="Wilma Witness")
    for why in (Why(WasteReason.BROKEN), Why(WasteReason.SAMPLE, witness_id=witness.id)):
        services.waste_sealed(actor=SYSTEM_ACTOR, at=AT, lot_id=lot.id, place=place, containers=1, why=why)
    assert of(reconciled(), Topic.UNWITNESSED) == []
    found = reconciled(settings=Settings(waste_witness_reasons=("broken",)))
    assert [one.reason for one in of(found, Topic.UNWITNESSED)] == ["broken"]
    assert [one.witness for one in of(found, Topic.WITNESSED)] == ["Wilma Witness"]


def test_what_was_recorded_after_the_period_is_told(place: Place) -> None:
    lot = multi(place)
    later = AT + timedelta(days=1)
    services.waste_sealed(
        actor=SYSTEM_ACTOR,
        at=later,
        lot_id=lot.id,
        place=place,
        containers=1,
        why=Why(WasteReason.BROKEN),
        wasted_at=AT + timedelta(hours=1),
    )
    make_delivery(
        product_id=lot.product_id,
        lot_number=lot.lot_number,
        place=place,
        containers=1,
        received_at=AT + timedelta(hours=2),
        at=later,
    )
    found = reconciled(at=later)
    assert only(found).sums.moved[C.WASTED] == 10_000
    told = [(late.kind, late.amount_ul, late.recorded_at) for late in of(found, Topic.LATE)]
    assert told == [("waste", -10_000, later), ("receive", 10_000, later)]
    assert of(reconciled(TODAY, TODAY + timedelta(days=1), at=later), Topic.LATE) == []


def test_holds_and_old_vials_are_told_as_they_stood(place: Place) -> None:
    lot = multi(place)
    vial = make_open_vial(lot, place=place)
    services.hold_lot(actor=SYSTEM_ACTOR, at=AT, lot_id=lot.id, kind=HoldKind.HOLD, reason="Looks cloudy")
    assert [one.note for one in of(reconciled(), Topic.HELD)] == ["Looks cloudy"]
    assert of(reconciled(), Topic.PAST_USE_BY) == []
    after_use = AT + timedelta(days=29)
    found = reconciled(after_use.date(), at=after_use)
    assert [one.label for one in of(found, Topic.PAST_USE_BY)] == [1]
    discarded = after_use + timedelta(days=1)
    services.discard_vial(actor=SYSTEM_ACTOR, at=discarded, vial_id=vial.id, why=Why(WasteReason.PAST_USE_BY))
    assert [one.label for one in of(reconciled(after_use.date(), at=discarded), Topic.PAST_USE_BY)] == [1]
    assert of(reconciled(discarded.date(), at=discarded), Topic.PAST_USE_BY) == []


def test_hold_of_a_lot_that_is_used_up_is_not_told(place: Place) -> None:
    lot = multi(place, 1)
    services.waste_sealed(
        actor=SYSTEM_ACTOR, at=AT, lot_id=lot.id, place=place, containers=1, why=Why(WasteReason.BROKEN)
    )
    services.hold_lot(actor=SYSTEM_ACTOR, at=AT, lot_id=lot.id, kind=HoldKind.HOLD, reason="Too late")
    assert of(reconciled(), Topic.HELD) == []


def test_asks_the_same_few_statements_however_many_lots(place: Place) -> None:
    for _ in range(2):
        multi(place)
    few = statements()
    for _ in range(4):
        make_open_vial(multi(place), place=place)
    assert statements() == few <= 10


def statements() -> int:
    sent: list[str] = []

    def told(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", told)
    try:
        reconciled()
    finally:
        event.remove(db.engine, "before_cursor_execute", told)
    return len(sent) - 1  # the sites
