"""What became of the patient: whether they died, and whether the clinic still sees them."""

from inventory.doses.rules.gate.rule import Source, day, rule
from inventory.doses.rules.question import Question, Tier


@rule(
    "PATIENT-DECEASED",
    Tier.BLOCK,
    "The record says that the patient died before the day of the dose.",
    source=Source.HOUSE,
    todo="Check both identifiers: this is another person, or the record is wrong. A prescriber corrects it on the record.",
    is_fixed=True,
)
def patient_deceased(q: Question) -> str:
    """The day of death itself is no obstacle: a dose may have been given in its morning."""
    died_on = q.patient.died_on
    if died_on is None or q.given_on <= died_on:
        return ""
    return f"The patient died on {day(died_on)}, as the record says."


@rule(
    "PATIENT-INACTIVE",
    Tier.INFORM,
    "The patient's record is inactive.",
    source=Source.HOUSE,
)
def patient_inactive(q: Question) -> str:
    """Somebody said that the clinic sees them no longer; a dose says otherwise."""
    return (
        "This record is inactive. Make it active if the patient comes again." if q.patient.is_inactive else ""
    )


RULES = (patient_deceased, patient_inactive)
