"""Two identifiers at the chair: ticked or typed as the clinic asks, kept with the dose, never asked once it is given."""

import json
from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.audit.models import AuditEntry, AuditPayload
from inventory.clinic.services import change_settings
from inventory.doses.models import Dose
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.patients.services import merge_records
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.integration.doses.giving_pages import checked, doses, only_dose, recorded
from tests.integration.doses.test_laws import refused
from tests.integration.doses.test_pages_correcting import amended, amendment_of
from tests.support.client import CheckingClient
from tests.support.databases import OwnerConnection

Ask = Callable[[str], None]


@pytest.fixture
def ask(at: datetime) -> Ask:
    def asks(how: str) -> None:
        change_settings(actor=SYSTEM_ACTOR, at=at, values={"identity_check": how, "clinic_name": "Riverside"})

    return asks


def test_a_tick_is_asked_and_kept_with_the_dose(nurse: CheckingClient, bench: Bench) -> None:
    answer = checked(nurse, bench, identity_ticked=None)
    assert answer.status_code == 422
    assert "IDENTITY-CHECK" in answer.get_data(as_text=True)
    assert recorded(nurse, bench, checked(nurse, bench)).status_code == 302
    dose = only_dose()
    assert dose.identity_check == "ticked"
    payload = db.session.scalar(
        select(AuditPayload.payload)
        .join(AuditEntry, AuditEntry.id == AuditPayload.entry_id)
        .where(AuditEntry.subject_id == dose.id)
    )
    assert json.loads(str(payload))["facts"]["identity_check"] == "ticked"
    assert "Compared by the giver" in nurse.get(f"/doses/{dose.id}").get_data(as_text=True)


def test_a_tick_that_is_taken_out_of_the_confirmation_records_nothing(
    nurse: CheckingClient, bench: Bench
) -> None:
    assert recorded(nurse, bench, checked(nurse, bench), identity_ticked=None).status_code == 422
    assert doses() == 0


def test_nothing_is_asked_where_the_clinic_does_not_or_the_dose_was_given(
    nurse: CheckingClient, bench: Bench, ask: Ask
) -> None:
    assert b"identity_" not in nurse.get(f"/give/{bench.patient_id}?mode=already").data
    ask("off")
    assert b"identity_" not in nurse.get(f"/give/{bench.patient_id}?mode=about").data
    assert recorded(nurse, bench, checked(nurse, bench, "already")).status_code == 302
    assert only_dose().identity_check is None


@pytest.mark.parametrize(
    "name, other, code",
    [
        ("", "1980-03-04", "IDENTITY-CHECK"),
        ("Brandt", " ", "IDENTITY-CHECK"),
        ("Brandt", "1980-03-05", "IDENTITY-DIFFERS"),
        ("Brandt", "P-9", "IDENTITY-DIFFERS"),
        ("Brandt", "03/04/1980", "IDENTITY-DIFFERS"),
        ("Brand", "1980-03-04", "IDENTITY-DIFFERS"),
        ("Maria Brandt", "1980-03-04", "IDENTITY-DIFFERS"),
        ("brandt", "4 Mar 1980", ""),
        ("Ada Brandt", "b-12", ""),
        ("BRANDT, ADA", "1980-03-04", ""),
        ("Altmann", "A-1", ""),
    ],
)
def test_what_is_typed_is_what_the_record_says(
    nurse: CheckingClient, bench: Bench, ask: Ask, *, name: str, other: str, code: str, at: datetime
) -> None:
    ask("type")
    bench.patient_id = make_patient(family_name="Brandt", record_number="B-12")
    before = make_patient(family_name="Altmann", record_number="A-1")
    merge_records(actor=SYSTEM_ACTOR, at=at, kept_id=bench.patient_id, merged_id=before, reason="Married")
    form = nurse.form(f"/give/{bench.patient_id}?mode=about", having="indication")
    typed = {
        "indication": "B12 deficiency",
        "consent_seen": "y",
        "identity_name": name,
        "identity_other": other,
    }
    answer = nurse.send(f"/give/{bench.patient_id}", form, typed | {"step": "check"})
    if code:
        assert answer.status_code == 422
        assert code in answer.get_data(as_text=True)
        return
    assert recorded(nurse, bench, answer).status_code == 302
    assert only_dose().identity_check == "typed"


def test_an_amendment_keeps_what_was_checked_unless_the_patient_was_another(
    nurse: CheckingClient, bench: Bench
) -> None:
    make_patient(record_number="X-9")
    recorded(nurse, bench, checked(nurse, bench))
    dose = only_dose()
    assert amended(nurse, dose, body_site="RD").status_code == 302
    again = amendment_of(dose)
    assert again.identity_check == "ticked"
    assert amended(nurse, again, record_number="X-9").status_code == 302
    assert amendment_of(again).identity_check is None


def test_the_database_knows_the_two_ways(
    app: Flask, bench: Bench, owner_connection: OwnerConnection, engine_kind: str
) -> None:
    bench.give()
    # What a dose was drawn from is asked first: here only the words are tried.
    off = {"sqlite": "DROP TRIGGER dose_check", "postgresql": "ALTER TABLE dose DISABLE TRIGGER dose_check"}
    owner_connection.execute(off[engine_kind])
    owner_connection.commit()
    columns = [column.name for column in Dose.__table__.columns]
    changed = {"id": "patient_id", "identity_check": "'guessed'", "number": "9"}
    values = ", ".join(changed.get(name, name) for name in columns)
    another = f"INSERT INTO dose ({', '.join(columns)}) SELECT {values} FROM dose"
    assert "ck_dose_identity_check" in refused(owner_connection, another)
