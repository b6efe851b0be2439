"""Counts among every other act of the ledger: what is posted is what differed when it was handed in, whatever happens between."""

from itertools import count
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test
from sqlalchemy import select

from inventory.app import create_app
from inventory.catalogue.models import Product
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor, Role
from inventory.stock import queries, services, verification
from inventory.stock.ledger import Place
from inventory.stock.models import Account, AdjustReason, StockCount, Vial
from inventory.stock.queries import CountedLine
from inventory.stock.services import Explanation, Tally
from tests.conftest import AT
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.staff import make_actor
from tests.factories.stock import make_place
from tests.properties.effort import effort
from tests.properties.test_ledger import CONTAINER_UL, LedgerMachine
from tests.support.databases import ENGINE_KINDS, Databases, close_engines

OVERFILL_UL = 500


class CountMachine(LedgerMachine):
    """Both places are counted, rightly or wrongly, while stock comes and goes."""

    def __init__(self, product: Product, places: list[Place], manager: Actor) -> None:
        self.manager = manager
        self.counted: dict[UUID, list[tuple[UUID | None, int]]] = {}
        super().__init__(product, places)

    def open_count(self, place: Place) -> StockCount | None:
        db.session.rollback()
        return queries.open_counts(db.session(), [place.location_id]).get(place.location_id)

    @rule(where=st.integers(0, 1), off=st.integers(-2, 2), drop=st.integers(-700, 400))
    def begin_or_end(self, where: int, off: int, drop: int) -> None:
        """Count what is there, rightly or wrongly; the next time, post it. Whatever comes between, comes between."""
        found = self.open_count(self.places[where])
        if found is not None:
            self.post(found.id, found.location_id)
            return
        place = self.places[where]
        started = services.start_count(
            actor=SYSTEM_ACTOR, at=self.at(), site_id=place.site_id, location_id=place.location_id
        )
        self.hand_in(started.subject_id, place.location_id, off=off, drop=drop)

    def hand_in(self, count_id: UUID, location_id: UUID, *, off: int, drop: int) -> None:
        at, held = self.at(), dict(self.balances_at(location_id))
        containers = {self.lot.id: max(0, held.get(None, 0) // CONTAINER_UL + off)}
        most = CONTAINER_UL + OVERFILL_UL
        volumes = {vial: min(most, max(0, ul + drop)) for vial, ul in held.items() if vial}
        tally = Tally(containers, volumes)
        services.hand_in_count(actor=SYSTEM_ACTOR, at=at, count_id=count_id, tally=tally)
        counted = {None: containers[self.lot.id] * CONTAINER_UL, **volumes}
        self.counted[count_id] = [(vial, ul - held.get(vial, 0)) for vial, ul in counted.items()]
        lines = self.lines(count_id)
        assert {(one.line.vial_id, one.difference_ul) for one in lines} == set(self.counted[count_id])

    def post(self, count_id: UUID, location_id: UUID) -> None:
        at = self.at()
        before = dict(self.balances_at(location_id))
        differing = [line for line in self.lines(count_id) if line.difference_ul]
        why = {line.line.position: Explanation(AdjustReason.MISCOUNTED) for line in differing}
        if (
            self.attempt(
                lambda: services.post_count(actor=self.manager, at=at, count_id=count_id, explanations=why)
            )
            is None
        ):
            assert dict(self.balances_at(location_id)) == before
            services.abandon_count(actor=self.manager, at=self.at(), count_id=count_id, reason="Again")
            return
        after = dict(self.balances_at(location_id))
        for vial_id, difference in self.counted[count_id]:
            assert after.get(vial_id, 0) - before.get(vial_id, 0) == difference

    def lines(self, count_id: UUID) -> list[CountedLine]:
        db.session.rollback()
        return queries.lines_of(db.session(), queries.count_by_id(db.session(), count_id))

    def balances_at(self, location_id: UUID) -> list[tuple[UUID | None, int]]:
        """What lies there, by plain reading: sealed (None) and each open vial."""
        db.session.rollback()
        rows = db.session.execute(
            select(Account.vial_id, Account.balance_ul)
            .outerjoin(Vial, Vial.id == Account.vial_id)
            .where(Account.location_id == location_id, Account.lot_id == self.lot.id)
            .where(Vial.closed_at.is_(None))
        )
        return [(vial_id, ul) for vial_id, ul in rows]


@pytest.mark.parametrize("kind", ENGINE_KINDS)
def test_counts_post_what_differed_whatever_happens_between(databases: Databases, kind: str) -> None:
    with databases.fresh(kind) as database:
        app = create_app(database.config())
        with app.app_context():
            # Each example counts places of its own: what earlier ones left would be listed as well.
            named = (f"Place {number}" for number in count(1))
            product = make_multi_dose_product(at=AT, overfill_limit_ul=OVERFILL_UL)
            manager = make_actor(Role.MANAGER)
            run_state_machine_as_test(
                lambda: CountMachine(product, [make_place(location=next(named)) for _ in range(2)], manager),
                settings=effort(6, 25),
            )
            assert list(verification.findings(db.session())) == []
        close_engines(app)
