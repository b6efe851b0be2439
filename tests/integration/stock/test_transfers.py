"""Stock on its way: sent, received once, the difference explained; an opened vial only whole; what is held stays held."""

import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.clinic.services import close_location
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.stock import ledger, queries, services, verification
from inventory.stock.ledger import Place
from inventory.stock.models import (
    Account,
    AccountKind,
    AdjustReason,
    Hold,
    HoldKind,
    Lot,
    TransferDifference,
    Vial,
    VialClosure,
    WasteReason,
)
from inventory.stock.queries.transfers import receipt_of, travels
from inventory.stock.services import Arrival, Arrived, Consignment, Difference, Direction, Why
from tests.factories.catalogue import make_multi_dose_product, make_product
from tests.factories.staff import make_actor
from tests.factories.stock import balance_ul, make_delivery, make_open_vial, make_place
from tests.factories.transfers import make_arrival, make_consignment, make_transfer

BROKEN, LOST, NOT_SENT = TransferDifference.BROKEN, TransferDifference.LOST, TransferDifference.NOT_SENT
MINUTE = timedelta(minutes=1)


@pytest.fixture
def here(app: Flask, at: datetime) -> Place:
    return make_place()


@pytest.fixture
def there(app: Flask, at: datetime) -> Place:
    return make_place(code="NORTH", location="North fridge")


def on_shelf(lot: Lot, place: Place) -> int:
    """Sealed containers of the lot at the place."""
    held = select(Account.balance_ul).where(
        Account.lot_id == lot.id,
        Account.location_id == place.location_id,
        Account.kind == AccountKind.SHELF,
    )
    return int(db.session.scalar(held) or 0) // lot.container_volume_ul


def opened(place: Place, *, containers: int = 2) -> tuple[Lot, Vial]:
    lot = make_delivery(place=place, product_id=make_multi_dose_product().id, containers=containers)
    return lot, make_open_vial(lot, place=place)


def in_vial(vial: Vial) -> int:
    db.session.rollback()
    again = queries.vial_by_id(db.session(), vial.id)
    return db.session.get_one(Account, ledger.vial_account(db.session(), again)).balance_ul


def is_well() -> bool:
    return list(verification.findings(db.session())) == []


def test_what_is_sent_is_nowhere_to_be_used_until_it_arrives(here: Place, there: Place, at: datetime) -> None:
    lot = make_delivery(place=here, containers=10)
    transfer_id = make_transfer(here, there, lot=lot, containers=4)
    assert (on_shelf(lot, here), on_shelf(lot, there)) == (6, 0)
    assert balance_ul(lot, AccountKind.TRANSIT) == 4 * lot.container_volume_ul
    make_arrival(transfer_id, 4)
    assert (on_shelf(lot, here), on_shelf(lot, there)) == (6, 4)
    assert balance_ul(lot, AccountKind.TRANSIT) == 0
    assert is_well()


def test_an_opened_vial_goes_whole_and_keeps_its_label(here: Place, there: Place, at: datetime) -> None:
    lot, vial = opened(here)
    services.waste_from_vial(
        actor=SYSTEM_ACTOR, at=at, vial_id=vial.id, volume_ul=500, why=Why(WasteReason.CONTAMINATED)
    )
    transfer_id = make_transfer(here, there, vials=(vial,))
    assert travels(db.session(), [vial.id])[vial.id].to_location == "North fridge"
    make_arrival(transfer_id, 1)
    assert in_vial(vial) == lot.container_volume_ul - 500
    moved = queries.vial_by_id(db.session(), vial.id)
    assert (moved.location_id, moved.site_id) == (there.location_id, here.site_id)
    assert travels(db.session(), [vial.id]) == {}
    assert is_well()


def test_a_vial_comes_back_to_the_account_it_had(here: Place, there: Place, at: datetime) -> None:
    lot, vial = opened(here)
    for source, target in ((here, there), (there, here)):
        make_arrival(make_transfer(source, target, vials=(vial,)), 1)
    assert in_vial(vial) == lot.container_volume_ul
    assert len(db.session.scalars(select(Account.id).where(Account.vial_id == vial.id)).all()) == 2
    assert is_well()


