"""Recording a dose: the stock it takes, the snapshot it keeps, what stops it, and what is written down all the same."""

import threading
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from inventory.doses.models import Dose, DoseFinding, DoseSource, Incident
from inventory.doses.queries.containers import UnknownLot
from inventory.doses.rules.terms import BodySite, Disposition, EntryMode, IncidentKind, OverrideReason
from inventory.doses.services import Decisions, Override, record_dose
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Role
from inventory.stock.models import Account, AccountKind, Hold, HoldKind, Lot, Movement, MovementKind
from inventory.stock.services.holding import hold_lot
from tests.factories.catalogue import make_product
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.staff import make_actor
from tests.factories.stock import balance_ul, make_delivery, make_place, movements_of


@pytest.fixture
def bench(app: Flask, at: datetime) -> Bench:
    return Bench()


def codes(refused: pytest.ExceptionInfo[Refusals]) -> set[str]:
    return {refusal.code for refusal in refused.value.refusals}


def balances(lot: Lot) -> dict[AccountKind, int]:
    rows = db.session.execute(
        select(Account.kind, func.sum(Account.balance_ul))
        .where(Account.lot_id == lot.id)
        .group_by(Account.kind)
    )
    return {AccountKind(kind): int(total) for kind, total in rows if total}


def test_takes_one_vial_from_the_shelf(bench: Bench) -> None:
    bench.give()
    assert balances(bench.lot) == {
        AccountKind.SUPPLIER: -3_000,
        AccountKind.SHELF: 2_000,
        AccountKind.GIVEN: 1_000,
    }


def test_wastes_the_remainder_of_a_single_dose_container(bench: Bench) -> None:
    bench.give(bench.request(volume_ul=250))
    assert balances(bench.lot)[AccountKind.WASTE] == 750
    assert balances(bench.lot)[AccountKind.SHELF] == 2_000
    assert [m.reason for m in movements_of(bench.lot) if m.kind == MovementKind.WASTE] == ["remainder"]


def test_draws_one_dose_from_two_ampoules(bench: Bench) -> None:
    ampoule = make_product(strength_ng=500_000, strength_ul=1_000)
    lot = make_delivery(place=bench.place, product_id=ampoule.id, containers=5)
    dose = bench.give(
        bench.request(lot=lot, volume_ul=2_000, dose_ng=1_000_000, body_site=BodySite.LEFT_VASTUS_LATERALIS)
    )
    sources = db.session.scalars(select(DoseSource).where(DoseSource.dose_id == dose.id)).all()
    assert [s.volume_ul for s in sources] == [1_000, 1_000]
    assert balances(lot)[AccountKind.SHELF] == 3_000


def test_keeps_a_snapshot(bench: Bench, at: datetime) -> None:
    dose = bench.give()
    source = db.session.scalars(select(DoseSource)).one()
    assert (dose.number, dose.given_at, dose.given_on) == (1, at, date(2026, 3, 16))
    assert (dose.giver_id, dose.giver_name) == (bench.nurse.id, bench.nurse.name)
    assert dose.giver_credential == bench.nurse.credential != ""
    assert (source.lot_number, source.expires_on) == (bench.lot.lot_number, bench.lot.expires_on)


def test_draws_from_an_open_vial_without_emptying_it(bench: Bench) -> None:
    lot, vial = bench.open_multi()
    bench.give(bench.request(lot=lot, vial=vial))
    assert balances(lot)[AccountKind.VIAL] == 9_000
    assert balances(lot).get(AccountKind.WASTE) is None


def test_numbers_doses_without_a_gap(bench: Bench) -> None:
    bench.give()
    with pytest.raises(Refusals):
        bench.give(bench.request(dose_ng=5))
    other = bench.request(patient_id=make_patient())
    assert bench.give(other).number == 2


def test_is_recorded_once_for_one_request_key(bench: Bench, at: datetime) -> None:
    first = record_dose(actor=bench.nurse, at=at, request=bench.request(), request_key="k1")
    again = record_dose(actor=bench.nurse, at=at, request=bench.request(), request_key="k1")
    assert again.repeated
    assert again.subject_id == first.subject_id
    assert balance_ul(bench.lot) == 2_000


