"""The rows that verification digests as the driver gives them have the digests that were recorded, and no value can pass for others."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import LargeBinary, Table, Text, insert, select, text

from inventory.audit import rules
from inventory.audit.acts import row_key
from inventory.audit.models import AuditEntry
from inventory.audit.raw_rows import UNREADABLE, RowCoder, coder_of, rows_whose, run
from inventory.audit.witness import HELD_OTHERWISE, WITNESSED
from inventory.kernel.db import Model, db, dialect_name, unit_of_work
from inventory.kernel.ids import uuid7
from tests.support.databases import Databases, close_engines
from inventory.app import create_app

AWKWARD = (
    "",
    "plain",
    'quotes " and \\ and / and \x7f',
    "line\nbreak\ttab\r",
    "Наталья Παπαδόπουλος 李 \U0001f489",
    "\u2028\u2029\u200f",
    '","note":"',
)


def raw(coder: RowCoder) -> dict[str, str]:
    """Return the digest of every row by key, as verification makes it."""
    rows = run(db.session(), coder.reading("1 = 1"))
    return {coder.key_of(row): coder.digest(row) for row in rows}


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
        found = raw(coder_of(table, dialect_name()))
        assert found == slow(table), name
        filled += bool(found)
    assert filled > 20


def test_every_type_and_awkward_value_has_the_digest_of_the_rules(app: Flask) -> None:
    table = db.metadata.tables["report_file"]
    assert isinstance(table.c.content.type, LargeBinary)
    consent = db.metadata.tables["consent"]
    _without_keys(consent, table)
    for position, words in enumerate(AWKWARD):
        with unit_of_work() as session:
            values = _filled(consent, words, datetime(2026, 3, 16, 9, 30, 0, position, tzinfo=UTC))
            session.execute(insert(consent), values)
    assert raw(coder_of(consent, dialect_name())) == slow(consent)
    assert len(raw(coder_of(consent, dialect_name()))) == len(AWKWARD)
