"""Doses, voids and amendments while lots are corrected and merged: the ledger stays whole, and nothing is lost on the way over."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select

from inventory.app import create_app
from inventory.doses.services import correct_lot
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.permissions import Actor, Role
from inventory.stock import queries
from inventory.stock.models import Account, AccountKind, Hold, HoldKind
from inventory.stock.queries import corrections
from inventory.stock.services import hold_lot, release_hold
from inventory.stock.services.correcting import Correction, RightExpiry
from tests.conftest import AT
from tests.factories.doses import Bench
from tests.factories.staff import make_actor
from tests.factories.stock import make_delivery
from tests.properties.test_doses import MAY_BE_REFUSED, DoseMachine
from tests.support.databases import ENGINE_KINDS, Databases, close_engines

DAYS = st.integers(-3, 300)
RIGHT = st.sampled_from(RightExpiry)
LATE = {"LOT-EXPIRED", "LOT-HELD", "LOT-RECALLED", "LOT-MERGED"}


class CorrectingMachine(DoseMachine):
    """The same shelf, whose lots turn out to be mistyped, to expire on another day, or to be one lot under two numbers."""

    may_be_refused = frozenset(
        MAY_BE_REFUSED | LATE | {"LOT-UNCHANGED", "LOT-HELD-ALREADY", "VIAL-PAST-USE-BY"}
    )

    def __init__(self, fresh: Callable[[], Any]) -> None:
        self.opened = fresh()
        self.app = create_app(self.opened.__enter__().config())
        self.context = self.app.app_context()
        self.context.push()
        with clock.frozen(AT):
            super().__init__(Bench())
            self.manager: Actor = make_actor(Role.MANAGER)
        self.typed = 0

    def teardown(self) -> None:
        self.context.pop()
        close_engines(self.app)
        self.opened.__exit__(None, None, None)

    def on_hand(self) -> dict[UUID, int]:
        """Return what there is of each product, sealed or open, in microlitres."""
        db.session.rollback()
        kept = Account.kind.in_((AccountKind.SHELF, AccountKind.VIAL))
        found = select(func.sum(Account.balance_ul)).where(kept)
        return {lot.product_id: self._of(found, lot.product_id) for lot in self.lots}

    def _of(self, found: Any, product_id: UUID) -> int:
        lots = [lot.id for lot in queries.lots_page(db.session()).items if lot.product_id == product_id]
        return int(db.session.scalar(found.where(Account.lot_id.in_(lots))) or 0)

    def correct(self, lot_id: UUID, **said: Any) -> Any:
        db.session.rollback()
        lot = queries.lot_by_id(db.session(), lot_id)
        usual = {"lot_number": lot.lot_number, "expires_on": lot.expires_on}
        correction = Correction(lot_id=lot_id, reason="Tried", approved_by=self.manager, **{**usual, **said})
        self.undoable = None
        return self.attempt(lambda: correct_lot(actor=self.manager, at=clock.now(), correction=correction))

    @rule(which=st.integers(0, 1), days=DAYS)
    def another_expiry(self, which: int, days: int) -> None:
        self.correct(self.lots[which].id, expires_on=AT.date() + timedelta(days=days))

    @rule(which=st.integers(0, 1))
    def another_number(self, which: int) -> None:
        self.typed += 1
        self.correct(self.lots[which].id, lot_number=f"TYPED{self.typed}")

    @rule(which=st.integers(0, 1), days=DAYS, right=RIGHT)
    def two_numbers_of_one_lot(self, which: int, days: int, right: RightExpiry) -> None:
        """Another delivery is received under another number, and the first lot turns out to be that one."""
        wrong = self.lots[which]
        with clock.frozen(self.at()):
            twin = make_delivery(place=self.bench.place, product_id=wrong.product_id, containers=1)
        number, before = twin.lot_number, self.on_hand()
        done = self.correct(
            wrong.id,
            lot_number=number,
            merge_with=twin.id,
            right_expiry=right,
            expires_on=AT.date() + timedelta(days=days),
        )
        assert done is not None
        assert self.on_hand() == before, "what goes over is all there was"
        self.lots[which] = queries.lot_by_id(db.session(), twin.id)

    @rule(which=st.integers(0, 1), kind=st.sampled_from([HoldKind.HOLD, HoldKind.TEMPERATURE]))
    def hold(self, which: int, kind: HoldKind) -> None:
        lot_id = self.lots[which].id
        self.attempt(
            lambda: hold_lot(actor=self.manager, at=clock.now(), lot_id=lot_id, kind=kind, reason="Tried")
        )
        self.undoable = None

    @rule()
    def release_all(self) -> None:
        db.session.rollback()
        for hold_id in db.session.scalars(select(Hold.id).where(Hold.released_at.is_(None))).all():
            self.attempt(
                lambda hold_id=hold_id: release_hold(
                    actor=self.manager, at=clock.now(), hold_id=hold_id, reason="Tried"
                )
            )
        self.undoable = None

    @invariant()
    def no_hold_is_lost(self) -> None:
        db.session.rollback()
        held = queries.active_holds(db.session())
        for lot_id, holds in list(held.items()):
            now_lot = corrections.became(db.session(), lot_id)
            assert {hold.kind for hold in holds} <= {hold.kind for hold in held[now_lot]}


@pytest.mark.parametrize("kind", ENGINE_KINDS)
def test_doses_and_corrected_lots_in_any_order_keep_the_ledger_whole(databases: Databases, kind: str) -> None:
    run_state_machine_as_test(
        lambda: CorrectingMachine(lambda: databases.fresh(kind)),
        settings=settings(
            max_examples=12,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
