"""What an erasure makes of a patient's own rows."""

from uuid import UUID

from sqlalchemy import ScalarResult, or_, select
from sqlalchemy.orm import Session

from inventory.audit.erasing import ERASED, erasable
from inventory.patients.models import (
    Alert,
    ChecklistAnswer,
    Consent,
    LabResult,
    PatientMerge,
    PatientMergeUndo,
    SymptomScore,
)

erasable(
    "alert",
    "id",
    lambda session, patient_id: session.scalars(select(Alert.id).where(Alert.patient_id == patient_id)),
    note="",
    resolved_reason=ERASED,
)
erasable(
    "consent",
    "id",
    lambda session, patient_id: session.scalars(select(Consent.id).where(Consent.patient_id == patient_id)),
    note="",
)
erasable(
    "lab_result",
    "id",
    lambda session, patient_id: session.scalars(
        select(LabResult.id).where(LabResult.patient_id == patient_id)
    ),
    reason=ERASED,
)
erasable(
    "symptom_score",
    "id",
    lambda session, patient_id: session.scalars(
        select(SymptomScore.id).where(SymptomScore.patient_id == patient_id)
    ),
    reason=ERASED,
)
erasable(
    "checklist_answer",
    "id",
    lambda session, patient_id: session.scalars(
        select(ChecklistAnswer.id).where(ChecklistAnswer.patient_id == patient_id)
    ),
    note="",
)


def _merges(session: Session, patient_id: UUID) -> ScalarResult[UUID]:
    """Return the merges of the record with another, also those that were undone."""
    of_it = or_(PatientMerge.kept_id == patient_id, PatientMerge.merged_id == patient_id)
    return session.scalars(select(PatientMerge.id).where(of_it))


def _undone(session: Session, patient_id: UUID) -> ScalarResult[UUID]:
    undone = PatientMergeUndo.merge_id.in_(_merges(session, patient_id).all())
    return session.scalars(select(PatientMergeUndo.merge_id).where(undone))


erasable("patient_merge", "id", _merges, reason=ERASED)
erasable("patient_merge_undo", "merge_id", _undone, reason=ERASED)
