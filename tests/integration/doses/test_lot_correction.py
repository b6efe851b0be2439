"""A lot is corrected by a version with a reason and somebody's approval; its doses keep what they had, and become deviations."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from inventory.audit.acts import Act, Outcome, perform
from inventory.catalogue.models import ContainerType
from inventory.doses.models import Dose, DoseSource, Incident, VialDedication
from inventory.doses.queries.containers import UnknownLot
from inventory.doses.queries.past_expiry import formerly_past, past_expiry
from inventory.doses.rules.terms import EntryMode, VoidKind
from inventory.doses.services import correct_lot, void_dose
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Actor, Role
from inventory.stock import queries, services, verification
from inventory.stock.models import (
    AccountKind,
    AdjustReason,
    HoldKind,
    Lot,
    LotCorrection,
    Movement,
    Vial,
    VialClosure,
)
from inventory.stock.notices import NamedLot
from inventory.stock.queries import corrections
from inventory.stock.services import Difference, Direction, merging
from inventory.stock.services.arriving import Arrival, Arrived, receive_transfer
from inventory.stock.services.correcting import Correction, RightExpiry
from inventory.stock.services.recalls import Notice, open_recall
from inventory.stock.services.sending import Consignment, send_transfer
from tests.factories.catalogue import make_multi_dose_product, make_product
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.staff import make_actor
from tests.factories.stock import EXPIRES_ON, balance_ul, make_delivery, make_open_vial, make_place

WHY = "The pack says so; the delivery was read in bad light."


@pytest.fixture
def manager(bench: Bench) -> Actor:
    return make_actor(Role.MANAGER)


def correct(actor: Actor, lot: Lot, **changes: Any) -> UUID:
    said: dict[str, Any] = {
        "lot_number": lot.lot_number,
        "expires_on": lot.expires_on,
        "reason": WHY,
        "approved_by": actor,
        **changes,
    }
    at = said.pop("at")
    return correct_lot(actor=actor, at=at, correction=Correction(lot_id=lot.id, **said)).subject_id


def refused(actor: Actor, lot: Lot, **changes: Any) -> str:
    with pytest.raises(Refusal) as caught:
        correct(actor, lot, **changes)
    return caught.value.code


def lot_now(lot_id: UUID) -> Lot:
    db.session.rollback()
    return queries.lot_by_id(db.session(), lot_id)


def all_corrections() -> list[LotCorrection]:
    db.session.rollback()
    return list(
        db.session.scalars(select(LotCorrection).order_by(LotCorrection.lot_id, LotCorrection.position))
    )


def incidents() -> list[Incident]:
    return list(db.session.scalars(select(Incident).order_by(Incident.number)))


def disagreements() -> list[str]:
    db.session.rollback()
    return list(verification.findings(db.session()))


def test_a_typo_is_corrected_by_a_version_that_says_what_stood_there(
    bench: Bench, manager: Actor, at: datetime
) -> None:
    lot = bench.lot
    before = lot.lot_number
    correct(manager, lot, lot_number=" inv 777", expires_on=date(2027, 9, 30), expires_month_only=True, at=at)
    [said] = all_corrections()
    found = lot_now(lot.id)
    assert (found.lot_number, found.lot_number_key, found.expires_on) == (
        "inv 777",
        "INV777",
        date(2027, 9, 30),
    )
    assert found.expires_month_only
    assert (said.position, said.lot_number_before, said.expires_on_before) == (1, before, EXPIRES_ON)
    assert (said.reason, said.actor_id, said.approved_by_id) == (WHY, manager.id, manager.id)
    assert not disagreements()
    correct(manager, found, lot_number="INV778", at=at + timedelta(hours=1))
    assert [one.position for one in all_corrections()] == [1, 2]
    for words in (before, "inv777", "INV778"):
        page = queries.lots_page(db.session(), words=words)
        assert [one.id for one in page.items] == [lot.id], words


def test_a_nurse_needs_the_word_of_a_prescriber_or_a_manager(
    bench: Bench, manager: Actor, at: datetime
) -> None:
    prescriber = make_actor(Role.PRESCRIBER)
    refusal = refused(bench.nurse, bench.lot, lot_number="OTHER1", approved_by=bench.nurse, at=at)
    assert refusal == "APPROVER-ROLE"
    correct(bench.nurse, bench.lot, lot_number="OTHER1", approved_by=prescriber, at=at)
    [said] = all_corrections()
    assert (said.actor_id, said.approved_by_id) == (bench.nurse.id, prescriber.id)


def test_a_correction_that_says_nothing_is_refused(bench: Bench, manager: Actor, at: datetime) -> None:
    lot = bench.lot
    for changes, code in (
        ({}, "LOT-UNCHANGED"),
        ({"lot_number": "X1", "reason": "  "}, "NOTE-NEEDED"),
        ({"lot_number": " "}, "LOT-NUMBER-INVALID"),
        ({"expires_on": date(2207, 8, 31)}, "LOT-EXPIRY-ABSURD"),
        ({"expires_on": date(1927, 8, 31)}, "LOT-EXPIRY-ABSURD"),
        ({"lot_number": "X1", "seen": 1}, "LOT-CORRECTED-MEANWHILE"),
    ):
        assert refused(manager, lot, at=at, **changes) == code, changes
    assert not all_corrections()


def test_a_dose_keeps_its_snapshot_and_opens_an_incident_when_newly_past_the_expiry(
    bench: Bench, manager: Actor, at: datetime
) -> None:
    early = bench.give(at=at)
    late = bench.give(at=at + timedelta(days=2))
    then, day = at + timedelta(days=2), at.date()
    voided = bench.give(bench.request(patient_id=make_patient()), at=then)
    void_dose(actor=bench.nurse, at=then, dose_id=voided.id, kind=VoidKind.DRAWN_NOT_GIVEN, reason="Spilt")
    correct(manager, bench.lot, expires_on=day + timedelta(days=1), at=then + timedelta(hours=1))
    [incident] = incidents()
    assert incident.dose_id == late.id
    assert incident.kind == "deviation"
    assert "expired on 17 Mar 2026, as it was corrected since" in incident.what
    kept = db.session.scalars(select(DoseSource).where(DoseSource.dose_id == late.id)).one()
    assert kept.expires_on == EXPIRES_ON
    assert [past.dose_id for past in past_expiry(db.session(), bench.lot.id)] == [late.id]
    assert not disagreements()
    # Later again: what was opened stays, and nothing is late any more; then early once more.
    correct(manager, lot_now(bench.lot.id), expires_on=EXPIRES_ON, at=then + timedelta(hours=2))
    assert (len(incidents()), past_expiry(db.session(), bench.lot.id)) == (1, [])
    for hours, expires_on in ((3, day + timedelta(days=1)), (4, day - timedelta(days=9))):
        correct(manager, lot_now(bench.lot.id), expires_on=expires_on, at=then + timedelta(hours=hours))
    assert [one.dose_id for one in incidents()] == [late.id, late.id, early.id]


def test_a_deviation_of_its_own_day_stays_one_when_the_expiry_turns_out_later(
    bench: Bench, manager: Actor, at: datetime
) -> None:
    lot = make_delivery(place=bench.place, expires_on=date(2026, 3, 16), containers=2)
    given = bench.request(lot=lot, mode=EntryMode.ALREADY_GIVEN, given_at=at + timedelta(days=1))
    dose = bench.give(given, at=at + timedelta(days=2))
    assert dose.is_deviation
    correct(manager, lot, expires_on=date(2026, 8, 31), at=at + timedelta(days=3))
    assert db.session.get_one(Dose, dose.id).is_deviation
    assert formerly_past(db.session(), lot.id) == 1
    assert (len(incidents()), past_expiry(db.session(), lot.id)) == (1, [])


def test_the_gate_stops_an_open_vial_by_the_corrected_expiry(
    bench: Bench, manager: Actor, at: datetime
) -> None:
    lot, vial = bench.open_multi()
    correct(manager, lot, expires_on=at.date() + timedelta(days=1), at=at)
    request = bench.request(lot=lot, vial=vial)
    bench.give(request, at=at + timedelta(days=1))
    with pytest.raises(Refusals) as caught:
        bench.give(request, at=at + timedelta(days=2))
    assert "LOT-EXPIRED" in {one.code for one in caught.value.refusals}
    [held] = [
        one for one in queries.drawable(db.session(), site_id=bench.place.site_id, on=at.date()) if one.vial
    ]
    assert held.last_usable_on == at.date() + timedelta(days=1)


def test_a_vial_keeps_the_use_by_that_is_printed_on_it(bench: Bench, manager: Actor, at: datetime) -> None:
    product_id = make_multi_dose_product().id
    lot = make_delivery(place=bench.place, product_id=product_id, expires_on=at.date() + timedelta(days=3))
    vial = make_open_vial(lot, place=bench.place)
    correct(manager, lot, expires_on=EXPIRES_ON, at=at)
    db.session.rollback()
    assert db.session.get_one(Vial, vial.id).use_by_on == at.date() + timedelta(days=3)


def twins(bench: Bench, *, expires_on: date = EXPIRES_ON) -> tuple[Lot, Lot]:
    """One lot recorded under two numbers, the first of them a typo: sealed on two shelves, and one vial open, a third given."""
    product_id = make_multi_dose_product().id
    wrong = make_delivery(
        place=bench.place, product_id=product_id, lot_number="TYP0", containers=4, expires_on=expires_on
    )
    fridge = make_place(location="Fridge")
    make_delivery(place=fridge, product_id=product_id, lot_number="TYP0", containers=2, expires_on=expires_on)
    right = make_delivery(place=bench.place, product_id=product_id, lot_number="TYPO", containers=5)
    return wrong, right


def merge(manager: Actor, wrong: Lot, right: Lot, *, at: datetime, **more: Any) -> None:
    correct(manager, wrong, lot_number="typo", merge_with=right.id, at=at, **more)
    db.session.rollback()


def test_a_number_that_another_lot_has_is_shown_before_the_two_become_one(
    bench: Bench, manager: Actor, at: datetime
) -> None:
    wrong, right = twins(bench)
    assert refused(manager, wrong, lot_number="TYPO", at=at) == "LOT-COLLIDES"
    assert refused(manager, wrong, lot_number="TYPO", merge_with=wrong.id, at=at) == "LOT-COLLIDES"
    assert (balance_ul(wrong), balance_ul(right)) == (60_000, 50_000)
    merge(manager, wrong, right, at=at)
    assert (balance_ul(wrong), balance_ul(right)) == (0, 110_000)
    assert (balance_ul(wrong, AccountKind.ADJUSTMENT), balance_ul(right, AccountKind.ADJUSTMENT)) == (
        60_000,
        -60_000,
    )
    moved = db.session.scalars(select(Movement).where(Movement.reason == AdjustReason.MERGED)).all()
    assert [m.amount_ul for m in moved] == [40_000, 40_000, 20_000, 20_000]
    assert lot_now(wrong.id).lot_number == "TYP0"
    assert corrections.became(db.session(), wrong.id) == right.id
    assert corrections.with_merged(db.session(), right.id) == [right.id, wrong.id]
    assert {one.id for one in queries.lots_page(db.session(), words="typ0").items} == {wrong.id, right.id}
    assert not disagreements()


def test_an_open_vial_goes_over_with_its_opening_and_the_earlier_use_by(
    bench: Bench, manager: Actor, at: datetime
) -> None:
    wrong, right = twins(bench, expires_on=at.date() + timedelta(days=40))
    vial = make_open_vial(wrong, place=bench.place)
    bench.give(bench.request(lot=wrong, vial=vial), at=at)
    merge(manager, wrong, right, right_expiry=RightExpiry.OTHER, at=at + timedelta(hours=1))
    old = db.session.get_one(Vial, vial.id)
    new = db.session.scalars(select(Vial).where(Vial.lot_id == right.id)).one()
    assert (old.closure, old.closed_at) == (VialClosure.RELABELLED, at + timedelta(hours=1))
    assert (new.opened_at, new.opened_by_id, new.use_by_on) == (
        old.opened_at,
        old.opened_by_id,
        old.use_by_on,
    )
    assert new.label_number == (old.label_number or 0) + 1
    assert queries.vial_on_hand(db.session(), new.id, on=at.date()).volume_ul == 9_000
    assert queries.vial_on_hand(db.session(), old.id, on=at.date()).volume_ul == 0
    bench.give(bench.request(lot=right, vial=new, patient_id=make_patient()), at=at + timedelta(hours=2))
    assert not disagreements()


def test_a_vial_of_one_patient_stays_that_patients(bench: Bench, manager: Actor, at: datetime) -> None:
    wrong, right = twins(bench)
    vial = make_open_vial(wrong, place=bench.place)

    def dedicate(act: Act) -> Outcome:
        row = {"vial_id": vial.id, "patient_id": bench.patient_id, "dedicated_at": at, "actor_id": manager.id}
        act.insert(VialDedication, row)
        return act.record("doses.dedicate-vial", "vial", vial.id)

    perform(dedicate, actor=manager, at=at)
    merge(manager, wrong, right, at=at)
    new = db.session.scalars(select(Vial.id).where(Vial.lot_id == right.id)).one()
    assert db.session.get(VialDedication, (new, bench.patient_id)) is not None


def test_an_empty_vial_is_closed_as_used_up(bench: Bench, manager: Actor, at: datetime) -> None:
    wrong, right = twins(bench)
    vial = make_open_vial(wrong, place=bench.place)
    second = make_actor(Role.MANAGER)
    missing = Difference(Direction.MISSING, AdjustReason.MISSING, "Poured out", second)
    services.adjust_vial(actor=manager, at=at, vial_id=vial.id, volume_ul=10_000, difference=missing)
    merge(manager, wrong, right, at=at)
    assert db.session.get_one(Vial, vial.id).closure == VialClosure.USED_UP
    assert not db.session.scalar(select(func.count()).where(Vial.lot_id == right.id))


def test_no_hold_is_lost_when_lots_become_one(bench: Bench, manager: Actor, at: datetime) -> None:
    wrong, right = twins(bench)
    vial = make_open_vial(wrong, place=bench.place)
    for kind, where in (
        (HoldKind.RECALL, {}),
        (HoldKind.TEMPERATURE, {"location_id": bench.place.location_id}),
        (HoldKind.HOLD, {"vial_id": vial.id}),
    ):
        services.hold_lot(actor=manager, at=at, lot_id=wrong.id, kind=kind, reason="A reason", **where)
    merge(manager, wrong, right, at=at)
    new = db.session.scalars(select(Vial.id).where(Vial.lot_id == right.id)).one()
    found = {
        (hold.kind, hold.location_id, hold.vial_id) for hold in queries.active_holds(db.session())[right.id]
    }
    assert found == {
        ("recall", None, None),
        ("temperature", bench.place.location_id, None),
        ("hold", None, new),
    }
    assert len(queries.active_holds(db.session())[wrong.id]) == 3


def test_the_right_expiry_is_asked_where_two_lots_differ(bench: Bench, manager: Actor, at: datetime) -> None:
    typed = at.date() - timedelta(days=1)
    wrong, right = twins(bench)
    vial = make_open_vial(right, place=bench.place)
    ours = make_open_vial(wrong, place=bench.place)
    doses = [
        bench.give(bench.request(lot=lot, vial=one, patient_id=make_patient()))
        for lot, one in ((right, vial), (wrong, ours))
    ]
    asked = {"lot_number": "TYPO", "expires_on": typed, "merge_with": right.id}
    assert refused(manager, wrong, at=at, **asked) == "LOT-MERGE-EXPIRY"
    correct(manager, wrong, right_expiry=RightExpiry.TYPED, at=at + timedelta(hours=1), **asked)
    db.session.rollback()
    assert (lot_now(right.id).expires_on, lot_now(wrong.id).expires_on) == (typed, EXPIRES_ON)
    assert {one.dose_id for one in incidents()} == {dose.id for dose in doses}
    for lot in (wrong, right):
        assert {one.dose_id for one in past_expiry(db.session(), lot.id)} == {
            dose.id for dose in (doses if lot is right else doses[1:])
        }
    assert not disagreements()


def test_nothing_more_is_received_or_found_under_a_number_that_was_a_mistake(
    bench: Bench, manager: Actor, at: datetime
) -> None:
    wrong, right = twins(bench)
    merge(manager, wrong, right, at=at)
    with pytest.raises(Refusal) as caught:
        make_delivery(place=bench.place, product_id=wrong.product_id, lot_number="typ0")
    assert (caught.value.code, "TYPO" in caught.value.message) == ("LOT-MERGED", True)
    found = Difference(Direction.FOUND, AdjustReason.FOUND, "Behind the box")
    with pytest.raises(Refusal, match="TYPO"):
        services.adjust_shelf(
            actor=manager, at=at, lot_id=wrong.id, place=bench.place, containers=1, difference=found
        )
    assert refused(manager, wrong, lot_number="TYP1", at=at) == "LOT-MERGED"
    other = make_delivery(place=bench.place, product_id=wrong.product_id, lot_number="TYP2")
    assert refused(manager, other, lot_number="TYP0", merge_with=wrong.id, at=at) == "LOT-MERGED"


def test_lots_of_other_contents_never_become_one(bench: Bench, manager: Actor, at: datetime) -> None:
    product = make_product()
    wrong = make_delivery(place=bench.place, product_id=product.id, lot_number="TYP0")
    # The trigger freezes a product with its first lot, so that only a lot recorded by hand can differ.
    right = make_delivery(place=bench.place, product_id=product.id, lot_number="TYPO")
    right.container_volume_ul = 2_000
    with pytest.raises(Refusal, match="other containers"):
        merging.refuse_unlike(db.session(), wrong, right)
    db.session.rollback()


def test_what_a_void_puts_back_goes_after_its_lot(bench: Bench, manager: Actor, at: datetime) -> None:
    product = make_product()
    assert product.container_type == ContainerType.SINGLE_DOSE
    wrong = make_delivery(place=bench.place, product_id=product.id, lot_number="TYP0", containers=3)
    right = make_delivery(place=bench.place, product_id=product.id, lot_number="TYPO", containers=3)
    dose = bench.give(bench.request(lot=wrong))
    correct(manager, wrong, lot_number="TYPO", merge_with=right.id, at=at)
    void_dose(
        actor=bench.nurse,
        at=at + timedelta(hours=1),
        dose_id=dose.id,
        kind=VoidKind.NEVER_OPENED,
        reason="Another patient's",
    )
    assert (balance_ul(wrong), balance_ul(right)) == (0, 6_000)
    assert not disagreements()


def test_a_dose_is_not_recorded_from_a_number_that_was_a_mistake(
    bench: Bench, manager: Actor, at: datetime
) -> None:
    wrong, right = twins(bench)
    merge(manager, wrong, right, at=at)
    late = bench.request(lot=wrong, mode=EntryMode.ALREADY_GIVEN, given_at=at)
    with pytest.raises(Refusal, match="TYPO"):
        bench.give(late, at=at + timedelta(hours=1))
    typed = UnknownLot(wrong.product_id, "typ0", EXPIRES_ON, bench.place.location_id)
    with pytest.raises(Refusal, match="TYPO"):
        bench.give(replace(late, draws=(), unknown_lot=typed), at=at + timedelta(hours=1))
    assert not disagreements()


def test_a_lot_on_its_way_is_not_merged(bench: Bench, manager: Actor, at: datetime) -> None:
    wrong, right = twins(bench)
    consignment = Consignment(bench.place, make_place(code="NORTH"), ((wrong.id, 1),))
    sent = send_transfer(actor=manager, at=at, consignment=consignment)
    assert refused(manager, wrong, lot_number="TYPO", merge_with=right.id, at=at) == "LOT-ON-ITS-WAY"
    arrival = Arrival((Arrived(1, 1),))
    receive_transfer(actor=manager, at=at, transfer_id=sent.subject_id, arrival=arrival)
    merge(manager, wrong, right, at=at)
    assert (balance_ul(wrong), balance_ul(right)) == (0, 110_000)


def test_a_lot_that_gets_a_recalled_number_is_held(bench: Bench, manager: Actor, at: datetime) -> None:
    open_recall(
        actor=manager,
        at=at,
        site_id=bench.place.site_id,
        notice=Notice(title="Glass in vials", reason="The maker says so"),
        named=[NamedLot("RECALL9")],
    )
    correct(manager, bench.lot, lot_number="recall 9", at=at)
    held = queries.active_holds(db.session())[bench.lot.id]
    assert [hold.kind for hold in held] == [HoldKind.RECALL]
