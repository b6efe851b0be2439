"""What a person said when asked for allergies: what all their records say, taken together."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.patients.models import AllergyStatus, Patient


@dataclass(frozen=True, slots=True)
class Allergies:
    """What a person said when asked for allergies, and on which day."""

    allergy_status: AllergyStatus = AllergyStatus.NOT_ASKED
    allergies_asked_on: date | None = None


def allergies_in(records: Iterable[Any]) -> Allergies:
    """Return what the records of one person say together: an allergy in any of them is present; else the last answer."""
    said = [
        Allergies(AllergyStatus(one.allergy_status), one.allergies_asked_on)
        for one in records
        if one.allergies_asked_on is not None
    ]
    weightiest = [one for one in said if one.allergy_status is AllergyStatus.PRESENT] or said
    return max(weightiest, key=lambda one: one.allergies_asked_on or date.min, default=Allergies())


def allergies_of(session: Session, patients: Collection[Patient]) -> dict[UUID, Allergies]:
    """Return by record what its person said of allergies, in one statement at most."""
    people = {one.person_id for one in patients if one.person_id}
    every: dict[UUID | None, list[Patient]] = {}
    for one in session.scalars(select(Patient).where(Patient.person_id.in_(people))) if people else ():
        every.setdefault(one.person_id, []).append(one)
    return {one.id: allergies_in(every.get(one.person_id, [one])) for one in patients}
