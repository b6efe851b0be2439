"""Issuing reports. Laws kept here: an issued report is never changed (4), and it names the head of the chain it shows (10).

A report is issued in three steps, so that nobody waits for it to be drawn: its doses and the head are fixed, it is entered
in the register under the next number, and its files are drawn and stored. One that is interrupted keeps its number.
"""

import hashlib
import tempfile
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from inventory.audit.acts import Act, Outcome, perform
from inventory.audit.services import log_access
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Actor
from inventory.reports import pseudonyms, register
from inventory.reports.documents.administration import write_administration_report
from inventory.reports.documents.administration_csv import (
    COLUMNS,
    FORMAT,
    PSEUDONYMISED_COLUMNS,
    cells_of,
    pseudonymised_cells_of,
)
from inventory.reports.heading import heading_of
from inventory.reports.keeping import refuse_erased
from inventory.reports.kinds import ReportKind
from inventory.reports.progress import Progress, unwatched
from inventory.reports.queries.administrations import administration_rows, identified_rows
from inventory.reports.queries.issued import IssuedReport, issued_report, stored_content
from inventory.reports.queries.parameters import parameters_of
from inventory.reports.queries.requests import Asked, Definite, made_definite
from inventory.reports.queries.revisions import newest_pdf, revision_pdf
from inventory.reports.queries.selection import Selection, Snapshot, take_snapshot
from inventory.reports.recording import Recording
from inventory.reports.register import FileFormat


@dataclass(frozen=True, slots=True)
class IssuedFile:
    """A file as it was issued."""

    name: str
    content: bytes


def issue_administration_report(
    *,
    asked: Asked,
    actor: Actor,
    at: datetime,
    request_key: str | None = None,
    kind: ReportKind = ReportKind.ADMINISTRATIONS,
    progress: Progress = unwatched,
    resumes: bool = False,
) -> IssuedReport:
    """Issue the report of every dose that `asked` lets through, as PDF and CSV, and return its entry in the register.

    With `kind` PSEUDONYMISED nobody is named in it. With `resumes`, a report that the same request entered and that was interrupted
    is drawn again as it was entered: with its number, its head and what the record said then.
    Raises Refusals for a period or filter that cannot be; Refusal NOT-PERMITTED; whatever `progress` raises.
    """
    definite = _wanted(asked, actor, at, kind)
    snapshot = take_snapshot(definite.selection)
    parameters = _parameters(kind, definite.selection)
    entry = _entry(kind, definite, snapshot, parameters)
    outcome = register.take_number(entry, actor=actor, at=at, request_key=request_key)
    report = issued_report(outcome.subject_id)
    if outcome.repeated and resumes and not report.files:
        snapshot = take_snapshot(definite.selection, report.head_seq)
    if not outcome.repeated or (resumes and not report.files):
        look_at(report, actor)
        drawing = _Drawing(report, definite.selection, snapshot, parameters, actor)
        _write_files(drawing, at=at, progress=progress)
    return issued_report(outcome.subject_id)


def rows_of_administration_report(
    *,
    kind: ReportKind,
    asked: Asked,
    actor: Actor,
    at: datetime,
    most: int,  # noqa: ARG001  one statement counts them all
) -> int:
    """Return how many doses the report would show now. Raises Refusals and Refusal NOT-PERMITTED as issuing it does."""
    return take_snapshot(_wanted(asked, actor, at, kind).selection, tells_gaps=False).row_count


def _wanted(asked: Asked, actor: Actor, at: datetime, kind: ReportKind) -> Definite:
    register.refuse_issuer(actor, kind)
    return made_definite(asked, at=at, site_ids=actor.site_ids, kind=kind)


def look_at(report: IssuedReport, actor: Actor) -> None:
    """Log that the actor looks at the patient whom a report is about, if it is about one alone."""
    if report.patient_id is not None:
        log_access(actor, report.patient_id, "report")


