"""What was given before this dose, and how late it is written down."""

from datetime import timedelta

from inventory.doses.rules.gate.rule import Source, rule
from inventory.doses.rules.question import Question, Tier
from inventory.doses.rules.terms import BODY_SITE_WORDS, OverrideReason
from inventory.kernel.quantity import format_mcg


@rule(
    "SECOND-DOSE-TODAY",
    Tier.OVERRIDE,
    "The substance was given to the patient that day already.",
    source=Source.STANDARD,
    todo="Check that this is not the same dose again.",
    reasons=(OverrideReason.SPLIT_OVER_TWO_SITES, OverrideReason.PRESCRIBED_SO),
)
def second_dose_today(q: Question) -> str:
    """The day is that of the site's clock; void doses do not count. An order may allow more than one a day."""
    allowed = q.order.doses_a_day if q.order and q.order.stands_on(q.given_on) else 1
    if q.history.same_substance_today < allowed:
        return ""
    which = f": {'; '.join(q.history.same_day)}." if q.history.same_day else "."
    return f"{q.product.substance.capitalize()} was given to this patient that day already{which}"


@rule(
    "SAME-SITE",
    Tier.INFORM,
    "The last dose went into the same site.",
    source=Source.LABEL,
)
def same_site(q: Question) -> str:
    """Left and right alone are too coarse: it is the muscle that counts."""
    same = q.history.last_site is q.body_site
    return f"The last dose went into the same site: {BODY_SITE_WORDS[q.body_site]}." if same else ""


@rule(
    "FORMULATION-SWITCHED",
    Tier.INFORM,
    "The last dose was of another formulation.",
    source=Source.HOUSE,
)
def formulation_switched(q: Question) -> str:
    """Schedules and cautions differ by formulation."""
    last = q.history.last_formulation
    return "" if last in {None, q.product.formulation} else f"The last dose was {last}."


@rule(
    "DOSE-CHANGED",
    Tier.INFORM,
    "The last dose was of another amount.",
    source=Source.HOUSE,
)
def dose_changed(q: Question) -> str:
    """A slip of the keyboard looks like this."""
    last = q.history.last_dose_ng
    return "" if last is None or last == q.dose_ng else f"The last dose was {format_mcg(last)} mcg."


@rule(
    "LATE-ENTRY",
    Tier.INFORM,
    "The dose is written down later than the minutes set here. The record marks it as late in any case.",
    source=Source.RECORDS,
    thresholds=("late_after_minutes",),
)
def late_entry(q: Question) -> str:
    """Late entries are marked as such."""
    late = q.recorded_at - q.given_at > timedelta(minutes=q.limits.late_after_minutes)
    return "This is a late entry, and is marked so." if late else ""


RULES = (second_dose_today, same_site, formulation_switched, dose_changed, late_entry)
