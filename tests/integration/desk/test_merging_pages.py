"""A prescriber compares two records, merges them, finds everything under one, and parts them again."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.patients import queries
from inventory.patients.models import AlertKind
from inventory.patients.services import add_alert, merge_records
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.support.client import CheckingClient, pick_form

SignIn = Callable[..., CheckingClient]


@pytest.fixture
def prescriber(app: Flask, at: datetime, signed_in_client: SignIn) -> CheckingClient:
    return signed_in_client(Role.PRESCRIBER)


@pytest.fixture
def bench(app: Flask, at: datetime) -> Bench:
    return Bench(patient_id=make_patient(family_name="Keller", record_number="K-1"))


def words(client: CheckingClient, path: str) -> str:
    return client.get(path, follow_redirects=True).get_data(as_text=True).replace("\xa0", " ")


def compared(client: CheckingClient, patient_id: UUID, number: str) -> Any:
    return client.submit(f"/patients/{patient_id}/merge", {"record_number": number, "step": "compare"})


def merged(client: CheckingClient, patient_id: UUID, number: str, **typed: object) -> Any:
    form = pick_form(compared(client, patient_id, number), having="kept")
    said = {"kept": "this", "reason": "Same card.", "step": "merge"} | typed
    return client.send(f"/patients/{patient_id}/merge", form, said)


def test_both_are_compared_and_then_found_under_one(
    prescriber: CheckingClient, bench: Bench, at: datetime
) -> None:
    other = make_patient(family_name="Kellner", given_name="A.", record_number="K-2")
    dose = bench.give(bench.request(patient_id=other))
    add_alert(actor=SYSTEM_ACTOR, at=at, patient_id=other, kind=AlertKind.RENAL_DISEASE)
    own = f"/patients/{bench.patient_id}"
    answer = compared(prescriber, bench.patient_id, "k-2")
    assert answer.status_code == 200
    page = answer.get_data(as_text=True)
    assert "1 dose, " in page
    assert "Differs" in page
    assert queries.records_of(other) == (other,)
    assert merged(prescriber, bench.patient_id, "K-2").headers["Location"] == own
    page = words(prescriber, own)
    for told in (
        f"/doses/{dose.id}",
        "Renal disease",
        "was merged into",
        "Another record was merged into this one",
        "Same card.",
    ):
        assert told in page
    for path in (f"/patients/{other}", f"/patients/{other}/merge"):
        assert prescriber.get(path).headers["Location"].startswith(own)
    assert "Record K-2 was merged into this one." in words(prescriber, f"/patients/{other}")
    assert (
        prescriber.get(f"/give/{other}?mode=about").headers["Location"]
        == f"/give/{bench.patient_id}?mode=about"
    )


def test_search_leads_to_the_record_that_is_kept_and_says_so(
    prescriber: CheckingClient, bench: Bench, at: datetime
) -> None:
    other = make_patient(family_name="Brandt", record_number="K-2", none_known=False)
    merge_records(actor=SYSTEM_ACTOR, at=at, kept_id=bench.patient_id, merged_id=other, reason="Married")
    answer = prescriber.submit("/patients", {"q": "k-2"}, having="q")
    assert answer.headers["Location"] == f"/patients/{bench.patient_id}"
    assert "Record k-2 was merged into this one." in words(prescriber, answer.headers["Location"])
    found = prescriber.submit("/patients", {"q": "Brandt"}, having="q").get_data(as_text=True)
    assert "Merged into another record" in found
    everybody = words(prescriber, "/patients")
    assert "Keller" in everybody
    assert "Brandt" not in everybody
    assert "Never asked" not in found


def test_the_right_one_may_be_kept(prescriber: CheckingClient, bench: Bench) -> None:
    other = make_patient(record_number="K-2")
    assert merged(prescriber, bench.patient_id, "K-2", kept="other").status_code == 302
    db.session.rollback()
    assert queries.records_of(bench.patient_id) == (other, bench.patient_id)


def test_other_birth_dates_are_shown_and_must_be_answered(prescriber: CheckingClient, bench: Bench) -> None:
    other = make_patient(record_number="K-2", born_on=date(1981, 3, 4))
    assert "The dates of birth differ" in compared(prescriber, bench.patient_id, "K-2").get_data(as_text=True)
    answer = merged(prescriber, bench.patient_id, "K-2")
    assert answer.status_code == 422
    assert "MERGE-BORN" in answer.get_data(as_text=True)
    assert queries.records_of(other) == (other,)
    assert merged(prescriber, bench.patient_id, "K-2", although_born_differently="y").status_code == 302


@pytest.mark.parametrize(
    "number, code",
    [
        ("K-1", "MERGE-ITSELF"),
        ("K-2", "MERGE-ONE-PERSON"),
        ("K-9", "PATIENT-UNKNOWN"),
        ("", "FIELD-REQUIRED"),
    ],
)
def test_refuses_to_compare(
    prescriber: CheckingClient, bench: Bench, at: datetime, number: str, code: str
) -> None:
    other = make_patient(record_number="K-2")
    merge_records(actor=SYSTEM_ACTOR, at=at, kept_id=bench.patient_id, merged_id=other, reason="Same")
    answer = compared(prescriber, bench.patient_id, number)
    assert answer.status_code == 422
    assert code in answer.get_data(as_text=True)


def test_a_merge_is_undone_from_the_record(prescriber: CheckingClient, bench: Bench, at: datetime) -> None:
    other = make_patient(record_number="K-2")
    done = merge_records(actor=SYSTEM_ACTOR, at=at, kept_id=bench.patient_id, merged_id=other, reason="Same")
    page = f"/patients/{bench.patient_id}/merges/{done.subject_id}/undo"
    assert page in words(prescriber, f"/patients/{bench.patient_id}")
    assert prescriber.get(f"/patients/{make_patient()}/merges/{done.subject_id}/undo").status_code == 404
    assert prescriber.submit(page, {"reason": " "}).status_code == 422
    assert prescriber.submit(page, {"reason": "Twins"}).status_code == 302
    assert prescriber.get(page).status_code == 404
    assert "Stands apart from the other record again" in words(prescriber, f"/patients/{other}")


def test_only_a_prescriber_merges(app: Flask, bench: Bench, signed_in_client: SignIn) -> None:
    nurse = signed_in_client(Role.PRACTITIONER)
    assert nurse.get(f"/patients/{bench.patient_id}/merge").status_code == 403
    assert "/merge" not in words(nurse, f"/patients/{bench.patient_id}")
