"""What laboratory results say before a dose, and which are missing or due (domain.md section 2). How often is the clinic's to set."""

from collections.abc import Iterator
from datetime import date

from inventory.doses.rules.gate.rule import Source, day, rule
from inventory.doses.rules.question import Question, Tier
from inventory.patients.laboratory import MILLION, Analyte, Newest
from inventory.patients.models import AlertKind

READ = frozenset(
    {
        Analyte.B12,
        Analyte.ACTIVE_B12,
        Analyte.MMA,
        Analyte.HOMOCYSTEINE,
        Analyte.HAEMOGLOBIN,
        Analyte.POTASSIUM,
    }
)
"""The analytes that the gate reads."""


@rule(
    "LABS-NO-BASELINE",
    Tier.ONCE,
    "No B12 status was measured before, and no deficiency is recorded as proven.",
    source=Source.PRACTICE,
    todo="Have blood taken before the first dose, or record the result.",
)
def labs_no_baseline(q: Question) -> str:
    """After a dose it cannot be measured any more what was there before."""
    known = q.labs.b12_status is not None or q.has(AlertKind.PROVEN_B12_DEFICIENCY)
    return "" if known or not q.product.is_cobalamin else "No B12 status is on record for this patient."


@rule(
    "LABS-DUE",
    Tier.INFORM,
    "A laboratory test is due again, by the clinic's own intervals (0: not asked).",
    source=Source.HOUSE,
    thresholds=("monitoring_b12_days", "monitoring_haemoglobin_days", "monitoring_potassium_days"),
)
def labs_due(q: Question) -> str:
    """What was never measured is due as well, but for the B12 status: that is LABS-NO-BASELINE."""
    return f"Due for the laboratory: {', '.join(due)}." if (due := list(_due(q))) else ""


@rule(
    "POTASSIUM-NO-PLAN",
    Tier.ACKNOWLEDGE,
    "Severe anaemia is recorded or was measured, and there is no plan to check potassium.",
    source=Source.LABEL,
    thresholds=("severe_anaemia_g_l",),
)
def potassium_no_plan(q: Question) -> str:
    """New blood cells take up potassium in the first 48 hours."""
    anaemia = _severe_anaemia(q)
    if not anaemia or q.has(AlertKind.POTASSIUM_PLAN):
        return ""
    potassium = q.labs.newest.get(Analyte.POTASSIUM)
    low = f" Potassium was below its range: {_dated(potassium)}." if potassium and potassium.is_low else ""
    return f"{anaemia}: check potassium within 48 hours.{low}"


def _due(q: Question) -> Iterator[str]:
    limits, newest = q.limits, q.labs.newest
    if q.labs.b12_status and _is_past(q.labs.b12_status, limits.monitoring_b12_days, q.given_on):
        yield f"B12 status (last {day(q.labs.b12_status.taken_at.date())})"
    for analyte, name, days in (
        (Analyte.HAEMOGLOBIN, "haemoglobin", limits.monitoring_haemoglobin_days),
        (Analyte.POTASSIUM, "potassium", limits.monitoring_potassium_days),
    ):
        last = newest.get(analyte)
        if days and last is None:
            yield f"{name} (never measured)"
        elif last and _is_past(last, days, q.given_on):
            yield f"{name} (last {day(last.taken_at.date())})"


def _is_past(last: Newest, days: int, on: date) -> bool:
    return bool(days) and (on - last.taken_at.date()).days > days


def _severe_anaemia(q: Question) -> str:
    if q.has(AlertKind.SEVERE_ANAEMIA):
        return "Severe anaemia"
    measured = q.labs.newest.get(Analyte.HAEMOGLOBIN)
    severe = measured and measured.is_under(q.limits.severe_anaemia_g_l * MILLION, "g/L")
    return f"Haemoglobin was {_dated(measured)}" if measured and severe else ""


def _dated(one: Newest) -> str:
    return f"{one} on {day(one.taken_at.date())}"


RULES = (labs_no_baseline, potassium_no_plan, labs_due)
