"""The ledger under every order of acts, typed at every time: laws 1 to 4 recomputed in plain Python after each step."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from inventory.app import create_app
from inventory.catalogue.models import Product
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.stock import services, verification
from inventory.stock.ledger import Place
from inventory.stock.models import (
    Account,
    AccountKind,
    AdjustReason,
    Hold,
    HoldKind,
    Lot,
    Movement,
    Receipt,
    Vial,
    WasteReason,
)
from inventory.stock.services import Difference, Direction, Why
from tests.conftest import AT
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.staff import make_actor
from tests.factories.stock import make_delivery, make_place
from tests.properties.effort import effort
from tests.support.databases import ENGINE_KINDS, Databases, close_engines

CONTAINER_UL = 10_000
MAY_BE_REFUSED = {
    "ALREADY-REVERSED",
    "COUNT-STALE",
    "HOLD-RELEASED",
    "LOT-HELD",
    "LOT-HELD-ALREADY",
    "RECEIPT-USED",
    "STOCK-SHORT",
    "STOCK-SHORT-THEN",
    "VIAL-CLOSED",
    "VIAL-OVERFULL",
    "VIAL-USED",
    "VIAL-USED-LATER",
}
BACK = st.integers(0, 40)
"""How many minutes earlier than now an act is typed to have happened."""


class LedgerMachine(RuleBasedStateMachine):
    """One lot in two places, to which anything may happen at any past time."""

    def __init__(self, product: Product, places: list[Place]) -> None:
        super().__init__()
        self.product, self.places = product, places
        self.now = AT
        self.vials: list[UUID] = []
        self.second = make_actor(Role.MANAGER)
        self.lot = self.receive_into(places[0], 2, 0)

    def at(self) -> datetime:
        # Never on a whole minute: a typed minute sorts after what came in it, which is another test's concern.
        self.now += timedelta(minutes=1, seconds=7)
        return self.now

    def attempt(self, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except (Refusal, Refusals) as refused:
            codes = {r.code for r in getattr(refused, "refusals", [refused])}
            assert codes <= MAY_BE_REFUSED
            return None

    def receive_into(self, place: Place, containers: int, back: int) -> Lot:
        at = self.at()
        return make_delivery(
            product_id=self.product.id,
            place=place,
            lot_number=f"M{id(self)}" if not hasattr(self, "lot") else self.lot.lot_number,
            containers=containers,
            received_at=at - timedelta(minutes=back),
            at=at,
        )

    @rule(where=st.integers(0, 1), containers=st.integers(1, 3), back=BACK)
    def receive(self, where: int, containers: int, back: int) -> None:
        self.receive_into(self.places[where], containers, back)

    @rule(where=st.integers(0, 1), back=BACK)
    def open_vial(self, where: int, back: int) -> None:
        at, place = self.at(), self.places[where]
        outcome = self.attempt(
            lambda: services.open_vial(
                actor=SYSTEM_ACTOR,
                at=at,
                lot_id=self.lot.id,
                site_id=place.site_id,
                location_id=place.location_id,
                opened_at=at - timedelta(minutes=back),
            )
        )
        self.vials += [outcome.subject_id] if outcome else []

    @rule(where=st.integers(0, 1), containers=st.integers(1, 3), back=BACK)
    def waste_sealed(self, where: int, containers: int, back: int) -> None:
        at, place = self.at(), self.places[where]
        when = at - timedelta(minutes=back)
        possible = self.least_since(self.shelf(place), when) >= containers * CONTAINER_UL
        outcome = self.attempt(
            lambda: services.waste_sealed(
                actor=SYSTEM_ACTOR,
                at=at,
                lot_id=self.lot.id,
                place=place,
                containers=containers,
                why=Why(WasteReason.BROKEN),
                wasted_at=when,
            )
        )
        assert (outcome is not None) is possible

    @precondition(lambda self: self.vials)
    @rule(which=st.integers(0, 9), volume=st.integers(1, 11_000), back=BACK)
    def waste_from_vial(self, which: int, volume: int, back: int) -> None:
        at, vial_id = self.at(), self.vials[which % len(self.vials)]
        self.attempt(
            lambda: services.waste_from_vial(
                actor=SYSTEM_ACTOR,
                at=at,
                vial_id=vial_id,
                volume_ul=volume,
                why=Why(WasteReason.CONTAMINATED),
                wasted_at=at - timedelta(minutes=back),
            )
        )

    @precondition(lambda self: self.vials)
    @rule(which=st.integers(0, 9), back=BACK)
    def discard(self, which: int, back: int) -> None:
        at, vial_id = self.at(), self.vials[which % len(self.vials)]
        self.attempt(
            lambda: services.discard_vial(
                actor=SYSTEM_ACTOR,
                at=at,
                vial_id=vial_id,
                why=Why(WasteReason.CONTAMINATED),
                discarded_at=at - timedelta(minutes=back),
            )
        )

    @rule(where=st.integers(0, 1), containers=st.integers(1, 3), direction=st.sampled_from(Direction))
    def adjust_shelf(self, where: int, containers: int, direction: Direction) -> None:
        at = self.at()
        self.attempt(
            lambda: services.adjust_shelf(
                actor=SYSTEM_ACTOR,
                at=at,
                lot_id=self.lot.id,
                place=self.places[where],
                containers=containers,
                difference=Difference(direction, AdjustReason.MISCOUNTED, "Counted again", self.second),
            )
        )

    @precondition(lambda self: self.vials)
    @rule(which=st.integers(0, 9), volume=st.integers(1, 9_000), direction=st.sampled_from(Direction))
    def adjust_vial(self, which: int, volume: int, direction: Direction) -> None:
        at, vial_id = self.at(), self.vials[which % len(self.vials)]
        self.attempt(
            lambda: services.adjust_vial(
                actor=SYSTEM_ACTOR,
                at=at,
                vial_id=vial_id,
                volume_ul=volume,
                difference=Difference(direction, AdjustReason.MISCOUNTED, "Weighed", self.second),
            )
        )

    @rule(which=st.integers(0, 9))
    def reverse_receipt(self, which: int) -> None:
        at = self.at()
        receipts = db.session.scalars(
            select(Receipt.id).where(Receipt.lot_id == self.lot.id).order_by(Receipt.id)
        ).all()
        self.attempt(
            lambda: services.reverse_receipt(
                actor=SYSTEM_ACTOR, at=at, receipt_id=receipts[which % len(receipts)], reason="Typed wrongly"
            )
        )

    @precondition(lambda self: self.vials)
    @rule(which=st.integers(0, 9))
    def undo_opening(self, which: int) -> None:
        at, vial_id = self.at(), self.vials[which % len(self.vials)]
        self.attempt(
            lambda: services.undo_opening(actor=SYSTEM_ACTOR, at=at, vial_id=vial_id, reason="Never opened")
        )

    @rule()
    def hold_or_release(self) -> None:
        at = self.at()
        held = db.session.scalar(
            select(Hold.id).where(
                Hold.lot_id == self.lot.id, Hold.kind == HoldKind.HOLD, Hold.released_at.is_(None)
            )
        )
        if held:
            services.release_hold(actor=SYSTEM_ACTOR, at=at, hold_id=held, reason="Decided")
        else:
            services.hold_lot(
                actor=SYSTEM_ACTOR, at=at, lot_id=self.lot.id, kind=HoldKind.HOLD, reason="To be decided"
            )

    # ---------------------------------------------------------------------------------------------------- recomputed

    def movements(self) -> list[Movement]:
        db.session.rollback()
        return list(db.session.scalars(select(Movement).where(Movement.lot_id == self.lot.id)))

    def shelf(self, place: Place) -> int | None:
        return db.session.scalar(
            select(Account.id).where(
                Account.lot_id == self.lot.id,
                Account.location_id == place.location_id,
                Account.kind == AccountKind.SHELF,
            )
        )

    def balances(self, account_id: int | None) -> Iterator[tuple[datetime, int]]:
        """What the account held after each instant at which something moved."""
        moved = [(m.occurred_at, m.amount_ul) for m in self.movements() if m.to_id == account_id]
        moved += [(m.occurred_at, -m.amount_ul) for m in self.movements() if m.from_id == account_id]
        held = 0
        for instant, changes in groupby(sorted(moved), key=lambda change: change[0]):
            held += sum(change for _, change in changes)
            yield instant, held

    def least_since(self, account_id: int | None, when: datetime) -> int:
        history = list(self.balances(account_id))
        before = [held for instant, held in history if instant <= when]
        return min([before[-1] if before else 0, *(held for instant, held in history if instant > when)])

    @invariant()
    def laws_hold(self) -> None:
        movements = self.movements()
        accounts = db.session.scalars(
            select(Account).where(Account.lot_id == self.lot.id).execution_options(populate_existing=True)
        ).all()
        assert sum(account.balance_ul for account in accounts) == 0
        for account in accounts:
            history = list(self.balances(account.id))
            assert account.balance_ul == (history[-1][1] if history else 0)
            if account.kind in {AccountKind.SHELF, AccountKind.VIAL}:
                assert all(held >= 0 for _, held in history)
            if account.kind == AccountKind.SHELF:
                assert account.balance_ul % CONTAINER_UL == 0
        closed = select(Account.balance_ul).join(Vial, Vial.id == Account.vial_id)
        assert not any(db.session.scalars(closed.where(Vial.closed_at.is_not(None))))
        by_id = {m.id: m for m in movements}
        undone: defaultdict[int, int] = defaultdict(int)
        for m in movements:
            if m.reverses_id:
                first = by_id[m.reverses_id]
                undone[first.id] += 1
                assert (first.from_id, first.to_id, first.amount_ul) == (m.to_id, m.from_id, m.amount_ul)
        assert all(times == 1 for times in undone.values())


@pytest.mark.parametrize("kind", ENGINE_KINDS)
def test_laws_hold_whatever_happens_in_whatever_order(databases: Databases, kind: str) -> None:
    with databases.fresh(kind) as database:
        app = create_app(database.config())
        with app.app_context():
            places = [make_place(), make_place(location="Fridge")]
            product = make_multi_dose_product(at=AT, overfill_limit_ul=500)
            run_state_machine_as_test(
                lambda: LedgerMachine(product, places),
                settings=effort(6, 20),
            )
            assert list(verification.findings(db.session())) == []
        close_engines(app)
