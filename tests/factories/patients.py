"""Makes invented patients through the room's own services."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from uuid import UUID

from inventory.kernel import clock
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor
from inventory.patients.laboratory import Analyte, parse_amount
from inventory.patients.models import AllergyStatus
from inventory.patients.services import Identity, Reading, Sample, add_patient, record_labs

BORN_ON = date(1980, 3, 4)
_numbers = count(1)


def make_patient(
    *,
    family_name: str = "",
    given_name: str = "Ada",
    born_on: date = BORN_ON,
    record_number: str = "",
    none_known: bool = True,
    has_baseline: bool = True,
    actor: Actor = SYSTEM_ACTOR,
    at: datetime | None = None,
) -> UUID:
    """Add a patient nobody resembles; return the id.

    They were asked for allergies unless `none_known` is False, and have a B12 result from before unless `has_baseline` is.
    """
    instant = at or clock.now()
    status = AllergyStatus.NONE_KNOWN if none_known else AllergyStatus.NOT_ASKED
    patient_id = add_patient(
        actor=actor,
        at=instant,
        identity=Identity(
            family_name=family_name or f"Invented {_roman(next(_numbers))}",
            given_name=given_name,
            born_on=born_on,
            record_number=record_number,
        ),
        is_another_person=True,
        allergy_status=status,
        allergies_asked_on=instant.astimezone(UTC).date() if none_known else None,
    ).subject_id
    if has_baseline:
        _add_baseline(patient_id, born_on, actor=actor, at=instant)
    return patient_id


def _add_baseline(patient_id: UUID, born_on: date, *, actor: Actor, at: datetime) -> None:
    """Record a B12 result of some months ago, or of the day after birth, so that the gate knows one."""
    born_at = datetime.combine(born_on, time(), UTC) + timedelta(days=1)
    taken_at = min(at, max(born_at, at - timedelta(days=200)))
    record_labs(
        actor=actor,
        at=at,
        patient_id=patient_id,
        sample=Sample(taken_at),
        readings=[Reading(Analyte.B12, parse_amount("210"), "pg/mL")],
    )


def _roman(number: int) -> str:
    """Return a number in letters, since a name has no digits."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("a") + rest) + letters
    return letters.title()
