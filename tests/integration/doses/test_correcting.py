"""Voids and amendments: what comes back, what is wasted, what stays where it is."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from inventory.doses.models import Dose, DoseFinding, DoseSource, DoseVoid, Incident
from inventory.doses.queries.containers import UnknownLot
from inventory.doses.queries.story import story_of
from inventory.doses.rules.terms import (
    BodySite,
    Disposition,
    EntryMode,
    NotGivenReason,
    OverrideReason,
    VoidKind,
)
from inventory.doses.services import Decisions, Override, amend_dose, record_not_given, void_dose
from inventory.doses.services.correcting import assess_amendment, draws_of
from inventory.doses.services.not_given import NotGivenRequest
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Role
from inventory.stock import verification
from inventory.stock.models import Account, AccountKind, Lot, Vial, VialClosure, WasteReason
from inventory.stock.services import discard_vial
from inventory.stock.services.wasting import Why
from tests.conftest import AT
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.staff import make_actor
from tests.factories.stock import balance_ul, make_delivery, movements_of


@pytest.fixture
def bench(app: Flask, at: datetime) -> Bench:
    return Bench()


def void(bench: Bench, dose: Dose, kind: VoidKind, **more: object) -> None:
    void_dose(
        actor=more.pop("actor", bench.nurse),
        at=clock.now(),
        dose_id=dose.id,
        kind=kind,
        reason="Wrong day",
        **more,
    )


def amend(bench: Bench, dose: Dose, **changes: object) -> Dose:
    draws = changes.pop("draws", draws_of(db.session(), dose.id))
    actor = changes.pop("actor", bench.nurse)
    request = bench.request(draws=draws, **changes)
    done = amend_dose(actor=actor, at=clock.now(), dose_id=dose.id, request=request, reason="Typed wrongly")
    return db.session.get_one(Dose, done.subject_id)


def test_puts_a_vial_that_was_never_opened_back_on_the_shelf(bench: Bench) -> None:
    void(bench, bench.give(bench.request(volume_ul=250)), VoidKind.NEVER_OPENED)
    kinds = (AccountKind.SHELF, AccountKind.VIAL, AccountKind.GIVEN, AccountKind.WASTE)
    assert [balance_ul(bench.lot, kind) for kind in kinds] == [3_000, 0, 0, 0]


def test_wastes_what_was_drawn_and_not_given(bench: Bench) -> None:
    void(bench, bench.give(), VoidKind.DRAWN_NOT_GIVEN)
    assert balance_ul(bench.lot, AccountKind.GIVEN) == 0
    assert balance_ul(bench.lot, AccountKind.WASTE) == 1_000
    assert balance_ul(bench.lot) == 2_000
    assert movements_of(bench.lot)[-1].reason == WasteReason.DRAWN_NOT_GIVEN


def test_gives_back_to_an_open_vial(bench: Bench) -> None:
    lot, vial = bench.open_multi()
    void(bench, bench.give(bench.request(lot=lot, vial=vial)), VoidKind.NEVER_OPENED)
    assert balance_ul(lot, AccountKind.VIAL) == 10_000


def test_never_refills_a_discarded_vial(bench: Bench) -> None:
    lot, vial = bench.open_multi()
    dose = bench.give(bench.request(lot=lot, vial=vial))
    discard_vial(actor=bench.nurse, at=clock.now(), vial_id=vial.id, why=Why(reason=WasteReason.CONTAMINATED))
    void(bench, dose, VoidKind.NEVER_OPENED)
    assert balance_ul(lot, AccountKind.VIAL) == 0
    assert balance_ul(lot, AccountKind.WASTE) == 10_000


def test_leaves_a_vial_open_that_others_drew_from(bench: Bench) -> None:
    lot, _ = bench.open_multi()
    first = bench.give(bench.request(lot=lot))  # opens the second container
    source = db.session.scalars(select(DoseSource).where(DoseSource.dose_id == first.id)).one()
    draw = replace(bench.draws(1_000, lot=lot)[0], vial_id=source.vial_id)
    bench.give(bench.request(lot=lot, draws=(draw,), patient_id=make_patient()))
    void(bench, first, VoidKind.NEVER_OPENED)
    assert balance_ul(lot) == 0
    assert balance_ul(lot, AccountKind.VIAL) == 19_000


def test_voids_once(bench: Bench) -> None:
    dose = bench.give()
    void(bench, dose, VoidKind.NEVER_OPENED)
    with pytest.raises(Refusal) as refused:
        void(bench, dose, VoidKind.NEVER_OPENED)
    assert refused.value.code == "ALREADY-VOID"
    assert balance_ul(bench.lot) == 3_000


def test_refuses_to_void_the_dose_of_another(bench: Bench) -> None:
    dose = bench.give()
    with pytest.raises(Refusal) as refused:
        void(bench, dose, VoidKind.NEVER_OPENED, actor=make_actor(Role.PRACTITIONER))
    assert refused.value.code == "VOID-NOT-YOURS"
    void(bench, dose, VoidKind.NEVER_OPENED, actor=make_actor(Role.PRESCRIBER))


def test_gives_again_on_the_day_of_a_voided_dose(bench: Bench) -> None:
    void(bench, bench.give(), VoidKind.NEVER_OPENED)
    assert bench.give().number == 2


def test_amends_the_patient_without_moving_stock(bench: Bench) -> None:
    dose = bench.give()
    before = len(movements_of(bench.lot))
    other = make_patient(family_name="Other")
    amended = amend(bench, dose, patient_id=other)
    assert (amended.patient_id, amended.amends_id, amended.given_at) == (other, dose.id, dose.given_at)
    assert len(movements_of(bench.lot)) == before
    void_row = db.session.get_one(DoseVoid, dose.id)
    assert void_row.kind == VoidKind.AMENDED


def test_opens_no_second_incident_for_the_same_deviation(bench: Bench, at: datetime) -> None:
    lot = make_delivery(place=bench.place, expires_on=at.date())
    tomorrow = at + timedelta(days=1)
    with clock.frozen(tomorrow):
        late = bench.request(lot=lot, mode=EntryMode.ALREADY_GIVEN, given_at=tomorrow)
        dose = bench.give(late)
        amended = amend(bench, dose, body_site=BodySite.RIGHT_DELTOID)
    incidents = db.session.scalars(select(Incident)).all()
    assert amended.is_deviation
    assert [one.dose_id for one in incidents] == [dose.id]
    assert [one.id for one in story_of(db.session(), amended.id).incidents] == [incidents[0].id]


def test_amends_the_volume_by_drawing_anew(bench: Bench) -> None:
    dose = bench.give()
    amended = amend(bench, dose, volume_ul=500, draws=bench.draws(500))
    assert amended.volume_ul == 500
    assert balance_ul(bench.lot) == 2_000
    assert balance_ul(bench.lot, AccountKind.GIVEN) == 500
    assert balance_ul(bench.lot, AccountKind.WASTE) == 500


def test_amends_the_lot_and_puts_the_first_back(bench: Bench) -> None:
    dose = bench.give()
    right = make_delivery(place=bench.place, product_id=bench.lot.product_id)
    amend(bench, dose, draws=bench.draws(1_000, lot=right))
    assert balance_ul(bench.lot) == 3_000
    assert balance_ul(right) == 24_000


def test_amends_an_amendment(bench: Bench) -> None:
    dose = amend(bench, bench.give(), body_site=BodySite.RIGHT_DELTOID)
    again = amend(bench, dose, body_site=BodySite.LEFT_VASTUS_LATERALIS)
    assert again.amends_id == dose.id
    void(bench, again, VoidKind.NEVER_OPENED)
    assert balance_ul(bench.lot) == 3_000


def test_amends_a_dose_from_the_last_vial_hours_later(bench: Bench, at: datetime) -> None:
    lot = make_delivery(place=bench.place, containers=1)
    dose = bench.give(bench.request(lot=lot))
    with clock.frozen(at + timedelta(hours=3)):
        amended = amend(bench, dose, volume_ul=500, draws=bench.draws(500, lot=lot))
    assert amended.given_at == at
    assert balance_ul(lot, AccountKind.ADJUSTMENT) == 0
    assert not amended.is_deviation


def test_refuses_an_amendment_that_changes_nothing(bench: Bench) -> None:
    dose = bench.give()
    with pytest.raises(Refusal) as refused:
        amend(bench, dose)
    assert refused.value.code == "AMEND-NOTHING"


def test_records_what_was_not_given(bench: Bench, at: datetime) -> None:
    dose = bench.give()
    request = NotGivenRequest(
        bench.place.site_id, bench.patient_id, dose.formulation_id, NotGivenReason.REFUSED
    )
    first = record_not_given(actor=bench.nurse, at=at, request=request, request_key="n1")
    assert (
        record_not_given(actor=bench.nurse, at=at, request=request, request_key="n1").subject_id
        == first.subject_id
    )
    with pytest.raises(Refusal) as refused:
        record_not_given(actor=bench.nurse, at=at, request=replace(request, reason=NotGivenReason.OTHER))
    assert refused.value.code == "NOTE-NEEDED"


def test_leaves_no_stock_that_never_was(bench: Bench, at: datetime) -> None:
    """The review's cases: what was posted because the ledger lacked it goes with the dose that it was posted for."""
    empty = make_delivery(place=bench.place, containers=1)
    bench.give(bench.request(lot=empty))
    late = {"mode": EntryMode.ALREADY_GIVEN, "given_at": at}
    nobody_had = bench.give(bench.request(lot=empty, patient_id=make_patient(), **late))
    unknown = UnknownLot(bench.lot.product_id, "NEVER", date(2027, 1, 31), bench.place.location_id)
    never = bench.give(
        replace(bench.request(patient_id=make_patient(), unknown_lot=unknown, **late), draws=())
    )
    for dose in (nobody_had, never):
        void(bench, dose, VoidKind.NEVER_OPENED)
    lot = db.session.scalars(select(Lot).where(Lot.lot_number_key == "NEVER")).one()
    assert [
        balance_ul(one, kind) for one in (empty, lot) for kind in (AccountKind.SHELF, AccountKind.ADJUSTMENT)
    ] == [
        0,
        0,
        0,
        0,
    ]