def test_refuses_an_expired_lot_before_giving(bench: Bench, at: datetime) -> None:
    lot = make_delivery(place=bench.place, expires_on=at.date())
    with clock.frozen(at + timedelta(days=1)), pytest.raises(Refusals) as refused:
        bench.give(bench.request(lot=lot))
    assert codes(refused) == {"LOT-EXPIRED"}
    assert balance_ul(lot) == 25_000


def test_gives_on_the_last_day_of_the_lot(bench: Bench, at: datetime) -> None:
    lot = make_delivery(place=bench.place, expires_on=at.date())
    assert bench.give(bench.request(lot=lot)).number == 1


def test_refuses_a_held_lot(bench: Bench, at: datetime) -> None:
    manager = make_actor(Role.MANAGER)
    hold_lot(actor=manager, at=at, lot_id=bench.lot.id, kind=HoldKind.RECALL, reason="Cracked vials")
    with pytest.raises(Refusals) as refused:
        bench.give()
    assert codes(refused) == {"LOT-RECALLED"}


def test_refuses_more_than_is_left(bench: Bench) -> None:
    with pytest.raises(Refusals) as refused:
        bench.give(bench.request(volume_ul=4_000, body_site=BodySite.LEFT_VASTUS_LATERALIS))
    assert codes(refused) == {"STOCK-SHORT"}
    assert balance_ul(bench.lot) == 3_000


def test_refuses_a_second_dose_that_day_until_a_prescriber_decides(bench: Bench) -> None:
    bench.give()
    with pytest.raises(Refusals) as refused:
        bench.give()
    assert codes(refused) == {"SECOND-DOSE-TODAY"}
    override = Override(OverrideReason.SPLIT_OVER_TWO_SITES, make_actor(Role.PRESCRIBER))
    dose = bench.give(decisions=Decisions(overrides={"SECOND-DOSE-TODAY": override}))
    found = db.session.scalars(select(DoseFinding).where(DoseFinding.dose_id == dose.id)).all()
    assert {f.code: f.disposition for f in found}["SECOND-DOSE-TODAY"] == Disposition.OVERRIDDEN


def test_refuses_an_override_by_a_nurse(bench: Bench) -> None:
    bench.give()
    override = Override(OverrideReason.PRESCRIBED_SO, bench.nurse)
    with pytest.raises(Refusals) as refused:
        bench.give(decisions=Decisions(overrides={"SECOND-DOSE-TODAY": override}))
    assert codes(refused) == {"OVERRIDE-PRESCRIBER"}


def test_asks_to_acknowledge_missing_consent(bench: Bench) -> None:
    unseen = bench.request(consent_seen=False)
    with pytest.raises(Refusals) as refused:
        bench.give(unseen)
    assert codes(refused) == {"CONSENT-NOT-RECORDED"}
    assert bench.give(unseen, decisions=Decisions(acknowledged=frozenset({"CONSENT-NOT-RECORDED"})))


def test_refuses_a_dose_and_volume_that_disagree_in_both_modes(bench: Bench, at: datetime) -> None:
    for mode in EntryMode:
        with pytest.raises(Refusals) as refused:
            bench.give(bench.request(dose_ng=999_999, mode=mode, given_at=at))
        assert codes(refused) == {"DOSE-VOLUME-DISAGREE"}


def test_refuses_a_time_in_the_future_after_the_fact(bench: Bench, at: datetime) -> None:
    later = at + timedelta(minutes=3)
    with pytest.raises(Refusals) as refused:
        bench.give(bench.request(mode=EntryMode.ALREADY_GIVEN, given_at=later))
    assert codes(refused) == {"TIME-FUTURE"}


def test_records_an_expired_dose_that_was_given_as_a_deviation(bench: Bench, at: datetime) -> None:
    lot = make_delivery(place=bench.place, expires_on=at.date())
    tomorrow = at + timedelta(days=1)
    with clock.frozen(tomorrow + timedelta(hours=3)):
        dose = bench.give(bench.request(lot=lot, mode=EntryMode.ALREADY_GIVEN, given_at=tomorrow))
    incident = db.session.scalars(select(Incident)).one()
    assert dose.is_deviation
    assert dose.is_late
    assert (incident.kind, incident.dose_id) == (IncidentKind.DEVIATION, dose.id)
    assert balance_ul(lot) == 24_000


