"""Doses, voids and amendments while vials and containers travel: nothing is lost on the way, whatever is written down when."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import func, select

from inventory.app import create_app
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.stock import queries
from inventory.stock.ledger import Place
from inventory.stock.models import (
    Account,
    AccountKind,
    TransferDifference,
    TransferLine,
    TransferReceipt,
    Vial,
)
from inventory.stock.queries.transfers import lines_of
from inventory.stock.services import (
    Arrival,
    Arrived,
    Consignment,
    cancel_transfer,
    move_stock,
    receive_transfer,
    send_transfer,
)
from tests.conftest import AT
from tests.factories.doses import Bench
from tests.factories.stock import make_place
from tests.properties.test_doses import MAY_BE_REFUSED, DoseMachine
from tests.support.databases import ENGINE_KINDS, Databases, close_engines

BACK = st.integers(0, 20)
DIFFERENCES = st.sampled_from(TransferDifference)


class MovingMachine(DoseMachine):
    """The same shelf, a fridge beside it and another site: whatever is open or sealed may be sent, received, moved, cancelled."""

    may_be_refused = frozenset(
        MAY_BE_REFUSED
        | {"VIAL-ON-ITS-WAY", "VIAL-EMPTY", "VIAL-USED-LATER", "TRANSFER-TIME", "VIAL-NOT-OPEN-THEN"}
    )

    def __init__(self, fresh: Callable[[], Any]) -> None:
        self.opened = fresh()
        self.app = create_app(self.opened.__enter__().config())
        self.context = self.app.app_context()
        self.context.push()
        with clock.frozen(AT):
            super().__init__(Bench())
            self.places = [
                self.bench.place,
                make_place(location="Fridge"),
                make_place(code="NORTH", location="North fridge"),
            ]

    def teardown(self) -> None:
        self.context.pop()
        close_engines(self.app)
        self.opened.__exit__(None, None, None)

    def under_way(self) -> list[UUID]:
        db.session.rollback()
        ended = select(TransferReceipt.transfer_id)
        sent = select(TransferLine.transfer_id).where(TransferLine.transfer_id.not_in(ended)).distinct()
        return sorted(db.session.scalars(sent))

    def place_of(self, vial: Vial) -> Place:
        return next(place for place in self.places if place.location_id == vial.location_id)

    def send(self, consignment: Consignment, back: int, *, at_once: bool) -> None:
        is_near = consignment.source.site_id == consignment.target.site_id
        common: dict[str, Any] = {"actor": self.bench.nurse, "consignment": consignment}
        when = self.now - timedelta(minutes=back)
        if at_once and is_near:
            self.attempt(lambda: move_stock(at=clock.now(), moved_at=when, **common))
        else:
            self.attempt(lambda: send_transfer(at=clock.now(), sent_at=when, **common))
        self.undoable = None

    @precondition(lambda self: self.open_vials())
    @rule(where=st.integers(0, 2), back=BACK, at_once=st.booleans(), data=st.data())
    def send_vial(self, where: int, back: int, *, at_once: bool, data: st.DataObject) -> None:
        vial = data.draw(st.sampled_from(self.open_vials()))
        source, target = self.place_of(vial), self.places[where]
        if source != target:
            self.send(Consignment(source, target, (), (vial.id,)), back, at_once=at_once)

    @rule(which=st.integers(0, 1), where=st.integers(1, 2), back=BACK, at_once=st.booleans())
    def send_sealed(self, which: int, where: int, back: int, *, at_once: bool) -> None:
        lot_id = self.lots[which].id
        consignment = Consignment(self.places[0], self.places[where], ((lot_id, 1),))
        self.send(consignment, back, at_once=at_once)

    @precondition(lambda self: self.under_way())
    @rule(all_came=st.booleans(), difference=DIFFERENCES, back=BACK, data=st.data())
    def receive(
        self, back: int, *, all_came: bool, difference: TransferDifference, data: st.DataObject
    ) -> None:
        transfer_id = data.draw(st.sampled_from(self.under_way()))
        lines = tuple(
            Arrived(line.position, line.containers or 1)
            if all_came
            else Arrived(line.position, 0, difference)
            for line in lines_of(db.session(), transfer_id)
        )
        arrival = Arrival(lines, self.now - timedelta(minutes=back))
        self.attempt(
            lambda: receive_transfer(
                actor=self.bench.nurse, at=clock.now(), transfer_id=transfer_id, arrival=arrival
            )
        )
        self.undoable = None

    @precondition(lambda self: self.under_way())
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        transfer_id = data.draw(st.sampled_from(self.under_way()))
        self.attempt(
            lambda: cancel_transfer(
                actor=self.bench.nurse, at=clock.now(), transfer_id=transfer_id, reason="Tried"
            )
        )
        self.undoable = None

    @invariant()
    def what_travels_is_in_transit(self) -> None:
        db.session.rollback()
        transit = select(func.sum(Account.balance_ul)).where(Account.kind == AccountKind.TRANSIT)
        sent = select(func.sum(TransferLine.amount_ul)).where(TransferLine.transfer_id.in_(self.under_way()))
        assert int(db.session.scalar(transit) or 0) == int(db.session.scalar(sent) or 0)

    @invariant()
    def an_open_vial_is_where_its_volume_is(self) -> None:
        for vial in self.open_vials():
            found = queries.vial_by_id(db.session(), vial.id)
            elsewhere = select(func.sum(Account.balance_ul)).where(
                Account.vial_id == vial.id, Account.location_id != found.location_id
            )
            assert not db.session.scalar(elsewhere)


@pytest.mark.parametrize("kind", ENGINE_KINDS)
def test_doses_and_transfers_in_any_order_keep_the_ledger_whole(databases: Databases, kind: str) -> None:
    run_state_machine_as_test(
        lambda: MovingMachine(lambda: databases.fresh(kind)),
        settings=settings(
            max_examples=12,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
