"""The rows that verification digests as the driver gives them have the digests that were recorded, and no value can pass for others."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Table, insert, select

from inventory.app import create_app
from inventory.audit import rules
from inventory.audit.acts import row_key
from inventory.audit.models import AccessEntry
from inventory.audit.raw_rows import UNREADABLE, coder_of, rows_whose, run
from inventory.audit.witness import HELD_OTHERWISE, WITNESSED
from inventory.kernel.db import db, dialect_name, unit_of_work
from inventory.kernel.permissions import SYSTEM_USER_ID
from inventory.patients.models import Consent, ConsentStatus
from tests.factories.patients import make_patient
from tests.support.databases import Databases, OwnerConnection, close_engines

AWKWARD = (
    "",
    'quotes " and \\ and / and \x7f',
    "line\nbreak\ttab\r",
    "Наталья Παπαδόπουλος 李 \U0001f489",
    "\u2028\u2029\u200f\u00ad",
    '","status":"refused',
)
CONSENT = db.metadata.tables["consent"]


def raw(table: Table) -> dict[str, str]:
    """Return the digest of every row by key, as verification makes it."""
    coder = coder_of(table, dialect_name())
    return {coder.key_of(row): coder.digest(row) for row in run(db.session(), coder.reading("1 = 1"))}


def slow(table: Table) -> dict[str, str]:
    """Return the same by the rules themselves."""
    key = [column.name for column in table.primary_key.columns]
    rows = db.session.execute(select(table)).mappings()
    return {row_key(tuple(row[name] for name in key)): rules.row_digest(row) for row in rows}


@pytest.fixture
def demo(databases: Databases, engine_kind: str) -> Iterator[Flask]:
    with databases.demo(engine_kind) as database:
        app = create_app(database.config(DEMO=True))
        with app.app_context():
            yield app
        close_engines(app)


def test_every_row_of_a_clinic_has_the_digest_of_the_rules(demo: Flask) -> None:
    filled = 0
    for name in (*WITNESSED, *HELD_OTHERWISE):
        table = db.metadata.tables[name]
        found = raw(table)
        assert found == slow(table), name
        filled += bool(found)
    assert filled > 15


@pytest.fixture
def consents(app: Flask, at: datetime) -> None:
    patient_id = make_patient(has_baseline=False, at=at)
    with unit_of_work() as session:
        for number, words in enumerate(AWKWARD):
            instant = datetime(2026, 3, 16, 9, 30, 0, number * 100_000, tzinfo=UTC)
            consent = Consent(
                id=row_id(number),
                patient_id=patient_id,
                status=ConsentStatus.GIVEN,
                information_sheet=words,
                decided_at=instant,
                recorded_at=instant,
                actor_id=SYSTEM_USER_ID,
                note=words * 3,
            )
            session.add(consent)


def row_id(number: int) -> UUID:
    return UUID(int=number + 1)


def test_awkward_words_and_whole_seconds_have_the_digest_of_the_rules(consents: None) -> None:
    assert len(raw(CONSENT)) == len(AWKWARD)
    assert raw(CONSENT) == slow(CONSENT)
    assert len(set(raw(CONSENT).values())) == len(AWKWARD)


def test_reads_those_rows_that_are_asked_for(consents: None) -> None:
    coder = coder_of(CONSENT, dialect_name())
    wanted = [row_id(1).hex, row_id(4).hex, "f" * 32]
    found = sorted(coder.key_of(row) for row in rows_whose(db.session(), coder, CONSENT.c.id, wanted))
    assert found == wanted[:2]


@pytest.mark.parametrize("engine_kind", ["sqlite"])
@pytest.mark.parametrize("value", ["x'00'", "1.5", "'one'", "'2026-03-16'"])
def test_a_value_that_its_column_cannot_hold_has_no_digest(
    app: Flask, at: datetime, owner_connection: OwnerConnection, value: str
) -> None:
    """SQLite stores anything anywhere, once its laws are put aside."""
    patient_id = make_patient(has_baseline=False, at=at)
    look = {"at": at, "actor_id": SYSTEM_USER_ID, "patient_id": patient_id, "page": "record"}
    with unit_of_work() as session:
        session.execute(insert(AccessEntry.__table__), look)
    before = raw(AccessEntry.__table__)
    owner_connection.execute("DROP TRIGGER access_entry_no_update")
    for column in ("page", "at", "patient_id"):
        owner_connection.execute("PRAGMA foreign_keys=OFF")
        owner_connection.execute(f"UPDATE access_entry SET {column} = {value}")
        owner_connection.commit()
        db.session.rollback()
        assert raw(AccessEntry.__table__) != before


def test_a_cell_cannot_end_itself_and_begin_another(app: Flask) -> None:
    coder = coder_of(AccessEntry.__table__, "sqlite")
    honest = ["a", "t", 7, "p", "record"]
    assert coder.names == ("actor_id", "at", "id", "page", "patient_id")
    assert coder.digest(honest) != coder.digest(['a","at":"t', None, *honest[2:]])
    assert coder.digest(["a", "t", "7", "p", "record"]) == UNREADABLE
    assert coder.digest(["a", "t", 7.0, "p", "record"]) == UNREADABLE
    assert coder.digest([b"a", "t", 7, "p", "record"]) == UNREADABLE
