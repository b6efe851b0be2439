"""Makes invented patients through the room's own services."""

from datetime import UTC, date, datetime
from itertools import count
from uuid import UUID

from inventory.kernel import clock
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor
from inventory.patients.models import AllergyStatus
from inventory.patients.services import Identity, add_patient

BORN_ON = date(1980, 3, 4)
_numbers = count(1)


def make_patient(
    *,
    family_name: str = "",
    given_name: str = "Ada",
    born_on: date = BORN_ON,
    record_number: str = "",
    none_known: bool = True,
    actor: Actor = SYSTEM_ACTOR,
    at: datetime | None = None,
) -> UUID:
    """Add a patient nobody resembles, asked for allergies unless `none_known` is False; return the id."""
    instant = at or clock.now()
    status = AllergyStatus.NONE_KNOWN if none_known else AllergyStatus.NOT_ASKED
    return add_patient(
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


def _roman(number: int) -> str:
    """Return a number in letters, since a name has no digits."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("a") + rest) + letters
    return letters.title()
