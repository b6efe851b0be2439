"""What the page of a dose shows beside it: the checklist before a first dose, and the last symptom scores. Nothing here decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from uuid import UUID

from sqlalchemy.orm import Session

from inventory.patients import measured_presenters
from inventory.patients.checklist_queries import Checked, checklist_of
from inventory.patients.measured_queries import standing_scores
from inventory.patients.models import SymptomScore


@dataclass(frozen=True, slots=True)
class Beforehand:
    """The checklist, empty after the first dose; the scores that were said last; and how both are worded."""

    checklist: Sequence[Checked]
    score: SymptomScore | None
    words: ModuleType = measured_presenters

    @property
    def missing(self) -> list[Checked]:
        """What is still open."""
        return [one for one in self.checklist if one.is_open]


def beforehand(session: Session, patient_id: UUID, *, is_first: bool) -> Beforehand:
    """Return what to show of the patient; the checklist only before a first dose."""
    scores = standing_scores(session, patient_id, most=1)
    checklist = checklist_of(session, patient_id) if is_first else []
    return Beforehand(checklist, scores[-1] if scores else None)
