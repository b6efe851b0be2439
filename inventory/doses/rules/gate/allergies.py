"""Allergies and what of them was asked."""

from functools import partial

from inventory.doses.rules.gate.rule import Source, rule
from inventory.doses.rules.question import Question, Tier
from inventory.doses.rules.terms import OverrideReason
from inventory.patients.models import ALLERGIES, AlertKind, AllergyStatus

_override = partial(
    rule,
    tier=Tier.OVERRIDE,
    reasons=(OverrideReason.BENEFIT_OUTWEIGHS_RISK, OverrideReason.TOLERATED_BEFORE),
)


@_override(
    "ALLERGY-COBALAMIN",
    words="An allergy to cobalamin or cobalt is recorded, and the product is a cobalamin.",
    source=Source.LABEL,
    todo="A prescriber decides. Have adrenaline at hand if it is given.",
)
def allergy_cobalamin(q: Question) -> str:
    """Anaphylaxis to an earlier dose is recorded as this allergy."""
    allergic = q.has(AlertKind.ALLERGY_COBALAMIN, AlertKind.ALLERGY_COBALT)
    return "Allergy to cobalamin or cobalt is recorded." if allergic and q.product.is_cobalamin else ""


@_override(
    "ALLERGY-BENZYL-ALCOHOL",
    words="An allergy to benzyl alcohol is recorded, and the product contains it.",
    source=Source.LABEL,
    todo="Choose a product without benzyl alcohol.",
)
def allergy_benzyl_alcohol(q: Question) -> str:
    """It is the usual preservative of multi-dose vials."""
    allergic = q.product.has_benzyl_alcohol and q.has(AlertKind.ALLERGY_BENZYL_ALCOHOL)
    return "Allergy to benzyl alcohol is recorded, and this product contains it." if allergic else ""


@rule(
    "ALLERGIES-NOT-ASKED",
    Tier.OVERRIDE,
    "The patient was never asked for allergies.",
    source=Source.STANDARD,
    todo="Ask now, and record the answer on the patient's record.",
    reasons=(OverrideReason.ASKED_AND_NONE_KNOWN,),
)
def allergies_not_asked(q: Question) -> str:
    """None known, present and never asked are three things."""
    unasked = q.patient.allergy_status is AllergyStatus.NOT_ASKED
    return "The patient was never asked for allergies." if unasked else ""


@_override(
    "ALLERGIES-UNNAMED",
    words="Allergies are recorded as present, but not which.",
    source=Source.HOUSE,
    todo="Ask which, and name them on the patient's record.",
)
def allergies_unnamed(q: Question) -> str:
    """An allergy that nobody named cannot be compared with what is given."""
    unnamed = q.patient.allergy_status is AllergyStatus.PRESENT and not q.has(*ALLERGIES)
    return "Allergies are recorded as present, but not which." if unnamed else ""


RULES = (allergy_cobalamin, allergy_benzyl_alcohol, allergies_not_asked, allergies_unnamed)
