"""The laws of a recall held by the database itself, and what `flask stock verify` says where they were got around."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from inventory.doses.rules.terms import ContactMeans, ContactOutcome
from inventory.doses.services.recalls import Told, record_contact
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.stock.notices import NamedLot
from inventory.stock.services.recalls import Notice, close_recall, open_recall, release_recall
from tests.factories.doses import Bench
from tests.factories.stock import make_delivery
from tests.support.databases import OwnerConnection

Try = Callable[[str], str]


@pytest.fixture
def recall_id(app: Flask, at: datetime) -> UUID:
    """A recall of a lot of which a dose was given, whose patient was told, and of a number that is not ours."""
    bench = Bench()
    bench.give()
    opened = open_recall(
        actor=SYSTEM_ACTOR,
        at=at,
        site_id=bench.place.site_id,
        notice=Notice(title="Cracked", reason="Glass"),
        named=[NamedLot(bench.lot.lot_number), NamedLot("NOT-OURS")],
    )
    told = Told(outcome=ContactOutcome.TOLD, means=ContactMeans.PHONE)
    record_contact(
        actor=bench.nurse, at=at, recall_id=opened.subject_id, patient_id=bench.patient_id, told=told
    )
    return opened.subject_id


@pytest.mark.parametrize("table, column", [("recall_line", "lot_number"), ("recall_contact", "outcome")])
def test_lines_and_contacts_are_never_changed(
    app: Flask, recall_id: UUID, refused: Try, table: str, column: str
) -> None:
    rude = f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"
    with app.app_context():
        rude = f"TRUNCATE {table} CASCADE" if db.engine.dialect.name == "postgresql" else rude
    for statement in (f"UPDATE {table} SET {column} = 'x'", f"DELETE FROM {table}", rude):
        said = refused(statement)
        assert "law:insert_only" in said or "permission denied" in said, said


@pytest.mark.parametrize(
    "change", ["title = 'Other'", "is_drill = (1 = 1)", "number = 7", "opened_at = NULL", "reason = ''"]
)
def test_a_recall_changes_only_to_its_end(recall_id: UUID, refused: Try, change: str) -> None:
    assert "law:finished_once" in refused(f"UPDATE recall SET {change}")


def test_a_closed_recall_stays_closed(recall_id: UUID, at: datetime, refused: Try) -> None:
    release_recall(actor=SYSTEM_ACTOR, at=at, recall_id=recall_id, reason="Cleared")
    close_recall(actor=SYSTEM_ACTOR, at=at, recall_id=recall_id, outcome="Done")
    for change in ("outcome = 'Better'", "closed_at = NULL, outcome = NULL, closed_by_id = NULL"):
        assert "law:finished_once" in refused(f"UPDATE recall SET {change}")
    said = refused("DELETE FROM recall")
    assert "law:undeletable" in said or "permission denied" in said


def test_a_line_has_a_lot_with_its_hold_or_neither(recall_id: UUID, refused: Try) -> None:
    columns = "recall_id, lot_number, lot_number_key, product_id, added_at, actor_id"
    for lot, hold in (("lot_id", "NULL"), ("NULL", "hold_id")):
        said = refused(
            f"INSERT INTO recall_line ({columns}, position, lot_id, hold_id)"
            f" SELECT {columns}, 9, {lot}, {hold} FROM recall_line WHERE lot_id IS NOT NULL"
        )
        assert "held" in said, said


def test_verify_is_content(cli: FlaskCliRunner, recall_id: UUID) -> None:
    done = cli.invoke(args=["stock", "verify"])
    assert done.exit_code == 0, done.output


def test_verify_finds_a_line_with_the_hold_of_another_lot(
    cli: FlaskCliRunner, recall_id: UUID, owner_connection: OwnerConnection
) -> None:
    make_delivery(lot_number="OTHER")
    db.session.rollback()
    columns = "recall_id, lot_number, lot_number_key, product_id, added_at, actor_id, hold_id"
    owner_connection.execute(
        f"INSERT INTO recall_line ({columns}, position, lot_id) SELECT {columns}, 9,"
        " (SELECT id FROM lot WHERE lot_number = 'OTHER') FROM recall_line WHERE lot_id IS NOT NULL"
    )
    owner_connection.commit()
    done = cli.invoke(args=["stock", "verify"])
    assert done.exit_code == 1
    assert "Recall MAIN-R001: line 9" in done.output
