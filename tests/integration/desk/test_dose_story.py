"""A dose's whole story, the search of the trail by the numbers people know, and the exports."""

import csv
import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.audit.models import AuditEntry, AuditPayload
from inventory.audit.queries import payload_of
from inventory.doses.models import Dose
from inventory.doses.rules.terms import EntryMode
from inventory.interop.exports import EVERY, exports_for
from inventory.interop.exports import table as exported
from inventory.kernel.db import db
from inventory.kernel.permissions import Role
from tests.factories.doses import Bench
from tests.support.client import CheckingClient

SignIn = Callable[..., CheckingClient]


@pytest.fixture
def bench(app: Flask, at: datetime) -> Bench:
    bench = Bench()
    bench.give(replace(bench.request(), mode=EntryMode.ALREADY_GIVEN, given_at=at, consent_seen=False))
    return bench


def dose_id() -> UUID:
    return db.session.scalars(select(Dose.id)).one()


def listed(client: CheckingClient, **asked: str) -> str:
    """The entries that the trail shows for a search, without the filters above them."""
    return client.get("/audit", query_string=asked).get_data(as_text=True).partition('id="entries"')[2]


def test_a_doses_story_shows_its_entries_its_stock_and_who_looked(
    bench: Bench, signed_in_client: SignIn
) -> None:
    auditor = signed_in_client(Role.AUDITOR)
    key = dose_id()
    auditor.get(f"/doses/{key}")
    page = auditor.get(f"/doses/{key}/story").get_data(as_text=True)
    for words in (
        "Story of dose",
        "MAIN-000001",
        "In the trail",
        "Movements of this dose",
        "Dose story",
    ):
        assert words in page, words
    assert bench.lot.lot_number in page


@pytest.mark.parametrize("typed", ["MAIN-000001", "main 1", "1", "main-1"])
def test_the_trail_is_searched_by_a_doses_number_in_any_spelling(
    bench: Bench, signed_in_client: SignIn, typed: str
) -> None:
    page = listed(signed_in_client(Role.AUDITOR), dose_number=typed)
    assert "Doses: " in page
    assert "Stock: receive" not in page


def test_the_trail_is_searched_by_a_lot_and_by_the_minute(
    bench: Bench, at: datetime, signed_in_client: SignIn
) -> None:
    auditor = signed_in_client(Role.AUDITOR)
    spelled = f" {bench.lot.lot_number.lower()} "
    page = listed(auditor, lot_number=spelled)
    assert "Stock: receive" in page
    assert "Doses: " in page
    assert "Patients: add" not in page
    later = f"{at + timedelta(minutes=1):%Y-%m-%dT%H:%M}"
    none = listed(auditor, lot_number=spelled, from_at=later)
    assert "No such entry" in none
    assert "No such entry" in auditor.get("/audit?lot_number=NOSUCHLOT").get_data(as_text=True)


def rows_of(client: CheckingClient, name: str) -> list[dict[str, str]]:
    text = client.get(f"/exports/{name}.csv").get_data().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_every_table_is_exported_and_noted_with_its_bytes(bench: Bench, signed_in_client: SignIn) -> None:
    auditor = signed_in_client(Role.AUDITOR)
    names = [one.name for one in exports_for(auditor.actor)]
    assert len(names) == len(EVERY) == len(set(names))
    page = auditor.get("/exports").get_data(as_text=True)
    for name in names:
        assert f"/exports/{name}.csv" in page
        content = auditor.get(f"/exports/{name}.csv").get_data()
        db.session.rollback()
        payload = db.session.scalars(
            select(AuditPayload.payload)
            .join(AuditEntry, AuditEntry.id == AuditPayload.entry_id)
            .where(AuditEntry.action == "interop.export")
            .order_by(AuditEntry.id.desc())
            .limit(1)
        ).one()
        facts = payload_of(payload)["facts"]
        assert facts["table"] == name
        assert facts["sha256"] == hashlib.sha256(content).hexdigest()
        assert facts["rows"] == len(list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))) - 1


def test_an_export_says_what_the_record_says(bench: Bench, signed_in_client: SignIn) -> None:
    auditor = signed_in_client(Role.AUDITOR)
    dose = db.session.scalars(select(Dose)).one()
    row = rows_of(auditor, "doses")[0]
    assert (row["site"], row["dose"], row["consent_seen"]) == ("MAIN", "1", "no")
    assert row["volume_ul"] == str(dose.volume_ul)
    assert rows_of(auditor, "dose-containers")[0]["lot"] == bench.lot.lot_number
    assert {one["action"] for one in rows_of(auditor, "trail")} >= {"stock.receive", "interop.export"}


def test_an_export_is_read_in_pieces_without_losing_a_row(
    bench: Bench, signed_in_client: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    auditor = signed_in_client(Role.AUDITOR)
    whole = [row["entry"] for row in rows_of(auditor, "trail")]
    monkeypatch.setattr(exported, "ROWS_AT_A_TIME", 2)
    in_pieces = [row["entry"] for row in rows_of(auditor, "trail")]
    assert in_pieces[:-1] == whole
    assert in_pieces == [str(n) for n in range(1, len(in_pieces) + 1)]


def test_who_reads_no_patients_takes_no_table_of_them(bench: Bench, signed_in_client: SignIn) -> None:
    admin = signed_in_client(Role.ADMIN)
    assert admin.get("/exports/trail.csv").status_code == 200
    for name in ("doses", "patients", "movements", "no-such-table"):
        assert admin.get(f"/exports/{name}.csv").status_code == 404, name


def test_a_cell_is_no_formula() -> None:
    assert exported.cell("=1+1") == "'=1+1"
    assert exported.cell(None) == ""
