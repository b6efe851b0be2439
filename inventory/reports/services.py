"""Issuing reports. Laws kept here: an issued report is never changed (4), and it names the head of the chain it shows (10).

A report is issued in three steps, so that nobody waits for it to be drawn: its doses and the head are fixed, it is entered
in the register under the next number, and its files are drawn and stored. One that is interrupted keeps its number.
"""

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from inventory.audit.acts import Act, Outcome, perform
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Actor, Permission
from inventory.reports import register
from inventory.reports.documents.administration import write_administration_report
from inventory.reports.documents.administration_csv import CsvWriter
from inventory.reports.documents.administration_row import AdministrationRow
from inventory.reports.heading import heading_of
from inventory.reports.kinds import ReportKind
from inventory.reports.progress import Progress, unwatched, watched
from inventory.reports.queries.administrations import administration_rows
from inventory.reports.queries.issued import IssuedReport, issued_report, stored_content
from inventory.reports.queries.requests import Asked, Definite, made_definite
from inventory.reports.queries.selection import Snapshot, take_snapshot
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
    progress: Progress = unwatched,
    resumes: bool = False,
) -> IssuedReport:
    """Issue the report of every dose that `asked` lets through, as PDF and CSV, and return its entry in the register.

    With `resumes`, a report that the same request entered and that was interrupted is drawn again as it was entered: with its
    number, its head and what the record said then.
    Raises Refusals for a period or filter that cannot be; Refusal NOT-PERMITTED; whatever `progress` raises.
    """
    definite = _wanted(asked, actor, at)
    snapshot = take_snapshot(definite.selection)
    entry = _entry(definite, snapshot)
    outcome = perform(lambda act: register.enter(act, entry), actor=actor, at=at, request_key=request_key)
    report = issued_report(outcome.subject_id)
    if outcome.repeated and resumes and not report.files:
        snapshot = take_snapshot(definite.selection, report.head_seq)
    if not outcome.repeated or (resumes and not report.files):
        _write_files(report, definite, snapshot, actor=actor, at=at, progress=progress)
    return issued_report(outcome.subject_id)


def rows_of_administration_report(*, asked: Asked, actor: Actor, at: datetime) -> int:
    """Return how many doses the report would show now. Raises Refusals and Refusal NOT-PERMITTED as issuing it does."""
    return take_snapshot(_wanted(asked, actor, at).selection).row_count


def _wanted(asked: Asked, actor: Actor, at: datetime) -> Definite:
    register.refuse_unless(actor, Permission.REPORT_ISSUE)
    return made_definite(asked, at=at, site_ids=actor.site_ids)


def fetch_file(*, report_id: UUID, file_format: FileFormat, actor: Actor, at: datetime) -> IssuedFile:
    """Return a file of a report, having noted who took it. Raises Refusal NOT-FOUND, REPORT-CHANGED, NOT-PERMITTED."""
    report = issued_report(report_id)
    register.refuse_reader(actor, report.kind)
    sha256, content = stored_content(report_id, file_format)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise Refusal(
            "REPORT-CHANGED",
            "The stored file is not the one that was issued. Tell the administrator.",
            status=409,
        )

    def note(act: Act) -> Outcome:
        facts = {"report": report.label, "format": file_format}
        return act.record("reports.download", "report", report_id, facts=facts)

    perform(note, actor=actor, at=at)
    return IssuedFile(file_name(report, file_format), content)


def file_name(report: IssuedReport, file_format: FileFormat) -> str:
    """The name a file is saved under."""
    return f"{report.kind}-{report.label}-{report.period_from}-{report.period_to}.{file_format}"


def _entry(definite: Definite, snapshot: Snapshot) -> register.Entry:
    selection = definite.selection
    site = selection.sites[0]
    return register.Entry(
        kind=ReportKind.ADMINISTRATIONS,
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
        facts={
            "from": selection.first_day.isoformat(),
            "to": selection.last_day.isoformat(),
            "doses": snapshot.row_count,
        },
    )


def _write_files(
    report: IssuedReport,
    definite: Definite,
    snapshot: Snapshot,
    *,
    actor: Actor,
    at: datetime,
    progress: Progress,
) -> None:
    sites = definite.selection.sites
    header = heading_of(report, sites=sites, actor=actor, not_given=snapshot.not_given)
    with tempfile.TemporaryFile() as pdf, tempfile.TemporaryFile() as csv:
        csv_writer = CsvWriter(csv)

        def written() -> Iterator[AdministrationRow]:
            for row in watched(administration_rows(snapshot), snapshot.row_count, progress):
                csv_writer.write(row)
                yield row

        write_administration_report(pdf, header, written())
        register.store_files(report, {"pdf": pdf, "csv": csv}, actor=actor, at=at)
