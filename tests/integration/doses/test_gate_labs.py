"""Results as the gate reads them: those that stand, of samples taken up to the time of the dose; and what the page of a dose shows."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from inventory.doses.models import DoseFinding
from inventory.doses.rules.terms import EntryMode
from inventory.doses.services import Decisions
from inventory.kernel.db import db
from inventory.kernel.errors import Refusals
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.patients.laboratory import Analyte
from inventory.patients.services import retract_lab
from tests.factories.doses import Bench
from tests.factories.measured import make_lab, make_score
from tests.factories.patients import make_patient
from tests.support.client import CheckingClient

NO_BASELINE = "LABS-NO-BASELINE"
SEEN = Decisions(acknowledged=frozenset({NO_BASELINE}))


@pytest.fixture
def unmeasured(bench: Bench) -> Bench:
    bench.patient_id = make_patient(has_baseline=False)
    return bench


def findings() -> dict[str, str]:
    db.session.rollback()
    return {row.code: row.disposition for row in db.session.scalars(select(DoseFinding))}


def test_without_a_baseline_it_is_acknowledged_once(unmeasured: Bench, at: datetime) -> None:
    with pytest.raises(Refusals, match=NO_BASELINE):
        unmeasured.give()
    unmeasured.give(decisions=SEEN)
    assert findings()[NO_BASELINE] == "acknowledged"
    assert unmeasured.give(at=at + timedelta(days=7))


def test_a_result_is_a_baseline_until_it_is_retracted(unmeasured: Bench, at: datetime) -> None:
    result_id = make_lab(unmeasured.patient_id, analyte=Analyte.MMA)
    unmeasured.give()
    assert NO_BASELINE not in findings()
    retract_lab(
        actor=SYSTEM_ACTOR,
        at=at,
        patient_id=unmeasured.patient_id,
        result_id=result_id,
        reason="Another's",
    )
    with pytest.raises(Refusals, match=NO_BASELINE):
        unmeasured.give(at=at + timedelta(days=7))


def test_a_sample_taken_after_the_dose_was_no_baseline_for_it(unmeasured: Bench, at: datetime) -> None:
    make_lab(unmeasured.patient_id, taken_at=at - timedelta(days=1))
    late = unmeasured.request(mode=EntryMode.ALREADY_GIVEN, given_at=at - timedelta(days=2))
    unmeasured.give(late)
    assert NO_BASELINE in findings()


def test_the_page_of_a_first_dose_says_what_is_missing_and_offers_scores(
    unmeasured: Bench, signed_in_client: Callable[..., CheckingClient], at: datetime
) -> None:
    patient_id = unmeasured.patient_id
    nurse = signed_in_client(Role.PRACTITIONER)
    page = f"/give/{patient_id}?mode=about"
    text = nurse.get(page).get_data(as_text=True)
    for words in (
        "Before the first dose",
        "5 of 6 missing",
        "Blood test",
        f"/patients/{patient_id}/labs/new?next=",
    ):
        assert words in text
    make_lab(patient_id)
    make_score(patient_id, energy=7)
    text = nurse.get(page).get_data(as_text=True)
    assert "4 of 6 missing" in text
    assert 'Energy <span class="number">7</span>' in text
    unmeasured.give()
    assert "Before the first dose" not in nurse.get(page).get_data(as_text=True)
