"""The patients' pages, as a practitioner, an auditor and a manager meet them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from inventory.audit.models import AccessEntry
from inventory.kernel.db import db
from inventory.kernel.permissions import Role
from inventory.patients import queries
from inventory.patients.models import Alert, AllergyStatus, Consent, Patient
from tests.factories.patients import make_patient
from tests.factories.staff import PASSWORD, make_user
from tests.factories.stock import make_place
from tests.support.client import CheckingClient, pick_form
from tests.support.page_checks import Form, Page

SignIn = Callable[..., CheckingClient]
TYPED = {"family_name": "Nightingale", "given_name": "Flora", "born_on": "1961-05-12"}


@pytest.fixture
def nurse(signed_in_client: SignIn, at: datetime) -> CheckingClient:
    make_place()
    return signed_in_client(Role.PRACTITIONER)


def search(client: CheckingClient, words: str) -> TestResponse:
    forms = Page(client.get("/patients").get_data(as_text=True)).forms
    box = next(form for form in forms if "q" in form.names and "page" not in form.names)
    return client.send("/patients", box, {"q": words})


def only_patient() -> Patient:
    db.session.rollback()
    return db.session.scalars(select(Patient)).one()


def test_adds_a_patient_and_shows_the_record(nurse: CheckingClient) -> None:
    answer = nurse.submit("/patients/new", TYPED, follow_redirects=True)
    text = answer.get_data(as_text=True)
    assert answer.request.path == f"/patients/{only_patient().id}"
    assert "Nightingale, Flora" in text
    assert "P-000001" in text
    assert "Never asked" in text


def test_the_same_form_sent_twice_adds_one_patient(nurse: CheckingClient) -> None:
    form = nurse.form("/patients/new")
    answers = [nurse.send("/patients/new", form, TYPED) for _ in range(2)]
    assert [answer.location for answer in answers] == [f"/patients/{only_patient().id}"] * 2


def test_the_same_form_with_another_patient_says_that_nothing_more_was_written(nurse: CheckingClient) -> None:
    form = nurse.form("/patients/new")
    nurse.send("/patients/new", form, TYPED)
    other = TYPED | {"family_name": "Seacole", "born_on": "1955-11-23"}
    answer = nurse.send("/patients/new", form, other)
    assert (answer.status_code, "REQUEST-CHANGED" in answer.get_data(as_text=True)) == (422, True)
    assert only_patient().family_name == "Nightingale"


def test_shows_both_and_asks_about_somebody_alike(nurse: CheckingClient) -> None:
    nurse.submit("/patients/new", TYPED)
    page = nurse.submit("/patients/new", TYPED | {"born_on": "1999-01-02"})
    text = page.get_data(as_text=True)
    assert page.status_code == 422
    assert "PATIENT-LIKE" in text
    assert "12 May 1961" in text
    assert 'value="1999-01-02"' in text
    assert queries.next_record_number(db.session()) == "P-000002"


def test_the_answer_that_it_is_another_person_adds_them(nurse: CheckingClient) -> None:
    nurse.submit("/patients/new", TYPED)
    form = nurse.form("/patients/new")
    form.names.add("is_another_person")
    assert nurse.send("/patients/new", form, TYPED | {"is_another_person": "y"}).status_code == 302


@pytest.mark.parametrize(
    "typed, code",
    [
        ({"family_name": ""}, "FIELD-REQUIRED"),
        ({"family_name": "---"}, "NAME-NEEDED"),
        ({"born_on": "2026-03-18"}, "BIRTH-DATE-FUTURE"),
        ({"born_on": "1980-02-30"}, "DATE-INVALID"),
        ({"given_name": "\u202eanna"}, "TEXT-CONTROL"),
        ({"family_name": "x" * 10_000}, "TEXT-TOO-LONG"),
        ({"allergies_asked_on": "2026-03-17", "allergy_status": "none_known"}, "VALUE-RANGE"),
        ({"allergies_asked_on": "2026-03-01"}, "ALLERGIES-DATE"),
        ({"allergy_status": "perhaps"}, "CHOICE-INVALID"),
    ],
)
def test_refuses_and_writes_nothing(nurse: CheckingClient, typed: dict[str, str], code: str) -> None:
    page = nurse.submit("/patients/new", TYPED | typed)
    assert page.status_code == 422
    assert code in page.get_data(as_text=True)
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Patient)) == 0


def test_a_search_is_sent_by_post_and_answers_on_the_page(nurse: CheckingClient) -> None:
    make_patient(family_name="O’Brien", given_name="José", record_number="A 7")
    page = search(nurse, "jos obr")
    assert "O’Brien, José" in page.get_data(as_text=True)
    assert page.request.query_string == b""
    assert "Nobody found" in search(nurse, "zz").get_data(as_text=True)
    assert search(nurse, "a7").status_code == 302
    ambiguous = search(nurse, "03/04/1980")
    assert ambiguous.status_code == 422
    assert "BIRTH-DATE-AMBIGUOUS" in ambiguous.get_data(as_text=True)
    assert nurse.get("/patients/search").location == "/patients"


def test_a_long_result_is_paged_without_a_name_in_the_address(nurse: CheckingClient) -> None:
    for _ in range(53):
        make_patient(family_name="Same", given_name="Name")
    first = search(nurse, "same")
    second = nurse.send("/patients", _pager(first))
    back = nurse.send("/patients", _pager(second))
    assert [page.get_data(as_text=True).count("Same, Name") for page in (first, second, back)] == [50, 3, 50]
    assert "page=" not in first.get_data(as_text=True)


def _pager(answer: TestResponse) -> Form:
    return next(form for form in Page(answer.get_data(as_text=True)).forms if form.fields.get("page"))


def test_an_edit_of_what_changed_meanwhile_keeps_what_was_typed(nurse: CheckingClient) -> None:
    patient_id = make_patient(family_name="Lovelace")
    path = f"/patients/{patient_id}/edit"
    stale = nurse.form(path)
    nurse.submit(path, {"phone": "555 01"})
    page = nurse.send(path, stale, {"phone": "555 02"})
    text = page.get_data(as_text=True)
    assert page.status_code == 422
    assert "EDITED-MEANWHILE" in text
    assert "555 01" in text
    assert 'value="555 02"' in text
    nurse.send(path, pick_form(page))
    assert only_patient().phone == "555 02"


def test_alerts_stand_at_the_top_until_they_are_resolved(nurse: CheckingClient) -> None:
    patient_id = make_patient()
    nurse.submit(f"/patients/{patient_id}/alerts/new", {"kind": "allergy_cobalt", "note": "Hives in 2019"})
    record = nurse.get(f"/patients/{patient_id}").get_data(as_text=True)
    assert "Allergy to cobalt" in record
    assert "Hives in 2019" in record
    alert_id = db.session.scalars(select(Alert.id)).one()
    path = f"/patients/{patient_id}/alerts/{alert_id}/resolve"
    assert nurse.submit(path, {"reason": " "}).status_code == 422
    alone = nurse.submit(path, {"reason": "Patch test negative"}).get_data(as_text=True)
    assert "ALERT-PRESCRIBER" in alone
    assert "Patch test negative" in alone
    prescriber = make_user(roles=Role.PRESCRIBER, password=PASSWORD)
    word = {"prescriber_username": prescriber.username, "prescriber_password": PASSWORD}
    wrong = nurse.submit(path, {"reason": "Patch test negative"} | word | {"prescriber_password": "no"})
    assert "CONFIRM-WRONG" in wrong.get_data(as_text=True)
    assert nurse.submit(path, {"reason": "Patch test negative"} | word).status_code == 302
    assert nurse.submit(path, {"reason": "Again"} | word).status_code == 422
    assert "Patch test negative" in nurse.get(f"/patients/{patient_id}").get_data(as_text=True)
    assert nurse.get(f"/patients/{make_patient()}/alerts/{alert_id}/resolve").status_code == 404


def test_asks_for_allergies_and_records_consent(nurse: CheckingClient) -> None:
    patient_id = make_patient(none_known=False)
    nurse.submit(f"/patients/{patient_id}/allergies", {"allergy_status": "none_known"})
    assert only_patient().allergy_status == AllergyStatus.NONE_KNOWN
    path = f"/patients/{patient_id}/consents/new"
    assert "SHEET-NEEDED" in nurse.submit(path, {"decision": "given"}).get_data(as_text=True)
    nurse.submit(path, {"decision": "given", "information_sheet": "B12, version 3"})
    assert "B12, version 3" in nurse.get(f"/patients/{patient_id}").get_data(as_text=True)
    future = nurse.submit(path, {"decision": "withdrawn", "decided_at": "2026-03-16T09:31"})
    assert "CONSENT-FUTURE" in future.get_data(as_text=True)
    assert len(db.session.scalars(select(Consent)).all()) == 1


def test_present_asks_which_on_both_forms(nurse: CheckingClient) -> None:
    asked = {"allergy_status": "present", "allergies_note": "Wheals after an ampoule"}
    page = nurse.submit("/patients/new", TYPED | asked)
    assert page.status_code == 422
    assert "ALLERGY-WHICH" in page.get_data(as_text=True)
    assert "Wheals after an ampoule" in page.get_data(as_text=True)
    nurse.submit("/patients/new", TYPED | asked | {"allergies": "allergy_cobalamin"})
    patient_id = only_patient().id
    path = f"/patients/{patient_id}/allergies"
    assert "Wheals after an ampoule" in nurse.get(path).get_data(as_text=True)
    assert nurse.submit(path, {"allergies": "allergy_cobalt"}).status_code == 302
    alerts = queries.alerts_of(db.session(), patient_id)
    assert {(one.kind, one.note) for one in alerts} == {
        ("allergy_cobalamin", "Wheals after an ampoule"),
        ("allergy_cobalt", ""),
    }


def test_a_deficiency_is_proven_by_a_prescribers_word(
    nurse: CheckingClient, signed_in_client: SignIn
) -> None:
    path = f"/patients/{make_patient()}/alerts/new"
    proven = {"kind": "proven_b12_deficiency"}
    assert "ALERT-PRESCRIBER" in nurse.submit(path, proven).get_data(as_text=True)
    prescriber = signed_in_client(Role.PRESCRIBER)
    assert "prescriber_username" not in prescriber.get(path).get_data(as_text=True)
    assert prescriber.submit(path, proven).status_code == 302


def test_every_look_is_logged_once_a_minute(
    nurse: CheckingClient, at: datetime, at_instant: Callable[[datetime], None]
) -> None:
    patient_id = make_patient()
    for seconds in (0, 30, 70):
        at_instant(at + timedelta(seconds=seconds))
        nurse.get(f"/patients/{patient_id}")
    db.session.rollback()
    looks = db.session.scalars(select(AccessEntry)).all()
    assert [(look.page, look.actor_id, look.patient_id) for look in looks] == [
        ("record", nurse.actor.id, patient_id)  # type: ignore[attr-defined]
    ] * 2


def test_an_unknown_patient_is_not_found(nurse: CheckingClient) -> None:
    for path in ("", "/edit", "/allergies", "/alerts/new", "/consents/new"):
        assert nurse.get(f"/patients/{UUID(int=7)}{path}").status_code == 404


def test_an_auditor_reads_and_does_not_write(signed_in_client: SignIn, at: datetime) -> None:
    make_place()
    auditor, patient_id = signed_in_client(Role.AUDITOR), make_patient()
    record = auditor.get(f"/patients/{patient_id}")
    assert record.status_code == 200
    assert record.headers["Cache-Control"] == "no-store"
    assert "/edit" not in record.get_data(as_text=True)
    assert auditor.get("/patients/new").status_code == 403
    assert auditor.get(f"/patients/{patient_id}/edit").status_code == 403


def test_a_manager_sees_no_patient(signed_in_client: SignIn, app: Flask, at: datetime) -> None:
    assert signed_in_client(Role.MANAGER).get("/patients").status_code == 403
