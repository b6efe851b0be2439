"""Long reports: asked for once, made once, begun again when their worker is lost, cancelled, and seen by nobody else."""

import csv
import io
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from inventory.audit.models import AuditEntry
from inventory.audit.verification import Verification
from inventory.doses.rules.terms import VoidKind
from inventory.doses.services import void_dose
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.reports.jobs import rules, running, services
from inventory.reports.jobs.queries import Job, job_for, job_of, jobs_waited_for
from inventory.reports.jobs.queue import queue_of
from inventory.reports.jobs.rules import JobState
from inventory.reports.models import Report, ReportFile, ReportJob
from inventory.reports.progress import Progress, unwatched
from inventory.reports.queries.issued import IssuedReport, issued_report
from inventory.reports.queries.requests import Asked
from inventory.reports.services import issue_administration_report
from inventory.staff import queries as staff
from inventory.staff.services import deactivate_person, edit_person, set_sites
from inventory.staff.services.access import Bounds, set_access
from inventory.staff.services.people import Entry
from tests.factories.jobs import OCTOBER, ask_for_october, lose_the_worker, stop_at
from tests.factories.reports import NOON, RECORDED_AT, ReportingClinic
from tests.factories.staff import make_actor

LATER = RECORDED_AT + timedelta(minutes=2)
At = Callable[[datetime], None]


@pytest.fixture(autouse=True)
def in_december() -> Iterator[None]:
    with clock.frozen(RECORDED_AT):
        yield


@pytest.fixture
def busy(clinic: ReportingClinic, every_report_a_job: None) -> ReportingClinic:
    """A clinic with four doses in October."""
    for day in range(4):
        clinic.give(NOON + timedelta(days=day))
    return clinic


def shown(clinic: ReportingClinic, job_id: UUID) -> Job:
    db.session.rollback()
    return job_for(clinic.auditor, job_id)


def counted(model: type[Any]) -> int:
    return int(db.session.scalar(select(func.count()).select_from(model)) or 0)


def test_short_report_is_made_at_once(clinic: ReportingClinic) -> None:
    clinic.give(NOON)
    with pytest.raises(AssertionError):
        ask_for_october(clinic.auditor, RECORDED_AT)
    assert counted(Report) == 1
    assert counted(ReportJob) == 0


def test_long_report_waits_and_tells_the_queue(busy: ReportingClinic, app: Flask) -> None:
    job_id = ask_for_october(busy.auditor, RECORDED_AT)
    job = shown(busy, job_id)
    assert (job.state, job.rows_of, job.words) == (JobState.QUEUED, 4, "Waiting for its turn: 4 doses.")
    assert counted(Report) == 0
    assert queue_of(app).waiting == 1


def test_worker_makes_it_as_the_person_who_asked(busy: ReportingClinic) -> None:
    job_id = ask_for_october(busy.auditor, RECORDED_AT)
    assert running.work_off() == 1
    job = shown(busy, job_id)
    assert (job.state, job.words, job.rows_done) == (JobState.DONE, "Ready: report MAIN-1.", 4)
    assert job.report_id is not None
    report = issued_report(job.report_id)
    assert (report.actor_name, report.row_count, len(report.files)) == ("Aud Auditor", 4, 2)
    assert running.work_off() == 0


def test_asked_for_twice_by_one_form_is_one_job_and_one_report(busy: ReportingClinic) -> None:
    first, second = (ask_for_october(busy.auditor, RECORDED_AT, request_key="the same") for _ in range(2))
    running.work_off()
    assert first == second == ask_for_october(busy.auditor, RECORDED_AT, request_key="the same")
    assert counted(Report) == 1


def test_asked_for_by_two_forms_is_two_reports_in_the_order_of_asking(busy: ReportingClinic) -> None:
    jobs = [ask_for_october(busy.auditor, RECORDED_AT + timedelta(seconds=n)) for n in range(2)]
    assert running.work_off() == 2
    assert [shown(busy, job).report_label for job in jobs] == ["MAIN-1", "MAIN-2"]


def test_what_cannot_be_is_refused_at_once(busy: ReportingClinic) -> None:
    with pytest.raises(Refusals, match="REPORT-SITE"):
        ask_for_october(busy.auditor, RECORDED_AT, site_code="NOWHERE")
    with pytest.raises(Refusal, match="NOT-PERMITTED"):
        ask_for_october(make_actor(Role.MANAGER), RECORDED_AT)
    assert counted(ReportJob) == 0


def test_asking_and_ending_are_entries_of_a_trail_that_is_well(busy: ReportingClinic) -> None:
    job_id = ask_for_october(busy.auditor, RECORDED_AT)
    running.work_off()
    entries = select(AuditEntry.action).where(AuditEntry.subject_id == job_id).order_by(AuditEntry.id)
    assert list(db.session.scalars(entries)) == ["reports.ask", "reports.end-job"]
    assert list(Verification(db.session()).whole()) == []


