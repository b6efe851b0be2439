"""Every kind of report is made by the worker: counted, told of as it is drawn, cancelled, and begun again when its worker is lost."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.reports.issuing import WORKS
from inventory.reports.jobs import rules, running, services
from inventory.reports.jobs.asking import issue_or_ask
from inventory.reports.jobs.queries import Job, job_for
from inventory.reports.jobs.rules import JobState
from inventory.reports.kinds import ReportKind
from inventory.reports.models import Report
from inventory.reports.queries.issued import issued_report, stored_content
from inventory.reports.queries.listings.kinds import LISTINGS
from inventory.reports.tables import table_of
from tests.factories.jobs import lose_the_worker, stop_at
from tests.factories.reports import NOON, RECORDED_AT, ReportingClinic, make_busy_clinic

LATER = RECORDED_AT + rules.SILENCE + timedelta(seconds=1)
RUNNING_STATES = (ReportKind.RECONCILIATION, ReportKind.RECALL)


@pytest.fixture(autouse=True)
def in_december() -> Iterator[None]:
    with clock.frozen(RECORDED_AT):
        yield


@pytest.fixture
def clinic(app: Flask) -> ReportingClinic:
    """A clinic of which every kind of report has something to tell."""
    return make_busy_clinic()


def asked(clinic: ReportingClinic, kind: ReportKind) -> UUID:
    made = issue_or_ask(kind=kind, asked=clinic.asked_for(kind), actor=clinic.auditor, at=RECORDED_AT)
    assert made.subject_type == services.SUBJECT
    return made.subject_id


def shown(clinic: ReportingClinic, job_id: UUID) -> Job:
    db.session.rollback()
    return job_for(clinic.auditor, job_id)


def report_of(job: Job) -> UUID:
    assert job.state is JobState.DONE, job.failure
    assert job.report_id is not None
    return job.report_id


def test_every_kind_is_known_to_the_worker() -> None:
    assert set(WORKS) == set(ReportKind)


@pytest.mark.parametrize("kind", ReportKind)
def test_lost_worker_s_report_is_begun_again_and_tells_what_its_head_had_seen(
    clinic: ReportingClinic,
    every_report_a_job: None,
    at_instant: Callable[[datetime], None],
    kind: ReportKind,
) -> None:
    job_id = asked(clinic, kind)
    calls: list[None] = []
    running.work_off(lambda: bool(calls.append(None)))
    first = issued_report(report_of(shown(clinic, job_id)))
    again = asked(clinic, kind)
    # Before its last row is told of: it has its number, and no file.
    lose_the_worker(len(calls) - 2)
    clinic.void(clinic.give(NOON + timedelta(days=3), consent_seen=False).id)
    clinic.refuse(NOON)
    at_instant(LATER)
    assert running.work_off() == 1
    report = issued_report(report_of(shown(clinic, again)))
    assert len(report.files) == 2
    if kind in RUNNING_STATES:
        assert [report.label, issued_report(_interrupted()).files] == ["MAIN-3", ()]
        return
    assert (report.label, report.row_count) == ("MAIN-2", first.row_count)
    told = stored_content(report.id, "csv")[1].decode("utf-8-sig")
    assert told == stored_content(first.id, "csv")[1].decode("utf-8-sig") or kind in LISTINGS
    rows = list(table_of(kind, report.parameters, report.head_seq).rows)
    assert len(rows) == report.row_count == told.count("\r\n") - 1


def _interrupted() -> UUID:
    return db.session.scalars(select(Report.id).where(Report.number == 2)).one()


@pytest.mark.parametrize("kind", [ReportKind.LOT, ReportKind.RECALL, ReportKind.RECONCILIATION])
def test_cancelled_while_it_is_made_leaves_nothing_half(
    clinic: ReportingClinic, every_report_a_job: None, kind: ReportKind
) -> None:
    job_id = asked(clinic, kind)
    running.work_off(stop_at(3, lambda: services.cancel(job_id=job_id, actor=clinic.auditor, at=RECORDED_AT)))
    job = shown(clinic, job_id)
    assert job.state is JobState.CANCELLED
    assert job.report_id is None or issued_report(job.report_id).files == ()


def test_list_that_is_long_is_counted_while_it_is_read(
    clinic: ReportingClinic, every_report_a_job: None
) -> None:
    job_id = asked(clinic, ReportKind.LOT)
    assert shown(clinic, job_id).words == "Waiting for its turn."
    said: list[str] = []
    running.work_off(lambda: bool(said.append(shown(clinic, job_id).words)))
    assert "Being made: what it lists is being read." in said
    whole = issued_report(report_of(shown(clinic, job_id))).row_count
    assert f"Being made: {whole - 1} of {whole} rows." in said
