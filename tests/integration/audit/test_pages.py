"""The trail's pages, as an auditor and an administrator read them."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from inventory.audit.models import AccessEntry, AuditHead
from inventory.audit.services import log_access
from inventory.kernel.db import db, unit_of_work
from inventory.kernel.errors import Refusal
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.patients.models import AlertKind
from inventory.patients.services import Identity, add_alert, edit_patient
from tests.factories.patients import make_patient
from tests.factories.stock import make_place
from tests.support.client import CheckingClient
from tests.support.databases import Database

SignIn = Callable[..., CheckingClient]


@pytest.fixture
def auditor(signed_in_client: SignIn, at: datetime) -> CheckingClient:
    make_place()
    return signed_in_client(Role.AUDITOR, display_name="Audrey Auditor")


def text_of(client: CheckingClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def newest() -> int:
    db.session.rollback()
    return db.session.scalars(select(AuditHead.seq)).one()


def test_shows_the_trail_and_its_head(auditor: CheckingClient, at: datetime) -> None:
    make_patient(has_baseline=False, family_name="Nightingale", record_number="N 1")
    text = text_of(auditor, "/audit")
    assert db.session.scalars(select(AuditHead.hash)).one() in text
    assert "Patients: add" in text
    assert "N 1" in text
    assert "Nightingale" not in text


def test_filters_by_action_person_patient_and_day(auditor: CheckingClient, at: datetime) -> None:
    yesterday = at - timedelta(days=1)
    one, other = (
        make_patient(has_baseline=False, record_number=number, at=yesterday) for number in ("N 1", "N 2")
    )
    add_alert(actor=auditor.actor, at=at, patient_id=one, kind=AlertKind.PREGNANCY)  # type: ignore[attr-defined]
    filters = {
        "action=patients.add-alert": 1,
        "action=patients.add": 2,
        f"person={auditor.actor.id}": 2,  # type: ignore[attr-defined]
        "record_number=n1": 2,
        "record_number=nobody": 0,
        "from_on=2026-03-16&action=patients.add-alert": 1,
        "record_number=N+2&to_on=2026-03-15": 1,
        f"subject={other}": 1,
    }
    found = {
        asked: text_of(auditor, f"/audit?{asked}").count('<a class="number" href="/audit/')
        for asked in filters
    }
    assert found == filters
    assert auditor.get("/audit?from_on=2026-03-17&to_on=2026-03-16").status_code == 422
    assert auditor.get("/audit?action=patients.dance").status_code == 422


def test_the_trail_is_in_the_order_of_its_chain_within_one_instant(
    auditor: CheckingClient, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = iter(range(1000, 0, -1))
    monkeypatch.setattr("inventory.audit.acts.uuid7", lambda: UUID(int=next(ids)))
    for _ in range(3):
        make_patient(has_baseline=False)
    shown = [
        int(seq) for seq in re.findall(r'class="number" href="/audit/(\d+)"', text_of(auditor, "/audit"))
    ]
    assert shown == sorted(shown, reverse=True)
    assert len(shown) > 3


def test_an_entry_shows_before_and_after_and_its_hashes(auditor: CheckingClient, at: datetime) -> None:
    patient_id = make_patient(has_baseline=False, family_name="Nightingale")
    identity = Identity(family_name="Lovelace", born_on=date(1980, 3, 4), given_name="Ada")
    edit_patient(actor=SYSTEM_ACTOR, at=at, patient_id=patient_id, version=1, identity=identity)
    text = text_of(auditor, f"/audit/{newest()}")
    assert all(
        words in text for words in ("Family name", "Nightingale", "Lovelace", "Hash of the entry before")
    )
    db.session.rollback()
    assert [look.page for look in db.session.scalars(select(AccessEntry))] == ["trail"]
    assert auditor.get("/audit/99999").status_code == 404


def test_an_administrator_reads_the_trail_but_no_patient(signed_in_client: SignIn, at: datetime) -> None:
    make_patient(has_baseline=False, family_name="Nightingale")
    seq = newest()
    admin = signed_in_client(Role.ADMIN)
    text = text_of(admin, f"/audit/{seq}")
    assert "Nightingale" not in text
    assert "Commitment to the payload" in text
    assert "Salt" not in text
    assert signed_in_client(Role.PRACTITIONER).get("/audit").status_code == 403


def test_the_check_says_what_it_checked_and_what_it_found(
    auditor: CheckingClient, database: Database
) -> None:
    make_patient(has_baseline=False)
    assert "The newest entries are well" in text_of(auditor, "/audit/check")
    owner = database.connect_as_owner()
    if database.kind == "sqlite":
        owner.execute("DROP TRIGGER audit_payload_no_update")
    else:
        owner.execute("ALTER TABLE audit_payload DISABLE TRIGGER USER")
    owner.execute("UPDATE audit_payload SET payload = replace(payload, 'Ada', 'Eve')")
    owner.commit()
    owner.close()
    assert "its payload was changed" in text_of(auditor, "/audit/check")


def test_shows_who_looked_at_whom(auditor: CheckingClient, at: datetime) -> None:
    one, other = (
        make_patient(has_baseline=False, record_number="N 1"),
        make_patient(has_baseline=False, record_number="N 2"),
    )
    for patient_id in (one, other):
        auditor.get(f"/patients/{patient_id}")
    assert text_of(auditor, "/audit/access").count(">Record<") == 2
    assert text_of(auditor, "/audit/access?record_number=n%202").count(">Record<") == 1
    assert "No such look" in text_of(auditor, "/audit/access?from_on=2027-01-01")


def test_a_look_inside_a_unit_of_work_shares_its_fate(auditor: CheckingClient, at: datetime) -> None:
    patient_id = make_patient(has_baseline=False)
    with pytest.raises(RuntimeError), unit_of_work():
        log_access(SYSTEM_ACTOR, patient_id, "give")
        raise RuntimeError
    assert db.session.scalars(select(AccessEntry)).all() == []
    with pytest.raises(Refusal, match="NOT-FOUND"):
        log_access(SYSTEM_ACTOR, uuid7(), "give")
    log_access(SYSTEM_ACTOR, patient_id, "give", at=datetime(2026, 3, 16, 9, tzinfo=UTC))
    assert len(db.session.scalars(select(AccessEntry)).all()) == 1
