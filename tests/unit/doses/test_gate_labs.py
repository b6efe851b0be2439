"""What the gate makes of laboratory results: a baseline, what hides it, what is due, and severe anaemia. No database."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from inventory.doses.rules.gate import LabState, Limits, may_give
from inventory.patients.laboratory import ANALYTES, Analyte, Newest, parse_amount, parse_bound
from inventory.patients.models import AlertKind
from tests.unit.doses.test_gate import NOW, QUESTION


def newest(analyte: Analyte, text: str = "210", *, days: int = 30, unit: str = "", low: str = "") -> Newest:
    taken_at = NOW - timedelta(days=days)
    bound = parse_bound(low) if low else None
    return Newest(analyte, parse_amount(text), unit or ANALYTES[analyte].units[0].ucum, taken_at, bound)


def labs(*results: Newest) -> LabState:
    return LabState({one.analyte: one for one in results})


def said(code: str, *alerts: AlertKind, **changes: Any) -> str:
    patient = replace(QUESTION.patient, alerts=frozenset(alerts))
    found = may_give(replace(QUESTION, patient=patient, **changes))
    return next((finding.message for finding in found if finding.code == code), "")


@pytest.mark.parametrize("analyte", [Analyte.B12, Analyte.ACTIVE_B12, Analyte.MMA, Analyte.HOMOCYSTEINE])
def test_any_measure_of_the_b12_status_is_a_baseline(analyte: Analyte) -> None:
    assert said("LABS-NO-BASELINE", labs=labs(newest(analyte))) == ""
    assert said("FOLATE-NO-STATUS", AlertKind.FOLATE, labs=labs(newest(analyte))) == ""


def test_no_other_result_is_a_baseline_and_a_proven_deficiency_is() -> None:
    others = labs(*(newest(one, "5") for one in (Analyte.FOLATE, Analyte.FERRITIN, Analyte.POTASSIUM)))
    assert said("LABS-NO-BASELINE", labs=others) == "No B12 status is on record for this patient."
    assert said("FOLATE-NO-STATUS", AlertKind.FOLATE, labs=others)
    assert said("LABS-NO-BASELINE", AlertKind.PROVEN_B12_DEFICIENCY, labs=others) == ""
    not_b12 = replace(QUESTION.product, is_cobalamin=False)
    assert said("LABS-NO-BASELINE", labs=others, product=not_b12) == ""


@pytest.mark.parametrize(
    "text, unit, is_severe",
    [
        ("7.9", "g/dL", True),
        ("8.0", "g/dL", False),
        ("79", "g/L", True),
        ("< 8", "g/dL", True),
        ("> 7", "g/dL", False),
    ],
)
def test_severe_anaemia_is_read_from_haemoglobin(text: str, unit: str, *, is_severe: bool) -> None:
    found = said("POTASSIUM-NO-PLAN", labs=labs(newest(Analyte.HAEMOGLOBIN, text, unit=unit)))
    assert bool(found) is is_severe
    if is_severe:
        assert found == f"Haemoglobin was {text} {unit} on 14 Feb 2026: check potassium within 48 hours."


def test_a_plan_answers_it_the_clinic_may_set_it_off_and_low_potassium_is_told() -> None:
    measured = labs(newest(Analyte.HAEMOGLOBIN, "7"), newest(Analyte.POTASSIUM, "3.1", low="3.5"))
    assert said("POTASSIUM-NO-PLAN", labs=measured).endswith(
        "Potassium was below its range: 3.1 mmol/L on 14 Feb 2026."
    )
    assert said("POTASSIUM-NO-PLAN", AlertKind.POTASSIUM_PLAN, labs=measured) == ""
    assert said("POTASSIUM-NO-PLAN", labs=measured, limits=Limits(severe_anaemia_g_l=0)) == ""


def test_what_is_due_goes_by_the_intervals_of_the_clinic() -> None:
    status = newest(Analyte.MMA, days=366)
    assert said("LABS-DUE", labs=labs(status)) == "Due for the laboratory: B12 status (last 15 Mar 2025)."
    assert said("LABS-DUE", labs=labs(replace(status, taken_at=NOW - timedelta(days=365)))) == ""
    assert said("LABS-DUE", labs=labs(status, newest(Analyte.B12, days=10))) == ""
    assert said("LABS-DUE", labs=labs(status), limits=Limits(monitoring_b12_days=0)) == ""
    asks = Limits(monitoring_haemoglobin_days=90, monitoring_potassium_days=90)
    known = labs(newest(Analyte.B12), newest(Analyte.POTASSIUM, "4", days=91))
    assert said("LABS-DUE", labs=known, limits=asks) == (
        "Due for the laboratory: haemoglobin (never measured), potassium (last 15 Dec 2025)."
    )
