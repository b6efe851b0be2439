"""What the register holds of a file that somebody asks about: its bytes, its revisions, the clinic's keys, and later reports."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, func, select

from inventory.audit.acts import row_key
from inventory.audit.erasing import later_digests
from inventory.audit.models import AuditEntry, AuditLink, AuditPayload
from inventory.audit.rules import commitment, row_digest
from inventory.clinic.models import Site
from inventory.kernel.db import db
from inventory.reports.models import Report, ReportFile, ReportRevision, SigningKey
from inventory.reports.queries.superseded import newest_of


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes that the register holds: a file as it was issued (revision 1), or as it is since a further signature.

    Of a file that was erased only the SHA-256 is left; whether it was an erasure that took it, `unwitnessed` says.
    """

    report_id: UUID
    format: str
    revision: int
    content: bytes
    is_erased: bool = False


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key of the clinic. The newest is in use; one that a newer key replaced is retired since that was known."""

    fingerprint: str
    known_at: datetime
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class Later:
    """What came after a report."""

    newest_revision: int
    report_label: str = ""


def stored_as(content: bytes) -> Stored | None:
    """Return where the register holds exactly these bytes, or None."""
    sha256 = hashlib.sha256(content).hexdigest()
    for stored in _stored(ReportFile.sha256 == sha256, ReportRevision.sha256 == sha256):
        if stored.content in (content, b""):
            return replace(stored, content=content, is_erased=not stored.content)
    return None


def stored_pdfs(report_id: UUID) -> list[Stored]:
    """Return the PDF of a report and its later revisions, the first one first."""
    return list(
        _stored(
            (ReportFile.report_id == report_id) & (ReportFile.format == "pdf"),
            ReportRevision.report_id == report_id,
        )
    )


def report_named(label: str) -> UUID | None:
    """Return the report of this number, such as MAIN-7, or None."""
    code, _, number = label.rpartition("-")
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        return None
    return db.session.scalar(
        select(Report.id)
        .join(Site, Site.id == Report.site_id)
        .where(Site.code == code, Report.number == int(number))
    )


def known_keys() -> list[KnownKey]:
    """Return the clinic's keys, the oldest first."""
    known = select(SigningKey.fingerprint, SigningKey.known_at).order_by(SigningKey.known_at, SigningKey.id)
    rows = db.session.execute(known).all()
    until = [*(row.known_at for row in rows[1:]), None]
    return [KnownKey(row.fingerprint, row.known_at, end) for row, end in zip(rows, until, strict=False)]


def later_than(report_id: UUID) -> Later:
    """Return the newest revision of a report, and the newest report of the same parameters that was issued after it."""
    of_report = ReportRevision.report_id == report_id
    newest = db.session.scalar(select(func.max(ReportRevision.number)).where(of_report))
    superseding = newest_of([db.session.get_one(Report, report_id)])
    return Later(newest or 1, superseding.get(report_id, ""))


def unwitnessed(report_id: UUID) -> list[str]:
    """Return what the register holds of a report that the trail did not record, or records otherwise."""
    witnesses: dict[str, dict[str, str]] = {}
    for payload in _payloads_about(report_id):
        for table, digests in payload.get("rows", {}).items():
            witnesses.setdefault(table, {}).update(digests)
    return [
        f"its {table.name.replace('_', ' ')} {key}" if table.name != "report" else "its entry"
        for table, key, digest in _rows_of(report_id)
        if (witnesses.get(table.name, {}) | later_digests(db.session(), table.name, [key])).get(key) != digest
    ]


def _stored(of_file: Any, of_revision: Any) -> Iterator[Stored]:
    files = select(ReportFile.report_id, ReportFile.format, ReportFile.content).where(of_file)
    for file in db.session.execute(files.order_by(ReportFile.report_id, ReportFile.format)):
        yield Stored(file.report_id, file.format, 1, file.content)
    revisions = select(ReportRevision.report_id, ReportRevision.number, ReportRevision.content).where(
        of_revision
    )
    for row in db.session.execute(revisions.order_by(ReportRevision.report_id, ReportRevision.number)):
        yield Stored(row.report_id, "pdf", row.number, row.content)


def _payloads_about(report_id: UUID) -> Iterator[dict[str, Any]]:
    """Yield the payloads of the chained entries about a report that are what their entry committed to."""
    entries = (
        select(AuditPayload.payload, AuditPayload.salt, AuditEntry.commitment)
        .join(AuditEntry, AuditEntry.id == AuditPayload.entry_id)
        .join(AuditLink, AuditLink.entry_id == AuditEntry.id)
        .where(AuditEntry.subject_type == "report", AuditEntry.subject_id == report_id)
        .order_by(AuditLink.seq)
    )
    for row in db.session.execute(entries):
        if commitment(row.payload, row.salt) == row.commitment:
            yield json.loads(row.payload)


def _rows_of(report_id: UUID) -> Iterator[tuple[Table, str, str]]:
    for model, column in (
        (Report, Report.id),
        (ReportFile, ReportFile.report_id),
        (ReportRevision, ReportRevision.report_id),
    ):
        table = cast(Table, model.__table__)
        for row in db.session.execute(select(table).where(column == report_id)).mappings():
            key = row_key(tuple(row[one.name] for one in table.primary_key.columns))
            yield table, key, row_digest(dict(row))