def test_judges_a_late_entry_by_what_was_true_then(bench: Bench, at: datetime) -> None:
    manager = make_actor(Role.MANAGER)
    given_at = at + timedelta(minutes=5)
    with clock.frozen(at + timedelta(hours=2)):
        hold_lot(
            actor=manager, at=clock.now(), lot_id=bench.lot.id, kind=HoldKind.HOLD, reason="Fridge door open"
        )
        dose = bench.give(bench.request(mode=EntryMode.ALREADY_GIVEN, given_at=given_at))
    assert not dose.is_deviation


def test_posts_a_shortfall_for_a_dose_nobody_had_stock_for(bench: Bench, at: datetime) -> None:
    lot, vial = bench.open_multi()
    bench.give(
        bench.request(
            lot=lot,
            vial=vial,
            volume_ul=9_500,
            body_site=BodySite.LEFT_VASTUS_LATERALIS,
            mode=EntryMode.ALREADY_GIVEN,
            given_at=at,
        )
    )
    second = bench.request(
        lot=lot, vial=vial, patient_id=make_patient(), mode=EntryMode.ALREADY_GIVEN, given_at=at
    )
    dose = bench.give(second)
    kinds = {i.kind for i in db.session.scalars(select(Incident).where(Incident.dose_id == dose.id))}
    assert IncidentKind.STOCK_DISCREPANCY in kinds
    assert balances(lot)[AccountKind.ADJUSTMENT] == -500
    assert balances(lot).get(AccountKind.VIAL, 0) == 0


def test_puts_an_unknown_lot_on_hold_and_records_the_dose(bench: Bench, at: datetime) -> None:
    unknown = UnknownLot(bench.lot.product_id, "NEVER-SEEN", date(2027, 1, 31), bench.place.location_id)
    request = bench.request(mode=EntryMode.ALREADY_GIVEN, given_at=at, unknown_lot=unknown)
    dose = bench.give(replace(request, draws=()))
    lot = db.session.scalars(select(Lot).where(Lot.lot_number_key == "NEVER-SEEN")).one()
    hold = db.session.scalars(select(Hold).where(Hold.lot_id == lot.id)).one()
    assert hold.kind == HoldKind.UNKNOWN_LOT
    found = {f.code for f in db.session.scalars(select(DoseFinding).where(DoseFinding.dose_id == dose.id))}
    assert "LOT-UNKNOWN" in found
    assert "LOT-HELD" not in found
    assert balances(lot) == {AccountKind.ADJUSTMENT: -1_000, AccountKind.GIVEN: 1_000}


def test_sorts_a_typed_minute_after_that_minutes_receipt(bench: Bench, at: datetime) -> None:
    in_that_minute = at + timedelta(seconds=40)
    lot = make_delivery(place=bench.place, at=in_that_minute)
    with clock.frozen(at + timedelta(hours=1)):
        dose = bench.give(bench.request(lot=lot, mode=EntryMode.ALREADY_GIVEN, given_at=at))
    assert dose.given_at == in_that_minute
    assert not dose.is_deviation


def test_asks_about_a_time_before_the_receipt(bench: Bench, at: datetime) -> None:
    before = at - timedelta(days=2)
    dose = bench.give(bench.request(mode=EntryMode.ALREADY_GIVEN, given_at=before))
    assert dose.is_deviation
    assert balances(bench.lot)[AccountKind.ADJUSTMENT] == -1_000


