"""What several people do at the same moment: no update is lost, no law broken, and what is there is given once."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Rule

from inventory.catalogue.models import Product
from inventory.doses.rules.sourcing import Draw
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.stock.models import AccountKind
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.stock import balance_ul, make_delivery, make_open_vial
from tests.properties.clinic import laws
from tests.properties.effort import effort
from tests.properties.test_everything import Clinic
from tests.support.at_once import at_once
from tests.support.databases import ENGINE_KINDS, Databases

T = TypeVar("T")
Script = Sequence[tuple[Rule, dict[str, Any]]]
ALONE = {"time_passes", "reconcile", "give_and_void_at_once"}
"""Rules that ask what nobody else does meanwhile."""
ACTS = [rule for rule in Clinic.setup_state().rules if rule.function.__name__ not in ALONE]
STEP = st.sampled_from(ACTS).flatmap(
    lambda rule: st.tuples(st.just(rule), st.fixed_dictionaries(dict(rule.arguments)))
)


class Person(Clinic):
    """One of several who work in the same clinic at the same moment: only the laws at the end are asked."""

    def __init__(self, clinic: Clinic, tick: Callable[[], datetime]) -> None:
        self.__dict__.update(clinic.__dict__)
        self.tick, self.patients = tick, []
        self.product_ids = [product.id for product in clinic.products]

    def attempt(self, name: str, act: Callable[[datetime], T], *, changes_ul: int | None = None) -> T | None:
        db.session.rollback()
        self.now = self.tick()
        try:
            with clock.frozen(self.now):
                return act(self.now)
        except (Refusal, Refusals):
            return None

    @staticmethod
    def is_held(_draw: Draw) -> bool:
        """Somebody may hold or release it meanwhile."""
        return False

    def follow(self, script: Script) -> None:
        self.products = [db.session.get_one(Product, one) for one in self.product_ids]
        for rule, said in script:
            if all(there(self) for there in rule.preconditions):
                rule.function(self, **said)


@pytest.mark.parametrize("kind", ENGINE_KINDS)
def test_acts_of_six_people_at_once_break_no_law(databases: Databases, kind: str) -> None:
    # Threads do not repeat themselves: what fails once cannot be made smaller.
    @settings(effort(3, 1), phases=[Phase.generate])
    @given(st.lists(st.lists(STEP, min_size=8, max_size=8), min_size=6, max_size=6))
    def works(scripts: list[Script]) -> None:
        clinic = Clinic(lambda: databases.fresh(kind))
        try:
            people = [Person(clinic, ticking(clinic)) for _ in scripts]
            acts = [lambda p=p, s=s: p.follow(s) for p, s in zip(people, scripts, strict=True)]
            at_once(clinic.app, acts)
            laws.assert_laws()
        finally:
            clinic.teardown()

    works()


def ticking(clinic: Clinic) -> Callable[[], datetime]:
    """Return a clock that all of them share."""
    turn = threading.Lock()

    def tick() -> datetime:
        with turn:
            clinic.now += timedelta(seconds=7)
            return clinic.now

    return tick


def test_eight_people_draw_from_one_vial_what_it_holds(app: Flask, at: datetime) -> None:
    bench = Bench()
    product = make_multi_dose_product(container_volume_ul=5_000, overfill_limit_ul=0, default_dose_ng=None)
    lot = make_delivery(place=bench.place, product_id=product.id, containers=1)
    vial = make_open_vial(lot, place=bench.place)
    draw = (Draw(lot.id, bench.place.location_id, vial.id, 1_000),)
    asked = [bench.request(draws=draw, patient_id=make_patient()) for _ in range(8)]

    def giving(which: int) -> UUID | set[str]:
        try:
            return bench.give(asked[which], at=at).id
        except Refusals as refused:
            return {one.code for one in refused.refusals}

    outcomes = at_once(app, [lambda which=which: giving(which) for which in range(8)])
    assert len({one for one in outcomes if isinstance(one, UUID)}) == 5
    assert [one for one in outcomes if isinstance(one, set)] == [{"STOCK-SHORT"}] * 3
    assert balance_ul(lot, AccountKind.VIAL) == 0
    assert balance_ul(lot, AccountKind.GIVEN) == 5_000
    laws.assert_laws()
    laws.assert_verified()
