"""What a syringe keeps of a multi-dose vial: wasted in the act of the dose, given back only with a dose that never was."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask

from inventory.doses.models import Dose
from inventory.doses.presenters.confirming import glance
from inventory.doses.queries.assessment import assess
from inventory.doses.rules.terms import BodySite, EntryMode, VoidKind
from inventory.doses.services import amend_dose, draws_of, void_dose
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.stock import verification
from inventory.stock.models import AccountKind, Lot, MovementKind, Vial, WasteReason
from inventory.stock.queries import vial_on_hand
from inventory.stock.services import Why, discard_vial
from tests.factories.catalogue import make_multi_dose_product, make_product
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.stock import balance_ul, make_delivery, make_open_vial, movements_of

LOST_UL = 70


@pytest.fixture
def bench(app: Flask, at: datetime) -> Bench:
    return Bench()


def multi(bench: Bench, *, container_ul: int = 10_000) -> Lot:
    product = make_multi_dose_product(dead_space_ul=LOST_UL, container_volume_ul=container_ul)
    return make_delivery(place=bench.place, product_id=product.id, containers=2)


def opened(bench: Bench, **more: int) -> tuple[Lot, Vial]:
    lot = multi(bench, **more)
    return lot, make_open_vial(lot, place=bench.place)


def left(lot: Lot) -> tuple[int, int, int]:
    """What is in open vials, given and wasted."""
    return tuple(balance_ul(lot, k) for k in (AccountKind.VIAL, AccountKind.GIVEN, AccountKind.WASTE))


def void(bench: Bench, dose: Dose, kind: VoidKind) -> None:
    void_dose(actor=bench.nurse, at=clock.now(), dose_id=dose.id, kind=kind, reason="Wrong day")


def amend(bench: Bench, dose: Dose, **changes: object) -> Dose:
    draws = changes.pop("draws", draws_of(db.session(), dose.id))
    request = bench.request(draws=draws, **changes)
    done = amend_dose(actor=bench.nurse, at=clock.now(), dose_id=dose.id, request=request, reason="Mistyped")
    return db.session.get_one(Dose, done.subject_id)


def agrees() -> bool:
    return list(verification.findings(db.session())) == []


def test_is_wasted_with_each_dose_from_an_open_vial(bench: Bench) -> None:
    lot, vial = opened(bench)
    bench.give(bench.request(lot=lot, vial=vial))
    assert left(lot) == (8_930, 1_000, LOST_UL)
    lost = movements_of(lot)[-1]
    assert (lost.kind, lost.reason, lost.witness_id) == (MovementKind.WASTE, WasteReason.DEAD_SPACE, None)
    assert agrees()


def test_is_wasted_from_a_vial_that_the_dose_opens(bench: Bench) -> None:
    lot = multi(bench)
    bench.give(bench.request(lot=lot))
    assert left(lot) == (8_930, 1_000, LOST_UL)


def test_is_never_more_than_is_left(bench: Bench) -> None:
    lot, vial = opened(bench, container_ul=1_030)
    bench.give(bench.request(lot=lot, vial=vial))
    assert left(lot) == (0, 1_000, 30)
    other = bench.request(lot=lot, volume_ul=1_030, patient_id=make_patient())
    bench.give(replace(other, dose_ng=1_030_000))
    assert left(lot) == (0, 2_030, 30)


def test_of_a_single_dose_container_is_part_of_its_remainder(bench: Bench) -> None:
    lot = make_delivery(place=bench.place, product_id=make_product(dead_space_ul=LOST_UL).id)
    bench.give(bench.request(lot=lot, volume_ul=900))
    assert [m.reason for m in movements_of(lot) if m.kind == MovementKind.WASTE] == [WasteReason.REMAINDER]


def test_comes_back_with_a_dose_that_was_never_drawn(bench: Bench) -> None:
    lot, vial = opened(bench)
    dose = bench.give(bench.request(lot=lot, vial=vial))
    bench.give(bench.request(lot=lot, vial=vial, patient_id=make_patient()))
    void(bench, dose, VoidKind.NEVER_OPENED)
    assert left(lot) == (8_930, 1_000, LOST_UL)
    assert agrees()


def test_comes_back_onto_the_shelf_with_a_vial_that_was_never_opened(bench: Bench) -> None:
    lot = multi(bench)
    void(bench, bench.give(bench.request(lot=lot)), VoidKind.NEVER_OPENED)
    assert (balance_ul(lot), *left(lot)) == (20_000, 0, 0, 0)


def test_stays_lost_where_the_dose_was_drawn_and_not_given(bench: Bench) -> None:
    lot, vial = opened(bench)
    void(bench, bench.give(bench.request(lot=lot, vial=vial)), VoidKind.DRAWN_NOT_GIVEN)
    assert left(lot) == (8_930, 0, 1_000 + LOST_UL)


def test_of_a_discarded_vial_does_not_come_back_into_it(bench: Bench) -> None:
    lot, vial = opened(bench)
    dose = bench.give(bench.request(lot=lot, vial=vial))
    why = Why(WasteReason.CONTAMINATED)
    discard_vial(actor=bench.nurse, at=clock.now(), vial_id=vial.id, why=why)
    void(bench, dose, VoidKind.NEVER_OPENED)
    assert left(lot) == (0, 0, 10_000)
    assert agrees()


def test_stays_with_an_amendment_that_moves_no_stock(bench: Bench) -> None:
    lot, vial = opened(bench)
    dose = bench.give(bench.request(lot=lot, vial=vial))
    before = len(movements_of(lot))
    again = amend(bench, dose, body_site=BodySite.RIGHT_DELTOID)
    assert len(movements_of(lot)) == before
    void(bench, again, VoidKind.NEVER_OPENED)
    assert left(lot) == (10_000, 0, 0)


def test_is_posted_anew_by_an_amendment_that_moves_stock(bench: Bench) -> None:
    lot, vial = opened(bench)
    dose = bench.give(bench.request(lot=lot, vial=vial))
    draw = replace(draws_of(db.session(), dose.id)[0], volume_ul=500)
    again = amend(bench, dose, volume_ul=500, draws=(draw,))
    assert left(lot) == (9_430, 500, LOST_UL)
    void(bench, again, VoidKind.NEVER_OPENED)
    assert left(lot) == (10_000, 0, 0)
    assert agrees()


def test_of_a_smaller_volume_drawn_from_a_vial_that_is_gone(bench: Bench) -> None:
    lot, vial = opened(bench)
    dose = bench.give(bench.request(lot=lot, vial=vial))
    discard_vial(actor=bench.nurse, at=clock.now(), vial_id=vial.id, why=Why(WasteReason.CONTAMINATED))
    draw = replace(draws_of(db.session(), dose.id)[0], volume_ul=500)
    amend(bench, dose, volume_ul=500, draws=(draw,))
    assert left(lot) == (0, 500, 9_500)
    assert agrees()


def test_of_a_late_entry_leaves_what_was_drawn_since(bench: Bench, at: datetime) -> None:
    lot, vial = opened(bench, container_ul=2_050)
    with clock.frozen(at + timedelta(hours=2)):
        now = clock.now()
        bench.give(bench.request(lot=lot, vial=vial, volume_ul=1_000), at=now)
        late = bench.request(
            lot=lot,
            vial=vial,
            volume_ul=980,
            patient_id=make_patient(),
            mode=EntryMode.ALREADY_GIVEN,
            given_at=at + timedelta(hours=1),
        )
        assert left(lot)[0] == 980
        bench.give(late, at=now)
    assert left(lot) == (0, 1_980, LOST_UL)
    assert agrees()


def test_is_shown_before_the_dose_is_recorded(bench: Bench, at: datetime) -> None:
    lot, vial = opened(bench)
    assessment = assess(db.session(), bench.request(lot=lot, vial=vial), giver=bench.nurse, recorded_at=at)
    shown = glance(assessment)
    assert shown.wasted == "0.07 mL dead space of the syringe, wasted in the same act"
    assert "8.93 mL left" in shown.containers


def test_counts_in_the_doses_that_are_left(bench: Bench, at: datetime) -> None:
    lot, vial = opened(bench)
    held = vial_on_hand(db.session(), vial.id, on=at.date())
    assert held.doses_left() == 9
    assert lot.id == held.lot.id
