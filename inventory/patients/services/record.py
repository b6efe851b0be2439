"""What every act on a patient's record shares: the record locked, and what an edit changed as the trail shows it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome
from inventory.kernel.errors import Refusal, not_found
from inventory.patients.models import Patient


def locked(session: Session, patient_id: UUID) -> Patient:
    """Return the patient as the record says now, every record of the person locked until the act ends. Raises Refusal NOT-FOUND."""
    patient = session.scalar(
        select(Patient)
        .where(Patient.id == patient_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if patient is None:
        raise not_found("patient")
    if patient.person_id is not None:
        lock_person(session, patient.person_id)
    return patient


def lock_person(session: Session, person_id: UUID) -> None:
    """Lock every record of a person who has several, in the order of their ids."""
    mine = select(Patient.id).where(Patient.person_id == person_id).order_by(Patient.id)
    session.execute(mine.with_for_update(key_share=True))


def record_edit(
    act: Act,
    patient: Patient,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    action: str,
    *,
    more: Mapping[str, Any] = MappingProxyType({}),
) -> Outcome:
    """Inside an act: record what changed, with `more` that it did. Raises Refusal NOTHING-CHANGED."""
    facts = {**changes(before, after), **more}
    if not facts:
        raise Refusal("NOTHING-CHANGED", "Nothing is different from what the record says already.")
    act.session.flush()
    return act.record(action, "patient", patient.id, patient_id=patient.id, facts=facts)


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an edit changed as {"before": ..., "after": ...}, only the fields that differ; empty where none does."""
    changed = [name for name in after if before[name] != after[name]]
    if not changed:
        return {}
    return {"before": {n: before[n] for n in changed}, "after": {n: after[n] for n in changed}}