@pytest.mark.parametrize("amount", [500, 2_000], ids=["overfill-or-short", "more-than-was-there"])
def test_takes_a_shortfall_of_an_open_vial_back_with_its_dose(
    bench: Bench, at: datetime, amount: int
) -> None:
    lot, vial = bench.open_multi()
    late = {"mode": EntryMode.ALREADY_GIVEN, "given_at": at, "body_site": BodySite.LEFT_VASTUS_LATERALIS}
    bench.give(bench.request(lot=lot, vial=vial, volume_ul=9_800, **late))
    dose = bench.give(bench.request(lot=lot, vial=vial, volume_ul=amount, patient_id=make_patient(), **late))
    assert balance_ul(lot, AccountKind.VIAL) == 0
    void(bench, dose, VoidKind.NEVER_OPENED)
    assert balance_ul(lot, AccountKind.VIAL) == 200
    assert balance_ul(lot, AccountKind.ADJUSTMENT) == 0


def test_amends_the_volume_from_the_vial_the_dose_opened(bench: Bench) -> None:
    lot = make_delivery(place=bench.place, product_id=make_multi_dose_product().id, containers=2)
    dose = bench.give(bench.request(lot=lot))
    (draw,) = draws_of(db.session(), dose.id)
    half = replace(draw, volume_ul=500)
    seen = assess_amendment(
        actor=bench.nurse,
        at=clock.now(),
        dose_id=dose.id,
        request=bench.request(draws=(half,), volume_ul=500),
    )
    assert {f.code for f in seen.findings} == set()
    amended = amend(bench, dose, volume_ul=500, draws=(half,))
    assert not amended.is_deviation
    assert balance_ul(lot) == 10_000
    assert balance_ul(lot, AccountKind.VIAL) == 9_500
    assert balance_ul(lot, AccountKind.ADJUSTMENT) == 0
    void(bench, amended, VoidKind.NEVER_OPENED)
    assert balance_ul(lot) == 20_000
    assert db.session.scalars(select(Vial)).one().closure == VialClosure.NEVER_OPENED


