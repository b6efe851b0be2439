"""Records what a patient decided. The latest decision holds, and is read as of a dose's time (law 7)."""

from datetime import datetime
from uuid import UUID

from inventory.audit.acts import Act, Outcome, perform
from inventory.kernel.errors import Refusal
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import Actor
from inventory.patients.models import Consent, ConsentStatus
from inventory.patients.services.record import locked


def record_consent(
    *,
    actor: Actor,
    at: datetime,
    patient_id: UUID,
    status: ConsentStatus,
    decided_at: datetime,
    information_sheet: str = "",
    note: str = "",
    request_key: str | None = None,
) -> Outcome:
    """Record what the patient decided at `decided_at`, and the sheet and version they were given. The latest decision holds.

    The outcome's subject is the consent. Raises Refusal CONSENT-FUTURE, SHEET-NEEDED (given, without a sheet).
    """

    def write(act: Act) -> Outcome:
        locked(act.session, patient_id)
        if decided_at > act.recorded_at:
            raise Refusal("CONSENT-FUTURE", "The patient cannot have decided in the future.", "decided_at")
        if status is ConsentStatus.GIVEN and not information_sheet:
            raise Refusal(
                "SHEET-NEEDED",
                "Name the information sheet that was given, and its version.",
                "information_sheet",
            )
        consent_id = uuid7()
        row = {
            "id": consent_id,
            "patient_id": patient_id,
            "status": status,
            "information_sheet": information_sheet,
            "decided_at": decided_at,
            "recorded_at": act.recorded_at,
            "actor_id": actor.id,
            "note": note,
        }
        act.insert(Consent, row)
        facts = {key: row[key] for key in ("status", "information_sheet", "decided_at", "note")}
        return act.record(
            "patients.record-consent", "consent", consent_id, patient_id=patient_id, facts=facts
        )

    return perform(write, actor=actor, at=at, request_key=request_key)
