"""The due list in words: when, what, within which days, the last dose, and the one thing to watch."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from inventory.doses.queries.due import alerts_in
from inventory.doses.rules.due import Concern, Due, Marks, watched, when_due
from inventory.doses.rules.terms import BODY_SITE_WORDS, BodySite
from inventory.patients.models import AlertKind, AllergyStatus, ConsentStatus
from inventory.patients.presenters import State, alert_tone
from inventory.patients.rules import full_name
from inventory.patients.terms import ALERT_WORDS
from inventory.web.presenting import EMPTY, count, day, mcg, relative_days

DUE_WORDS = {Due.OVERDUE: "Overdue", Due.TODAY: "Today", Due.NEXT: "Next 14 days"}
DUE_TONES = {Due.OVERDUE: "stop", Due.TODAY: "good", Due.NEXT: "quiet"}
_CONCERNS = {
    Concern.ALLERGIES_NOT_ASKED: State("Allergies: never asked", "stop"),
    Concern.CONSENT_REFUSED: State("Consent refused or withdrawn", "stop"),
    Concern.CONSENT_NOT_RECORDED: State("No consent recorded", "attention"),
    Concern.WINDOW_PASSED: State("Later than the course allows", "attention"),
    Concern.FIRST_DOSE: State("First dose", "info"),
}
_SAID_BY_NOTE = {AlertKind.OTHER, AlertKind.ALLERGY_OTHER}
_NOTE = 80


@dataclass(frozen=True, slots=True)
class DueLine:
    """One row of the due list, in words."""

    slot_id: UUID
    course_id: UUID
    patient_id: UUID
    site_id: UUID
    name: str
    record_number: str
    born_on: date
    when: Due
    due_on: date
    due_words: str
    window: str
    what: str
    dose: str
    indication: str
    last: str
    last_on: date | None
    last_body_site: str
    watch: State | None
    more_to_watch: int


def due_line(row: Any, today: date) -> DueLine:
    """Return a row of `queries.due` as it is read on the day `today`."""
    watch, more = watch_words(row, today)
    last_site = BODY_SITE_WORDS[BodySite(row.last_body_site)] if row.last_body_site else ""
    return DueLine(
        slot_id=row.slot_id,
        course_id=row.course_id,
        patient_id=row.patient_id,
        site_id=row.site_id,
        name=full_name(row.family_name, row.given_name),
        record_number=row.record_number,
        born_on=row.born_on,
        when=when_due(row.due_on, today),
        due_on=row.due_on,
        due_words=due_words(row.due_on, today),
        window=window_words(row),
        what=row.formulation_name,
        dose=mcg(row.dose_ng),
        indication=row.indication,
        last=_last(row, last_site),
        last_on=row.last_given_on,
        last_body_site=last_site,
        watch=watch,
        more_to_watch=more,
    )


def due_next(planned: Any, today: date) -> tuple[str, str, str] | None:
    """Return what is due of a patient's course, since when or when, and within which days; None where nothing is."""
    if planned is None:
        return None
    window = window_words(planned)
    what = f"{mcg(planned.dose_ng)} {planned.formulation_name}"
    return what, f"{day(planned.due_on)}, {due_words(planned.due_on, today)}", window


def due_words(due_on: date, today: date) -> str:
    """Return when a dose is due, as it is said: `overdue by 3 days`, `today`, `in 5 days`."""
    late = (today - due_on).days
    return f"overdue by {count(late, 'day')}" if late > 0 else relative_days(due_on, today)


def window_words(row: Any) -> str:
    """Return the days within which the course wants the dose; empty where it is that day only."""
    if row.opens_on == row.closes_on:
        return ""
    return f"{_short(row.opens_on, row.closes_on)} to {day(row.closes_on)}"


def _short(first: date, last: date) -> str:
    return day(first).rpartition(" ")[0] if first.year == last.year else day(first)


def _last(row: Any, site: str) -> str:
    if row.last_given_on is None:
        return EMPTY
    other = row.last_formulation_name != row.formulation_name
    said = f"{mcg(row.last_dose_ng)}{f' {row.last_formulation_name}' if other else ''}"
    return f"{day(row.last_given_on)}, {said}, {site}"


def watch_words(row: Any, today: date) -> tuple[State | None, int]:
    """Return the one thing to watch in words with its tone, and how many there are besides."""
    notes = {AlertKind(kind): note for kind, note in alerts_in(row.alerts)}
    marks = Marks(
        alerts=frozenset(notes),
        allergy_status=AllergyStatus(row.allergy_status),
        consent=ConsentStatus(row.consent) if row.consent else None,
        is_first_dose=row.last_given_on is None,
        closes_on=row.closes_on,
    )
    found, more = watched(marks, today)
    if found is None:
        return None, more
    if isinstance(found, Concern):
        return _CONCERNS[found], more
    return _alert(found, notes[found]), more


def _alert(kind: AlertKind, note: str) -> State:
    told = note if len(note) <= _NOTE else f"{note[:_NOTE].rstrip()}..."
    words = ALERT_WORDS[kind]
    if told and kind in _SAID_BY_NOTE:
        words = told if kind is AlertKind.OTHER else f"{words}: {told}"
    return State(words, alert_tone(kind))
