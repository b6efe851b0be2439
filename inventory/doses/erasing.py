"""What an erasure makes of the rows about a patient's doses: whose they were, and whatever was typed in free words.

What was given, when, from which lot and by whom stays: the stock adds up, and nobody can tell any more to whom.
"""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from inventory.audit.erasing import BIRTH_ERASED, ERASED, erasable
from inventory.doses.models import (
    Dose,
    DoseFinding,
    DoseVoid,
    Incident,
    IncidentNote,
    NotGiven,
    RecallContact,
)


def _of(statement: Callable[[UUID], Select[Any]]) -> Callable[[Session, UUID], Iterable[UUID]]:
    return lambda session, patient_id: session.scalars(statement(patient_id))


def _doses(patient_id: UUID) -> Select[Any]:
    return select(Dose.id).where(Dose.patient_id == patient_id)


erasable(
    "dose",
    "id",
    _of(_doses),
    patient_name=ERASED,
    patient_record_number=ERASED,
    patient_born_on=BIRTH_ERASED,
    blocked_before=ERASED,
    note=ERASED,
)
erasable(
    "dose_finding",
    "dose_id",
    _of(lambda patient_id: select(DoseFinding.dose_id).where(DoseFinding.dose_id.in_(_doses(patient_id)))),
    message=ERASED,
    note=ERASED,
)
erasable(
    "dose_void",
    "dose_id",
    _of(lambda patient_id: select(DoseVoid.dose_id).where(DoseVoid.dose_id.in_(_doses(patient_id)))),
    reason=ERASED,
)
erasable(
    "incident",
    "id",
    _of(lambda patient_id: select(Incident.id).where(Incident.dose_id.in_(_doses(patient_id)))),
    what=ERASED,
    outcome=ERASED,
)
erasable(
    "incident_note",
    "id",
    _of(
        lambda patient_id: (
            select(IncidentNote.id)
            .join(Incident, Incident.id == IncidentNote.incident_id)
            .where(Incident.dose_id.in_(_doses(patient_id)))
        )
    ),
    found=ERASED,
    action=ERASED,
)
erasable(
    "not_given",
    "id",
    _of(lambda patient_id: select(NotGiven.id).where(NotGiven.patient_id == patient_id)),
    patient_name=ERASED,
    patient_record_number=ERASED,
    note=ERASED,
)
erasable(
    "recall_contact",
    "id",
    _of(lambda patient_id: select(RecallContact.id).where(RecallContact.patient_id == patient_id)),
    note=ERASED,
)
