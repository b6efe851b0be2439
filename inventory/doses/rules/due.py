"""When a dose is due, seen from a day; which of a patient's marks is the one to watch; which days a month's calendar has.

Days are a site's own days. Overdue is what was due before today, also while its window is still open: it stays until somebody decides.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from inventory.patients.models import AlertKind, AllergyStatus, ConsentStatus

NEXT_DAYS = 14
"""How far the due list looks ahead."""


class Due(StrEnum):
    """When a dose is due."""

    OVERDUE = "overdue"
    TODAY = "today"
    NEXT = "next"


class Concern(StrEnum):
    """What may have to be watched besides the alerts on a patient's record."""

    ALLERGIES_NOT_ASKED = "allergies_not_asked"
    CONSENT_REFUSED = "consent_refused"
    CONSENT_NOT_RECORDED = "consent_not_recorded"
    WINDOW_PASSED = "window_passed"
    FIRST_DOSE = "first_dose"


_ORDER: tuple[AlertKind | Concern, ...] = (
    AlertKind.SERIOUS_REACTION,
    AlertKind.ALLERGY_COBALAMIN,
    AlertKind.ALLERGY_COBALT,
    AlertKind.LEBERS_OPTIC_ATROPHY,
    Concern.CONSENT_REFUSED,
    Concern.ALLERGIES_NOT_ASKED,
    AlertKind.ALLERGY_BENZYL_ALCOHOL,
    AlertKind.MEGALOBLASTIC_ANAEMIA_OF_PREGNANCY,
    AlertKind.SEVERE_ANAEMIA,
    AlertKind.BLEEDING_RISK,
    AlertKind.ALLERGY_OTHER,
    AlertKind.PREGNANCY,
    AlertKind.RENAL_DISEASE,
    Concern.CONSENT_NOT_RECORDED,
    AlertKind.OTHER,
    AlertKind.FOLATE,
    AlertKind.BIOTIN,
    Concern.WINDOW_PASSED,
    Concern.FIRST_DOSE,
)
"""What stops a dose first, then what asks for care, then what is good to know (domain.md section 2)."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What is known of a patient whose dose is due."""

    alerts: frozenset[AlertKind]
    allergy_status: AllergyStatus
    consent: ConsentStatus | None
    is_first_dose: bool
    closes_on: date


def when_due(due_on: date, today: date) -> Due:
    """Return when a dose is due that stands on the list."""
    if due_on < today:
        return Due.OVERDUE
    return Due.TODAY if due_on == today else Due.NEXT


def watched(marks: Marks, today: date) -> tuple[AlertKind | Concern | None, int]:
    """Return the one thing to watch before the dose, and how many there are besides; None where there is nothing."""
    found = {*marks.alerts, *_concerns(marks, today)}
    ordered = [one for one in _ORDER if one in found]
    return (ordered[0], len(ordered) - 1) if ordered else (None, 0)


def _concerns(marks: Marks, today: date) -> Iterable[Concern]:
    if marks.allergy_status is AllergyStatus.NOT_ASKED:
        yield Concern.ALLERGIES_NOT_ASKED
    if marks.consent is None:
        yield Concern.CONSENT_NOT_RECORDED
    elif marks.consent is not ConsentStatus.GIVEN:
        yield Concern.CONSENT_REFUSED
    if marks.closes_on < today:
        yield Concern.WINDOW_PASSED
    if marks.is_first_dose:
        yield Concern.FIRST_DOSE


def weeks_of(month: date) -> list[list[date]]:
    """Return the weeks, from Monday, that the calendar of a month shows; days of the months beside it fill them."""
    first = month.replace(day=1)
    start = first - timedelta(days=first.weekday())
    end = next_month(first)
    weeks = []
    while start < end:
        weeks.append([start + timedelta(days=n) for n in range(7)])
        start += timedelta(days=7)
    return weeks


def next_month(month: date) -> date:
    """Return the first day of the month after."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def month_before(month: date) -> date:
    """Return the first day of the month before."""
    return (month.replace(day=1) - timedelta(days=1)).replace(day=1)
