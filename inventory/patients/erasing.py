"""What an erasure makes of a patient's own rows."""

from sqlalchemy import select

from inventory.audit.erasing import ERASED, erasable
from inventory.patients.models import Alert, Consent

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
