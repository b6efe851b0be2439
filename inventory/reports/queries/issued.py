"""The register of issued reports: what was asked, by whom, when, and the files."""

import json
from collections.abc import Collection, Sequence
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
from inventory.web.pagination import Page, paginate
from inventory.web.presenting import count


class StoredFile(NamedTuple):
    """A file of a report: its format and the SHA-256 of its bytes."""

    format: str
    sha256: str


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

    @property
    def title(self) -> str:
        """What a report of this kind is called."""
        return KIND_WORDS[self.kind].title

    @property
    def counted(self) -> str:
        """How much is in it: `12 doses`."""
        return count(self.row_count, KIND_WORDS[self.kind].counts)


_REPORT: Any = select(Report, Site.code, Site.name).join(Site, Site.id == Report.site_id)


def report_label(site_code: str, number: int) -> str:
    """The number of a report as it is printed: the site where it is counted, and the count."""
    return f"{site_code}-{number}"


def issued_reports(
    *, cursor: str, kinds: Collection[ReportKind], site_ids: frozenset[UUID] | None = None
) -> Page[IssuedReport]:
    """A page of the register of some kinds, the newest first; with `site_ids`, of the reports over one of those sites."""
    span = span_here()
    statement = _REPORT.where(
        Report.kind.in_(kinds), span.holds(Report.period_from), span.holds(Report.period_to)
    )
    if site_ids is not None:
        statement = statement.where(Report.site_id.in_(site_ids), Report.covers_all_sites.is_(False))
    page = paginate(
        db.session, statement, order=[Report.issued_at, Report.id], newest_first=True, cursor=cursor
    )
    files = _files([row[0].id for row in page.items])
    return Page([_shown(row, files) for row in page.items], page.previous, page.next)


def issued_report(report_id: UUID, *, kinds: Collection[ReportKind] = tuple(ReportKind)) -> IssuedReport:
    """One report, of one of these kinds. Raises Refusal NOT-FOUND."""
    row = db.session.execute(_REPORT.where(Report.id == report_id, Report.kind.in_(kinds))).first()
    if row is None:
        raise not_found("report")
    return _shown(row, _files([report_id]))


def stored_content(report_id: UUID, file_format: str) -> tuple[str, bytes]:
    """The SHA-256 that was stored with a file, and its bytes. Raises Refusal NOT-FOUND."""
    wanted = (ReportFile.report_id == report_id, ReportFile.format == file_format)
    row = db.session.execute(select(ReportFile.sha256, ReportFile.content).where(*wanted)).first()
    if row is None:
        raise not_found("file")
    return row.sha256, row.content


def _files(report_ids: Sequence[UUID]) -> dict[UUID, list[StoredFile]]:
    files: dict[UUID, list[StoredFile]] = {}
    statement = select(ReportFile.report_id, ReportFile.format, ReportFile.sha256)
    for report_id, file_format, sha256 in db.session.execute(
        statement.where(ReportFile.report_id.in_(report_ids)).order_by(ReportFile.format.desc())
    ):
        files.setdefault(report_id, []).append(StoredFile(file_format, sha256))
    return files


def _shown(row: Any, files: dict[UUID, list[StoredFile]]) -> IssuedReport:
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
    )
