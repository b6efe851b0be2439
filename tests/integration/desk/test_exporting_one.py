"""Everything about one person goes out whole, under every record of theirs, with nobody else's, and it is noted to whom."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, or_, select

from inventory.audit.models import AccessEntry, AuditEntry, AuditPayload
from inventory.doses.rules.terms import EntryMode, VoidKind
from inventory.doses.services import amend_dose, dedicate_vial, draws_of, void_dose
from inventory.interop.about_one import rows_about, written
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.patients.models import AlertKind, ConsentStatus
from inventory.patients.queries import records_of
from inventory.patients.services import add_alert, merge_records, record_consent
from inventory.reports.models import Report
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.support.client import CheckingClient

SignIn = Callable[..., CheckingClient]
TO = {"recipient": "The patient", "purpose": "Asked for a copy"}


@pytest.fixture
def bench(app: Flask, at: datetime) -> Bench:
    """A person of two records with a dose on each, one of them amended from and one void, and others beside them."""
    bench = Bench(patient_id=make_patient(family_name="Keller", record_number="K-1"))
    other = make_patient(family_name="Kellner", record_number="K-2")
    stranger = make_patient(family_name="Stranger", record_number="S-1")
    bench.give()
    wrong = bench.give(bench.request(patient_id=other))
    asked = replace(
        bench.request(patient_id=stranger, mode=EntryMode.ALREADY_GIVEN, given_at=wrong.given_at),
        draws=draws_of(db.session(), wrong.id),
        amends_id=wrong.id,
    )
    amend_dose(actor=bench.nurse, at=at, dose_id=wrong.id, request=asked, reason="Wrong record")
    void = bench.give(bench.request(patient_id=other, body_site="RD"))
    void_dose(actor=bench.nurse, at=at, dose_id=void.id, kind=VoidKind.NEVER_OPENED, reason="Not opened")
    _, vial = bench.open_multi()
    dedicate_vial(actor=bench.nurse, at=at, vial_id=vial.id, patient_id=other)
    add_alert(actor=SYSTEM_ACTOR, at=at, patient_id=other, kind=AlertKind.PREGNANCY, note="Week 9")
    record_consent(actor=SYSTEM_ACTOR, at=at, patient_id=other, status=ConsentStatus.REFUSED, decided_at=at)
    merge_records(actor=SYSTEM_ACTOR, at=at, kept_id=bench.patient_id, merged_id=other, reason="Same")
    return bench


@pytest.fixture
def prescriber(bench: Bench, signed_in_client: SignIn) -> CheckingClient:
    return signed_in_client(Role.PRESCRIBER)


def exported(client: CheckingClient, bench: Bench) -> tuple[bytes, dict[str, Any]]:
    answer = client.submit(f"/patients/{bench.patient_id}/export", TO | {"file_format": "json"})
    assert answer.status_code == 200
    assert answer.content_type.startswith("application/json")
    return answer.data, json.loads(answer.data)


def test_every_row_that_names_the_person_is_in_it_as_the_database_has_it(
    prescriber: CheckingClient, bench: Bench
) -> None:
    _, told = exported(prescriber, bench)
    records = records_of(bench.patient_id)
    assert told["records"] == [str(one) for one in records]
    seen = 0
    for table in db.metadata.sorted_tables:
        naming = [
            column
            for column in table.columns
            if column.name == "patient_id"
            or any(key.target_fullname == "patient.id" for key in column.foreign_keys)
        ]
        naming = [table.c.id] if table.name == "patient" else naming
        if not naming:
            continue
        rows = db.session.execute(
            select(table).where(or_(*(column.in_(records) for column in naming)))
        ).mappings()
        expected = [{name: written(value) for name, value in row.items()} for row in rows]
        # The export's own look and entry came while it was made.
        now = told["tables"].get(table.name, [])
        late = {"audit_entry": 1}.get(table.name, 0)
        assert len(now) == len(expected) - late, table.name
        assert all(row in expected for row in now), table.name
        seen += len(now)
    assert seen > 20
    for child in ("dose_source", "dose_void", "audit_payload", "patient_merge"):
        assert told["tables"][child]


def test_nothing_about_anybody_else_is_in_it(prescriber: CheckingClient, bench: Bench) -> None:
    content, told = exported(prescriber, bench)
    assert b"Stranger" not in content
    assert b"S-1" not in content
    assert {row["patient_id"] for row in told["tables"]["dose"]} == set(told["records"])
    assert len(told["tables"]["dose"]) == 3
    assert len(told["tables"]["dose_void"]) == 2
    givers = {row["giver_id"] for row in told["tables"]["dose"]}
    assert {told["people"][one] for one in givers} == {bench.nurse.name}


def test_it_is_noted_who_was_given_it_and_which_bytes(prescriber: CheckingClient, bench: Bench) -> None:
    content, told = exported(prescriber, bench)
    payload = db.session.scalar(
        select(AuditPayload.payload)
        .join(AuditEntry, AuditEntry.id == AuditPayload.entry_id)
        .where(AuditEntry.action == "interop.disclose-patient", AuditEntry.patient_id == bench.patient_id)
    )
    facts = json.loads(str(payload))["facts"]
    assert facts["sha256"] == hashlib.sha256(content).hexdigest()
    assert (facts["recipient"], facts["reason"]) == (TO["recipient"], TO["purpose"])
    assert facts["rows"] == {name: len(rows) for name, rows in told["tables"].items()}
    looks = select(func.count()).where(
        AccessEntry.patient_id == bench.patient_id, AccessEntry.page == "export"
    )
    assert db.session.scalar(looks)


def test_the_report_goes_through_the_register_and_has_both_records(
    prescriber: CheckingClient, bench: Bench
) -> None:
    answer = prescriber.submit(f"/patients/{bench.patient_id}/export", TO | {"file_format": "pdf"})
    report = db.session.scalars(select(Report)).one()
    assert answer.headers["Location"] == f"/reports/{report.id}"
    table = prescriber.get(f"/reports/{report.id}/csv").get_data(as_text=True)
    assert "Pregnancy" in table
    assert table.count("Keller, Ada") == 1
    assert table.count("Kellner, Ada") == 2
    noted = select(func.count()).where(AuditEntry.action == "interop.disclose-patient")
    assert db.session.scalar(noted) == 1


@pytest.mark.parametrize("left_out", ["recipient", "purpose"])
def test_nothing_goes_out_unless_it_is_said_to_whom_and_why(
    prescriber: CheckingClient, bench: Bench, left_out: str
) -> None:
    answer = prescriber.submit(
        f"/patients/{bench.patient_id}/export", TO | {"file_format": "json", left_out: " "}
    )
    assert answer.status_code == 422
    assert not db.session.scalar(select(func.count()).where(AuditEntry.action == "interop.disclose-patient"))


def test_only_a_prescriber_gives_it(bench: Bench, signed_in_client: SignIn) -> None:
    for role in (Role.PRACTITIONER, Role.AUDITOR):
        client = signed_in_client(role)
        assert client.get(f"/patients/{bench.patient_id}/export").status_code == 403
        assert "Export everything" not in client.get(f"/patients/{bench.patient_id}").get_data(as_text=True)


def test_rows_of_a_person_alone_are_those_of_one_record(bench: Bench, at: datetime) -> None:
    alone = make_patient(record_number="A-1")
    bench.give(bench.request(patient_id=alone), at=at + timedelta(minutes=1))
    rows = rows_about(db.session(), [alone])
    assert len(rows["dose"]) == len(rows["dose_source"]) == len(rows["patient"]) == 1
