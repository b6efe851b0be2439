"""What an erasure makes of issued reports: the files of those about one patient alone, and the words that name them.

Files that name other people too stay until their own years are over. Number, hash and chain head of every report stay for good.
"""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.audit.erasing import erasable
from inventory.audit.models import AuditEntry


def _about(session: Session, patient_id: UUID) -> Iterable[UUID]:
    issued = select(AuditEntry.subject_id).where(
        AuditEntry.patient_id == patient_id, AuditEntry.action == "reports.issue"
    )
    return [report_id for report_id in session.scalars(issued) if report_id is not None]


erasable("report", "id", _about, filters="[]")
erasable("report_file", "report_id", _about, content=b"")
erasable("report_revision", "report_id", _about, content=b"")
