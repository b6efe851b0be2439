"""What the pages of a dose say of what must not be missed: who is easily taken for the patient, what was overridden."""

from collections.abc import Callable
from datetime import date, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.audit.models import AccessEntry, AuditEntry, AuditPayload
from inventory.doses.models import Incident
from inventory.doses.rules.terms import EntryMode, OverrideReason, VoidKind
from inventory.doses.services import Decisions, Override, void_dose
from inventory.kernel.db import db
from inventory.kernel.permissions import Role
from inventory.staff import queries as people
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.staff import make_actor, make_user
from tests.support.client import CheckingClient

Client = Callable[..., CheckingClient]


@pytest.fixture
def bench(app: Flask, at: datetime) -> Bench:
    return Bench(
        nurse=people.actor_of(people.person(make_user(username="nora", display_name="Nora Nurse").id))
    )


@pytest.fixture
def nurse(bench: Bench, signed_in_client: Client) -> CheckingClient:
    return signed_in_client(user=people.person(bench.nurse.id))


def test_both_pages_show_who_is_easily_taken_for_the_patient(nurse: CheckingClient, bench: Bench) -> None:
    bench.patient_id = make_patient(family_name="Silva", given_name="Ana", born_on=date(1971, 2, 3))
    make_patient(family_name="Silva", given_name="Ana", born_on=date(1988, 5, 6), record_number="N-1")
    make_patient(family_name="Ana", given_name="Silva", born_on=date(1971, 2, 3), record_number="N-2")
    make_patient(family_name="Silva", given_name="Rui", born_on=date(1971, 2, 3), record_number="N-3")
    make_patient(family_name="Silva", given_name="Rui", born_on=date(1990, 2, 3), record_number="N-4")
    path = f"/give/{bench.patient_id}?mode=about"
    entered = nurse.get(path).get_data(as_text=True)
    form = nurse.form(path, having="indication")
    typed = {"indication": "B12 deficiency", "consent_seen": "y", "identity_ticked": "y", "step": "check"}
    confirmed = nurse.send(path, form, typed).get_data(as_text=True)
    for page in (entered, confirmed):
        assert "Silva, Ana, record N-1, born 6 May 1988: same name<" in page
        assert "Ana, Silva, record N-2, born 3 Feb 1971: same name and birth date<" in page
        assert "Silva, Rui, record N-3, born 3 Feb 1971: same family name and birth date<" in page
        assert "N-4" not in page
    db.session.rollback()
    assert set(db.session.scalars(select(AccessEntry.patient_id))) == {bench.patient_id}


def test_a_second_dose_says_which_the_first_was_and_offers_the_reasons_that_fit(
    nurse: CheckingClient, bench: Bench
) -> None:
    first = bench.give()
    path = f"/give/{bench.patient_id}?mode=about"
    form = nurse.form(path, having="indication")
    typed = {"indication": "B12 deficiency", "consent_seen": "y", "identity_ticked": "y", "step": "check"}
    page = nurse.send(path, form, typed).get_data(as_text=True)
    said = f"dose MAIN-{first.number:06d} at 09:30: 1,000 mcg, left arm (deltoid), by Nora Nurse."
    assert said in page
    assert 'value="split_over_two_sites"' in page
    assert 'value="renewed_entry_pending"' not in page


def test_an_override_stays_visible(nurse: CheckingClient, bench: Bench) -> None:
    plain = bench.give(bench.request(volume_ul=1_500))
    prescriber = make_actor(Role.PRESCRIBER, display_name="Pia Prescriber")
    decided = Override(OverrideReason.PRESCRIBED_SO, prescriber, "Loading week")
    dose = bench.give(decisions=Decisions(overrides={"SECOND-DOSE-TODAY": decided}))
    mark = ">Override<"
    for path, times in (
        (f"/doses/{dose.id}", 1),
        (f"/doses/{plain.id}", 0),
        ("/doses", 1),
        ("/", 1),
        (f"/patients/{bench.patient_id}", 1),
    ):
        page = nurse.get(path).get_data(as_text=True)
        assert page.count(mark) == times, path
    only = nurse.get("/doses?marked=override").get_data(as_text=True)
    assert f"/doses/{dose.id}" in only
    assert f"/doses/{plain.id}" not in only
    payload = select(AuditPayload.payload).join(AuditEntry, AuditEntry.id == AuditPayload.entry_id)
    told = db.session.scalars(payload.where(AuditEntry.subject_id == dose.id)).one()
    for fact in ('"reason":"prescribed_so"', '"note":"Loading week"', '"decided_by":"Pia Prescriber"'):
        assert fact in told


def test_a_void_dose_is_no_dose_of_today_and_its_incident_says_so(
    nurse: CheckingClient, bench: Bench, at: datetime
) -> None:
    bench.give()
    dose = bench.give(bench.request(mode=EntryMode.ALREADY_GIVEN, given_at=at))
    incident = db.session.scalars(select(Incident)).one()
    for path in (f"/incidents/{incident.id}", "/incidents", "/"):
        page = nurse.get(path).get_data(as_text=True)
        assert "The entry is void" not in page
        assert "1 void" not in page
    void_dose(
        actor=bench.nurse, at=at, dose_id=dose.id, kind=VoidKind.DRAWN_NOT_GIVEN, reason="Written down twice"
    )
    for path in (f"/incidents/{incident.id}", "/incidents"):
        page = nurse.get(path).get_data(as_text=True)
        assert "The entry is void" in page
        assert f"/doses/{dose.id}" in page
        assert ">Open<" in page
    today = " ".join(nurse.get("/").get_data(as_text=True).split())
    assert '<span class="tally-number">1</span> <span class="tally-label">dose today</span>' in today
    assert "1 void" in today
