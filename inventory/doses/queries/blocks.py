"""The blocks that a person met for a patient lately and that no dose has followed: a dose given all the same says so."""

import json
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from inventory.audit.models import AuditEntry, AuditPayload
from inventory.doses.models import Dose
from inventory.patients.queries import records_of

BLOCKED = "doses.blocked"
"""The action under which the trail holds that a dose was stopped before it was given."""
REMEMBERED = timedelta(hours=12)


def standing_blocks(session: Session, *, giver_id: UUID, patient_id: UUID, at: datetime) -> list[str]:
    """Return the codes that stopped this person's doses to the patient in the twelve hours before `at`, by name.

    What stopped a dose before the last one that this person recorded for the patient does not count any more.
    """
    records = records_of(patient_id)
    last = session.scalar(
        select(func.max(Dose.recorded_at)).where(Dose.patient_id.in_(records), Dose.giver_id == giver_id)
    )
    since = at - REMEMBERED
    payloads = session.scalars(
        select(AuditPayload.payload)
        .join(AuditEntry, AuditEntry.id == AuditPayload.entry_id)
        .where(
            AuditEntry.patient_id.in_(records),
            AuditEntry.recorded_at > (max(since, last) if last else since),
            AuditEntry.recorded_at <= at,
            AuditEntry.action == BLOCKED,
            AuditEntry.actor_id == giver_id,
        )
    )
    return sorted({code for payload in payloads for code in json.loads(payload)["facts"]["codes"]})
