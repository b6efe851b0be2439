"""Reports, the trail, the years of keeping and an erasure are those of a person, whatever record is asked for."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select

from inventory.audit.queries import Sought, access_page, entries_page
from inventory.audit.services import log_access
from inventory.desk.erasure_queries import last_day_of_care, patients_past_keeping
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.patients.models import Patient
from inventory.patients.services import merge_records, undo_merge
from inventory.reports.issuing import issue_report
from inventory.reports.kinds import ReportKind
from inventory.reports.queries.issued import IssuedReport
from inventory.reports.queries.requests import Asked
from inventory.reports.tables import table_of
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.staff import make_actor
from tests.integration.desk.test_erasure import Case, every_text, verified

YEARS_LATER = timedelta(days=11 * 366)


@pytest.fixture
def bench(app: Flask, at: datetime) -> Bench:
    return Bench(patient_id=make_patient(family_name="Wolfsburg", record_number="WB-1", at=at))


@pytest.fixture
def other(bench: Bench, at: datetime) -> UUID:
    """Another record of the person, with a dose of its own."""
    made = make_patient(family_name="Wolfsburger", record_number="WB-2", at=at)
    bench.give(at=at)
    bench.give(bench.request(patient_id=made, note="Wolfsburger too"), at=at)
    return made


@pytest.fixture
def merged(bench: Bench, other: UUID, at: datetime) -> UUID:
    return merge_records(
        actor=SYSTEM_ACTOR, at=at, kept_id=bench.patient_id, merged_id=other, reason="Wolfsburg married"
    ).subject_id


def issued(number: str, at: datetime) -> IssuedReport:
    asked = Asked(at.date(), at.date(), patient_record_number=number)
    return issue_report(kind=ReportKind.PATIENT, asked=asked, actor=SYSTEM_ACTOR, at=at)


def rows(report: IssuedReport) -> list[object]:
    return list(table_of(report.kind, report.parameters, report.head_seq).rows)


def test_a_report_shows_the_person_as_merged_when_it_was_issued(
    bench: Bench, other: UUID, at: datetime
) -> None:
    before = issued("WB-1", at)
    assert len(rows(before)) == 1
    done = merge_records(actor=SYSTEM_ACTOR, at=at, kept_id=bench.patient_id, merged_id=other, reason="Same")
    both = [issued(number, at) for number in ("WB-1", "wb-2")]
    assert [len(rows(one)) for one in both] == [2, 2]
    assert all(one.patient_id == bench.patient_id for one in both)
    undo_merge(actor=SYSTEM_ACTOR, at=at, merge_id=done.subject_id, reason="Twins")
    assert [len(rows(one)) for one in (before, *both)] == [1, 2, 2]
    assert len(rows(issued("WB-2", at))) == 1


def test_the_trail_and_the_looks_of_a_number_are_those_of_the_person(
    bench: Bench, other: UUID, merged: UUID, at: datetime
) -> None:
    assert merged
    log_access(bench.nurse, other, "record", at=at)
    for number in ("WB-1", " wb-2"):
        sought = Sought(record_number=number)
        entries = entries_page(db.session(), sought, cursor="").items
        assert {one.patient_id for one in entries} == {bench.patient_id, other}
        assert [one.patient_id for one in access_page(db.session(), sought, cursor="").items] == [other]
    assert not entries_page(db.session(), Sought(record_number="WB-3"), cursor="").items


def test_the_years_of_keeping_are_those_of_the_last_record(
    bench: Bench, other: UUID, merged: UUID, at: datetime
) -> None:
    assert merged
    later = at + timedelta(days=400)
    last = bench.give(bench.request(patient_id=other), at=later)
    db.session.rollback()
    assert last_day_of_care(db.session(), bench.patient_id) == last.given_on
    past = [row.id for row in patients_past_keeping(db.session(), today=(at + timedelta(days=3_660)).date())]
    assert past == []
    past = [
        row.id
        for row in patients_past_keeping(db.session(), today=(at + YEARS_LATER + timedelta(days=400)).date())
    ]
    assert past == [bench.patient_id]


@pytest.mark.parametrize("asked_of", ["kept", "merged"])
def test_an_erasure_takes_every_record_of_the_person_and_the_chain_stays_whole(
    bench: Bench, other: UUID, merged: UUID, cli: FlaskCliRunner, *, asked_of: str, at: datetime
) -> None:
    assert merged
    case = Case(other if asked_of == "merged" else bench.patient_id, at + YEARS_LATER)
    request_id = case.ask()
    with pytest.raises(Refusal, match="open already"):
        Case(bench.patient_id, case.later).ask()
    case.carry_out(request_id)
    left = every_text()
    for word in ("Wolfsburg", "wolfsburg", "WB-1", "WB-2"):
        assert word not in left
    assert {one.family_name for one in db.session.scalars(select(Patient))} == {"Erased"}
    code, said = verified(cli)
    assert code == 0, said
    assert verified(cli, "stock")[0] == 0
    with pytest.raises(Refusal) as refused:
        undo_merge(actor=SYSTEM_ACTOR, at=case.later, merge_id=merged, reason="Twins")
    assert refused.value.code == "MERGE-ERASED"
    with pytest.raises(Refusal) as refused:
        merge_records(
            actor=SYSTEM_ACTOR,
            at=case.later,
            kept_id=make_patient(),
            merged_id=bench.patient_id,
            reason="x",
            although_born_differently=True,
        )
    assert refused.value.code == "MERGE-ERASED"


def test_nobody_is_erased_while_another_record_must_be_kept(
    bench: Bench, other: UUID, merged: UUID, at: datetime
) -> None:
    assert merged
    bench.give(bench.request(patient_id=other), at=at + timedelta(days=200))
    case = Case(bench.patient_id, at + timedelta(days=3_700))
    with pytest.raises(Refusal) as refused:
        case.carry_out(case.ask())
    assert refused.value.code == "ERASURE-KEPT"
    assert case.family_name == "Wolfsburg"


def test_who_is_parted_again_is_erased_alone(
    bench: Bench, other: UUID, merged: UUID, at: datetime, cli: FlaskCliRunner
) -> None:
    undo_merge(actor=SYSTEM_ACTOR, at=at, merge_id=merged, reason="Wolfsburgs are twins")
    case = Case(other, at + YEARS_LATER)
    case.carry_out(case.ask())
    db.session.rollback()
    assert db.session.get_one(Patient, bench.patient_id).family_name == "Wolfsburg"
    assert case.family_name == "Erased"
    code, said = verified(cli)
    assert code == 0, said


def test_no_merge_while_an_erasure_is_asked_for(bench: Bench, other: UUID, at: datetime) -> None:
    Case(other, at, make_actor(), make_actor()).ask()
    with pytest.raises(Refusal) as refused:
        merge_records(actor=SYSTEM_ACTOR, at=at, kept_id=bench.patient_id, merged_id=other, reason="Same")
    assert refused.value.code == "MERGE-ERASURE-ASKED"
