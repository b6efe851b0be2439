"""The chart: every series with the doses marked, the same as a table, and nothing that its reader may not see."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from flask import Flask

from inventory.kernel import clock
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.patients.laboratory import Analyte
from inventory.patients.services import retract_lab
from inventory.staff.services import Bounds, set_access
from tests.factories.doses import Bench
from tests.factories.measured import make_lab, make_score
from tests.factories.patients import make_patient
from tests.factories.staff import make_user
from tests.support.client import CheckingClient

SignIn = Callable[..., CheckingClient]


def measured_bench(at: datetime) -> Bench:
    """A patient with B12 in two units, folate in units that do not meet, scores, and a dose."""
    bench = Bench(patient_id=make_patient(has_baseline=False))
    make_lab(bench.patient_id, "150", taken_at=at - timedelta(days=60))
    make_lab(bench.patient_id, "300", unit="pmol/L", taken_at=at - timedelta(days=2))
    make_lab(bench.patient_id, "4", analyte=Analyte.FOLATE, taken_at=at - timedelta(days=50))
    make_lab(bench.patient_id, "12", analyte=Analyte.FOLATE, unit="nmol/L", taken_at=at - timedelta(days=1))
    make_score(bench.patient_id, noted_at=at - timedelta(days=1), energy=3, mood=6)
    bench.give(at=at)
    return bench


def test_shows_results_scores_and_doses_as_pictures_and_as_a_table(
    app: Flask, at: datetime, signed_in_client: SignIn
) -> None:
    bench = measured_bench(at)
    wrong = make_lab(bench.patient_id, "777", analyte=Analyte.FERRITIN)
    retract_lab(actor=SYSTEM_ACTOR, at=at, patient_id=bench.patient_id, result_id=wrong, reason="Another's")
    text = (
        signed_in_client(Role.PRACTITIONER).get(f"/patients/{bench.patient_id}/chart").get_data(as_text=True)
    )
    assert text.count('<svg class="chart"') == 5
    for words in (
        "Vitamin B12, pmol/L",
        "Vitamin B12: 2 values with 1 dose marked; the last 300 pmol/L on 14 Mar 2026.",
        "Folate, ng/mL",
        "Folate, nmol/L",
        "Energy, 0 to 10",
        "Mood, 0 to 10",
        "150 pg/mL",
        "1,000 mcg",
    ):
        assert words in text
    assert "Ferritin" not in text
    assert "Skin, 0 to 10" not in text


def test_says_so_where_nothing_was_measured(app: Flask, at: datetime, signed_in_client: SignIn) -> None:
    text = (
        signed_in_client(Role.PRACTITIONER)
        .get(f"/patients/{make_patient(has_baseline=False)}/chart")
        .get_data(as_text=True)
    )
    assert "Nothing to chart yet" in text
    assert '<svg class="chart"' not in text


def test_an_auditor_of_some_days_sees_only_theirs(app: Flask, at: datetime, signed_in_client: SignIn) -> None:
    bench = measured_bench(at)
    auditor = make_user(roles=Role.AUDITOR)
    bounds = Bounds(records_from=date(2026, 3, 14), records_until=date(2026, 3, 16))
    set_access(actor=SYSTEM_ACTOR, at=clock.now(), user_id=auditor.id, version=auditor.version, bounds=bounds)
    client = signed_in_client(user=auditor)
    for page in ("chart", "labs", "scores"):
        text = client.get(f"/patients/{bench.patient_id}/{page}").get_data(as_text=True)
        assert "150 pg/mL" not in text
    assert "300 pmol/L" in client.get(f"/patients/{bench.patient_id}/labs").get_data(as_text=True)
