"""Integrity: what cannot be true, and so is refused before giving and after the fact alike. No setting quiets these."""

from datetime import timedelta

from inventory.doses.rules.gate.rule import Source, rule
from inventory.doses.rules.question import Question, Tier
from inventory.kernel.quantity import format_mcg, format_ml

CLOCK_TOLERANCE = timedelta(minutes=2)


@rule(
    "TIME-FUTURE",
    Tier.INTEGRITY,
    "The time of the dose lies more than two minutes in the future.",
    source=Source.RECORDS,
    field="given_at",
    is_fixed=True,
)
def time_future(q: Question) -> str:
    """A clock may be two minutes ahead of another."""
    late = q.given_at > q.recorded_at + CLOCK_TOLERANCE
    return "The time of the dose lies in the future." if late else ""


@rule(
    "TIME-BEFORE-BIRTH",
    Tier.INTEGRITY,
    "The patient was not born on the day of the dose. The day of birth itself is allowed.",
    source=Source.RECORDS,
    field="given_at",
    is_fixed=True,
)
def time_before_birth(q: Question) -> str:
    """The birth day counts as a day of life."""
    return "The patient was not born on that day." if q.given_on < q.patient.born_on else ""


@rule(
    "DOSE-ZERO",
    Tier.INTEGRITY,
    "Neither dose nor volume may be nothing.",
    source=Source.RECORDS,
    field="dose_mcg",
    is_fixed=True,
)
def dose_zero(q: Question) -> str:
    """What was not given is recorded as not given."""
    return "A dose is more than nothing." if _is_nothing(q) else ""


@rule(
    "DOSE-VOLUME-DISAGREE",
    Tier.INTEGRITY,
    "The volume does not hold the dose at the strength of the label.",
    source=Source.LABEL,
    field="dose_mcg",
    is_fixed=True,
)
def dose_volume_disagree(q: Question) -> str:
    """Law 8: the amount follows from volume and strength."""
    strength = q.product.strength
    if _is_nothing(q) or strength.agrees(dose_ng=q.dose_ng, volume_ul=q.volume_ul):
        return ""
    holds = format_mcg(strength.dose_ng(q.volume_ul))
    return f"At {strength}, {format_ml(q.volume_ul)} mL holds {holds} mcg, not {format_mcg(q.dose_ng)} mcg."


@rule(
    "SOURCES-DISAGREE",
    Tier.INTEGRITY,
    "What is drawn from the containers is not what is given.",
    source=Source.ACCOUNTS,
    field="source",
    is_fixed=True,
)
def sources_disagree(q: Question) -> str:
    """Law 1: what leaves the containers is what arrives."""
    drawn = sum(source.volume_ul for source in q.sources)
    return "What is drawn is not what is given. Choose the vial again." if drawn != q.volume_ul else ""


def _is_nothing(q: Question) -> bool:
    return q.dose_ng <= 0 or q.volume_ul <= 0


RULES = (time_future, time_before_birth, dose_zero, dose_volume_disagree, sources_disagree)