# Lost workers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", [2, 4, 7])
def test_lost_worker_s_report_is_made_once_with_one_number(
    busy: ReportingClinic, at_instant: At, call: int
) -> None:
    job_id = ask_for_october(busy.auditor, RECORDED_AT)
    lose_the_worker(call)
    assert shown(busy, job_id).state is JobState.RUNNING
    assert running.work_off() == 0, "it may still be at work"
    at_instant(LATER)
    assert running.work_off() == 1
    job = shown(busy, job_id)
    assert (job.state, job.report_label) == (JobState.DONE, "MAIN-1")
    assert (counted(Report), counted(ReportFile)) == (1, 2)
    assert list(Verification(db.session()).whole()) == []


def test_report_that_was_interrupted_shows_what_its_head_had_seen(
    busy: ReportingClinic, at_instant: At
) -> None:
    """The number and the head were taken at the first attempt; what was recorded since is not in it."""
    voided = busy.give(NOON + timedelta(days=4)).id
    job_id = ask_for_october(busy.auditor, RECORDED_AT)
    lose_the_worker(4)
    void_dose(
        actor=busy.nurse,
        at=RECORDED_AT,
        dose_id=voided,
        kind=VoidKind.DRAWN_NOT_GIVEN,
        reason="Fainted",
    )
    busy.give(NOON + timedelta(days=5))
    at_instant(LATER)
    running.work_off()
    job = shown(busy, job_id)
    assert job.report_id is not None
    report = issued_report(job.report_id)
    rows = list(csv.DictReader(io.StringIO(busy.content(report, "csv").decode("utf-8-sig"), newline="")))
    assert len(rows) == report.row_count == 5
    assert "VOID" not in busy.text(report)
    assert "Fainted" in busy.text(busy.issue(*OCTOBER))


def test_job_that_loses_its_worker_too_often_fails_in_plain_words(
    busy: ReportingClinic, at_instant: At
) -> None:
    job_id = ask_for_october(busy.auditor, RECORDED_AT)
    for attempt in range(rules.MOST_ATTEMPTS):
        at_instant(RECORDED_AT + attempt * timedelta(minutes=2))
        lose_the_worker(4)
    at_instant(RECORDED_AT + timedelta(hours=1))
    assert running.work_off() == 0
    job = shown(busy, job_id)
    assert (job.state, job.failure) == (JobState.FAILED, rules.GIVEN_UP)
    assert job.report_label == "MAIN-1"


def test_worker_that_was_taken_to_be_gone_changes_nothing_any_more(
    busy: ReportingClinic, at_instant: At
) -> None:
    """Two workers draw the same report: the files are stored once, and the second's word is the one that counts."""
    job_id = ask_for_october(busy.auditor, RECORDED_AT)
    begun: list[int] = []

    def overtake() -> None:
        at_instant(LATER)
        begun.append(running.work_off())

    assert running.work_off(stop_at(5, overtake)) == 1
    assert begun == [1]
    assert shown(busy, job_id).state is JobState.DONE
    assert (counted(Report), counted(ReportFile)) == (1, 2)


def test_word_of_an_earlier_attempt_counts_for_nothing(busy: ReportingClinic) -> None:
    ask_for_october(busy.auditor, RECORDED_AT)
    slow = services.claim(at=RECORDED_AT)
    services.requeue_lost(at=LATER)
    quick = services.claim(at=LATER)
    assert slow is not None
    assert quick is not None
    assert (slow.id, slow.attempt, quick.attempt) == (quick.id, 1, 2)
    with pytest.raises(services.Displaced):
        services.beat(slow, done=3, of=4, at=LATER)
    with pytest.raises(services.Displaced):
        services.give_back(slow, at=LATER)
    with pytest.raises(services.Displaced):
        services.end(slow, state=JobState.FAILED, at=LATER, why="It was slow.")
    services.beat(quick, done=1, of=4, at=LATER)
    assert (shown(busy, quick.id).state, shown(busy, quick.id).rows_done) == (JobState.RUNNING, 1)


def test_two_that_draw_the_same_report_store_it_once(busy: ReportingClinic) -> None:
    def issue(progress: Progress) -> IssuedReport:
        return issue_administration_report(
            asked=Asked(*OCTOBER),
            actor=busy.auditor,
            at=RECORDED_AT,
            request_key="the same",
            progress=progress,
            resumes=True,
        )

    first: list[IssuedReport] = []

    def overtake(done: int, of: int) -> None:
        if done == of:
            first.append(issue(unwatched))

    assert issue(overtake) == first[0]
    assert (counted(Report), counted(ReportFile)) == (1, 2)
    assert list(Verification(db.session()).whole()) == []


