"""What is read of the checklist before a first dose: its items, what was answered, and what the record says by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from inventory.kernel.errors import not_found
from inventory.patients.asked import allergies_of
from inventory.patients.laboratory import B12_STATUS
from inventory.patients.measured_queries import not_superseded
from inventory.patients.models import (
    AllergyStatus,
    ChecklistAnswer,
    ChecklistItem,
    Consent,
    ConsentStatus,
    ItemAnswer,
    ItemSource,
    LabResult,
)
from inventory.patients.queries import consents_of, get_patient, records_of


@dataclass(frozen=True, slots=True)
class Checked:
    """One item as it stands for a patient: answered or not, in which words, and when. `row` is the answer that holds."""

    item: ChecklistItem
    answer: ItemAnswer
    words: str = ""
    at: datetime | None = None
    row: ChecklistAnswer | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is still missing."""
        return self.answer is ItemAnswer.OPEN


def open_items(session: Session) -> Sequence[ChecklistItem]:
    """Return the items that the clinic asks for, in its order."""
    return session.scalars(_ordered().where(ChecklistItem.retired_at.is_(None))).all()


def every_item(session: Session) -> Sequence[ChecklistItem]:
    """Return every item, retired ones last."""
    return sorted(session.scalars(_ordered()).all(), key=lambda item: item.retired_at is not None)


def _ordered() -> Select[ChecklistItem]:
    return select(ChecklistItem).order_by(ChecklistItem.position, ChecklistItem.id)


def get_item(session: Session, item_id: UUID) -> ChecklistItem:
    """Return an item. Raises Refusal NOT-FOUND."""
    found = session.get(ChecklistItem, item_id)
    if found is None:
        raise not_found("item")
    return found


def latest_answers(session: Session, patient_id: UUID) -> dict[UUID, ChecklistAnswer]:
    """Return by item the answer that holds."""
    rows = session.scalars(
        select(ChecklistAnswer)
        .where(ChecklistAnswer.patient_id.in_(records_of(patient_id)))
        .order_by(ChecklistAnswer.recorded_at, ChecklistAnswer.id)
    )
    return {row.item_id: row for row in rows}


def checklist_of(session: Session, patient_id: UUID) -> list[Checked]:
    """Return the checklist as it stands for a patient: what the record says already is not asked again."""
    answers = latest_answers(session, patient_id)
    return [_checked(session, patient_id, item, answers.get(item.id)) for item in open_items(session)]


def _checked(session: Session, patient_id: UUID, item: ChecklistItem, row: ChecklistAnswer | None) -> Checked:
    source = ItemSource(item.source)
    if source is ItemSource.ALLERGIES:
        return _allergies(session, patient_id, item)
    if source is ItemSource.CONSENT:
        return _consent(session, patient_id, item)
    if source is ItemSource.LABORATORY:
        return _laboratory(session, patient_id, item)
    if row is None:
        return Checked(item, ItemAnswer.OPEN)
    return Checked(item, ItemAnswer(row.answer), row.note, row.recorded_at, row)


def _allergies(session: Session, patient_id: UUID, item: ChecklistItem) -> Checked:
    patient = get_patient(session, patient_id)
    asked = allergies_of(session, [patient])[patient_id].allergy_status is not AllergyStatus.NOT_ASKED
    return Checked(item, ItemAnswer.DONE if asked else ItemAnswer.OPEN, "Asked" if asked else "")


def _consent(session: Session, patient_id: UUID, item: ChecklistItem) -> Checked:
    latest: Consent | None = next(iter(consents_of(session, patient_id)), None)
    if latest is None or latest.status != ConsentStatus.GIVEN:
        return Checked(item, ItemAnswer.OPEN)
    return Checked(item, ItemAnswer.DONE, latest.information_sheet, latest.decided_at)


def _laboratory(session: Session, patient_id: UUID, item: ChecklistItem) -> Checked:
    newest = session.scalar(
        select(LabResult)
        .where(
            LabResult.patient_id.in_(records_of(patient_id)),
            LabResult.analyte.in_(B12_STATUS),
            not_superseded(LabResult),
        )
        .order_by(LabResult.taken_at.desc(), LabResult.id.desc())
        .limit(1)
    )
    if newest is None:
        return Checked(item, ItemAnswer.OPEN)
    return Checked(item, ItemAnswer.DONE, "B12 status measured", newest.taken_at)
