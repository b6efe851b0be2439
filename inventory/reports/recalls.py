"""Issuing the report of a recall, at any time: how it stands, or how it was closed out (laws 4 and 10)."""

import tempfile
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from inventory.clinic.settings import current_settings
from inventory.doses.queries.recalls import progress as patients_of
from inventory.kernel.clock import local_day
from inventory.kernel.db import db
from inventory.kernel.errors import site_not_yours
from inventory.kernel.permissions import Actor, Permission
from inventory.reports import register
from inventory.reports.documents.recall import RecallHeader, write_recall_report
from inventory.reports.documents.recall_csv import FIELDS, FORMAT, rows_of
from inventory.reports.heading import issued_as
from inventory.reports.kinds import ReportKind
from inventory.reports.models import Report
from inventory.reports.progress import Progress, unwatched
from inventory.reports.queries.issued import IssuedReport, issued_report
from inventory.reports.queries.recall import RecallState, recall_state
from inventory.reports.queries.requests import Asked, refuse_lacking
from inventory.reports.recording import Recording
from inventory.reports.signing.known import clinic_words


def issue_recall_report(
    *,
    recall_id: UUID,
    actor: Actor,
    at: datetime,
    request_key: str | None = None,
    progress: Progress = unwatched,
    resumes: bool = False,
) -> IssuedReport:
    """Issue the report of a recall as PDF and CSV, and return its entry in the register.

    With `resumes`, one that was interrupted is issued anew, as the recall stands now, under the next number. Raises Refusal NOT-FOUND, NOT-PERMITTED, and SITE-NOT-YOURS by somebody who works at some sites only: it covers all of them.
    """
    _refuse_others(actor)
    state = recall_state(recall_id)
    outcome = register.take_number_anew(
        _entry(state, at), actor=actor, at=at, request_key=request_key, resumes=resumes
    )
    report = issued_report(outcome.subject_id)
    if not outcome.repeated:
        _write_files(report, state, actor=actor, at=at, progress=progress)
    return issued_report(outcome.subject_id)


def issue_recall(*, kind: ReportKind, asked: Asked, **more: Any) -> IssuedReport:
    """Issue the report of the recall that is asked for, as `issue_recall_report` does."""
    return issue_recall_report(recall_id=_recall_of(kind, asked), **more)


def rows_of_recall(*, kind: ReportKind, asked: Asked, actor: Actor, at: datetime, most: int) -> int:  # noqa: ARG001  one statement counts them all
    """Return how many patients the report would name now. Raises as issuing it does."""
    _refuse_others(actor)
    return patients_of(db.session(), _recall_of(kind, asked)).patients


def _recall_of(kind: ReportKind, asked: Asked) -> UUID:
    refuse_lacking(asked, kind)
    assert asked.recall_id  # noqa: S101  as was just asked
    return asked.recall_id


def _refuse_others(actor: Actor) -> None:
    register.refuse_unless(actor, Permission.REPORT_ISSUE)
    register.refuse_unless(actor, Permission.PATIENT_READ)
    if actor.site_ids is not None:
        raise site_not_yours()


def reports_of_recall(recall_id: UUID) -> list[UUID]:
    """Return the reports issued of a recall, the newest first."""
    mine = select(Report.id).where(Report.recall_id == recall_id)
    return list(db.session.scalars(mine.order_by(Report.issued_at.desc(), Report.id)))


def _entry(state: RecallState, at: datetime) -> register.Entry:
    recall, zone = state.row.recall, state.site.time_zone
    stands = "drill, " if recall.is_drill else ""
    told = (
        ("Recall", state.row.label),
        ("Title", recall.title),
        ("State", stands + ("open" if recall.closed_at is None else "closed")),
        ("Lots", ", ".join(line.line.lot_number for line in state.lines)),
    )
    return register.Entry(
        kind=ReportKind.RECALL,
        site_id=state.site.id,
        site_code=state.site.code,
        covers_all_sites=True,
        period_from=local_day(recall.opened_at, zone),
        period_to=local_day(max(recall.closed_at or at, recall.opened_at), zone),
        filters=told,
        row_count=state.progress.patients,
        head_seq=state.head_seq,
        head_hash=state.head_hash,
        recall_id=recall.id,
        parameters={"format": FORMAT, "recall_id": recall.id.hex},
        facts={"recall": state.row.label, "patients": state.progress.patients},
    )


def _write_files(
    report: IssuedReport, state: RecallState, *, actor: Actor, at: datetime, progress: Progress
) -> None:
    with tempfile.TemporaryFile() as pdf, tempfile.TemporaryFile() as csv:
        recording = Recording(
            report, csv, FIELDS, parameters=report.parameters, actor=actor, progress=progress
        )
        rows = rows_of(
            recall=state.row.label,
            is_drill=state.row.recall.is_drill,
            recipients=state.recipients,
            doses=state.doses,
            contacts=state.contacts,
        )
        recording.take(rows)
        write_recall_report(pdf, _header(report, actor, recording.seal()), state)
        recording.store(report, pdf, csv, actor=actor, at=at)


def _header(report: IssuedReport, actor: Actor, manifest_sha256: str) -> RecallHeader:
    return RecallHeader(
        number=report.label,
        clinic_name=clinic_words(),
        generated_by=actor.name,
        generated_as=issued_as(actor),
        generated_at=report.issued_at,
        is_demo=current_settings().is_demo,
        manifest_sha256=manifest_sha256,
    )