@pytest.mark.parametrize("difference, left_here, wasted", [(NOT_SENT, 8, 0), (BROKEN, 6, 2), (LOST, 6, 2)])
def test_what_did_not_arrive_is_where_it_was_or_is_waste(
    here: Place, there: Place, *, difference: TransferDifference, left_here: int, wasted: int
) -> None:
    lot = make_delivery(place=here, containers=10)
    make_arrival(make_transfer(here, there, lot=lot, containers=4), (2, difference))
    assert (on_shelf(lot, here), on_shelf(lot, there)) == (left_here, 2)
    assert balance_ul(lot, AccountKind.WASTE) == wasted * lot.container_volume_ul
    assert is_well()


def test_a_vial_that_broke_on_its_way_is_closed(here: Place, there: Place, at: datetime) -> None:
    lot, vial = opened(here)
    make_arrival(make_transfer(here, there, vials=(vial,)), (0, BROKEN))
    db.session.rollback()
    broken = queries.vial_by_id(db.session(), vial.id)
    assert broken.closure == VialClosure.DISCARDED
    assert balance_ul(lot, AccountKind.WASTE) == lot.container_volume_ul
    assert is_well()


def test_a_transfer_is_cancelled_by_saying_that_nothing_of_it_was_sent(
    here: Place, there: Place, at: datetime
) -> None:
    lot, vial = opened(here)
    transfer_id = make_transfer(here, there, lot=lot, vials=(vial,))
    with pytest.raises(Refusal, match="NOTE-NEEDED"):
        services.cancel_transfer(actor=SYSTEM_ACTOR, at=at, transfer_id=transfer_id, reason=" ")
    services.cancel_transfer(actor=SYSTEM_ACTOR, at=at, transfer_id=transfer_id, reason="Wrong box")
    assert on_shelf(lot, here) == 1
    assert in_vial(vial) == lot.container_volume_ul
    services.discard_vial(
        actor=SYSTEM_ACTOR, at=at + MINUTE, vial_id=vial.id, why=Why(WasteReason.CONTAMINATED)
    )
    assert is_well()


def test_a_transfer_is_received_once(here: Place, there: Place, at: datetime) -> None:
    lot = make_delivery(place=here, containers=10)
    transfer_id = make_transfer(here, there, lot=lot, containers=4)
    make_arrival(transfer_id, 4)
    with pytest.raises(Refusal, match="TRANSFER-RECEIVED"):
        make_arrival(transfer_id, 4)
    with pytest.raises(Refusal, match="TRANSFER-RECEIVED"):
        services.cancel_transfer(actor=SYSTEM_ACTOR, at=at, transfer_id=transfer_id, reason="Too late")
    assert on_shelf(lot, there) == 4


@pytest.mark.parametrize(
    "came, code",
    [
        ((5,), "TRANSFER-MORE-THAN-SENT"),
        ((3,), "TRANSFER-DIFFERENCE"),
        (((4, BROKEN),), "TRANSFER-DIFFERENCE"),
        (((-1, LOST),), "COUNT-RANGE"),
        ((4, 1), "TRANSFER-LINES"),
        ((), "TRANSFER-LINES"),
    ],
)
def test_refuses_an_arrival_that_does_not_add_up(
    here: Place, there: Place, at: datetime, came: tuple[int, ...], code: str
) -> None:
    lot = make_delivery(place=here, containers=10)
    transfer_id = make_transfer(here, there, lot=lot, containers=4)
    with pytest.raises(Refusal, match=code):
        make_arrival(transfer_id, *came)
    assert receipt_of(db.session(), transfer_id) is None
    assert balance_ul(lot, AccountKind.TRANSIT) == 4 * lot.container_volume_ul


def test_refuses_to_send_what_is_not_there(here: Place, there: Place, at: datetime) -> None:
    lot, vial = opened(here)
    other = make_place(location="Cupboard")
    wrong = {
        "STOCK-SHORT": make_consignment(here, there, lot=lot, containers=2),
        "COUNT-RANGE": make_consignment(here, there, lot=lot, containers=0),
        "TRANSFER-EMPTY": make_consignment(here, there),
        "TRANSFER-SAME-PLACE": make_consignment(here, here, lot=lot),
        "TRANSFER-TWICE": Consignment(here, there, ((lot.id, 1), (lot.id, 1))),
        "VIAL-ELSEWHERE": make_consignment(other, there, vials=(vial,)),
        "LOCATION-ELSEWHERE": make_consignment(Place(there.site_id, here.location_id), there, lot=lot),
        "TRANSFER-CLOSED": make_consignment(here, Place(here.site_id, there.location_id), lot=lot),
    }
    for code, consignment in wrong.items():
        with pytest.raises(Refusal, match=code):
            services.send_transfer(actor=SYSTEM_ACTOR, at=at, consignment=consignment)
    assert balance_ul(lot, AccountKind.TRANSIT) == 0


