"""Medicines and supplements the patient takes, and what they hide (domain.md section 2)."""

from inventory.doses.rules.gate.rule import Source, rule
from inventory.doses.rules.question import Question, Tier
from inventory.patients.models import AlertKind


@rule(
    "FOLATE-NO-STATUS",
    Tier.ONCE,
    "The patient takes more than 0.1 mg of folate a day, and no B12 status is known.",
    source=Source.LABEL,
    todo="Have B12 measured before the next dose.",
)
def folate_no_status(q: Question) -> str:
    """Folate mends the blood while the nerves suffer on. A proven deficiency is a known status."""
    masked = q.has(AlertKind.FOLATE) and not q.has(AlertKind.PROVEN_B12_DEFICIENCY)
    words = "Folate is taken and no B12 status is known: folate can mask a deficiency while nerves suffer."
    return words if masked else ""


@rule(
    "BIOTIN-BEFORE-LABS",
    Tier.INFORM,
    "The patient takes biotin, which falsifies immunoassays.",
    source=Source.PRACTICE,
)
def biotin_before_labs(q: Question) -> str:
    """The laboratory is told, or biotin is left out before blood is drawn."""
    words = "Biotin is taken: it falsifies blood tests. Tell the laboratory."
    return words if q.has(AlertKind.BIOTIN) else ""


RULES = (folate_no_status, biotin_before_labs)
