"""The revisions of a report's PDF: who signed it after it was issued, and the bytes of each."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.kernel.errors import not_found
from inventory.reports.models import ReportFile, ReportRevision


def revisions_of(session: Session, report_id: UUID) -> Sequence[Any]:
    """Return the revisions of a report without their bytes, the first first."""
    columns = [column for column in ReportRevision.__table__.columns if column.name != "content"]
    of_report = select(*columns).where(ReportRevision.report_id == report_id)
    return session.execute(of_report.order_by(ReportRevision.number)).all()


def newest_sha256(session: Session, report_id: UUID) -> str:
    """Return the SHA-256 of a report's newest PDF. Raises Refusal NOT-FOUND."""
    signed = select(ReportRevision.sha256).where(ReportRevision.report_id == report_id)
    issued = select(ReportFile.sha256).where(ReportFile.report_id == report_id, ReportFile.format == "pdf")
    newest: str | None = session.scalar(signed.order_by(ReportRevision.number.desc()).limit(1))
    newest = newest or session.scalar(issued)
    if newest is None:
        raise not_found("file")
    return newest


def newest_pdf(session: Session, report_id: UUID) -> tuple[str, bytes]:
    """Return the SHA-256 and the bytes of a report's newest PDF. Raises Refusal NOT-FOUND."""
    newest = session.execute(
        select(ReportRevision.sha256, ReportRevision.content)
        .where(ReportRevision.report_id == report_id)
        .order_by(ReportRevision.number.desc())
        .limit(1)
    ).first()
    return (newest.sha256, newest.content) if newest else revision_pdf(session, report_id, 1)


def revision_pdf(session: Session, report_id: UUID, number: int) -> tuple[str, bytes]:
    """Return the SHA-256 and the bytes of a PDF as it was at a revision; 1 is the one that was issued. Raises Refusal NOT-FOUND."""
    issued = select(ReportFile.sha256, ReportFile.content).where(
        ReportFile.report_id == report_id, ReportFile.format == "pdf"
    )
    later = select(ReportRevision.sha256, ReportRevision.content).where(
        ReportRevision.report_id == report_id, ReportRevision.number == number
    )
    row = session.execute(issued if number == 1 else later).first()
    if row is None:
        raise not_found("file")
    return row.sha256, row.content
