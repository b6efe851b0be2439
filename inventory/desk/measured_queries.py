"""What the patient's record shows of results, scores and groups: the newest of each that stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from types import ModuleType
from uuid import UUID

from sqlalchemy.orm import Session

from inventory.patients import measured_presenters
from inventory.patients.measured_queries import standing_labs, standing_scores
from inventory.patients.models import LabResult, SymptomScore
from inventory.patients.queries import get_patient

_MOST_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Measured:
    """The newest result of each analyte, a few of them; the newest scores; the groups; and how they are worded."""

    labs: Sequence[LabResult]
    score: SymptomScore | None
    groups: Sequence[str]
    words: ModuleType = measured_presenters


def measured_of(session: Session, patient_id: UUID, *, today: date) -> Measured:
    """Return what the record shows."""
    newest = {row.analyte: row for row in standing_labs(session, patient_id)}
    labs = sorted(newest.values(), key=lambda row: (row.taken_at, row.id), reverse=True)[:_MOST_SHOWN]
    scores = standing_scores(session, patient_id, most=1)
    groups = measured_presenters.groups_of(get_patient(session, patient_id), today)
    return Measured(labs, scores[-1] if scores else None, groups)
