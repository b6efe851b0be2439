"""What an erasure makes of issued reports: the files of those about one patient alone, and the words that name them.

A job that was asked for by the patient's record number forgets what was asked; one that still waits is not made.

Files that name other people too stay until their own years are over. Number, hash and chain head of every report stay for good.
"""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.audit.erasing import erasable
from inventory.audit.models import AuditEntry
from inventory.patients.models import Patient
from inventory.patients.rules import record_number_key
from inventory.reports.jobs import requests
from inventory.reports.models import ReportJob


def _about(session: Session, patient_id: UUID) -> Iterable[UUID]:
    issued = select(AuditEntry.subject_id).where(
        AuditEntry.patient_id == patient_id, AuditEntry.action == "reports.issue"
    )
    return [report_id for report_id in session.scalars(issued) if report_id is not None]


def _asked_for(session: Session, patient_id: UUID) -> Iterable[UUID]:
    """Find the jobs that name the patient: by the report that they made, or by a number that is nobody else's now."""
    made = set(_about(session, patient_id))
    naming = select(ReportJob.id, ReportJob.report_id, ReportJob.parameters)
    for job in session.execute(naming.where(ReportJob.parameters.contains("patient_record_number"))):
        key = record_number_key(requests.request_of(job.parameters).asked.patient_record_number)
        found = session.scalar(select(Patient.id).where(Patient.record_number_key == key))
        if job.report_id in made or found in (None, patient_id):
            yield job.id


erasable("report", "id", _about, filters="[]")
erasable("report_file", "report_id", _about, content=b"")
erasable("report_revision", "report_id", _about, content=b"")
erasable("report_job", "id", _asked_for, parameters=requests.FORGOTTEN)
