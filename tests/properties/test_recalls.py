"""Recalls under every order of deliveries, doses, voids, additions, releases and closings: what is held is never given next."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
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
from inventory.doses.models import Dose, DoseSource, DoseVoid
from inventory.doses.queries import recalls as received
from inventory.doses.rules.terms import ContactMeans, ContactOutcome, EntryMode, VoidKind
from inventory.doses.services import void_dose
from inventory.doses.services.recalls import Told, record_contact
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.stock import verification
from inventory.stock.models import Hold, HoldKind, Lot
from inventory.stock.notices import NamedLot
from inventory.stock.queries import active_holds
from inventory.stock.queries import recalls as found
from inventory.stock.services import hold_lot
from inventory.stock.services.recalls import (
    Notice,
    add_lots_to_recall,
    close_recall,
    open_recall,
    release_recall,
)
from tests.conftest import AT
from tests.factories.catalogue import make_product
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.stock import make_delivery
from tests.properties.effort import effort
from tests.support.databases import ENGINE_KINDS, Databases, close_engines

NUMBERS = st.sampled_from("ABC")
SOME = st.sets(NUMBERS, min_size=1)
_worlds = count(1)


class RecallMachine(RuleBasedStateMachine):
    """Two products, of which lots of the same three numbers come, are given, recalled and released."""

    def __init__(self, bench: Bench, products: list[UUID], people: list[UUID]) -> None:
        super().__init__()
        self.bench, self.products, self.people = bench, products, people
        self.world = f"W{next(_worlds)}"
        # Each world is a day of its own: a second dose on one day would be stopped for another reason.
        self.now = AT + timedelta(days=int(self.world[1:]))
        self.lots: dict[UUID, str] = {}
        self.named: dict[UUID, set[str]] = {}
        self.closed: set[UUID] = set()
        self.caught: defaultdict[UUID, set[UUID]] = defaultdict(set)

    def at(self) -> datetime:
        self.now += timedelta(minutes=1, seconds=7)
        return self.now

    def open(self) -> list[UUID]:
        return [one for one in self.named if one not in self.closed]

    def attempt(self, act: Callable[[], Any], *codes: str) -> bool:
        try:
            act()
        except (Refusal, Refusals) as refusal:
            said = refusal.refusals if isinstance(refusal, Refusals) else [refusal]
            assert {one.code for one in said} <= set(codes), said
            return False
        return True

    @rule(number=NUMBERS, which=st.integers(0, 1))
    def receive(self, number: str, which: int) -> None:
        lot = make_delivery(
            product_id=self.products[which],
            place=self.bench.place,
            lot_number=f"{self.world} {number}",
            containers=2,
            at=self.at(),
        )
        if lot.id not in self.lots:
            self.lots[lot.id] = number
            for one in self.open():
                if number in self.named[one]:
                    self.caught[one].add(lot.id)

    @rule(numbers=SOME)
    def recall(self, numbers: set[str]) -> None:
        done = open_recall(
            actor=SYSTEM_ACTOR,
            at=self.at(),
            site_id=self.bench.place.site_id,
            notice=Notice(title="Recall", reason="Invented"),
            named=self.spelt(numbers),
        )
        self.named[done.subject_id] = set(numbers)
        self.caught[done.subject_id] = {lot for lot, number in self.lots.items() if number in numbers}

    def spelt(self, numbers: set[str]) -> list[NamedLot]:
        return [NamedLot(f"{self.world}{number}".lower()) for number in sorted(numbers)]

    @precondition(lambda self: self.open())
    @rule(numbers=SOME, pick=st.integers(0, 9))
    def add(self, numbers: set[str], pick: int) -> None:
        one = self.open()[pick % len(self.open())]
        named = self.spelt(numbers)
        add = lambda: add_lots_to_recall(actor=SYSTEM_ACTOR, at=self.at(), recall_id=one, named=named)  # noqa: E731
        if self.attempt(add, "RECALL-LOTS-THERE"):
            self.named[one] |= numbers
            self.caught[one] |= {lot for lot, number in self.lots.items() if number in numbers}

    @precondition(lambda self: self.named)
    @rule(pick=st.integers(0, 9))
    def release(self, pick: int) -> None:
        one = list(self.named)[pick % len(self.named)]
        done = {"actor": SYSTEM_ACTOR, "at": self.at(), "recall_id": one, "reason": "Cleared"}
        self.attempt(lambda: release_recall(**done), "RECALL-NOTHING-HELD")

    @precondition(lambda self: self.open())
    @rule(pick=st.integers(0, 9), although=st.sampled_from(["", "The maker will fetch it"]))
    def close(self, pick: int, although: str) -> None:
        one = self.open()[pick % len(self.open())]
        done = {
            "actor": SYSTEM_ACTOR,
            "at": self.at(),
            "recall_id": one,
            "outcome": "Done",
            "although": although,
        }
        if self.attempt(lambda: close_recall(**done), "RECALL-UNFINISHED"):
            self.closed.add(one)
            far = received.progress(db.session(), one)
            assert although or (far.reached == far.patients and not found.unresolved_stock(db.session(), one))

    @precondition(lambda self: self.lots)
    @rule(pick=st.integers(0, 9))
    def hold(self, pick: int) -> None:
        lot = list(self.lots)[pick % len(self.lots)]
        done = {
            "actor": SYSTEM_ACTOR,
            "at": self.at(),
            "lot_id": lot,
            "kind": HoldKind.HOLD,
            "reason": "Doubtful",
        }
        self.attempt(lambda: hold_lot(**done), "LOT-HELD-ALREADY")

    @precondition(lambda self: self.lots)
    @rule(pick=st.integers(0, 9), who=st.integers(0, 3), is_next=st.booleans())
    def give(self, pick: int, who: int, is_next: bool) -> None:
        lot = db.session.get_one(Lot, list(self.lots)[pick % len(self.lots)])
        at = self.at()
        held = bool(active_holds(db.session(), {lot.id})[lot.id])
        mode = EntryMode.ABOUT_TO_GIVE if is_next else EntryMode.ALREADY_GIVEN
        request = self.bench.request(lot=lot, patient_id=self.people[who], mode=mode)
        stopped = ("LOT-RECALLED", "LOT-HELD", "STOCK-SHORT", "SECOND-DOSE-TODAY")
        given = self.attempt(lambda: self.bench.give(request, at=at), *stopped)
        assert not (given and held and is_next)

    @rule(kind=st.sampled_from([VoidKind.NEVER_OPENED, VoidKind.DRAWN_NOT_GIVEN]))
    def void(self, kind: VoidKind) -> None:
        mine = select(DoseSource.dose_id).where(DoseSource.lot_id.in_(self.lots))
        voided = select(DoseVoid.dose_id)
        dose_id = db.session.scalar(
            select(Dose.id).where(Dose.id.in_(mine), Dose.id.not_in(voided)).order_by(Dose.id.desc()).limit(1)
        )
        if dose_id is not None:
            void_dose(actor=self.bench.nurse, at=self.at(), dose_id=dose_id, kind=kind, reason="Not so")

    @precondition(lambda self: self.named)
    @rule(pick=st.integers(0, 9), outcome=st.sampled_from(list(ContactOutcome)))
    def tell(self, pick: int, outcome: ContactOutcome) -> None:
        one = list(self.named)[pick % len(self.named)]
        people = list(received.recipients(db.session(), one))
        if people:
            record_contact(
                actor=self.bench.nurse,
                at=self.at(),
                recall_id=one,
                patient_id=people[0].id,
                told=Told(outcome=outcome, means=ContactMeans.PHONE),
            )

    @invariant()
    def every_named_lot_is_in_its_recall_and_held_until_released(self) -> None:
        db.session.rollback()
        for one, lots in self.caught.items():
            lines = found.lines_of(db.session(), one)
            assert {line.lot.id for line in lines if line.lot} == lots
            assert all(line.hold and line.hold.kind == HoldKind.RECALL for line in lines if line.lot)

    @invariant()
    def no_dose_was_about_to_be_given_from_what_was_held(self) -> None:
        rows = db.session.execute(
            select(Dose.given_at, DoseSource.lot_id)
            .join(DoseSource, DoseSource.dose_id == Dose.id)
            .where(DoseSource.lot_id.in_(self.lots), Dose.mode == EntryMode.ABOUT_TO_GIVE)
        ).all()
        holds = db.session.scalars(select(Hold).where(Hold.lot_id.in_(self.lots))).all()
        for given_at, lot_id in rows:
            over = [hold for hold in holds if hold.lot_id == lot_id and hold.held_at <= given_at]
            assert all(hold.released_at and hold.released_at <= given_at for hold in over)

    @invariant()
    def the_list_names_whoever_was_given_of_it(self) -> None:
        for one, lots in self.caught.items():
            voided = select(DoseVoid.dose_id)
            given = db.session.scalars(
                select(Dose.patient_id)
                .join(DoseSource, DoseSource.dose_id == Dose.id)
                .where(DoseSource.lot_id.in_(lots), Dose.id.not_in(voided))
            )
            named = [person.id for person in received.recipients(db.session(), one) if person.doses]
            assert sorted(named) == sorted(set(given))
            assert received.progress(db.session(), one).patients == len(named)


@pytest.mark.parametrize("kind", ENGINE_KINDS)
def test_recalls_hold_whatever_happens_in_whatever_order(databases: Databases, kind: str) -> None:
    with databases.fresh(kind) as database:
        app = create_app(database.config())
        with app.app_context():
            bench = Bench(patient_id=make_patient(at=AT))
            products = [make_product(at=AT).id for _ in range(2)]
            people = [make_patient(at=AT) for _ in range(4)]
            run_state_machine_as_test(
                lambda: RecallMachine(bench, products, people),
                settings=effort(6, 15),
            )
            assert list(verification.findings(db.session())) == []
        close_engines(app)
