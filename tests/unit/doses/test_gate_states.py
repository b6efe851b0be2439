"""What became of the patient, as the gate reads it: tried where each finding appears, and at its edge."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from inventory.doses.rules.gate import may_give
from inventory.doses.rules.gate.registry import REGISTRY
from inventory.doses.rules.gate.states import RULES
from inventory.doses.rules.question import Tier, Weight
from tests.unit.doses.test_gate import PATIENT, QUESTION, TODAY


def found(**changes: Any) -> dict[str, Weight]:
    question = replace(QUESTION, patient=replace(PATIENT, **changes))
    return {one.code: one.weight for one in may_give(question)}


@pytest.mark.parametrize(
    "died_on, is_found", [(None, False), (TODAY, False), (TODAY - timedelta(days=1), True)]
)
def test_the_day_of_death_is_the_last_on_which_a_dose_can_be_given(
    died_on: date | None, is_found: bool
) -> None:
    assert (found(died_on=died_on).get("PATIENT-DECEASED") is Weight.BLOCK) == is_found


def test_an_inactive_record_is_told_and_stops_nothing() -> None:
    assert found(is_inactive=True)["PATIENT-INACTIVE"] is Weight.INFORM
    assert "PATIENT-INACTIVE" not in found()


def test_no_clinic_may_quiet_that_a_patient_died() -> None:
    assert REGISTRY["PATIENT-DECEASED"].is_fixed
    assert {one.code: one.tier for one in RULES} == {
        "PATIENT-DECEASED": Tier.BLOCK,
        "PATIENT-INACTIVE": Tier.INFORM,
    }
