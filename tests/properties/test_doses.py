"""Doses, voids and amendments in any order: the ledger stays whole, the record stands on it, and a void undoes a dose exactly."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from inventory.app import create_app
from inventory.doses.models import Dose
from inventory.doses.rules.sourcing import Draw
from inventory.doses.rules.terms import BodySite, EntryMode, VoidKind
from inventory.doses.services import amend_dose, void_dose
from inventory.doses.services.correcting import draws_of
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.stock import verification
from inventory.stock.models import Account, AccountKind, Lot, Vial, WasteReason
from inventory.stock.services import Why, discard_vial
from tests.conftest import AT
from tests.factories.catalogue import make_multi_dose_product, make_product
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.stock import make_delivery
from tests.support.databases import ENGINE_KINDS, Databases, close_engines

MAY_BE_REFUSED = {"STOCK-SHORT", "STOCK-SHORT-THEN", "AMEND-NOTHING", "VIAL-CLOSED", "OVERFILL", "NOT-FOUND"}
VOLUMES = st.sampled_from([250, 500, 1_000, 1_500])
THIGH = BodySite.LEFT_VASTUS_LATERALIS

Balances = Counter[tuple[str, str]]


class DoseMachine(RuleBasedStateMachine):
    """A shelf of ampoules and of multi-dose vials, from which doses are given, found later, voided and amended."""

    may_be_refused = frozenset(MAY_BE_REFUSED)

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self.bench, self.now = bench, AT + timedelta(hours=1)
        single = make_product(overfill_limit_ul=100)
        multi = make_multi_dose_product(
            container_volume_ul=2_000, overfill_limit_ul=100, dead_space_ul=30, default_dose_ng=None
        )
        self.lots = [
            make_delivery(place=bench.place, product_id=product.id, containers=3, at=AT)
            for product in (single, multi)
        ]
        self.doses: list[Any] = []
        self.undoable: tuple[Any, Balances] | None = None

    def at(self) -> datetime:
        self.now += timedelta(minutes=1, seconds=7)
        return self.now

    def attempt(self, act: Callable[[], Any]) -> Any:
        try:
            with clock.frozen(self.at()):
                return act()
        except (Refusal, Refusals) as refused:
            codes = {r.code for r in getattr(refused, "refusals", [refused])}
            assert codes <= self.may_be_refused, codes
            return None

    def open_vials(self) -> list[Vial]:
        db.session.rollback()
        return list(db.session.scalars(select(Vial).where(Vial.closed_at.is_(None)).order_by(Vial.id)))

    def balances(self) -> Balances:
        """Return what is where, by lot and kind; shelf and vial each."""
        db.session.rollback()
        rows = db.session.execute(
            select(Account.lot_id, Account.kind, func.sum(Account.balance_ul)).group_by(
                Account.lot_id, Account.kind
            )
        )
        return Counter({(str(lot_id), str(kind)): int(total) for lot_id, kind, total in rows if total})

    def give(self, lot: Lot, volume_ul: int, *, draws: tuple[Draw, ...] | None, back: int | None) -> None:
        before = self.balances()
        late = (
            {}
            if back is None
            else {"mode": EntryMode.ALREADY_GIVEN, "given_at": self.now - timedelta(minutes=back)}
        )
        request = self.bench.request(
            lot=lot, volume_ul=volume_ul, draws=draws, body_site=THIGH, patient_id=self.patient(), **late
        )
        dose = self.attempt(lambda: self.bench.give(request))
        if dose is not None:
            self.doses.append(dose.id)
            self.undoable = (dose.id, before)

    def patient(self) -> Any:
        with clock.frozen(AT):
            return make_patient()

    @rule(which=st.integers(0, 1), volume_ul=VOLUMES, back=st.one_of(st.none(), st.integers(0, 30)))
    def from_sealed(self, which: int, volume_ul: int, back: int | None) -> None:
        volume_ul = min(volume_ul, 1_000) if which == 0 else volume_ul
        self.give(self.lots[which], volume_ul, draws=None, back=back)

    @precondition(lambda self: self.open_vials())
    @rule(volume_ul=VOLUMES, back=st.one_of(st.none(), st.integers(0, 30)), data=st.data())
    def from_open_vial(self, volume_ul: int, back: int | None, data: st.DataObject) -> None:
        vial = data.draw(st.sampled_from(self.open_vials()))
        draw = Draw(vial.lot_id, vial.location_id, vial.id, volume_ul)
        self.give(self.lots[1], volume_ul, draws=(draw,), back=back)

    @precondition(lambda self: self.doses)
    @rule(kind=st.sampled_from([VoidKind.NEVER_OPENED, VoidKind.DRAWN_NOT_GIVEN]), data=st.data())
    def void(self, kind: VoidKind, data: st.DataObject) -> None:
        dose_id = data.draw(st.sampled_from(self.doses))
        self.doses.remove(dose_id)
        self.attempt(
            lambda: void_dose(
                actor=self.bench.nurse,
                at=clock.now(),
                dose_id=dose_id,
                kind=kind,
                reason="Tried",
                request_key=None,
            )
        )
        if kind is VoidKind.NEVER_OPENED and self.undoable and self.undoable[0] == dose_id:
            assert self.balances() == self.undoable[1], "a void undoes the last dose exactly"
        self.undoable = None

    @precondition(lambda self: self.doses)
    @rule(volume_ul=VOLUMES, site=st.sampled_from([THIGH, BodySite.RIGHT_VASTUS_LATERALIS]), data=st.data())
    def amend(self, volume_ul: int, site: BodySite, data: st.DataObject) -> None:
        dose_id = data.draw(st.sampled_from(self.doses))
        db.session.rollback()
        dose = db.session.get_one(Dose, dose_id)
        draws = draws_of(db.session(), dose_id)
        if len(draws) == 1 and data.draw(st.booleans()):
            limit = 1_000 if draws[0].lot_id == self.lots[0].id else volume_ul
            draws = (replace(draws[0], volume_ul=min(volume_ul, limit)),)
        request = self.bench.request(
            draws=draws, volume_ul=sum(d.volume_ul for d in draws), patient_id=dose.patient_id, body_site=site
        )
        done = self.attempt(
            lambda: amend_dose(
                actor=self.bench.nurse, at=clock.now(), dose_id=dose_id, request=request, reason="Tried"
            )
        )
        if done is not None:
            self.doses[self.doses.index(dose_id)] = done.subject_id
            self.undoable = None

    @precondition(lambda self: self.open_vials())
    @rule(data=st.data())
    def discard(self, data: st.DataObject) -> None:
        vial = data.draw(st.sampled_from(self.open_vials()))
        why = Why(reason=WasteReason.CONTAMINATED)
        self.attempt(lambda: discard_vial(actor=self.bench.nurse, at=clock.now(), vial_id=vial.id, why=why))
        self.undoable = None

    @invariant()
    def the_stock_is_well(self) -> None:
        db.session.rollback()
        assert list(verification.findings(db.session())) == []

    @invariant()
    def what_was_given_is_what_the_valid_doses_say(self) -> None:
        db.session.rollback()
        given = db.session.scalar(
            select(func.sum(Account.balance_ul)).where(Account.kind == AccountKind.GIVEN)
        )
        said = db.session.scalar(select(func.sum(Dose.volume_ul)).where(Dose.id.in_(self.doses)))
        assert int(given or 0) == int(said or 0)


@pytest.fixture(params=ENGINE_KINDS)
def databases_of_kind(request: pytest.FixtureRequest, databases: Databases) -> Callable[[], Any]:
    return lambda: databases.fresh(request.param)


def test_doses_in_any_order_keep_the_ledger_whole(databases_of_kind: Callable[[], Any]) -> None:
    def machine() -> DoseMachine:
        return _Fresh(databases_of_kind)

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=10,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )


class _Fresh(DoseMachine):
    """The machine in a database of its own, which is given back at its end."""

    def __init__(self, fresh: Callable[[], Any]) -> None:
        self.opened = fresh()
        database = self.opened.__enter__()
        self.app = create_app(database.config())
        self.context = self.app.app_context()
        self.context.push()
        with clock.frozen(AT):
            super().__init__(Bench())

    def teardown(self) -> None:
        self.context.pop()
        close_engines(self.app)
        self.opened.__exit__(None, None, None)
