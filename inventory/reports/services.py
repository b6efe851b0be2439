"""Issuing reports. Laws kept here: an issued report is never changed (4), and it names the head of the chain it shows (10).

A report is issued in three steps, so that nobody waits for it to be drawn: its doses and the head are fixed, it is entered
in the register under the next number, and its files are drawn and stored. One that is interrupted keeps its number.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Literal
from uuid import UUID

from inventory.audit.acts import Act, Outcome, perform
from inventory.clinic.models import CounterKind
from inventory.clinic.numbers import next_number
from inventory.clinic.settings import current_settings
from inventory.kernel.errors import Refusal
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import SYSTEM_USER_ID, Actor, Permission, Role
from inventory.reports.documents.administration import write_administration_report
from inventory.reports.documents.administration_csv import CsvWriter
from inventory.reports.documents.administration_row import AdministrationRow, ReportedSite, ReportHeader
from inventory.reports.models import Report, ReportFile
from inventory.reports.queries.administrations import administration_rows
from inventory.reports.queries.issued import IssuedReport, issued_report, stored_content
from inventory.reports.queries.requests import Asked, Definite, made_definite
from inventory.reports.queries.selection import Snapshot, take_snapshot

KIND = "administrations"
FileFormat = Literal["pdf", "csv"]


@dataclass(frozen=True, slots=True)
class IssuedFile:
    """A file as it was issued."""

    name: str
    content: bytes


def issue_administration_report(
    *, asked: Asked, actor: Actor, at: datetime, request_key: str | None = None
) -> IssuedReport:
    """Issue the report of every dose that `asked` lets through, as PDF and CSV, and return its entry in the register.

    Raises Refusals for a period or filter that cannot be; Refusal NOT-PERMITTED.
    """
    _refuse_unless(actor, Permission.REPORT_ISSUE)
    definite = made_definite(asked)
    snapshot = take_snapshot(definite.selection)
    outcome = perform(
        lambda act: _register(act, definite, snapshot), actor=actor, at=at, request_key=request_key
    )
    report = issued_report(outcome.subject_id)
    if not outcome.repeated:
        _write_files(report, definite, snapshot, actor=actor, at=at)
    return issued_report(outcome.subject_id)


def fetch_file(*, report_id: UUID, file_format: FileFormat, actor: Actor, at: datetime) -> IssuedFile:
    """Return a file of a report, having noted who took it. Raises Refusal NOT-FOUND, REPORT-CHANGED, NOT-PERMITTED."""
    _refuse_unless(actor, Permission.REPORT_READ)
    report = issued_report(report_id)
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
    return f"administrations-{report.label}-{report.period_from}-{report.period_to}.{file_format}"


def _refuse_unless(actor: Actor, permission: Permission) -> None:
    # Commands without a name act as `system:cli`, which holds no role: whoever can run them owns the machine.
    if actor.id != SYSTEM_USER_ID and not actor.can(permission):
        raise Refusal("NOT-PERMITTED", f"{actor.name} may not do this.", status=403)


def _register(act: Act, definite: Definite, snapshot: Snapshot) -> Outcome:
    selection = definite.selection
    site = selection.sites[0]
    report_id, number = uuid7(), next_number(act.session, site.id, CounterKind.REPORT)
    values = {
        "id": report_id,
        "kind": KIND,
        "number": number,
        "site_id": site.id,
        "covers_all_sites": len(selection.sites) > 1,
        "period_from": selection.first_day,
        "period_to": selection.last_day,
        "filters": json.dumps(definite.filters),
        "row_count": snapshot.row_count,
        "issued_at": act.recorded_at,
        "actor_id": act.actor.id,
        "actor_name": act.actor.name,
        "head_seq": snapshot.head_seq,
        "head_hash": snapshot.head_hash,
    }
    act.insert(Report, values)
    facts = {
        "report": f"{site.code}-{number}",
        "from": selection.first_day.isoformat(),
        "to": selection.last_day.isoformat(),
        "doses": snapshot.row_count,
    }
    return act.record(
        "reports.issue", "report", report_id, site_id=site.id, patient_id=selection.patient_id, facts=facts
    )


def _write_files(
    report: IssuedReport, definite: Definite, snapshot: Snapshot, *, actor: Actor, at: datetime
) -> None:
    header = _header(report, definite, snapshot, actor)
    with tempfile.TemporaryFile() as pdf, tempfile.TemporaryFile() as csv:
        csv_writer = CsvWriter(csv)

        def written() -> Iterator[AdministrationRow]:
            for row in administration_rows(snapshot):
                csv_writer.write(row)
                yield row

        write_administration_report(pdf, header, written())
        files: dict[FileFormat, BinaryIO] = {"pdf": pdf, "csv": csv}
        perform(lambda act: _store(act, report, files), actor=actor, at=at)


def _store(act: Act, report: IssuedReport, files: dict[FileFormat, BinaryIO]) -> Outcome:
    hashes = {
        file_format: _store_file(act, report.id, file_format, file) for file_format, file in files.items()
    }
    return act.record("reports.store", "report", report.id, facts={"report": report.label, "sha256": hashes})


def _store_file(act: Act, report_id: UUID, file_format: FileFormat, file: BinaryIO) -> str:
    file.seek(0)
    content = file.read()
    sha256 = hashlib.sha256(content).hexdigest()
    values = {"report_id": report_id, "format": file_format, "sha256": sha256, "content": content}
    act.insert(ReportFile, values)
    return sha256


def _header(report: IssuedReport, definite: Definite, snapshot: Snapshot, actor: Actor) -> ReportHeader:
    settings = current_settings()
    selection = definite.selection
    return ReportHeader(
        number=report.label,
        clinic_name=settings.clinic_name or "Clinic without a name",
        sites=tuple(ReportedSite(site.code, site.name, site.time_zone) for site in selection.sites),
        first_day=selection.first_day,
        last_day=selection.last_day,
        filters=definite.filters,
        generated_by=actor.name,
        generated_as=", ".join(role.value for role in Role if role in actor.roles) or "command line",
        generated_at=report.issued_at,
        chain_sequence=snapshot.head_seq,
        chain_hash=snapshot.head_hash,
        is_demo=settings.is_demo,
        not_given=snapshot.not_given,
        zone=selection.sites[0].time_zone,
    )
