"""How a patient's record is shown: each state in words with its tone, what differs, and how old somebody is."""

from datetime import date
from typing import NamedTuple

from inventory.patients.asked import Allergies
from inventory.patients.models import (
    Alert,
    AlertKind,
    AllergyStatus,
    Consent,
    ConsentStatus,
    Patient,
    RecordState,
)
from inventory.patients.terms import ALERT_WORDS, ALLERGY_WORDS, CONSENT_WORDS, FIELD_WORDS

_GOOD_TO_KNOW = {
    AlertKind.PROVEN_B12_DEFICIENCY,
    AlertKind.POTASSIUM_PLAN,
    AlertKind.FOLATE,
    AlertKind.BIOTIN,
}
_STOPPING = {
    AlertKind.ALLERGY_COBALAMIN,
    AlertKind.ALLERGY_COBALT,
    AlertKind.LEBERS_OPTIC_ATROPHY,
    AlertKind.SERIOUS_REACTION,
}


class State(NamedTuple):
    """A state in words, and the tone it is shown in."""

    words: str
    tone: str


class Difference(NamedTuple):
    """A field in which what was typed is not what the record says by now."""

    field: str
    record: str
    typed: str


def age_on(born_on: date, today: date) -> int:
    """Return whole years of age; a person born on 29 February has their birthday on 1 March in other years."""
    return today.year - born_on.year - ((today.month, today.day) < (born_on.month, born_on.day))


def age_words(born_on: date, today: date) -> str:
    """Return an age as it is said: in years, in months below two years, in days below two months."""
    years = age_on(born_on, today)
    months = (today.year - born_on.year) * 12 + today.month - born_on.month - (today.day < born_on.day)
    if years >= 2:
        return f"{years} years"
    if months >= 2:
        return f"{months} months"
    days = (today - born_on).days
    return f"{days} {'day' if days == 1 else 'days'}"


def alert_state(alert: Alert) -> State:
    """Return an alert in words, with its tone: what stops a dose, what is to be minded, what is good to know."""
    kind = AlertKind(alert.kind)
    return State(ALERT_WORDS[kind], alert_tone(kind))


def alert_tone(kind: AlertKind) -> str:
    """Return the tone in which an alert of a kind is shown."""
    return "stop" if kind in _STOPPING else "info" if kind in _GOOD_TO_KNOW else "attention"


def allergy_state(patient: Patient | Allergies) -> State:
    """Return whether allergies are known, in words."""
    status = AllergyStatus(patient.allergy_status)
    tones = {
        AllergyStatus.NOT_ASKED: "attention",
        AllergyStatus.NONE_KNOWN: "good",
        AllergyStatus.PRESENT: "stop",
    }
    return State(ALLERGY_WORDS[status], tones[status])


def record_marks(patient: Patient) -> list[State]:
    """Return what must be seen beside a name in a list: merged, inactive, deceased. Nothing for an ordinary record."""
    found = [State("Merged into another record", "info")] if patient.kept_id != patient.id else []
    if patient.state == RecordState.INACTIVE:
        found.append(State("Inactive", "quiet"))
    if patient.state == RecordState.DECEASED:
        found.append(State("Deceased", "stop"))
    return found


def consent_state(consent: Consent | None) -> State:
    """Return what the patient decided last, in words."""
    if consent is None:
        return State("Not recorded", "attention")
    status = ConsentStatus(consent.status)
    return State(CONSENT_WORDS[status], "good" if status is ConsentStatus.GIVEN else "stop")


def differences(patient: Patient, typed: dict[str, object]) -> list[Difference]:
    """Return the fields in which the record is not what was typed."""
    pairs = ((name, getattr(patient, name), value) for name, value in typed.items())
    return [
        Difference(FIELD_WORDS[name], str(record or "—"), str(value or "—"))
        for name, record, value in pairs
        if record != value and not (name == "record_number" and not value)
    ]