def test_worker_that_is_told_to_stop_puts_its_job_back(busy: ReportingClinic) -> None:
    job_id = ask_for_october(busy.auditor, RECORDED_AT)
    asked = iter([False, False, False, True, True])
    running.work_off(lambda: next(asked))
    job = shown(busy, job_id)
    assert (job.state, job.report_label, job.rows_done) == (JobState.QUEUED, "MAIN-1", 0)
    assert db.session.scalar(select(ReportJob.attempts)) == 0
    running.work_off()
    assert shown(busy, job_id).state is JobState.DONE
    assert counted(Report) == 1


def test_what_breaks_ends_the_job_in_plain_words_and_the_next_is_made(
    busy: ReportingClinic, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = (ask_for_october(busy.auditor, RECORDED_AT + timedelta(seconds=n)) for n in range(2))
    drawn = running.issue_report

    def break_once(*arguments: Any, **more: Any) -> Any:
        monkeypatch.setattr(running, "issue_report", drawn)
        raise ZeroDivisionError

    monkeypatch.setattr(running, "issue_report", break_once)
    assert running.work_off() == 2
    assert (shown(busy, first).state, shown(busy, first).failure) == (JobState.FAILED, rules.BROKE)
    assert shown(busy, second).state is JobState.DONE
    assert "ZeroDivisionError" in caplog.text


# Cancelling -------------------------------------------------------------------------------------------------------


def test_cancelled_while_it_waits_takes_no_number(busy: ReportingClinic) -> None:
    job_id = ask_for_october(busy.auditor, RECORDED_AT)
    services.cancel(job_id=job_id, actor=busy.auditor, at=RECORDED_AT)
    assert running.work_off() == 0
    assert shown(busy, job_id).state is JobState.CANCELLED
    assert counted(Report) == 0


def test_cancelled_while_it_is_made_leaves_its_number_and_nothing_half(busy: ReportingClinic) -> None:
    job_id = ask_for_october(busy.auditor, RECORDED_AT)
    running.work_off(stop_at(4, lambda: services.cancel(job_id=job_id, actor=busy.auditor, at=RECORDED_AT)))
    job = shown(busy, job_id)
    assert (job.state, job.report_label) == (JobState.CANCELLED, "MAIN-1")
    assert job.report_id is not None
    assert issued_report(job.report_id).files == ()
    assert job_of(job.report_id) == job
    with pytest.raises(Refusal, match="JOB-FINISHED"):
        services.cancel(job_id=job_id, actor=busy.auditor, at=RECORDED_AT)


def test_cancelled_and_lost_is_not_begun_again(busy: ReportingClinic, at_instant: At) -> None:
    job_id = ask_for_october(busy.auditor, RECORDED_AT)
    lose_the_worker(4)
    services.cancel(job_id=job_id, actor=busy.auditor, at=RECORDED_AT)
    at_instant(LATER)
    assert running.work_off() == 0
    assert shown(busy, job_id).state is JobState.CANCELLED


def test_nobody_else_sees_or_cancels_it_but_an_administrator(busy: ReportingClinic) -> None:
    job_id = ask_for_october(busy.auditor, RECORDED_AT)
    other, admin = make_actor(Role.AUDITOR), make_actor(Role.ADMIN)
    with pytest.raises(Refusal, match="NOT-FOUND"):
        job_for(other, job_id)
    with pytest.raises(Refusal, match="NOT-FOUND"):
        services.cancel(job_id=job_id, actor=other, at=RECORDED_AT)
    assert job_for(admin, job_id).requested_by == "Aud Auditor"
    services.cancel(job_id=job_id, actor=admin, at=RECORDED_AT)
    assert shown(busy, job_id).state is JobState.CANCELLED


# Whose it is ------------------------------------------------------------------------------------------------------


def test_deactivated_meanwhile_is_cancelled(busy: ReportingClinic) -> None:
    job_id = ask_for_october(busy.auditor, RECORDED_AT)
    deactivate_person(actor=SYSTEM_ACTOR, at=RECORDED_AT, user_id=busy.auditor.id)
    running.work_off()
    job = shown(busy, job_id)
    assert (job.state, job.failure) == (JobState.CANCELLED, rules.NO_LONGER_ACTIVE)
    assert counted(Report) == 0


def test_whose_account_has_ended_meanwhile_is_cancelled(busy: ReportingClinic) -> None:
    job_id = ask_for_october(busy.auditor, RECORDED_AT)
    version = staff.person(busy.auditor.id).version
    ended = Bounds(access_until=RECORDED_AT)
    set_access(actor=SYSTEM_ACTOR, at=RECORDED_AT, user_id=busy.auditor.id, version=version, bounds=ended)
    running.work_off()
    job = shown(busy, job_id)
    assert (job.state, job.failure) == (JobState.CANCELLED, rules.NO_LONGER_ACTIVE)


def test_other_sites_meanwhile_is_cancelled(busy: ReportingClinic) -> None:
    busy.open_site("AKL", "Pacific/Auckland", "LOTAKL")
    job_id = ask_for_october(busy.auditor, RECORDED_AT)
    mine = [busy.places["AKL"].site_id]
    set_sites(actor=SYSTEM_ACTOR, at=RECORDED_AT, user_id=busy.auditor.id, site_ids=mine)
    running.work_off()
    job = shown(busy, job_id)
    assert (job.state, job.failure) == (JobState.CANCELLED, rules.SITES_CHANGED)


def test_more_sites_meanwhile_changes_nothing_of_what_was_asked(busy: ReportingClinic) -> None:
    mine = [busy.places["MAIN"].site_id]
    set_sites(actor=SYSTEM_ACTOR, at=RECORDED_AT, user_id=busy.auditor.id, site_ids=mine)
    busy.open_site("AKL", "Pacific/Auckland", "LOTAKL")
    busy.give(NOON, "AKL")
    here = staff.actor_of(staff.person(busy.auditor.id))
    job_id = ask_for_october(here, RECORDED_AT)
    set_sites(actor=SYSTEM_ACTOR, at=RECORDED_AT, user_id=busy.auditor.id, site_ids=[])
    running.work_off()
    job = shown(busy, job_id)
    assert job.report_id is not None
    report = issued_report(job.report_id)
    assert (report.covers_all_sites, report.row_count) == (False, 4)


def test_role_lost_meanwhile_fails_in_plain_words(busy: ReportingClinic) -> None:
    job_id = ask_for_october(busy.auditor, RECORDED_AT)
    user = staff.person(busy.auditor.id)
    entry = Entry(user.display_name, frozenset({Role.MANAGER}))
    edit_person(actor=SYSTEM_ACTOR, at=RECORDED_AT, user_id=user.id, version=user.version, entry=entry)
    running.work_off()
    job = shown(busy, job_id)
    assert (job.state, job.failure) == (JobState.FAILED, "Aud Auditor may not do this.")


# Remembering ------------------------------------------------------------------------------------------------------


def test_waited_for_until_it_is_seen(busy: ReportingClinic) -> None:
    job_id = ask_for_october(busy.auditor, RECORDED_AT)
    services.mark_seen(job_id=job_id, actor=busy.auditor, at=RECORDED_AT)
    running.work_off()
    assert [job.id for job in jobs_waited_for(busy.auditor.id)] == [job_id]
    services.mark_seen(job_id=job_id, actor=busy.nurse, at=RECORDED_AT)
    assert [job.id for job in jobs_waited_for(busy.auditor.id)] == [job_id]
    services.mark_seen(job_id=job_id, actor=busy.auditor, at=RECORDED_AT)
    assert jobs_waited_for(busy.auditor.id) == []


def test_forgotten_after_thirty_days_but_for_what_explains_a_number(
    busy: ReportingClinic, at_instant: At
) -> None:
    done, half, waiting = (
        ask_for_october(busy.auditor, RECORDED_AT + timedelta(seconds=n)) for n in range(3)
    )
    services.cancel(job_id=waiting, actor=busy.auditor, at=RECORDED_AT)
    first = services.claim(at=RECORDED_AT)
    assert first is not None
    running._make(first, running.nobody_stops)
    running.work_off(stop_at(3, lambda: services.cancel(job_id=half, actor=busy.auditor, at=RECORDED_AT)))
    assert shown(busy, half).report_label == "MAIN-2"
    at_instant(RECORDED_AT + rules.KEPT - timedelta(seconds=1))
    running.work_off()
    assert counted(ReportJob) == 3
    at_instant(RECORDED_AT + rules.KEPT)
    running.work_off()
    kept = db.session.execute(select(ReportJob.id, ReportJob.parameters)).all()
    assert [tuple(row) for row in kept] == [(half, "{}")]
    assert counted(Report) == 2
    assert done != half


# Laws -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "state = 'lost'",
        "state = 'done', finished_at = requested_at",
        "state = 'failed'",
        "state = 'running'",
        "finished_at = requested_at",
        "rows_done = -1",
    ],
)
def test_database_refuses_a_job_that_cannot_be(
    busy: ReportingClinic, owner_connection: Any, change: str
) -> None:
    ask_for_october(busy.auditor, RECORDED_AT)
    db.session.rollback()
    with pytest.raises(Exception, match="ck_report_job_"):
        owner_connection.execute(f"UPDATE report_job SET {change}")
