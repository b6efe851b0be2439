"""The files of reports whose years of keeping are over: how many there are, and their erasure by two people (law 10)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome, perform
from inventory.audit.erasing import begin_erasure, erase_owned
from inventory.audit.models import ErasureKind, ErasureRow
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Actor, Permission
from inventory.reports.models import Report, ReportFile


def reports_past_keeping(session: Session, *, before: datetime) -> Sequence[UUID]:
    """Return the reports issued before this instant that still have files, the oldest first."""
    return session.scalars(
        select(Report.id)
        .where(
            Report.issued_at < before,
            Report.id.in_(select(ReportFile.report_id).where(func.length(ReportFile.content) > 0)),
        )
        .order_by(Report.issued_at, Report.id)
    ).all()


def erase_old_files(
    *, actor: Actor, at: datetime, second: Actor, before: datetime, request_key: str | None = None
) -> Outcome:
    """Erase the files of all reports issued before an instant; their entries in the register stay. The outcome is the erasure.

    Raises Refusal ERASURE-SECOND, ERASURE-NOTHING, NOT-PERMITTED.
    """
    if not actor.can(Permission.RETENTION_MANAGE):
        raise Refusal("NOT-PERMITTED", f"{actor.name} may not do this.", status=403)

    def write(act: Act) -> Outcome:
        old = reports_past_keeping(act.session, before=before)
        if not old:
            raise Refusal("ERASURE-NOTHING", "No file of a report is past its years of keeping.")
        erasure_id = begin_erasure(act, kind=ErasureKind.REPORT_FILES, second=second)
        files = sum(erase_owned(act, erasure_id, table, old) for table in ("report_file", "report_revision"))
        facts = {"second": second.name, "before": before, "reports": len(old), "files": files}
        return act.record("reports.erase-files", "erasure", erasure_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def refuse_erased(session: Session, report_id: UUID) -> None:
    """Raise Refusal REPORT-ERASED where an erasure took a report's files."""
    named = select(ErasureRow.row_key).where(
        ErasureRow.table_name == ReportFile.__tablename__,
        ErasureRow.owner_key == report_id.hex,
        ErasureRow.is_blanked,
    )
    if session.scalar(named.limit(1)) is not None:
        said = "The files of this report were erased. Its number, hash and chain head stay in the register."
        raise Refusal("REPORT-ERASED", said, status=410)
