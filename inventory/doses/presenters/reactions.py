"""Reactions in words: what was told, when it began, how it stands, what was decided."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from inventory.doses.models import Dose
from inventory.doses.queries.reaction_states import symptom_words
from inventory.doses.rules import reaction_terms as terms
from inventory.doses.rules.reactions import asks_potassium, read

__all__ = ["POTASSIUM", "symptom_words"]

POTASSIUM = (
    "Muscle cramps, an irregular heartbeat, weakness or swollen ankles: check potassium. When severe anaemia is"
    " treated, new blood cells take it up, and it may fall within the first 48 hours (product labels of cyanocobalamin)."
)
_TONES = {terms.Severity.MILD: "info", terms.Severity.MODERATE: "attention", terms.Severity.SEVERE: "stop"}
_AN_HOUR, _A_DAY = 60, 60 * 24


def severity_words(severity: str) -> str:
    """Return a severity in words."""
    return terms.SEVERITY_WORDS[terms.Severity(severity)]


def severity_tone(severity: str) -> str:
    """Return the tone in which a severity is shown."""
    return _TONES[terms.Severity(severity)]


def seriousness_words(criteria: str) -> str:
    """Return what makes it serious to a regulator."""
    found = [terms.CRITERION_WORDS[one] for one in read(terms.Criterion, criteria)]
    return "; ".join(found) or "Not serious"


def action_words(actions: str) -> str:
    """Return what was done."""
    return "; ".join(terms.ACTION_WORDS[one] for one in read(terms.Action, actions)) or "Not told"


def outcome_words(outcome: str) -> str:
    """Return how it stands."""
    return terms.OUTCOME_WORDS[terms.ReactionOutcome(outcome)]


def reporter_words(reporter: str) -> str:
    """Return who told of it."""
    return terms.REPORTER_WORDS[terms.Reporter(reporter)]


def decision_words(kind: str) -> str:
    """Return what was decided."""
    return terms.DECISION_WORDS[terms.DecisionKind(kind)]


def is_potassium_asked(symptoms: str) -> bool:
    """Tell whether potassium is to be checked."""
    return asks_potassium(read(terms.Symptom, symptoms))


def onset_words(onset_at: datetime, given_at: datetime) -> str:
    """Return how long after the dose it began."""
    minutes = int((onset_at - given_at).total_seconds()) // 60
    if minutes == 0:
        return "At once"
    if minutes < _AN_HOUR:
        return f"{minutes} min after the dose"
    if minutes < _A_DAY:
        return f"{minutes // _AN_HOUR} h {minutes % _AN_HOUR} min after the dose"
    days = minutes // _A_DAY
    return f"{days} day{'s' if days > 1 else ''} after the dose"


def clock_words(at: datetime, dose: Dose) -> str:
    """Return an instant by the clock of the site where the dose was given."""
    return f"{at.astimezone(ZoneInfo(dose.given_zone)):%H:%M}"


def lines(note: str) -> list[str]:
    """Return the lines of the emergency note."""
    return [line.strip() for line in note.splitlines() if line.strip()]


def state(row: Any) -> tuple[str, str]:
    """Return what is to be done about a reaction in a list, and its tone."""
    if row.Reaction.is_grave and row.decided is None:
        return "A prescriber decides", "stop"
    if row.decided:
        stops = row.decided != terms.DecisionKind.MAY_CONTINUE
        return decision_words(row.decided), "attention" if stops else "good"
    return "No decision needed", "quiet"