def test_one_of_two_nurses_gets_the_last_dose(bench: Bench, app: Flask) -> None:
    lot = make_delivery(place=bench.place, containers=1)
    requests = [bench.request(lot=lot, patient_id=make_patient()) for _ in range(2)]
    outcomes: list[object] = []

    def give(request: object) -> None:
        with app.app_context(), clock.frozen(datetime.fromisoformat("2026-03-16T10:00:00+00:00")):
            try:
                outcomes.append(record_dose(actor=bench.nurse, at=clock.now(), request=request))
            except Refusals as refused:
                outcomes.append({r.code for r in refused.refusals})

    threads = [threading.Thread(target=give, args=(request,)) for request in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()  # what this thread saw before is old now
    assert sum(outcome == {"STOCK-SHORT"} for outcome in outcomes) == 1
    assert db.session.scalar(select(func.count()).select_from(Dose)) == 1
    assert balance_ul(lot) == 0


def test_writes_nothing_when_it_is_refused(bench: Bench) -> None:
    before = db.session.scalar(select(func.max(Movement.id)))
    with pytest.raises(Refusals):
        bench.give(bench.request(dose_ng=1))
    assert db.session.scalar(select(func.max(Movement.id))) == before
    assert db.session.scalar(select(func.count()).select_from(Dose)) == 0


def test_refuses_the_stock_of_another_site(bench: Bench, at: datetime) -> None:
    far = make_place(code="FAR")
    lot = make_delivery(place=far)
    draw = replace(bench.draws(1_000, lot=lot)[0], location_id=far.location_id)
    unknown = UnknownLot(lot.product_id, "NEVER", date(2027, 1, 31), far.location_id)
    late = bench.request(mode=EntryMode.ALREADY_GIVEN, given_at=at, unknown_lot=unknown)
    for request in (
        bench.request(draws=(draw,)),
        replace(late, draws=()),
        replace(late, draws=(draw,), unknown_lot=None),
    ):
        with pytest.raises(Refusal) as refused:
            bench.give(request)
        assert refused.value.code == "SOURCE-ELSEWHERE"
    assert balance_ul(lot) == 25_000


def test_finds_the_hold_of_the_place_where_the_vial_is(bench: Bench, at: datetime) -> None:
    lot, vial = bench.open_multi()
    manager, here = make_actor(Role.MANAGER), bench.place.location_id
    hold_lot(actor=manager, at=at, lot_id=lot.id, kind=HoldKind.HOLD, reason="Warm", location_id=here)
    (draw,) = bench.draws(1_000, lot=lot, vial=vial)
    with pytest.raises(Refusals) as refused:
        bench.give(bench.request(draws=(draw,)))
    assert codes(refused) == {"LOT-HELD"}
    elsewhere = replace(draw, location_id=make_place(location="Other").location_id)
    # Whatever a form says of its place, a vial is where it is, and so is its hold.
    with pytest.raises(Refusals) as forged:
        bench.give(bench.request(draws=(elsewhere,)))
    assert codes(forged) == {"LOT-HELD"}


def test_opens_no_more_containers_than_the_dose_needs(bench: Bench) -> None:
    (draw,) = bench.draws(1_000)
    splinters = tuple(replace(draw, volume_ul=500) for _ in range(2))
    nothing = (replace(draw, volume_ul=0), draw)
    for draws in (splinters, nothing):
        with pytest.raises(Refusal) as refused:
            bench.give(bench.request(draws=draws))
        assert refused.value.code == "SOURCES-DISAGREE"


def test_opens_a_discrepancy_for_more_than_a_sealed_vial_holds(bench: Bench, at: datetime) -> None:
    lot, _ = bench.open_multi()
    late = bench.request(lot=lot, volume_ul=30_000, mode=EntryMode.ALREADY_GIVEN, given_at=at)
    dose = bench.give(late)
    kinds = {i.kind for i in db.session.scalars(select(Incident).where(Incident.dose_id == dose.id))}
    assert kinds == {IncidentKind.DEVIATION, IncidentKind.STOCK_DISCREPANCY}


def test_counts_the_doses_of_a_day_long_past(bench: Bench, at: datetime) -> None:
    for days in range(32):
        with clock.frozen(at + timedelta(days=days)):
            lot = make_delivery(place=bench.place, containers=1, at=at)
            bench.give(bench.request(lot=lot))
    with clock.frozen(at + timedelta(days=40)):
        again = bench.give(bench.request(mode=EntryMode.ALREADY_GIVEN, given_at=at + timedelta(hours=1)))
    found = {f.code for f in db.session.scalars(select(DoseFinding).where(DoseFinding.dose_id == again.id))}
    assert "SECOND-DOSE-TODAY" in found


def test_writes_nothing_when_a_finding_is_new_since_the_page(bench: Bench, at: datetime) -> None:
    bench.give()
    late = bench.request(mode=EntryMode.ALREADY_GIVEN, given_at=at)
    with pytest.raises(Refusals) as refused:
        bench.give(late, decisions=Decisions(shown=frozenset()))
    assert codes(refused) == {"FINDING-NEW"}
    seen = Decisions(shown=frozenset({"SECOND-DOSE-TODAY"}))
    assert bench.give(late, decisions=seen).is_deviation


def test_refuses_an_unknown_patient(bench: Bench) -> None:
    with pytest.raises(Refusal) as refused:
        bench.give(bench.request(patient_id=bench.place.site_id))
    assert refused.value.code == "NOT-FOUND"
