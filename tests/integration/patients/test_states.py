"""A record that is inactive is left out and found again; nothing is given to somebody after the day they died."""

from datetime import date, datetime, timedelta

import pytest
from flask import Flask

from inventory.doses.models import Dose
from inventory.doses.queries.assessment import assess
from inventory.doses.rules.terms import EntryMode
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.patients.models import RecordState
from inventory.patients.queries import get_patient, patients_page
from inventory.patients.services import merge_records, set_state
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.integration.desk.test_merging_pages import SignIn, words

S = RecordState


@pytest.fixture
def bench(app: Flask, at: datetime) -> Bench:
    return Bench(patient_id=make_patient(family_name="Keller", record_number="K-1"))


def put(
    bench: Bench, state: RecordState, *, at: datetime, died_on: date | None = None, reason: str = "Moved"
) -> None:
    set_state(
        actor=SYSTEM_ACTOR, at=at, patient_id=bench.patient_id, state=state, died_on=died_on, reason=reason
    )


def codes(bench: Bench, at: datetime, **asked: object) -> set[str]:
    request = bench.request(**asked)
    return {one.code for one in assess(db.session(), request, giver=bench.nurse, recorded_at=at).findings}


@pytest.mark.parametrize(
    "asked, code",
    [
        ((S.DECEASED, None, ""), "DIED-ON"),
        ((S.ACTIVE, date(2026, 3, 1), "Came"), "DIED-ON"),
        ((S.DECEASED, date(2026, 3, 18), ""), "DIED-ON"),
        ((S.DECEASED, date(1980, 3, 3), ""), "DIED-ON"),
        ((S.INACTIVE, None, " "), "REASON-NEEDED"),
        ((S.ACTIVE, None, "Is here"), "NOTHING-CHANGED"),
    ],
)
def test_refuses_state(
    bench: Bench, at: datetime, asked: tuple[RecordState, date | None, str], code: str
) -> None:
    state, died_on, reason = asked
    with pytest.raises(Refusal) as refused:
        put(bench, state, at=at, died_on=died_on, reason=reason)
    assert refused.value.code == code
    db.session.rollback()
    assert get_patient(db.session(), bench.patient_id).state == S.ACTIVE


def test_a_merged_record_has_no_state_of_its_own(bench: Bench, at: datetime) -> None:
    merge_records(
        actor=SYSTEM_ACTOR, at=at, kept_id=make_patient(), merged_id=bench.patient_id, reason="Same"
    )
    with pytest.raises(Refusal, match="merged into another"):
        put(bench, S.INACTIVE, at=at)


def test_nothing_is_given_after_the_day_of_death(bench: Bench, at: datetime) -> None:
    other = make_patient()
    put(bench, S.DECEASED, at=at, died_on=at.date() - timedelta(days=1))
    assert "PATIENT-DECEASED" in codes(bench, at)
    with pytest.raises(Refusals):
        bench.give(at=at)
    assert db.session.query(Dose).count() == 0
    assert "PATIENT-DECEASED" not in codes(
        bench, at, mode=EntryMode.ALREADY_GIVEN, given_at=at - timedelta(days=1)
    )
    late = bench.give(bench.request(mode=EntryMode.ALREADY_GIVEN, given_at=at), at=at)
    assert late.is_deviation
    merge_records(actor=SYSTEM_ACTOR, at=at, kept_id=other, merged_id=bench.patient_id, reason="Same")
    assert "PATIENT-DECEASED" in codes(bench, at, patient_id=other)


def test_an_inactive_record_is_told_and_left_out(
    bench: Bench, at: datetime, signed_in_client: SignIn
) -> None:
    nurse, page = signed_in_client(Role.PRACTITIONER), f"/patients/{bench.patient_id}"
    assert nurse.submit(f"{page}/state", {"state": "inactive", "reason": "Moved away"}).status_code == 302
    db.session.rollback()
    assert "PATIENT-INACTIVE" in codes(bench, at)
    assert "Searches leave the record out" in words(nurse, page)
    assert "State changed" in words(nurse, page)
    for where in ("/patients", "/give"):
        found = nurse.submit(where, {"q": "Kel"}, having="q").get_data(as_text=True)
        assert "Keller, Ada" not in found
        assert "nactive patients are" in found
    ticked = nurse.submit("/patients", {"q": "Kel", "inactive": "y"}, having="q").get_data(as_text=True)
    assert "Keller, Ada" in ticked
    assert "Keller, Ada" in nurse.submit("/give", {"q": "k-1"}, having="q").get_data(as_text=True)
    assert nurse.submit("/patients", {"q": "K-1"}, having="q").headers["Location"] == page
    assert nurse.submit(f"{page}/state", {"state": "active", "reason": "Is back"}).status_code == 302
    db.session.rollback()
    assert patients_page(db.session(), text="Kel").items
    assert "PATIENT-INACTIVE" not in codes(bench, at)


def test_who_died_is_shown_so_everywhere(bench: Bench, at: datetime, signed_in_client: SignIn) -> None:
    nurse, page = signed_in_client(Role.PRACTITIONER), f"/patients/{bench.patient_id}"
    answer = nurse.submit(f"{page}/state", {"state": "deceased"})
    assert answer.status_code == 422
    assert nurse.submit(f"{page}/state", {"state": "deceased", "died_on": "2026-03-10"}).status_code == 302
    shown = words(nurse, page)
    assert "Died on" in shown
    assert "10 Mar 2026" in shown
    assert "Deceased" in words(nurse, "/patients")
