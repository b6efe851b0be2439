"""How results, scores and the checklist are worded on a page. What a value means is said of the laboratory's own range alone."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from inventory.patients.laboratory import ANALYTES, Against, Analyte, against, range_words, unit_of
from inventory.patients.models import (
    SYMPTOMS,
    CareGroup,
    ItemAnswer,
    ItemSource,
    LabResult,
    Patient,
    SymptomScore,
)
from inventory.patients.presenters import State, age_on
from inventory.patients.terms import ANSWER_WORDS, GROUP_WORDS, SYMPTOM_WORDS
from inventory.web.presenting import EMPTY

OVER_YEARS = 50
_AGAINST = {
    Against.BELOW: State("Below its range", "attention"),
    Against.WITHIN: State("Within its range", "quiet"),
    Against.ABOVE: State("Above its range", "attention"),
}
_ANSWERS = {ItemAnswer.DONE: "good", ItemAnswer.NOT_NEEDED: "quiet", ItemAnswer.OPEN: "attention"}


ANSWERED_ELSEWHERE = {
    ItemSource.ALLERGIES: "patients.allergies",
    ItemSource.CONSENT: "patients.record_consent",
    ItemSource.LABORATORY: "patients.record_labs",
}
"""By where an answer to the checklist comes from, the page on which it is given; the others are given on the checklist."""


def answered_at(source: str) -> str:
    """Return the page on which an item of the checklist is answered."""
    return ANSWERED_ELSEWHERE.get(ItemSource(source), "patients.checklist")


def analyte_words(analyte: str) -> str:
    """Return an analyte's name."""
    return ANALYTES[Analyte(analyte)].name


def value_words(row: LabResult) -> str:
    """Return a value with its unit: "< 150 pg/mL"."""
    return f"{row.amount} {unit_words(row)}"


def unit_words(row: LabResult) -> str:
    """Return the unit as it is shown."""
    return unit_of(Analyte(row.analyte), row.unit).words


def lab_range(row: LabResult) -> str:
    """Return the laboratory's own range, or a dash."""
    return range_words(row.low_millionths, row.high_millionths) or EMPTY


def lab_state(row: LabResult) -> State | None:
    """Return where the value lies against the laboratory's own range, where that can be told."""
    found = against(row.amount, row.low_millionths, row.high_millionths)
    return _AGAINST[found] if found else None


def marks(row: LabResult | SymptomScore, superseded: Mapping[UUID, Any]) -> list[State]:
    """Return what must be seen beside a row: that it was corrected or retracted, or is a correction or retraction."""
    later = superseded.get(row.id)
    if row.is_retraction:
        return [State("Retracts an entry", "stop")]
    found = [State("Correction", "info")] if row.corrects_id else []
    if later is not None:
        found.append(State("Retracted" if later.is_retraction else "Corrected", "stop"))
    return found


def may_correct(row: LabResult | SymptomScore, superseded: Mapping[UUID, Any]) -> bool:
    """Tell whether a row can be corrected: it stands, and retracts nothing."""
    return not row.is_retraction and row.id not in superseded


def score_words(name: str) -> str:
    """Return the name of a score."""
    return SYMPTOM_WORDS[name][0]


def scores_of(row: SymptomScore) -> list[tuple[str, str]]:
    """Return each score as name and number; a dash where it was not asked."""
    values = ((name, getattr(row, name)) for name in SYMPTOMS)
    return [(score_words(name), EMPTY if value is None else str(value)) for name, value in values]


def answer_state(answer: ItemAnswer) -> State:
    """Return an answer in words with its tone."""
    return State(ANSWER_WORDS[answer], _ANSWERS[answer])


def groups_of(patient: Patient, today: date) -> list[str]:
    """Return the patient's groups in words; over 50 follows from the birth date."""
    noted = [GROUP_WORDS[group] for group in CareGroup if group in patient.groups]
    return [*noted, "Over 50"] if age_on(patient.born_on, today) > OVER_YEARS else noted
