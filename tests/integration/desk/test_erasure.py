"""Erasure and retention: asked, refused on a ground, or carried out by two people; the chain still verifies (law 10)."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select, text

from inventory.audit.acts import Act, batch
from inventory.audit.models import AskedBy, AuditPayload, Decision, ErasureRequest, ErasureRow, Ground
from inventory.clinic.services import change_settings
from inventory.desk.erasure_queries import obstacle, patients_past_keeping
from inventory.doses.models import Dose, Incident
from inventory.doses.rules.terms import IncidentKind, VoidKind
from inventory.doses.services import NextStep, close_incident, note_incident, void_dose
from inventory.doses.services.incidents import open_incident
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor, Role
from inventory.patients.models import ConsentStatus, NameWord, Patient
from inventory.patients.services import record_consent
from inventory.patients.services.erasure import (
    Asked,
    ask_erasure,
    carry_out_erasure,
    refuse_erasure,
)
from inventory.reports import keeping, services
from inventory.reports.jobs import running
from inventory.reports.jobs.asking import issue_or_ask
from inventory.reports.jobs.rules import PATIENT_ERASED, JobState
from inventory.reports.kinds import ReportKind
from inventory.reports.models import ReportFile, ReportJob
from inventory.reports.queries.requests import Asked as AskedReport
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.staff import PASSWORD, make_actor, make_user
from tests.support.client import CheckingClient
from tests.support.databases import Database

SignIn = Callable[..., CheckingClient]
YEARS_LATER = timedelta(days=11 * 366)


@pytest.fixture
def bench(app: Flask, at: datetime) -> Bench:
    return Bench()


@dataclass
class Case:
    """A patient with a name worth forgetting, the two people who may decide, and a day on which the years are over."""

    patient_id: UUID
    later: datetime
    prescriber: Actor = field(default_factory=lambda: make_actor(Role.PRESCRIBER))
    admin: Actor = field(default_factory=lambda: make_actor(Role.ADMIN))

    def ask(self, at: datetime | None = None) -> UUID:
        when = at or self.later
        words = Asked(AskedBy.PATIENT, when.date(), "Wants everything deleted.")
        done = ask_erasure(actor=SYSTEM_ACTOR, at=when, patient_id=self.patient_id, asked=words)
        return done.subject_id

    def carry_out(
        self,
        request_id: UUID,
        *,
        actor: Actor | None = None,
        second: Actor | None = None,
        at: datetime | None = None,
    ) -> None:
        when = at or self.later
        carry_out_erasure(
            actor=actor or self.prescriber,
            at=when,
            request_id=request_id,
            second=second or self.admin,
            obstacle=lambda session, patient_id: obstacle(session, patient_id, today=when.date()),
        )

    @property
    def family_name(self) -> str:
        return db.session.get_one(Patient, self.patient_id).family_name


@pytest.fixture
def case(bench: Bench, at: datetime) -> Case:
    """The patient has a consent, a dose, a void dose with a reason, and an incident that was followed up and closed."""
    patient_id = make_patient(family_name="Wolfsburg", record_number="WB-77", at=at)
    record_consent(
        actor=bench.nurse,
        at=at,
        patient_id=patient_id,
        status=ConsentStatus.GIVEN,
        decided_at=at,
        information_sheet="B12, version 1",
        note="Wolfsburg signed it",
    )
    bench.give(bench.request(patient_id=patient_id, note="Wolfsburg was nervous"), at=at)
    wrong = bench.give(bench.request(patient_id=patient_id, body_site="RD"), at=at + timedelta(days=7))
    void_dose(
        actor=bench.nurse,
        at=at + timedelta(days=7),
        dose_id=wrong.id,
        kind=VoidKind.DRAWN_NOT_GIVEN,
        reason="Wolfsburg fainted",
    )
    found = Case(patient_id, at + YEARS_LATER)
    look_into(bench, found.prescriber, at)
    return found


def look_into(bench: Bench, prescriber: Actor, at: datetime) -> None:
    """Open an incident by a dose after an allergy was noted, follow it up, and close it; all in words of the patient."""
    dose = db.session.scalars(select(Dose).order_by(Dose.number)).first()
    assert dose is not None
    with batch():
        act = Act(uuid7(), bench.nurse, at, db.session())
        open_incident(act, dose.site_id, dose.id, IncidentKind.DEVIATION, "Wolfsburg was taken for another")
        act.record("doses.record", "dose", dose.id, site_id=dose.site_id, patient_id=dose.patient_id)
    incident_id = db.session.scalars(select(Incident.id)).one()
    step = NextStep("Call Wolfsburg", at.date(), prescriber.id)
    note_incident(actor=prescriber, at=at, incident_id=incident_id, found="Wolfsburg is well", next_step=step)
    close_incident(actor=prescriber, at=at, incident_id=incident_id, outcome="Wolfsburg was told")


def verified(cli: FlaskCliRunner, room: str = "audit") -> tuple[int, str]:
    db.session.rollback()
    done = cli.invoke(args=[room, "verify"], catch_exceptions=False)
    return done.exit_code, done.output


def every_text() -> str:
    """Everything that the database holds, as text."""
    db.session.rollback()
    tables = db.metadata.sorted_tables
    return "\n".join(repr(tuple(row)) for table in tables for row in db.session.execute(select(table)))


def test_an_erasure_leaves_no_word_of_the_patient_and_the_chain_whole(
    case: Case, database: Database, cli: FlaskCliRunner
) -> None:
    assert "Wolfsburg" in every_text()
    case.carry_out(case.ask())
    left = every_text()
    assert "Wolfsburg" not in left
    assert "wolfsburg" not in left
    assert "WB-77" not in left
    assert [dose.patient_name for dose in db.session.scalars(select(Dose))] == ["Erased", "Erased"]
    assert not db.session.scalars(select(NameWord).where(NameWord.patient_id == case.patient_id)).all()
    code, said = verified(cli)
    assert code == 0, said
    assert "payloads were erased by the clinic" in said
    assert verified(cli, "stock")[0] == 0


def test_what_is_changed_after_an_erasure_is_found(
    case: Case, database: Database, cli: FlaskCliRunner
) -> None:
    case.carry_out(case.ask())
    owner = database.connect_as_owner()
    lawless(
        owner, database.kind, "dose", "UPDATE dose SET volume_ul = volume_ul + 1, dose_ng = dose_ng + 1000"
    )
    code, said = verified(cli)
    assert code == 1
    assert said.count("the row was changed after it was recorded") == 2
    owner.close()


def lawless(owner: Any, kind: str, table: str, statement: str) -> None:
    """Run a statement with the triggers of a table out of the way, and put them back."""
    if kind == "postgresql":
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        owner.execute(statement)
        owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    else:
        found = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?"
        laws = owner.execute(found, (table,)).fetchall()
        for name, _ in laws:
            owner.execute(f"DROP TRIGGER {name}")
        owner.execute(statement)
        for _, law in laws:
            owner.execute(law)
    owner.commit()


def test_a_row_taken_out_after_its_payload_was_erased_is_found(
    case: Case, database: Database, cli: FlaskCliRunner
) -> None:
    case.carry_out(case.ask())
    owner = database.connect_as_owner()
    lawless(owner, database.kind, "consent", "DELETE FROM consent")
    code, said = verified(cli)
    assert code == 1
    assert "is gone" in said
    owner.close()


def test_records_that_are_to_be_kept_are_not_erased(case: Case, at: datetime) -> None:
    soon = at + timedelta(days=400)
    request_id = case.ask(soon)
    with pytest.raises(Refusal, match="ERASURE-KEPT"):
        case.carry_out(request_id, at=soon)
    assert case.family_name == "Wolfsburg"
    change_settings(actor=SYSTEM_ACTOR, at=soon, values={"clinic_name": "Riverside", "records_kept_years": 1})
    case.carry_out(request_id, at=soon)
    assert case.family_name == "Erased"


def test_two_people_decide_and_the_second_may(case: Case) -> None:
    request_id = case.ask()
    for second in (case.prescriber, make_actor(Role.MANAGER)):
        with pytest.raises(Refusal, match="ERASURE-SECOND"):
            case.carry_out(request_id, second=second)
    with pytest.raises(Refusal, match="NOT-PERMITTED"):
        case.carry_out(request_id, actor=make_actor(Role.PRACTITIONER))


def test_a_refusal_names_its_ground_and_stands(case: Case, at: datetime) -> None:
    request_id = case.ask(at)
    with pytest.raises(Refusal, match="ERASURE-ASKED"):
        case.ask(at)
    with pytest.raises(Refusal, match="ERASURE-BECAUSE"):
        refuse_erasure(
            actor=case.prescriber, at=at, request_id=request_id, ground=Ground.MUST_KEEP, because=" "
        )
    refuse_erasure(
        actor=case.prescriber, at=at, request_id=request_id, ground=Ground.MUST_KEEP, because="Ten years."
    )
    request = db.session.get_one(ErasureRequest, request_id)
    assert (request.decision, request.ground) == (Decision.REFUSED, Ground.MUST_KEEP)
    with pytest.raises(Refusal, match="ERASURE-DECIDED"):
        case.carry_out(request_id)
    case.ask(at + timedelta(days=1))


def test_an_erasure_does_not_cover_what_somebody_changed(case: Case, database: Database) -> None:
    request_id = case.ask()
    owner = database.connect_as_owner()
    db.session.rollback()
    lawless(owner, database.kind, "dose", "UPDATE dose SET note = 'calm' WHERE note IS NOT NULL")
    owner.close()
    with pytest.raises(Refusal, match="ERASURE-TRAIL-UNWELL"):
        case.carry_out(request_id)
    assert case.family_name == "Wolfsburg"
    assert not db.session.scalars(select(ErasureRow)).all()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE dose SET patient_name = 'Somebody else'",
        "UPDATE dose SET volume_ul = 999",
        "UPDATE dose SET note = NULL",
        "DELETE FROM dose_void",
        "UPDATE audit_payload SET payload = '{}'",
        "UPDATE erasure_row SET digest = 'x'",
        "UPDATE consent SET status = 'refused'",
    ],
)
def test_the_database_lets_an_erasure_blank_and_nothing_else(
    case: Case, database: Database, statement: str
) -> None:
    case.carry_out(case.ask())
    db.session.rollback()
    owner = database.connect_as_owner()
    with pytest.raises(Exception, match=r"law:(insert_only|blanked_only|finished_once)"):
        owner.execute(statement)
    owner.rollback()
    owner.close()


def test_without_an_erasure_nothing_is_blanked(case: Case, database: Database) -> None:
    db.session.rollback()
    owner = database.connect_as_owner()
    for statement in (
        "UPDATE dose SET patient_name = 'Erased'",
        "UPDATE audit_payload SET payload = '', salt = ''",
        "UPDATE consent SET note = ''",
    ):
        with pytest.raises(Exception, match="law:insert_only"):
            owner.execute(statement)
        owner.rollback()
    owner.close()


def test_files_of_old_reports_are_erased_by_two_people_and_their_entries_stay(
    case: Case, cli: FlaskCliRunner, at: datetime
) -> None:
    auditor = make_actor(Role.AUDITOR)
    asked_report = AskedReport(first_day=at.date(), last_day=at.date())
    old = services.issue_administration_report(asked=asked_report, actor=auditor, at=at + timedelta(days=8))
    new = services.issue_administration_report(asked=asked_report, actor=auditor, at=at + timedelta(days=60))
    before = at + timedelta(days=30)
    assert list(keeping.reports_past_keeping(db.session(), before=before)) == [old.id]
    with pytest.raises(Refusal, match="ERASURE-SECOND"):
        keeping.erase_old_files(actor=case.admin, at=before, second=case.admin, before=before)
    keeping.erase_old_files(
        actor=case.admin, at=at + timedelta(days=61), second=case.prescriber, before=before
    )
    sizes = {row.report_id: len(row.content) for row in db.session.scalars(select(ReportFile))}
    assert sizes[old.id] == 0
    assert sizes[new.id] > 0
    with pytest.raises(Refusal, match="REPORT-ERASED"):
        services.fetch_file(report_id=old.id, file_format="pdf", actor=auditor, at=at + timedelta(days=62))
    services.fetch_file(report_id=new.id, file_format="pdf", actor=auditor, at=at + timedelta(days=62))
    assert verified(cli)[0] == 0
    with pytest.raises(Refusal, match="ERASURE-NOTHING"):
        keeping.erase_old_files(
            actor=case.admin, at=at + timedelta(days=63), second=case.prescriber, before=before
        )


def test_a_report_about_the_patient_goes_with_them(case: Case, cli: FlaskCliRunner, at: datetime) -> None:
    asked_report = AskedReport(first_day=at.date(), last_day=at.date(), patient_record_number="WB-77")
    report = services.issue_administration_report(
        asked=asked_report, actor=make_actor(Role.AUDITOR), at=at + timedelta(days=8)
    )
    case.carry_out(case.ask())
    files = db.session.scalars(select(ReportFile).where(ReportFile.report_id == report.id)).all()
    assert [len(file.content) for file in files] == [0, 0]
    assert verified(cli)[0] == 0


def test_what_a_report_was_asked_for_is_forgotten_and_one_that_waits_is_not_made(
    case: Case, at: datetime
) -> None:
    values = {"clinic_name": "Riverside", "report_rows_at_once": 0}
    change_settings(actor=SYSTEM_ACTOR, at=at, values=values)
    asked_report = AskedReport(first_day=at.date(), last_day=at.date(), patient_record_number="wb-77")
    auditor = make_actor(Role.AUDITOR)
    asked = issue_or_ask(
        kind=ReportKind.ADMINISTRATIONS, asked=asked_report, actor=auditor, at=at + timedelta(days=8)
    )
    other = replace(asked_report, patient_record_number="")
    issue_or_ask(kind=ReportKind.ADMINISTRATIONS, asked=other, actor=auditor, at=at + timedelta(days=9))
    assert "wb-77" in every_text()
    case.carry_out(case.ask())
    assert "wb-77" not in every_text()
    with clock.frozen(case.later):
        running.work_off()
    db.session.rollback()
    job = db.session.get_one(ReportJob, asked.subject_id)
    assert (job.state, job.failure) == (JobState.CANCELLED, PATIENT_ERASED)
    assert set(db.session.scalars(select(ReportJob.state))) == {JobState.CANCELLED, JobState.DONE}


def test_who_is_past_the_years_is_listed_until_erased(case: Case, bench: Bench, at: datetime) -> None:
    later = at + timedelta(days=380)
    change_settings(actor=SYSTEM_ACTOR, at=at, values={"clinic_name": "Riverside", "records_kept_years": 1})
    bench.give(at=at + timedelta(days=300))
    assert not patients_past_keeping(db.session(), today=at.date() + timedelta(days=300))
    [past] = patients_past_keeping(db.session(), today=later.date())
    assert (past.id, past.record_number) == (case.patient_id, "WB-77")
    case.carry_out(case.ask(later), at=later)
    assert not patients_past_keeping(db.session(), today=later.date())


def test_asked_on_the_record_and_carried_out_under_retention(
    case: Case, signed_in_client: SignIn, at_instant: Callable[[datetime], None]
) -> None:
    at_instant(later := case.later)
    nurse = signed_in_client(Role.PRACTITIONER, licence_expires_on=later.date())
    typed = {"asked_by": "patient", "asked_on": later.date().isoformat(), "words": "Forget me."}
    page = nurse.submit(f"/patients/{case.patient_id}/erasure", typed, follow_redirects=True).get_data(
        as_text=True
    )
    assert "The request is written down" in page
    assert nurse.get("/retention").status_code == 403
    admin = signed_in_client(Role.ADMIN)
    assert "To be decided" in admin.get("/retention").get_data(as_text=True)
    request_id = db.session.scalars(select(ErasureRequest.id)).one()
    shown = admin.get(f"/retention/requests/{request_id}").get_data(as_text=True)
    assert "Wolfsburg" not in shown
    assert "WB-77" in shown
    path = f"/retention/requests/{request_id}/carry-out"
    second = make_user(roles=Role.PRESCRIBER, password=PASSWORD)
    wrong = admin.submit(path, {"second_username": second.username, "second_password": "not it"})
    assert wrong.status_code == 422
    assert "CONFIRM-WRONG" in wrong.get_data(as_text=True)
    done = admin.submit(
        path, {"second_username": second.username, "second_password": PASSWORD}, follow_redirects=True
    )
    assert "are erased" in done.get_data(as_text=True)
    assert "Carried out" in done.get_data(as_text=True)
    assert db.session.scalars(select(AuditPayload).where(AuditPayload.payload == "")).all()
    erased = nurse.get(f"/patients/{case.patient_id}").get_data(as_text=True)
    assert "Erased" in erased


def test_refused_on_its_page(case: Case, signed_in_client: SignIn, at: datetime) -> None:
    request_id = case.ask(at)
    admin = signed_in_client(Role.ADMIN)
    assert "cannot be carried out now" in admin.get(f"/retention/requests/{request_id}").get_data(
        as_text=True
    )
    path = f"/retention/requests/{request_id}/refuse"
    assert admin.submit(path, {"because": "Because."}).status_code == 422
    typed = {"ground": "must-keep", "because": "Kept for ten years."}
    page = admin.submit(path, typed, follow_redirects=True).get_data(as_text=True)
    assert "GDPR 17(3)(b)" in page
    assert "Kept for ten years." in page
    assert db.session.execute(text("SELECT count(*) FROM erasure")).scalar_one() == 0