def test_refuses_to_send_into_a_closed_location(here: Place, there: Place, at: datetime) -> None:
    lot = make_delivery(place=here)
    close_location(actor=SYSTEM_ACTOR, at=at, location_id=there.location_id)
    with pytest.raises(Refusal, match="TRANSFER-CLOSED"):
        make_transfer(here, there, lot=lot)


def test_a_location_stays_open_while_something_may_come_to_it_or_back(
    here: Place, there: Place, at: datetime
) -> None:
    lot = make_delivery(place=here, containers=1)
    make_transfer(here, there, lot=lot)
    for place in (here, there):
        with pytest.raises(Refusal, match="LOCATION-IN-USE"):
            close_location(actor=SYSTEM_ACTOR, at=at, location_id=place.location_id)


def test_refuses_a_vial_that_is_closed_or_empty(here: Place, there: Place, at: datetime) -> None:
    lot, closed = opened(here)
    services.discard_vial(actor=SYSTEM_ACTOR, at=at, vial_id=closed.id, why=Why(WasteReason.CONTAMINATED))
    with pytest.raises(Refusal, match="VIAL-CLOSED"):
        make_transfer(here, there, vials=(closed,))
    empty = make_open_vial(lot, place=here)
    missing = Difference(Direction.MISSING, AdjustReason.MISSING, "Nothing in it", make_actor(Role.MANAGER))
    services.adjust_vial(
        actor=SYSTEM_ACTOR, at=at, vial_id=empty.id, volume_ul=lot.container_volume_ul, difference=missing
    )
    with pytest.raises(Refusal, match="VIAL-EMPTY"):
        make_transfer(here, there, vials=(empty,))


def test_nothing_is_done_with_a_vial_on_its_way(here: Place, there: Place, at: datetime) -> None:
    _, vial = opened(here)
    make_transfer(here, there, vials=(vial,))
    why, later = Why(WasteReason.CONTAMINATED), at + MINUTE
    missing = Difference(Direction.MISSING, AdjustReason.MISSING, "Gone")
    tries = (
        lambda: services.discard_vial(actor=SYSTEM_ACTOR, at=later, vial_id=vial.id, why=why),
        lambda: services.waste_from_vial(actor=SYSTEM_ACTOR, at=later, vial_id=vial.id, volume_ul=1, why=why),
        lambda: services.adjust_vial(
            actor=SYSTEM_ACTOR, at=later, vial_id=vial.id, volume_ul=1, difference=missing
        ),
        lambda: services.undo_opening(actor=SYSTEM_ACTOR, at=later, vial_id=vial.id, reason="Never"),
        lambda: make_transfer(here, make_place(location="Cupboard"), vials=(vial,), at=later),
    )
    for attempt in tries:
        with pytest.raises(Refusal, match=r"VIAL-ON-ITS-WAY: .*North fridge, North Street.*MAIN-000001"):
            attempt()
    found = queries.on_hand(db.session(), site_id=here.site_id, on=date(2026, 3, 16))
    assert not any(one.vial for one in found)