def fetch_file(
    *, report_id: UUID, file_format: FileFormat, actor: Actor, at: datetime, revision: int | None = None
) -> IssuedFile:
    """Return a file of a report, the newest `revision` unless one is named, having noted who took it. Raises Refusal NOT-FOUND, REPORT-CHANGED, REPORT-ERASED, NOT-PERMITTED."""
    report = issued_report(report_id)
    register.refuse_reader(actor, report.kind)
    look_at(report, actor)
    refuse_erased(db.session(), report_id)
    sha256, content = _stored(report_id, file_format, revision)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise Refusal(
            "REPORT-CHANGED",
            "The stored file is not the one that was issued. Tell the administrator.",
            status=409,
        )

    def note(act: Act) -> Outcome:
        facts = {"report": report.label, "format": file_format, "sha256": sha256}
        return act.record("reports.download", "report", report_id, facts=facts)

    perform(note, actor=actor, at=at)
    return IssuedFile(file_name(report, file_format), content)


def _stored(report_id: UUID, file_format: FileFormat, revision: int | None) -> tuple[str, bytes]:
    if file_format == "csv":
        return stored_content(report_id, file_format)
    session = db.session()
    return newest_pdf(session, report_id) if revision is None else revision_pdf(session, report_id, revision)


def file_name(report: IssuedReport, file_format: FileFormat) -> str:
    """The name a file is saved under. It says so where a later report of the same has been issued; the file never does."""
    later = f"-superseded-by-{report.superseded_by}" if report.superseded_by else ""
    return f"{report.kind}-{report.label}-{report.period_from}-{report.period_to}{later}.{file_format}"


class _Drawing(NamedTuple):
    """A report that was entered and is to be drawn."""

    report: IssuedReport
    selection: Selection
    snapshot: Snapshot
    parameters: dict[str, Any]
    actor: Actor


def _parameters(kind: ReportKind, selection: Selection) -> dict[str, Any]:
    if kind is ReportKind.PSEUDONYMISED:
        mark = pseudonyms.mark_of(pseudonyms.key())
        return {**parameters_of(pseudonyms.FORMAT, selection), "pseudonyms": mark}
    return parameters_of(FORMAT, selection)


def _entry(
    kind: ReportKind, definite: Definite, snapshot: Snapshot, parameters: dict[str, Any]
) -> register.Entry:
    selection = definite.selection
    site = selection.sites[0]
    return register.Entry(
        kind=kind,
        site_id=site.id,
        site_code=site.code,
        covers_all_sites=len(selection.sites) > 1,
        period_from=selection.first_day,
        period_to=selection.last_day,
        filters=definite.filters,
        row_count=snapshot.row_count,
        head_seq=snapshot.head_seq,
        head_hash=snapshot.head_hash,
        patient_id=selection.patient_id,
        parameters=parameters,
        facts={
            "from": selection.first_day.isoformat(),
            "to": selection.last_day.isoformat(),
            "doses": snapshot.row_count,
        },
    )


def _write_files(drawing: _Drawing, *, at: datetime, progress: Progress) -> None:
    report, snapshot, actor = drawing.report, drawing.snapshot, drawing.actor
    names = report.kind is ReportKind.ADMINISTRATIONS
    header = heading_of(
        report,
        sites=drawing.selection.sites,
        actor=actor,
        not_given=snapshot.not_given,
        gaps=tuple(gap.words for gap in snapshot.gaps) if names else None,
    )
    with tempfile.TemporaryFile() as pdf, tempfile.TemporaryFile() as csv:
        recording = Recording(
            report,
            csv,
            COLUMNS if names else PSEUDONYMISED_COLUMNS,
            parameters=drawing.parameters,
            actor=actor,
            tells_salt=names,
            progress=progress,
        )
        if names:
            rows = recording.passing(administration_rows(snapshot), cells_of)
        else:
            unnamed = pseudonyms.pseudonymised(identified_rows(snapshot), pseudonyms.key())
            rows = recording.passing(unnamed, pseudonymised_cells_of)
        write_administration_report(pdf, header, rows, seal=recording.seal)
        recording.store(report, pdf, csv, actor=actor, at=at)
