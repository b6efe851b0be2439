"""What was given under one record counts under the other: the gate, the vials, the recall, the list of last doses."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.clinic.models import Site
from inventory.clinic.settings import Settings
from inventory.doses.models import Dose, VialDedicationEnd
from inventory.doses.queries import recalls
from inventory.doses.queries.assessment import assess
from inventory.doses.queries.blocks import standing_blocks
from inventory.doses.queries.lists import last_uses, recent_doses
from inventory.doses.queries.offer import Offer, offer
from inventory.doses.rules.terms import BodySite, ContactOutcome, EntryMode
from inventory.doses.services import amend_dose, dedicate_vial, draws_of, record_block
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.patients.services import merge_records, undo_merge
from inventory.stock import verification
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.integration.doses.test_recalls import recall_of, tell
from tests.support.at_once import at_once


@pytest.fixture
def bench(app: Flask, at: datetime) -> Bench:
    return Bench(patient_id=make_patient(record_number="K-1"))


@pytest.fixture
def other(bench: Bench) -> UUID:
    return make_patient(record_number="K-2")


def merge(bench: Bench, other: UUID, at: datetime) -> UUID:
    done = merge_records(
        actor=SYSTEM_ACTOR, at=at, kept_id=bench.patient_id, merged_id=other, reason="Same card"
    )
    db.session.rollback()
    return done.subject_id


def part(merge_id: UUID, at: datetime) -> None:
    undo_merge(actor=SYSTEM_ACTOR, at=at, merge_id=merge_id, reason="Twins")
    db.session.rollback()


def codes(bench: Bench, at: datetime, **asked: object) -> set[str]:
    request = bench.request(**asked)
    return {one.code for one in assess(db.session(), request, giver=bench.nurse, recorded_at=at).findings}


def offered(bench: Bench, at: datetime) -> Offer:
    db.session.rollback()
    site = db.session.get_one(Site, bench.place.site_id)
    return offer(db.session(), bench.patient_id, site=site, settings=Settings(), at=at)


def test_a_dose_under_the_other_record_is_a_second_dose_that_day(
    bench: Bench, other: UUID, at: datetime
) -> None:
    bench.give(bench.request(patient_id=other))
    later = at + timedelta(hours=1)
    assert not {"SECOND-DOSE-TODAY", "SAME-SITE"} & codes(bench, later)
    merge_id = merge(bench, other, at)
    assert codes(bench, later) >= {"SECOND-DOSE-TODAY", "SAME-SITE"}
    with pytest.raises(Refusals, match="SECOND-DOSE-TODAY"):
        bench.give(at=later)
    part(merge_id, at)
    assert bench.give(at=later).patient_id == bench.patient_id


def test_last_doses_and_body_sites_are_those_of_both(bench: Bench, other: UUID, at: datetime) -> None:
    first = bench.give(
        at=at - timedelta(days=8),
        request=bench.request(mode=EntryMode.ALREADY_GIVEN, given_at=at - timedelta(days=8)),
    )
    last = bench.give(bench.request(patient_id=other, body_site=BodySite.RIGHT_DELTOID))
    merge(bench, other, at)
    for one in (bench.patient_id, other):
        assert [dose.id for dose in recent_doses(db.session(), one)] == [last.id, first.id]
        assert list(last_uses(db.session(), one)) == [BodySite.RIGHT_DELTOID, BodySite.LEFT_DELTOID]
    db.session.rollback()
    assert db.session.get_one(Dose, last.id).patient_id == other


def test_a_vial_kept_for_one_record_is_kept_for_the_person(bench: Bench, other: UUID, at: datetime) -> None:
    lot, vial = bench.open_multi()
    dedicate_vial(actor=bench.nurse, at=at, vial_id=vial.id, patient_id=other)
    asked = {"lot": lot, "vial": vial}
    assert "VIAL-DEDICATED" in codes(bench, at, **asked)
    assert not [one for one in offered(bench, at).givable if one.vial]
    merge_id = merge(bench, other, at)
    assert "VIAL-DEDICATED" not in codes(bench, at, **asked)
    own = offered(bench, at)
    assert own.is_own(next(one for one in own.givable if one.vial))
    dose = bench.give(bench.request(**asked, dedicate=True))
    part(merge_id, at)
    assert "VIAL-DEDICATED" in codes(bench, at + timedelta(days=1), **asked)
    assert db.session.get_one(Dose, dose.id).patient_id == bench.patient_id


def test_a_vial_from_which_both_records_had_doses_may_be_kept_for_the_person(
    bench: Bench, other: UUID, at: datetime
) -> None:
    lot, vial = bench.open_multi()
    bench.give(bench.request(lot=lot, vial=vial, patient_id=other))
    with pytest.raises(Refusal) as refused:
        dedicate_vial(actor=bench.nurse, at=at, vial_id=vial.id, patient_id=bench.patient_id)
    assert refused.value.code == "VIAL-OF-OTHERS"
    merge(bench, other, at)
    dedicate_vial(actor=bench.nurse, at=at, vial_id=vial.id, patient_id=bench.patient_id)
    with pytest.raises(Refusal) as refused:
        dedicate_vial(actor=bench.nurse, at=at, vial_id=vial.id, patient_id=other)
    assert refused.value.code == "VIAL-DEDICATED"


def test_an_amendment_to_the_other_record_of_the_person_leaves_the_vial_kept(
    bench: Bench, other: UUID, at: datetime
) -> None:
    lot, vial = bench.open_multi()
    dose = bench.give(bench.request(lot=lot, vial=vial, dedicate=True, patient_id=other))
    merge(bench, other, at)
    asked = replace(
        bench.request(lot=lot, vial=vial, mode=EntryMode.ALREADY_GIVEN, given_at=dose.given_at),
        draws=draws_of(db.session(), dose.id),
        amends_id=dose.id,
    )
    amend_dose(actor=bench.nurse, at=at, dose_id=dose.id, request=asked, reason="Under the kept number")
    assert db.session.scalars(select(VialDedicationEnd)).all() == []
    assert "VIAL-DEDICATED" in codes(bench, at, lot=lot, vial=vial, patient_id=make_patient())
    assert list(verification.findings(db.session())) == []


def test_a_recall_reaches_the_person_once(bench: Bench, other: UUID, at: datetime) -> None:
    bench.give()
    bench.give(bench.request(patient_id=other))
    recall_id = recall_of(bench.lot.lot_number, at=at)
    tell(bench, recall_id, other, ContactOutcome.TOLD, at=at)
    assert recalls.progress(db.session(), recall_id).patients == 2
    merge_id = merge(bench, other, at)
    (one,) = recalls.recipients_page(db.session(), recall_id).items
    assert (one.id, one.doses, one.outcome) == (bench.patient_id, 2, ContactOutcome.TOLD)
    assert list(recalls.recipients(db.session(), recall_id)) == [one]
    assert recalls.recipient(db.session(), recall_id, other) == one
    far = recalls.progress(db.session(), recall_id)
    assert (far.patients, far.told) == (1, 1)
    lot_ids = [bench.lot.id]
    assert recalls.doses_by_lot(db.session(), lot_ids) == {bench.lot.id: (2, 1)}
    assert len(recalls.doses_of(db.session(), lot_ids, [one.id])[one.id]) == 2
    assert len(recalls.contacts_of(db.session(), recall_id, [one.id])[one.id]) == 1
    part(merge_id, at)
    assert recalls.progress(db.session(), recall_id).patients == 2


def test_a_block_met_under_one_record_stands_under_the_other(bench: Bench, other: UUID, at: datetime) -> None:
    record_block(
        actor=bench.nurse,
        at=at,
        site_id=bench.place.site_id,
        patient_id=other,
        codes=["LOT-EXPIRED"],
        source="",
        form_key="k",
    )
    asked = {"giver_id": bench.nurse.id, "patient_id": bench.patient_id, "at": at}
    assert standing_blocks(db.session(), **asked) == []
    merge(bench, other, at)
    assert standing_blocks(db.session(), **asked) == ["LOT-EXPIRED"]


def test_two_doses_of_one_person_at_once_are_never_both_the_first(
    app: Flask, bench: Bench, other: UUID, at: datetime
) -> None:
    merge(bench, other, at)
    asked = [bench.request(), bench.request(patient_id=other)]

    def give(number: int) -> str:
        try:
            bench.give(asked[number], at=at)
        except Refusals as refusals:
            return ", ".join(one.code for one in refusals.refusals)
        return "given"

    assert sorted(at_once(app, [lambda: give(0), lambda: give(1)])) == ["SECOND-DOSE-TODAY", "given"]


def test_a_dose_and_a_merge_at_once_leave_no_unseen_second_dose(
    app: Flask, bench: Bench, other: UUID, at: datetime
) -> None:
    bench.give(bench.request(patient_id=other))
    asked = bench.request()

    def give() -> str:
        try:
            bench.give(asked, at=at + timedelta(minutes=1))
        except Refusals:
            return "refused"
        return "given"

    def join() -> str:
        merge_records(actor=SYSTEM_ACTOR, at=at, kept_id=bench.patient_id, merged_id=other, reason="Same")
        return "merged"

    answers = at_once(app, [give, join])
    assert "merged" in answers
    assert len(db.session.scalars(select(Dose)).all()) == (2 if "given" in answers else 1)
    assert list(verification.findings(db.session())) == []
