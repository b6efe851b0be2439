"""The trail accepts a lot that was corrected lawfully, and finds one that was changed behind it, before a correction and after."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from inventory.doses.services import correct_lot
from inventory.kernel.db import db
from inventory.kernel.permissions import Actor, Role
from inventory.stock.models import Lot, LotCorrection
from inventory.stock.services.correcting import Correction
from tests.factories.staff import make_actor
from tests.factories.stock import make_delivery
from tests.integration.audit.test_verify import Tamper, Verify, sql_id, tamper, verify
from tests.support.databases import Database, OwnerConnection

__all__ = ["tamper", "verify"]

CHANGED = "the row was changed after it was recorded"


@dataclass
class Typo:
    """A lot whose number was read wrongly, and who may correct it."""

    manager: Actor
    lot: Lot
    at: datetime

    def correct(self, lot_number: str, *, hours: int = 0, merge_with: UUID | None = None) -> None:
        correction = Correction(
            lot_id=self.lot.id,
            lot_number=lot_number,
            expires_on=self.lot.expires_on,
            reason="As printed",
            approved_by=self.manager,
            merge_with=merge_with,
        )
        correct_lot(actor=self.manager, at=self.at + timedelta(hours=hours), correction=correction)


@pytest.fixture
def typo(app: Flask, at: datetime) -> Typo:
    return Typo(make_actor(Role.MANAGER), make_delivery(lot_number="TYP0"), at)


def said_of(lot: Lot) -> LotCorrection:
    found = db.session.scalars(select(LotCorrection).where(LotCorrection.lot_id == lot.id)).one()
    db.session.rollback()
    return found


def test_lots_that_were_corrected_or_merged_are_well(typo: Typo, verify: Verify, cli: FlaskCliRunner) -> None:
    other = make_delivery(product_id=typo.lot.product_id, lot_number="TYPO2")
    typo.correct("TYP1")
    typo.correct("typo 1", hours=1)
    typo.correct("TYPO2", hours=2, merge_with=other.id)
    assert verify()[0] == "0"
    assert cli.invoke(args=["stock", "verify"]).exit_code == 0


@pytest.mark.parametrize(
    "change",
    ["lot_number = 'FALSE'", "lot_number_key = 'FALSE'", "expires_on = '2030-01-31'", "in_use_days = 99"],
)
@pytest.mark.parametrize("corrected", [False, True])
def test_names_a_lot_that_was_changed_before_a_correction_and_after(
    typo: Typo, verify: Verify, tamper: Tamper, corrected: bool, change: str
) -> None:
    if corrected:
        typo.correct("TYPO")
    tamper(f"UPDATE lot SET {change}")
    code, *said = verify()
    assert (code, len(said)) == ("1", 1)
    assert CHANGED in said[0]


def test_names_a_lot_that_was_put_back_to_what_it_was_received_as(
    typo: Typo, verify: Verify, tamper: Tamper, cli: FlaskCliRunner
) -> None:
    typo.correct("TYPO")
    tamper("UPDATE lot SET lot_number = 'TYP0', lot_number_key = 'TYP0'")
    assert verify() == ["1", f"lot TYP0 ({typo.lot.id.hex}): {CHANGED}"]
    answer = cli.invoke(args=["stock", "verify"])
    assert "Lot TYP0: it does not stand as its newest correction says (lot TYPO" in answer.output


def test_names_a_lot_that_was_changed_together_with_its_correction(
    typo: Typo, verify: Verify, tamper: Tamper
) -> None:
    typo.correct("TYPO")
    said = said_of(typo.lot)
    for table in ("lot", "lot_correction"):
        tamper(f"UPDATE {table} SET lot_number = 'OTHER', lot_number_key = 'OTHER'")
    assert verify() == ["1", f"lot correction {said.id.hex}: the row was changed after it was recorded"]


def test_names_a_correction_that_is_gone(typo: Typo, verify: Verify, tamper: Tamper) -> None:
    typo.correct("TYPO")
    said_id = said_of(typo.lot).id.hex
    tamper("DELETE FROM lot_correction")
    code, *lines = verify()
    assert code == "1"
    assert any(line.startswith(f"lot correction {said_id}: the row that audit entry") for line in lines)
    assert f"lot TYPO ({typo.lot.id.hex}): {CHANGED}" in lines


def forged(database: Database, typo: Typo) -> tuple[str, str]:
    """A correction that keeps every law of the tables, and the change it allows."""
    ids = ", ".join(sql_id(database, one) for one in (UUID(int=7), typo.lot.id))
    people = ", ".join([sql_id(database, typo.manager.id)] * 2)
    before, after = (
        ", ".join([f"'{number}'", *key, "'2027-08-31'", "false"])
        for number, key in (("TYP0", []), ("FORGED", ["'FORGED'"]))
    )
    when = "'2026-03-16 09:30:00.000000'" if database.kind == "sqlite" else "'2026-03-16 09:30:00+00'"
    columns = (
        "id, lot_id, position, lot_number_before, expires_on_before, expires_month_only_before, lot_number,"
        " lot_number_key, expires_on, expires_month_only, reason, corrected_at, actor_id, approved_by_id"
    )
    return (
        f"INSERT INTO lot_correction ({columns}) VALUES ({ids}, 1, {before}, {after}, 'Because', {when}, {people})",
        "UPDATE lot SET lot_number = 'FORGED', lot_number_key = 'FORGED'",
    )


def test_names_a_correction_that_was_forged(
    typo: Typo, database: Database, verify: Verify, owner_connection: OwnerConnection
) -> None:
    db.session.rollback()
    for statement in forged(database, typo):
        owner_connection.execute(statement)
    owner_connection.commit()
    assert verify() == ["1", f"lot correction {UUID(int=7).hex}: no entry of the trail recorded this row"]


def refused(statement: str) -> str:
    db.session.rollback()
    with pytest.raises(DBAPIError) as caught, db.engine.begin() as connection:
        connection.exec_driver_sql(statement)
    return str(caught.value)


def test_a_lot_changes_only_to_what_its_newest_correction_says(typo: Typo, database: Database) -> None:
    change = "UPDATE lot SET lot_number = 'FALSE', lot_number_key = 'FALSE'"
    assert "law:lot_by_correction:lot" in refused(change)
    typo.correct("TYPO")
    for statement in (
        change,
        "UPDATE lot SET lot_number = 'TYP0', lot_number_key = 'TYP0'",
        "UPDATE lot SET expires_on = '2030-01-31'",
        "UPDATE lot SET in_use_days = 99",
    ):
        assert "law:lot_by_correction:lot" in refused(statement), statement


def test_a_correction_says_what_stands_there_and_follows_the_one_before(
    typo: Typo, database: Database
) -> None:
    statement, _ = forged(database, typo)
    for wrong in (
        statement.replace(", 1, ", ", 2, ", 1),
        statement.replace("'TYP0'", "'TYP9'"),
        statement.replace("'2027-08-31'", "'2027-08-30'", 1),
    ):
        assert "law:lot_by_correction:lot_correction" in refused(wrong), wrong
    typo.correct("TYPO")
    for rude in ("UPDATE lot_correction SET reason = 'Another'", "DELETE FROM lot_correction"):
        said = refused(rude)
        assert "law:insert_only" in said or "permission denied" in said, said
    assert date(2027, 8, 31) == said_of(typo.lot).expires_on_before