def test_amends_the_volume_from_the_same_ampoule(bench: Bench) -> None:
    dose = bench.give()
    (draw,) = draws_of(db.session(), dose.id)
    amended = amend(bench, dose, volume_ul=400, draws=(replace(draw, volume_ul=400),))
    kinds = (AccountKind.SHELF, AccountKind.GIVEN, AccountKind.WASTE, AccountKind.ADJUSTMENT)
    assert [balance_ul(bench.lot, kind) for kind in kinds] == [2_000, 400, 600, 0]
    assert not amended.is_deviation
    void(bench, amended, VoidKind.NEVER_OPENED)
    assert balance_ul(bench.lot) == 3_000


def test_reckons_the_use_by_of_an_amended_dose_from_its_day(bench: Bench, at: datetime) -> None:
    dose = bench.give()
    multi = make_delivery(place=bench.place, product_id=make_multi_dose_product().id)
    with clock.frozen(at + timedelta(days=10)):
        amended = amend(bench, dose, draws=bench.draws(1_000, lot=multi))
    source = db.session.scalars(select(DoseSource).where(DoseSource.dose_id == amended.id)).one()
    assert source.use_by_on == at.date() + timedelta(days=28)


def test_keeps_what_a_prescriber_decided_when_a_typo_is_amended(bench: Bench, at: datetime) -> None:
    unasked = make_patient(none_known=False)
    prescriber = make_actor(Role.PRESCRIBER)
    decided = Decisions(
        overrides={"ALLERGIES-NOT-ASKED": Override(OverrideReason.OTHER, prescriber, "Asked now")}
    )
    dose = bench.give(bench.request(patient_id=unasked), decisions=decided)
    with clock.frozen(at + timedelta(hours=5)):
        amended = amend(bench, dose, patient_id=unasked, note="Left arm, upper third")
    assert (amended.mode, amended.is_late, amended.is_deviation) == (EntryMode.ABOUT_TO_GIVE, False, False)
    finding = db.session.get_one(DoseFinding, (amended.id, "ALLERGIES-NOT-ASKED"))
    assert (finding.disposition, finding.decided_by_id) == (Disposition.OVERRIDDEN, prescriber.id)


