"""What two records look like side by side, and what was merged into a person's record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased

from inventory.doses.models import Dose
from inventory.doses.queries.lists import VOIDED
from inventory.kernel.errors import not_found
from inventory.patients.models import Alert, Consent, Patient, PatientMerge, PatientMergeUndo
from inventory.patients.queries import alerts_of, consents_of, get_patient, records_of
from inventory.staff.models import User

_IS_STANDING = ~exists().where(PatientMergeUndo.merge_id == PatientMerge.id)


@dataclass(frozen=True, slots=True)
class Side:
    """One of two records that are compared, with all that was merged into it."""

    patient: Patient
    alerts: Sequence[Alert]
    consent: Consent | None
    doses: int
    first_on: date | None
    last_on: date | None


@dataclass(frozen=True, slots=True)
class Merged:
    """A merge that stands: which record leads to which, who said so, and why."""

    merge: PatientMerge
    record: Patient
    kept_number: str
    by: str


def side_of(session: Session, patient_id: UUID) -> Side:
    """Return a record as it is compared. Raises Refusal NOT-FOUND."""
    patient = get_patient(session, patient_id)
    valid = (Dose.patient_id.in_(records_of(patient_id)), ~VOIDED)
    doses, first_on, last_on = session.execute(
        select(func.count(), func.min(Dose.given_on), func.max(Dose.given_on)).where(*valid)
    ).one()
    return Side(
        patient,
        [one for one in alerts_of(session, patient_id) if one.resolved_at is None],
        next(iter(consents_of(session, patient_id)), None),
        doses,
        first_on,
        last_on,
    )


def merges_of(session: Session, patient_id: UUID) -> list[Merged]:
    """Return the merges that stand among the records of a person, the newest first."""
    return [
        _merged(row) for row in session.execute(_merges(PatientMerge.kept_id.in_(records_of(patient_id))))
    ]


def merge_of(session: Session, patient_id: UUID, merge_id: UUID) -> Merged:
    """Return a merge among the records of that person that stands. Raises Refusal NOT-FOUND."""
    found = next((one for one in merges_of(session, patient_id) if one.merge.id == merge_id), None)
    if found is None:
        raise not_found("merge")
    return found


def _merges(condition: Any) -> Any:
    kept = aliased(Patient)
    return (
        select(PatientMerge, Patient, kept.record_number, User.display_name)
        .join(Patient, Patient.id == PatientMerge.merged_id)
        .join(kept, kept.id == PatientMerge.kept_id)
        .join(User, User.id == PatientMerge.actor_id)
        .where(condition, _IS_STANDING)
        .order_by(PatientMerge.recorded_at.desc(), PatientMerge.id)
    )


def _merged(row: Any) -> Merged:
    return Merged(*row)