def test_it_was_not_there_before_it_came_nor_after_it_left(here: Place, there: Place, at: datetime) -> None:
    lot = make_delivery(place=here, containers=2, at=at)
    now = at + timedelta(hours=2)
    with clock.frozen(now), pytest.raises(Refusal, match="STOCK-SHORT-THEN"):
        make_transfer(here, there, lot=lot, at=now, sent_at=at - timedelta(hours=1))
    transfer_id = make_transfer(here, there, lot=lot, containers=2, at=now, sent_at=at + MINUTE)
    for received_at, code in ((at, "TRANSFER-TIME"), (now + MINUTE, "TIME-FUTURE")):
        with pytest.raises(Refusal, match=code):
            make_arrival(transfer_id, 2, at=now, received_at=received_at)
    make_arrival(transfer_id, 2, at=now, received_at=at + timedelta(hours=1))
    with pytest.raises(Refusal, match="STOCK-SHORT"):
        services.waste_sealed(
            actor=SYSTEM_ACTOR,
            at=now,
            lot_id=lot.id,
            place=here,
            containers=1,
            why=Why(WasteReason.BROKEN),
            wasted_at=at + timedelta(minutes=30),
        )
    with pytest.raises(Refusal, match="STOCK-SHORT-THEN"):
        services.waste_sealed(
            actor=SYSTEM_ACTOR,
            at=now,
            lot_id=lot.id,
            place=there,
            containers=1,
            why=Why(WasteReason.BROKEN),
            wasted_at=at + timedelta(minutes=30),
        )
    assert is_well()


def test_a_typed_minute_sorts_after_the_sending_of_that_minute(
    here: Place, there: Place, at: datetime
) -> None:
    sent_at = at + timedelta(minutes=5, seconds=42)
    lot = make_delivery(place=here, containers=2, at=at)
    transfer_id = make_transfer(here, there, lot=lot, at=sent_at)
    make_arrival(transfer_id, 1, at=at + timedelta(hours=1), received_at=at + timedelta(minutes=5))
    assert on_shelf(lot, there) == 1


def test_refuses_a_vial_that_was_used_after_it_is_said_to_have_left(
    here: Place, there: Place, at: datetime
) -> None:
    _, vial = opened(here)
    later = at + timedelta(minutes=10)
    services.waste_from_vial(
        actor=SYSTEM_ACTOR, at=later, vial_id=vial.id, volume_ul=100, why=Why(WasteReason.CONTAMINATED)
    )
    with pytest.raises(Refusal, match="VIAL-USED-LATER"):
        make_transfer(here, there, vials=(vial,), at=later + MINUTE, sent_at=at + MINUTE)


def test_a_move_within_the_site_is_one_act(here: Place, there: Place, at: datetime) -> None:
    lot, vial = opened(here)
    fridge = make_place(location="Fridge")
    services.move_stock(
        actor=SYSTEM_ACTOR, at=at, consignment=make_consignment(here, fridge, lot=lot, vials=(vial,))
    )
    assert (on_shelf(lot, here), on_shelf(lot, fridge)) == (0, 1)
    assert in_vial(vial) == lot.container_volume_ul
    with pytest.raises(Refusal, match="TRANSFER-TWO-STEPS"):
        services.move_stock(actor=SYSTEM_ACTOR, at=at, consignment=make_consignment(fridge, there, lot=lot))
    assert is_well()


def test_a_hold_is_not_escaped_by_moving(here: Place, there: Place, at: datetime) -> None:
    lot, vial = opened(here, containers=3)
    services.hold_lot(
        actor=SYSTEM_ACTOR,
        at=at,
        lot_id=lot.id,
        kind=HoldKind.TEMPERATURE,
        reason="Fridge was open",
        location_id=here.location_id,
    )
    make_arrival(make_transfer(here, there, lot=lot, vials=(vial,)), 1, 1, at=at + MINUTE)
    for vial_id in (None, vial.id):
        kinds = queries.active_hold_kinds(
            db.session(), lot_id=lot.id, location_id=there.location_id, at=at + MINUTE, vial_id=vial_id
        )
        assert HoldKind.TEMPERATURE in kinds
    clean = make_place(code="NORTH", location="Clean")
    make_delivery(
        place=clean, product_id=lot.product_id, lot_number=lot.lot_number, expires_on=lot.expires_on
    )
    with pytest.raises(Refusal, match="TRANSFER-HELD"):
        make_transfer(here, clean, lot=lot)


def test_a_hold_that_went_along_for_nothing_is_released(here: Place, there: Place, at: datetime) -> None:
    lot = make_delivery(place=here)
    services.hold_lot(
        actor=SYSTEM_ACTOR,
        at=at,
        lot_id=lot.id,
        kind=HoldKind.HOLD,
        reason="Doubtful",
        location_id=here.location_id,
    )
    transfer_id = make_transfer(here, there, lot=lot)
    services.cancel_transfer(actor=SYSTEM_ACTOR, at=at + MINUTE, transfer_id=transfer_id, reason="Stays")
    standing = db.session.scalars(select(Hold).where(Hold.released_at.is_(None))).all()
    assert [hold.location_id for hold in standing] == [here.location_id]


