"""What an erasure makes of a patient's own rows."""

from sqlalchemy import select

from inventory.audit.erasing import ERASED, erasable
from inventory.patients.models import Alert, ChecklistAnswer, Consent, LabResult, SymptomScore

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
