"""What the patient has, and what that means for the product (domain.md section 2)."""

from inventory.doses.rules.gate.rule import Source, rule
from inventory.doses.rules.question import Question, Tier
from inventory.doses.rules.terms import OverrideReason
from inventory.patients.models import AlertKind

_R = OverrideReason


@rule(
    "LEBERS-OPTIC-ATROPHY",
    Tier.OVERRIDE,
    "Leber's optic atrophy is recorded, and the formulation is one that calls for caution with it.",
    source=Source.LABEL,
    todo="Choose hydroxocobalamin, or a prescriber decides.",
    reasons=(_R.BENEFIT_OUTWEIGHS_RISK, _R.PRESCRIBED_SO),
)
def lebers_optic_atrophy(q: Question) -> str:
    """The rule belongs to the formulation: labels of hydroxocobalamin list it as an indication."""
    caution = q.product.lebers_caution and q.has(AlertKind.LEBERS_OPTIC_ATROPHY)
    return f"Leber's optic atrophy is recorded; {q.product.formulation} may harm sight." if caution else ""


@rule(
    "PREGNANCY-ANAEMIA-UNPROVEN",
    Tier.OVERRIDE,
    "Hydroxocobalamin for megaloblastic anaemia of pregnancy, without a proven deficiency.",
    source=Source.LABEL,
    todo="Prove the deficiency first, or a prescriber decides.",
    reasons=(_R.DEFICIENCY_PROVEN, _R.BENEFIT_OUTWEIGHS_RISK),
)
def pregnancy_anaemia_unproven(q: Question) -> str:
    """It is usually folate that is missing then."""
    unproven = (
        q.product.substance == "hydroxocobalamin"
        and q.has(AlertKind.MEGALOBLASTIC_ANAEMIA_OF_PREGNANCY)
        and not q.has(AlertKind.PROVEN_B12_DEFICIENCY)
    )
    return "Megaloblastic anaemia of pregnancy without a proven deficiency." if unproven else ""


@rule(
    "BLEEDING-RISK",
    Tier.ACKNOWLEDGE,
    "The patient bleeds easily or takes an anticoagulant.",
    source=Source.STANDARD,
)
def bleeding_risk(q: Question) -> str:
    """A fine needle, and pressure afterwards."""
    bleeds = q.has(AlertKind.BLEEDING_RISK)
    return "Bleeding risk: use 23 G or finer and press for 2 minutes." if bleeds else ""


@rule(
    "ALUMINIUM-RENAL",
    Tier.ONCE,
    "The product contains aluminium, and renal disease is recorded.",
    source=Source.LABEL,
)
def aluminium_renal(q: Question) -> str:
    """Kidneys that work badly keep it."""
    harmful = q.product.contains_aluminium and q.has(AlertKind.RENAL_DISEASE)
    return "This product contains aluminium; renal disease is recorded." if harmful else ""


@rule(
    "BENZYL-ALCOHOL-PREGNANCY",
    Tier.ONCE,
    "The product contains benzyl alcohol, and pregnancy is recorded.",
    source=Source.LABEL,
)
def benzyl_alcohol_pregnancy(q: Question) -> str:
    """It passes to the child."""
    passes = q.product.has_benzyl_alcohol and q.has(AlertKind.PREGNANCY)
    return "This product contains benzyl alcohol; pregnancy is recorded." if passes else ""


RULES = (
    lebers_optic_atrophy,
    pregnancy_anaemia_unproven,
    bleeding_risk,
    aluminium_renal,
    benzyl_alcohol_pregnancy,
)
