"""The laws of a count held by the database itself, and what `flask stock verify` says where they were got around."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import text

from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.stock import services
from inventory.stock.models import AdjustReason
from inventory.stock.services import Explanation, Tally
from tests.factories.stock import make_delivery, make_place
from tests.support.databases import OwnerConnection

Try = Callable[[str], str]

TABLES = ("stock_count", "stock_count_result", "stock_count_line", "stock_count_variance")


def kind_of(app: Flask) -> str:
    with app.app_context():
        return db.engine.dialect.name


@pytest.fixture
def posted(app: Flask, at: datetime) -> UUID:
    """A count that was posted: of two lots, the first one short, with its adjustment."""
    place = make_place()
    lot = make_delivery(containers=5, lot_number="A")
    other = make_delivery(containers=5, lot_number="B", product_id=lot.product_id)
    started = services.start_count(
        actor=SYSTEM_ACTOR, at=at, site_id=place.site_id, location_id=place.location_id
    )
    count_id = started.subject_id
    tally = Tally({lot.id: 4, other.id: 5})
    services.hand_in_count(actor=SYSTEM_ACTOR, at=at, count_id=count_id, tally=tally)
    why = {1: Explanation(AdjustReason.MISSING)}
    services.post_count(actor=SYSTEM_ACTOR, at=at, count_id=count_id, explanations=why)
    return count_id


def test_nothing_of_a_count_is_erased(app: Flask, posted: UUID, refused: Try) -> None:
    rude = (
        "TRUNCATE {} CASCADE"
        if kind_of(app) == "postgresql"
        else "INSERT OR REPLACE INTO {0} SELECT * FROM {0}"
    )
    for table in TABLES:
        for statement in ("DELETE FROM {}", rude):
            said = refused(statement.format(table))
            assert any(law in said for law in ("law:insert_only", "law:undeletable", "permission denied")), (
                said
            )
    for table, column in (("stock_count_result", "note"), ("stock_count_line", "counted_ul")):
        said = refused(f"UPDATE {table} SET {column} = NULL")
        assert "law:insert_only" in said or "permission denied" in said
    said = refused("UPDATE stock_count_variance SET reason = 'found'")
    assert "law:insert_only" in said or "permission denied" in said
    assert db.session.scalar(text("SELECT count(*) FROM stock_count_line")) == 2


@pytest.mark.parametrize(
    "change", ["outcome = 'abandoned'", "closed_at = NULL, outcome = NULL", "number = 7"]
)
def test_a_count_ends_once(posted: UUID, refused: Try, change: str) -> None:
    assert "law:finished_once" in refused(f"UPDATE stock_count SET {change}")


def test_an_open_count_changes_only_to_its_end(app: Flask, at: datetime, refused: Try) -> None:
    place = make_place()
    services.start_count(actor=SYSTEM_ACTOR, at=at, site_id=place.site_id, location_id=place.location_id)
    for change in ("number = 7", "started_at = NULL", "outcome = 'posted'"):
        said = refused(f"UPDATE stock_count SET {change}")
        assert "law:finished_once" in said or "closure" in said, said
    again = (
        "INSERT INTO stock_count (id, number, site_id, location_id, started_at, started_by_id)"
        " SELECT location_id, 2, site_id, location_id, started_at, started_by_id FROM stock_count"
    )
    said = refused(again)
    assert "uq_stock_count_open" in said or "stock_count.location_id" in said


@pytest.mark.parametrize(
    "amounts",
    ["-1, 0", "0, -1", "NULL, 0"],
    ids=["less than nothing", "less than nothing held", "nothing typed"],
)
def test_only_amounts_are_counted(posted: UUID, refused: Try, amounts: str) -> None:
    refused(
        "INSERT INTO stock_count_line (count_id, position, lot_id, counted_ul, expected_ul)"
        f" SELECT count_id, 9, lot_id, {amounts} FROM stock_count_line WHERE position = 1"
    )


def test_a_part_of_a_microlitre_is_not_counted(app: Flask, posted: UUID, refused: Try) -> None:
    if kind_of(app) == "postgresql":
        pytest.skip("its columns take whole numbers only")
    said = refused(
        "INSERT INTO stock_count_line (count_id, position, lot_id, counted_ul, expected_ul)"
        " SELECT count_id, 9, lot_id, 0.5, 1 FROM stock_count_line WHERE position = 1"
    )
    assert "law:whole_amount" in said


@pytest.mark.parametrize(
    "position, movement",
    [
        ("2", "(SELECT movement_id FROM stock_count_variance)"),
        ("2", "(SELECT min(id) FROM movement)"),
        ("9", "(SELECT movement_id FROM stock_count_variance)"),
        ("3", "(SELECT max(id) FROM movement WHERE kind = 'receive')"),
    ],
    ids=["of another line", "a receipt", "of no line", "in the other direction"],
)
def test_a_variance_is_what_was_adjusted(posted: UUID, refused: Try, position: str, movement: str) -> None:
    db.session.rollback()
    if position == "3":
        with db.engine.begin() as connection:
            connection.exec_driver_sql(
                "INSERT INTO stock_count_line (count_id, position, lot_id, counted_ul, expected_ul)"
                " SELECT count_id, 3, lot_id, 5000, 0 FROM stock_count_line WHERE position = 2"
            )
    said = refused(
        "INSERT INTO stock_count_variance (count_id, position, reason, movement_id)"
        f" SELECT id, {position}, 'found', {movement} FROM stock_count"
    )
    assert "law:variance_is_adjusted" in said


@pytest.fixture
def tamper(app: Flask, owner_connection: OwnerConnection) -> Callable[[str], None]:
    """Runs a statement as the owner with the triggers of counts out of the way."""

    def run(statement: str) -> None:
        db.session.rollback()
        connection = owner_connection
        if kind_of(app) == "sqlite":
            triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for (name,) in triggers.fetchall():
                connection.execute(f"DROP TRIGGER {name}")
        else:
            for table in (*TABLES, "movement"):
                connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        connection.execute(statement)
        connection.commit()

    return run


@pytest.mark.parametrize(
    "statement, said",
    [
        (
            "UPDATE stock_count_line SET counted_ul = 3000 WHERE position = 1",
            "Count 1, line 1: its adjustment",
        ),
        (
            "UPDATE stock_count_line SET counted_ul = 6000 WHERE position = 1",
            "Count 1, line 1: its adjustment",
        ),
        ("UPDATE stock_count_variance SET reason = 'other'", "Count 1, line 1: its adjustment"),
        ("UPDATE stock_count SET outcome = 'abandoned'", "Count 1, line 1: its adjustment"),
        ("DELETE FROM stock_count_variance", "Count 1, line 1: it differs and was posted"),
        (
            "UPDATE stock_count_line SET counted_ul = 0 WHERE position = 2",
            "Count 1, line 2: it differs and was posted",
        ),
    ],
)
def test_verify_names_a_count_that_its_adjustments_do_not_follow(
    posted: UUID, cli: FlaskCliRunner, tamper: Callable[[str], None], statement: str, said: str
) -> None:
    db.session.rollback()
    assert cli.invoke(args=["stock", "verify"]).exit_code == 0
    tamper(statement)
    answer = cli.invoke(args=["stock", "verify"])
    assert answer.exit_code == 1
    assert said in answer.output


def test_verify_names_a_count_posted_without_being_counted(
    app: Flask, at: datetime, cli: FlaskCliRunner, tamper: Callable[[str], None]
) -> None:
    place = make_place()
    services.start_count(actor=SYSTEM_ACTOR, at=at, site_id=place.site_id, location_id=place.location_id)
    tamper("UPDATE stock_count SET closed_at = started_at, outcome = 'posted'")
    answer = cli.invoke(args=["stock", "verify"])
    assert "Count 1: it was posted, but what was counted was never handed in." in answer.output