def test_recalled_and_expired_stock_may_be_moved_and_stays_what_it_is(
    here: Place, there: Place, at: datetime
) -> None:
    lot = make_delivery(place=here, expires_on=date(2026, 3, 20))
    services.hold_lot(
        actor=SYSTEM_ACTOR, at=at, lot_id=lot.id, kind=HoldKind.RECALL, reason="Notice 1 of the maker"
    )
    with clock.frozen(at + timedelta(days=10)):
        make_arrival(make_transfer(here, there, lot=lot), 1)
        kinds = queries.active_hold_kinds(
            db.session(), lot_id=lot.id, location_id=there.location_id, at=clock.now()
        )
    assert kinds == (HoldKind.RECALL,)


def test_a_loss_on_the_way_is_witnessed_where_the_product_asks(
    here: Place, there: Place, at: datetime
) -> None:
    product = make_product(waste_witness_reasons=frozenset({"lost"}))
    lot = make_delivery(place=here, product_id=product.id)
    arrival = Arrival((Arrived(1, 0, LOST, "The box was empty"),))
    transfer_id = make_transfer(here, there, lot=lot)
    with pytest.raises(Refusal, match="WITNESS-NEEDED"):
        services.receive_transfer(actor=SYSTEM_ACTOR, at=at, transfer_id=transfer_id, arrival=arrival)


def at_once(app: Flask, *acts: Callable[[], object]) -> list[str]:
    """Carry out acts side by side; return what became of each, refusals by code."""
    db.session.rollback()
    start, ends = threading.Barrier(len(acts)), []

    def run(act: Callable[[], object]) -> None:
        with app.app_context():
            start.wait(timeout=10)
            try:
                act()
                ends.append("done")
            except Refusal as refusal:
                ends.append(refusal.code)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return sorted(ends)


def test_two_who_receive_at_once_are_one_receipt_and_one_refusal(
    app: Flask, here: Place, there: Place
) -> None:
    lot = make_delivery(place=here, containers=2)
    transfer_id = make_transfer(here, there, lot=lot, containers=2)
    receive = partial(make_arrival, transfer_id, 2)
    assert at_once(app, receive, receive) == ["TRANSFER-RECEIVED", "done"]
    assert on_shelf(lot, there) == 2
    assert is_well()


def test_two_who_send_the_last_one_at_once_are_one_transfer_and_one_refusal(
    app: Flask, here: Place, there: Place
) -> None:
    # Made here: a lot that both threads read would be loaded again by the session of this one.
    consignment = make_consignment(here, there, lot=make_delivery(place=here, containers=1))
    send = partial(services.send_transfer, actor=SYSTEM_ACTOR, at=clock.now(), consignment=consignment)
    assert at_once(app, send, send) == ["STOCK-SHORT", "done"]
    assert is_well()


def test_a_vial_that_is_sent_and_discarded_at_once_is_one_of_both(
    app: Flask, here: Place, there: Place
) -> None:
    _, vial = opened(here)
    discard = partial(
        services.discard_vial, actor=SYSTEM_ACTOR, vial_id=vial.id, why=Why(WasteReason.CONTAMINATED)
    )
    ends = at_once(app, partial(make_transfer, here, there, vials=(vial,)), lambda: discard(at=clock.now()))
    assert ends in (["VIAL-CLOSED", "done"], ["VIAL-ON-ITS-WAY", "done"])
    assert is_well()


def test_the_same_request_twice_sends_once(here: Place, there: Place, at: datetime) -> None:
    lot = make_delivery(place=here, containers=10)
    consignment = make_consignment(here, there, lot=lot, containers=4)
    sent = [
        services.send_transfer(actor=SYSTEM_ACTOR, at=at, request_key="one-form", consignment=consignment)
        for _ in range(2)
    ]
    assert sent[0].subject_id == sent[1].subject_id
    assert sent[1].repeated
    assert on_shelf(lot, here) == 6
