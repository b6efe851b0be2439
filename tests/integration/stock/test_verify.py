"""`flask stock verify` finds what was changed behind the triggers."""

from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.stock import services, verification
from inventory.stock.models import TransferDifference, WasteReason
from inventory.stock.services import Why
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.stock import make_delivery, make_open_vial, make_place
from tests.factories.transfers import make_arrival, make_transfer
from tests.support.databases import OwnerConnection

CLOSED = (
    "UPDATE vial SET closed_at = opened_at, closed_by_id = opened_by_id, closure = 'discarded'"
    " WHERE closed_at IS NULL"
)


@pytest.fixture
def tamper(app: Flask, owner_connection: OwnerConnection) -> Callable[[str], None]:
    """Runs a statement as the owner with every trigger and foreign key out of the way."""

    def run(statement: str) -> None:
        db.session.rollback()
        if db.engine.dialect.name == "sqlite":
            triggers = owner_connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for (name,) in triggers.fetchall():
                owner_connection.execute(f"DROP TRIGGER {name}")
            owner_connection.execute("PRAGMA ignore_check_constraints=ON")
        else:
            tables = ("movement", "account", "vial", "receipt", "transfer_line", "transfer_receipt_line")
            for table in tables:
                owner_connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            owner_connection.execute("ALTER TABLE account DROP CONSTRAINT ck_account_never_negative")
        owner_connection.execute(statement)
        owner_connection.commit()

    return run


def stock_of_everything(at: datetime) -> None:
    lot = make_delivery(product_id=make_multi_dose_product().id, containers=3, lot_number="VERIFIED")
    vial = make_open_vial(lot)
    why = Why(WasteReason.CONTAMINATED)
    services.waste_from_vial(actor=SYSTEM_ACTOR, at=at, vial_id=vial.id, volume_ul=500, why=why)
    other = make_open_vial(lot)
    services.undo_opening(actor=SYSTEM_ACTOR, at=at, vial_id=other.id, reason="Never opened")
    services.waste_sealed(
        actor=SYSTEM_ACTOR,
        at=at,
        lot_id=lot.id,
        place=make_place(),
        containers=1,
        why=Why(WasteReason.BROKEN),
    )


def test_a_ledger_that_is_well_says_so(app: Flask, cli: FlaskCliRunner, at: datetime) -> None:
    empty = cli.invoke(args=["stock", "verify"])
    assert (empty.exit_code, "\nThe stock is well: 0 movements" in empty.output) == (0, True)
    stock_of_everything(at)
    db.session.rollback()
    answer = cli.invoke(args=["stock", "verify"])
    assert answer.exit_code == 0, answer.output
    assert (
        answer.output.partition("\n")[2]
        == "The stock is well: 6 movements between 8 accounts of 1 lots re-added.\n"
    )


@pytest.mark.parametrize(
    "statement, said",
    [
        ("UPDATE account SET balance_ul = balance_ul + 1 WHERE kind = 'given'", "its movements make 0 mL"),
        (
            "UPDATE account SET balance_ul = balance_ul + 1 WHERE kind = 'shelf'",
            "no whole number of containers",
        ),
        ("UPDATE movement SET amount_ul = 501 WHERE amount_ul = 500", "its movements make 9.499 mL"),
        (
            "UPDATE movement SET occurred_at = '2026-03-01 00:00:00.000000' WHERE kind = 'open'",
            "was once at -20 mL",
        ),
        ("UPDATE movement SET reverses_id = 1 WHERE kind = 'reverse'", "does not exactly reverse movement 1"),
        ("UPDATE receipt SET containers = 4", "a receipt of 4 containers does not match"),
        (CLOSED, "a closed vial"),
    ],
)
def test_what_was_changed_behind_the_triggers_is_named(
    cli: FlaskCliRunner, at: datetime, tamper: Callable[[str], None], statement: str, said: str
) -> None:
    stock_of_everything(at)
    tamper(statement)
    answer = cli.invoke(args=["stock", "verify"])
    assert answer.exit_code == 1
    assert said in answer.output
    assert "The stock is not well" in answer.output


@pytest.mark.parametrize(
    "statement, said",
    [
        ("UPDATE transfer_line SET amount_ul = 9999 WHERE position = 2", "is not what movement"),
        ("DELETE FROM transfer_receipt_line WHERE position = 2", "does not say what came of it"),
        ("UPDATE transfer_receipt_line SET amount_ul = 1 WHERE position = 1", "is not what was moved"),
        ("DELETE FROM transfer_line WHERE transfer_id NOT IN (SELECT transfer_id FROM transfer_receipt)", "are on their way"),
        ("DELETE FROM transfer_line WHERE transfer_id NOT IN (SELECT transfer_id FROM transfer_receipt)", "it is of no transfer"),
        ("UPDATE vial SET location_id = (SELECT from_location_id FROM transfer LIMIT 1)", "of a vial that is elsewhere"),
    ],
)  # fmt: skip
def test_what_was_changed_of_transfers_is_named(
    cli: FlaskCliRunner, at: datetime, tamper: Callable[[str], None], statement: str, said: str
) -> None:
    here, there = make_place(), make_place(code="NORTH", location="North fridge")
    lot = make_delivery(place=here, product_id=make_multi_dose_product().id, containers=4)
    vial = make_open_vial(lot, place=here)
    make_arrival(make_transfer(here, there, lot=lot, vials=(vial,)), 1, 1)
    make_transfer(here, there, lot=lot)
    assert list(verification.findings(db.session())) == []
    tamper(statement)
    answer = cli.invoke(args=["stock", "verify"])
    assert answer.exit_code == 1
    assert said in answer.output


@pytest.mark.parametrize(
    "came, told", [(TransferDifference.LOST, "not_sent"), (TransferDifference.NOT_SENT, "lost")]
)
def test_a_difference_that_went_elsewhere_than_its_reason_says_is_named(
    cli: FlaskCliRunner, at: datetime, tamper: Callable[[str], None], came: TransferDifference, told: str
) -> None:
    here, there = make_place(), make_place(code="NORTH", location="North fridge")
    lot = make_delivery(place=here, product_id=make_multi_dose_product().id, containers=4)
    vial = make_open_vial(lot, place=here)
    transfer_id = make_transfer(here, there, lot=lot, containers=2, vials=(vial,))
    make_arrival(transfer_id, (1, came), (0, came))
    db.session.rollback()
    assert cli.invoke(args=["stock", "verify"]).exit_code == 0
    tamper(f"UPDATE transfer_receipt_line SET difference = '{told}'")
    answer = cli.invoke(args=["stock", "verify"])
    assert answer.exit_code == 1
    for position in (1, 2):
        assert f"what came of line {position} is not what was moved" in answer.output


def test_other_rooms_add_their_checks(
    app: Flask, cli: FlaskCliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "CHECKS", [lambda _session: iter(["Dose 7 was drawn from nowhere."])])
    answer = cli.invoke(args=["stock", "verify"])
    assert (answer.exit_code, "Dose 7" in answer.output) == (1, True)