def test_amends_to_a_lot_that_was_never_received(bench: Bench) -> None:
    dose = bench.give()
    unknown = UnknownLot(bench.lot.product_id, "NEVER", date(2027, 1, 31), bench.place.location_id)
    amended = amend(bench, dose, draws=(), unknown_lot=unknown)
    assert amended.is_deviation
    assert balance_ul(bench.lot) == 3_000


def test_a_void_beside_a_discard_leaves_nothing_in_a_closed_vial(bench: Bench, app: Flask) -> None:
    rounds = []
    for _ in range(6):
        lot, vial = bench.open_multi()
        rounds.append((bench.give(bench.request(lot=lot, vial=vial, patient_id=make_patient())).id, vial.id))
    db.session.rollback()
    gate = threading.Barrier(2)

    def work(act: Callable[[UUID, UUID], object]) -> None:
        with app.app_context(), clock.frozen(AT + timedelta(hours=1)):
            for dose_id, vial_id in rounds:
                gate.wait(timeout=30)
                act(dose_id, vial_id)
                db.session.rollback()

    why = Why(reason=WasteReason.CONTAMINATED)
    reason, kind = "Wrong day", VoidKind.NEVER_OPENED
    threads = [
        threading.Thread(
            target=work,
            args=(
                lambda d, _: void_dose(
                    actor=bench.nurse, at=clock.now(), dose_id=d, kind=kind, reason=reason
                ),
            ),
        ),
        threading.Thread(
            target=work,
            args=(lambda _, v: discard_vial(actor=bench.nurse, at=clock.now(), vial_id=v, why=why),),
        ),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(verification.findings(db.session())) == []


def test_leaves_every_lot_at_zero(bench: Bench) -> None:
    void(bench, bench.give(), VoidKind.DRAWN_NOT_GIVEN)
    amend(bench, bench.give(), volume_ul=250, draws=bench.draws(250))
    sums = db.session.execute(select(func.sum(Account.balance_ul)).group_by(Account.lot_id)).scalars()
    assert set(sums) == {0}


def test_an_amendment_by_another_leaves_the_giver_who_gave(bench: Bench) -> None:
    dose = bench.give()
    prescriber = make_actor(Role.PRESCRIBER)
    amended = amend(bench, dose, actor=prescriber, body_site=BodySite.RIGHT_DELTOID)
    assert (amended.giver_id, amended.giver_name) == (bench.nurse.id, bench.nurse.name)
    assert amended.giver_credential == dose.giver_credential
    assert amended.actor_id == prescriber.id
