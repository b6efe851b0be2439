"""Results, scores, groups and the checklist, as a practitioner, an auditor and an administrator meet them on their pages."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from inventory.kernel.db import db
from inventory.kernel.permissions import Role
from inventory.patients.checklist_queries import checklist_of, every_item
from inventory.patients.measured_queries import standing_labs, standing_scores
from inventory.patients.models import ChecklistAnswer, ItemAnswer, LabResult, Patient, SymptomScore
from tests.factories.measured import make_lab, make_score
from tests.factories.patients import make_patient
from tests.factories.stock import make_place
from tests.support.client import CheckingClient

SignIn = Callable[..., CheckingClient]
TYPED = {
    "taken_at": "2026-03-10T08:00",
    "laboratory": "Northmoor Laboratory",
    "b12_value": "< 150",
    "b12_unit": "pg/mL",
    "b12_low": "180",
    "b12_high": "914",
    "potassium_value": "4.1",
    "potassium_unit": "mmol/L",
}


@pytest.fixture
def nurse(signed_in_client: SignIn, at: datetime) -> CheckingClient:
    make_place()
    return signed_in_client(Role.PRACTITIONER)


@pytest.fixture
def patient_id(app: Flask, at: datetime) -> UUID:
    return make_patient(has_baseline=False, family_name="Quill")


def count(model: type) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_several_results_are_typed_at_once_and_listed(nurse: CheckingClient, patient_id: UUID) -> None:
    page = nurse.submit(f"/patients/{patient_id}/labs/new", TYPED, follow_redirects=True)
    text = page.get_data(as_text=True)
    assert page.request.path == f"/patients/{patient_id}/labs"
    for words in (
        "&lt; 150 pg/mL",
        "Below its range",
        "180 to 914",
        "4.1 mmol/L",
        "LOINC 2132-9",
        "Northmoor",
    ):
        assert words in text
    again = nurse.form(f"/patients/{patient_id}/labs/new").fields
    assert (again["b12_unit"], again["laboratory"]) == (["pg/mL"], ["Northmoor Laboratory"])


@pytest.mark.parametrize(
    "typed, code",
    [
        ({"b12_unit": ""}, "LAB-UNIT"),
        ({"b12_low": "914", "b12_high": "180"}, "LAB-RANGE-ORDER"),
        ({"taken_at": "2026-03-16T10:00"}, "LAB-FUTURE"),
        ({"b12_value": "plenty"}, "LAB-VALUE"),
        ({"b12_value": "1,5"}, "LAB-VALUE"),
        ({"b12_value": ""}, "LAB-VALUE"),
        ({"taken_at": ""}, "FIELD-REQUIRED"),
        ({"potassium_unit": "g/dL"}, "CHOICE-INVALID"),
    ],
)
def test_bad_input_is_named_kept_and_writes_nothing(
    nurse: CheckingClient, patient_id: UUID, typed: dict[str, str], code: str
) -> None:
    page = nurse.submit(f"/patients/{patient_id}/labs/new", TYPED | typed)
    text = page.get_data(as_text=True)
    assert (page.status_code, code in text) == (422, True)
    assert 'value="4.1"' in text
    for value in typed.values():
        assert not value or value == "g/dL" or f'value="{value}"' in text
    assert count(LabResult) == 0


def test_nothing_typed_is_said(nurse: CheckingClient, patient_id: UUID) -> None:
    page = nurse.submit(f"/patients/{patient_id}/labs/new", {"taken_at": "2026-03-10T08:00"})
    assert (page.status_code, "LAB-NONE" in page.get_data(as_text=True)) == (422, True)


def test_a_result_is_corrected_then_retracted_and_the_list_keeps_all(
    nurse: CheckingClient, patient_id: UUID
) -> None:
    old = make_lab(patient_id)
    where = f"/patients/{patient_id}/labs/{old}"
    page = nurse.submit(f"{where}/correct", {"value": "201", "reason": ""})
    assert (page.status_code, "FIELD-REQUIRED" in page.get_data(as_text=True)) == (422, True)
    nurse.submit(f"{where}/correct", {"value": "201", "reason": "Read wrongly"})
    new = standing_labs(db.session(), patient_id)[0].id
    stale = nurse.submit(f"{where}/correct", {"value": "202", "reason": "Again"})
    assert (stale.status_code, "CORRECTED-ALREADY" in stale.get_data(as_text=True)) == (422, True)
    nurse.submit(f"/patients/{patient_id}/labs/{new}/retract", {"reason": "Another's blood"})
    assert standing_labs(db.session(), patient_id) == []
    text = nurse.get(f"/patients/{patient_id}/labs").get_data(as_text=True)
    for words in (
        "<del>210 pg/mL</del>",
        "<del>201 pg/mL</del>",
        "Read wrongly",
        "Another&#39;s blood",
        "Retracted",
    ):
        assert words in text
    assert "/correct" not in text


def test_a_result_of_somebody_else_is_not_there(nurse: CheckingClient, patient_id: UUID) -> None:
    other = make_lab(make_patient(has_baseline=False))
    assert nurse.get(f"/patients/{patient_id}/labs/{other}/correct").status_code == 404


def test_scores_are_recorded_corrected_and_retracted(nurse: CheckingClient, patient_id: UUID) -> None:
    nurse.submit(f"/patients/{patient_id}/scores/new", {"energy": "3", "numbness": "0"})
    score = standing_scores(db.session(), patient_id)[0]
    assert (score.energy, score.skin, score.mood, score.numbness) == (3, None, None, 0)
    where = f"/patients/{patient_id}/scores/{score.id}"
    assert nurse.form(f"{where}/correct").fields["energy"] == ["3"]
    nurse.submit(f"{where}/correct", {"energy": "4", "reason": "Heard wrongly"})
    new = standing_scores(db.session(), patient_id)[0]
    assert (new.energy, new.numbness) == (4, 0)
    nurse.submit(f"/patients/{patient_id}/scores/{new.id}/retract", {"reason": "Another's"})
    assert (standing_scores(db.session(), patient_id), count(SymptomScore)) == ([], 3)
    assert "Heard wrongly" in nurse.get(f"/patients/{patient_id}/scores").get_data(as_text=True)


@pytest.mark.parametrize(
    "typed, code",
    [
        ({}, "SCORE-NONE"),
        ({"mood": "11"}, "CHOICE-INVALID"),
        ({"mood": "5", "noted_at": "2026-03-17T08:00"}, "SCORE-FUTURE"),
    ],
)
def test_bad_scores_write_nothing(
    nurse: CheckingClient, patient_id: UUID, typed: dict[str, str], code: str
) -> None:
    page = nurse.submit(f"/patients/{patient_id}/scores/new", typed)
    assert (page.status_code, code in page.get_data(as_text=True)) == (422, True)
    assert count(SymptomScore) == 0


def test_scores_asked_while_giving_come_back_to_the_dose(nurse: CheckingClient, patient_id: UUID) -> None:
    back = f"/give/{patient_id}?mode=about"
    answer = nurse.submit(f"/patients/{patient_id}/scores/new?next={back}", {"energy": "5"})
    assert answer.location == back
    away = nurse.submit(f"/patients/{patient_id}/scores/new?next=//elsewhere.example", {"energy": "6"})
    assert away.location == f"/patients/{patient_id}"


def test_groups_and_indication_stand_on_the_record(nurse: CheckingClient, at: datetime) -> None:
    old = make_patient(has_baseline=False, family_name="Elder", born_on=datetime(1950, 1, 1).date())  # noqa: DTZ001
    typed = {"indication": "Pernicious anaemia, proven", "groups": ["pernicious_anaemia"]}
    text = nurse.submit(f"/patients/{old}/background", typed, follow_redirects=True).get_data(as_text=True)
    assert "Pernicious anaemia, proven" in text
    assert "Pernicious anaemia, Over 50" in text
    assert "Groups and indication noted" in text
    db.session.rollback()
    assert db.session.get_one(Patient, old).care_groups == "pernicious_anaemia"


def test_the_checklist_reads_the_record_and_asks_the_rest(nurse: CheckingClient, patient_id: UUID) -> None:
    make_lab(patient_id)
    states = {one.item.title: one.answer for one in checklist_of(db.session(), patient_id)}
    assert states == {
        "Consultation": ItemAnswer.OPEN,
        "Blood test": ItemAnswer.DONE,
        "Allergies": ItemAnswer.DONE,
        "Medicines and supplements": ItemAnswer.OPEN,
        "Consent and information sheet": ItemAnswer.OPEN,
        "Contraindications": ItemAnswer.OPEN,
    }
    first, second = (
        one.item.id.hex
        for one in checklist_of(db.session(), patient_id)
        if one.item.source == "answer" and one.item.title != "Contraindications"
    )
    path = f"/patients/{patient_id}/checklist"
    refused = nurse.submit(path, {f"answer_{first}": "done", f"answer_{second}": "not_needed"})
    assert (refused.status_code, "CHECKLIST-NOTE" in refused.get_data(as_text=True)) == (422, True)
    assert count(ChecklistAnswer) == 0
    nurse.submit(path, {f"answer_{first}": "done", f"note_{first}": "On 9 March"})
    db.session.rollback()
    answered = {one.item.title: one for one in checklist_of(db.session(), patient_id)}
    assert (answered["Consultation"].answer, answered["Consultation"].words) == (
        ItemAnswer.DONE,
        "On 9 March",
    )
    assert count(ChecklistAnswer) == 1
    again = nurse.submit(path, {})
    assert "NOTHING-CHANGED" in again.get_data(as_text=True)


def test_the_clinic_edits_its_checklist_and_answers_keep_their_words(
    signed_in_client: SignIn, nurse: CheckingClient, measured: UUID
) -> None:
    admin = signed_in_client(Role.ADMIN)
    item = next(one for one in every_item(db.session()) if one.title == "Consultation")
    where = f"/patients/checklist-items/{item.id}"
    admin.submit(where, {"title": "Talk", "is_retired": "y"})
    admin.submit("/patients/checklist-items/new", {"title": "Weight"})
    db.session.rollback()
    titles = [one.item.title for one in checklist_of(db.session(), measured)]
    assert ("Weight" in titles, "Talk" in titles, "Consultation" in titles) == (True, False, False)
    assert db.session.scalars(select(ChecklistAnswer.item_title)).all() == ["Consultation"]
    stale = admin.form(where)
    admin.submit(where, {"title": "Talked"})
    assert "EDITED-MEANWHILE" in admin.send(where, stale, {"title": "Other"}).get_data(as_text=True)
    assert nurse.get(where).status_code == 403


def test_an_auditor_reads_and_writes_nothing(signed_in_client: SignIn, measured: UUID) -> None:
    make_place()
    auditor = signed_in_client(Role.AUDITOR)
    for page in ("labs", "scores"):
        text = auditor.get(f"/patients/{measured}/{page}").get_data(as_text=True)
        assert "Correct" not in text
        assert auditor.get(f"/patients/{measured}/{page}/new").status_code == 403
    assert auditor.get(f"/patients/{measured}/checklist").status_code == 403
    assert make_score(measured)
