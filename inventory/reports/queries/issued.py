"""The register of issued reports: what was asked, by whom, when, and the files."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select

from inventory.audit.limits import span_here
from inventory.clinic.models import Site
from inventory.kernel.db import db
from inventory.kernel.errors import not_found
from inventory.reports.kinds import KIND_WORDS, ReportKind
from inventory.reports.models import Report, ReportFile
from inventory.reports.queries.parameters import read
from inventory.reports.queries.superseded import newest_of, report_label
from inventory.staff.models import User
from inventory.web.pagination import Page, paginate
from inventory.web.presenting import count


class StoredFile(NamedTuple):
    """A file of a report: its format and the SHA-256 of its bytes."""

    format: str
    sha256: str
    manifest_sha256: str | None
    key_sha256: str | None


@dataclass(frozen=True, slots=True)
class IssuedReport:
    """One issued report, ready to be shown. Without files it was interrupted before they were written."""

    id: UUID
    kind: ReportKind
    label: str
    site_name: str
    covers_all_sites: bool
    period_from: date
    period_to: date
    filters: tuple[tuple[str, str], ...]
    row_count: int
    issued_at: datetime
    actor_name: str
    head_seq: int
    head_hash: str
    files: tuple[StoredFile, ...]
    parameters: Mapping[str, Any]
    """What selects its rows again; empty for a report from before it was kept."""
    superseded_by: str = ""
    """The number of the newest later report of the same kind and parameters, if there is one."""

    @property
    def patient_id(self) -> UUID | None:
        """The one patient whom it is about and shows, if it is about one."""
        found = self.parameters.get("patient_id")
        return UUID(found) if found and KIND_WORDS[self.kind].names_patients else None

    @property
    def manifest_sha256(self) -> str:
        """The SHA-256 of the manifest of its rows; nothing for a report from before there was one."""
        return next((file.manifest_sha256 for file in self.files if file.manifest_sha256), "")

    @property
    def key_sha256(self) -> str:
        """The fingerprint of the key that signed it when it was issued; nothing for a report from before it was signed."""
        return next((file.key_sha256 for file in self.files if file.key_sha256), "")

    @property
    def title(self) -> str:
        """What a report of this kind is called."""
        return KIND_WORDS[self.kind].title

    @property
    def counted(self) -> str:
        """How much is in it: `12 doses`."""
        return count(self.row_count, KIND_WORDS[self.kind].counts)


_REPORT: Any = select(Report, Site.code, Site.name).join(Site, Site.id == Report.site_id)


@dataclass(frozen=True, slots=True)
class Sought:
    """What somebody looks for in the register. A report is found whose period touches the days; what is None is not asked."""

    kind: ReportKind | None = None
    issuer_id: UUID | None = None
    first_day: date | None = None
    last_day: date | None = None


def issued_reports(
    *,
    cursor: str,
    kinds: Collection[ReportKind],
    site_ids: frozenset[UUID] | None = None,
    sought: Sought | None = None,
) -> Page[IssuedReport]:
    """A page of the register of some kinds, the newest first; with `site_ids`, of the reports over one of those sites."""
    span = span_here()
    statement = _sought(_REPORT.where(Report.kind.in_(kinds)), sought or Sought())
    statement = statement.where(span.holds(Report.period_from), span.holds(Report.period_to))
    if site_ids is not None:
        statement = statement.where(Report.site_id.in_(site_ids), Report.covers_all_sites.is_(False))
    page = paginate(
        db.session, statement, order=[Report.issued_at, Report.id], newest_first=True, cursor=cursor
    )
    return Page(_shown(page.items), page.previous, page.next)


def _sought(statement: Any, sought: Sought) -> Any:
    if sought.kind is not None:
        statement = statement.where(Report.kind == sought.kind)
    if sought.issuer_id is not None:
        statement = statement.where(Report.actor_id == sought.issuer_id)
    if sought.first_day is not None:
        statement = statement.where(Report.period_to >= sought.first_day)
    if sought.last_day is not None:
        statement = statement.where(Report.period_from <= sought.last_day)
    return statement


def issuers() -> list[tuple[UUID, str]]:
    """Everybody who issued a report, by name: (id, name)."""
    named = select(Report.actor_id, User.display_name).join(User, User.id == Report.actor_id).distinct()
    rows = db.session.execute(named.order_by(User.display_name, Report.actor_id))
    return [(row.actor_id, row.display_name) for row in rows]


def issued_report(report_id: UUID, *, kinds: Collection[ReportKind] = tuple(ReportKind)) -> IssuedReport:
    """One report, of one of these kinds. Raises Refusal NOT-FOUND."""
    row = db.session.execute(_REPORT.where(Report.id == report_id, Report.kind.in_(kinds))).first()
    if row is None:
        raise not_found("report")
    return _shown([row])[0]


def stored_content(report_id: UUID, file_format: str) -> tuple[str, bytes]:
    """The SHA-256 that was stored with a file, and its bytes. Raises Refusal NOT-FOUND."""
    wanted = (ReportFile.report_id == report_id, ReportFile.format == file_format)
    row = db.session.execute(select(ReportFile.sha256, ReportFile.content).where(*wanted)).first()
    if row is None:
        raise not_found("file")
    return row.sha256, row.content


def _files(report_ids: Sequence[UUID]) -> dict[UUID, list[StoredFile]]:
    files: dict[UUID, list[StoredFile]] = {}
    statement = select(
        ReportFile.report_id,
        ReportFile.format,
        ReportFile.sha256,
        ReportFile.manifest_sha256,
        ReportFile.key_sha256,
    )
    for report_id, name, sha256, manifest, key in db.session.execute(
        statement.where(ReportFile.report_id.in_(report_ids)).order_by(ReportFile.format.desc())
    ):
        files.setdefault(report_id, []).append(StoredFile(name, sha256, manifest, key))
    return files


def _shown(rows: Sequence[Any]) -> list[IssuedReport]:
    files = _files([row[0].id for row in rows])
    newest = newest_of([row[0] for row in rows])
    return [_one(row, files, newest) for row in rows]


def _one(row: Any, files: dict[UUID, list[StoredFile]], newest: Mapping[UUID, str]) -> IssuedReport:
    report: Report = row[0]
    return IssuedReport(
        id=report.id,
        kind=ReportKind(report.kind),
        label=report_label(row.code, report.number),
        site_name=row.name,
        covers_all_sites=report.covers_all_sites,
        period_from=report.period_from,
        period_to=report.period_to,
        filters=tuple((label, words) for label, words in json.loads(report.filters)),
        row_count=report.row_count,
        issued_at=report.issued_at,
        actor_name=report.actor_name,
        head_seq=report.head_seq,
        head_hash=report.head_hash,
        files=tuple(files.get(report.id, ())),
        parameters=read(report.parameters),
        superseded_by=newest.get(report.id, ""),
    )
