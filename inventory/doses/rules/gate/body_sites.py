"""Where a dose goes in, and how much of it fits there (domain.md section 4)."""

from datetime import date

from inventory.doses.rules.gate.rule import Source, rule
from inventory.doses.rules.question import Question, Tier
from inventory.doses.rules.terms import BODY_SITE_WORDS, BUTTOCKS, DELTOIDS, HIPS, OverrideReason
from inventory.kernel.quantity import format_ml

_CHILD = ("child_under_years", "child_limit_ul")


@rule(
    "SITE-OFF",
    Tier.BLOCK,
    "The clinic does not inject into this site. Under Rules it says which it offers.",
    source=Source.HOUSE,
    todo="Choose an arm or a thigh.",
    field="body_site",
    is_fixed=True,
)
def site_off(q: Question) -> str:
    """Hip and buttock can be switched on."""
    hip = q.body_site in HIPS and not q.limits.hip_enabled
    buttock = q.body_site in BUTTOCKS and not q.limits.buttock_enabled
    off = f"This clinic does not inject here: {BODY_SITE_WORDS[q.body_site]}."
    return off if hip or buttock else ""


@rule(
    "DORSOGLUTEAL",
    Tier.ACKNOWLEDGE,
    "The dose goes into the buttock, where the sciatic nerve runs.",
    source=Source.STANDARD,
    field="body_site",
)
def dorsogluteal(q: Question) -> str:
    """Other sites are safer."""
    words = "Buttock: the sciatic nerve runs here. Another site is safer."
    return words if q.body_site in BUTTOCKS else ""


@rule(
    "VOLUME-OVER-LIMIT",
    Tier.OVERRIDE,
    "The volume is over the limit of the site, or over that of a child.",
    source=Source.HOUSE,
    todo="Split the dose over two sites, or choose a larger muscle.",
    field="volume_ml",
    thresholds=("deltoid_override_ul", "thigh_override_ul", "gluteal_override_ul", *_CHILD),
    reasons=(OverrideReason.PRESCRIBED_SO, OverrideReason.TOLERATED_BEFORE),
)
def volume_over_limit(q: Question) -> str:
    """A child is one by the date of birth."""
    _, limit_ul = _volume_limits(q)
    if q.volume_ul <= limit_ul:
        return ""
    return f"{format_ml(q.volume_ul)} mL is over the limit of {format_ml(limit_ul)} mL here."


@rule(
    "VOLUME-HIGH",
    Tier.INFORM,
    "The volume is large for the site, and within its limit.",
    source=Source.HOUSE,
    thresholds=("deltoid_inform_ul", "thigh_inform_ul", "gluteal_inform_ul"),
)
def volume_high(q: Question) -> str:
    """What is over the limit says that instead."""
    large_ul, limit_ul = _volume_limits(q)
    large = large_ul < q.volume_ul <= limit_ul
    return f"More than {format_ml(large_ul)} mL at this site." if large else ""


def _volume_limits(q: Question) -> tuple[int, int]:
    limits = q.limits
    if q.body_site in DELTOIDS:
        large, most = limits.deltoid_inform_ul, limits.deltoid_override_ul
    elif q.body_site in HIPS | BUTTOCKS:
        large, most = limits.gluteal_inform_ul, limits.gluteal_override_ul
    else:
        large, most = limits.thigh_inform_ul, limits.thigh_override_ul
    if _age(q.patient.born_on, q.given_on) < limits.child_under_years:
        most = min(most, limits.child_limit_ul)
    return large, most


def _age(born_on: date, on: date) -> int:
    return on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))


RULES = (site_off, dorsogluteal, volume_over_limit, volume_high)
