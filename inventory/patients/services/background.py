"""What a patient is treated for, and the groups they belong to. Edited; the history is the trail."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from inventory.audit.acts import Act, Outcome, perform
from inventory.kernel.permissions import Actor
from inventory.patients.models import CareGroup, Patient
from inventory.patients.services.record import locked, record_edit


def set_background(
    *,
    actor: Actor,
    at: datetime,
    patient_id: UUID,
    groups: Collection[CareGroup],
    indication: str,
    request_key: str | None = None,
) -> Outcome:
    """Set the groups and the indication. Raises Refusal NOTHING-CHANGED, NOT-FOUND."""

    def write(act: Act) -> Outcome:
        patient = locked(act.session, patient_id)
        before = _of(patient)
        patient.care_groups = ",".join(group for group in CareGroup if group in groups)
        patient.indication = indication.strip()
        return record_edit(act, patient, before, _of(patient), "patients.set-background")

    return perform(write, actor=actor, at=at, request_key=request_key)


def _of(patient: Patient) -> dict[str, Any]:
    return {"care_groups": patient.care_groups, "indication": patient.indication}
