"""`flask stock verify` also asks whether every valid dose stands on the ledger, exactly and once."""

from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from inventory.doses.rules.terms import BodySite, VoidKind
from inventory.doses.services import amend_dose, void_dose
from inventory.doses.services.correcting import draws_of
from inventory.kernel.db import db
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.support.databases import OwnerConnection


@pytest.fixture
def bench(app: Flask, at: datetime) -> Bench:
    made = Bench()
    dose = made.give()
    same = made.request(draws=draws_of(db.session(), dose.id), body_site=BodySite.RIGHT_DELTOID)
    amend_dose(actor=made.nurse, at=at, dose_id=dose.id, request=same, reason="Other arm")
    other = made.give(made.request(patient_id=make_patient()))
    void_dose(actor=made.nurse, at=at, dose_id=other.id, kind=VoidKind.DRAWN_NOT_GIVEN, reason="Dropped")
    db.session.rollback()
    return made


def test_is_well_after_amendments_and_voids(bench: Bench, cli: FlaskCliRunner) -> None:
    result = cli.invoke(args=["stock", "verify"])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    "tampering",
    [
        (
            "dose",
            "UPDATE dose SET volume_ul = 2000, dose_ng = 2000000 WHERE number = 2",
            "Dose MAIN-000002: it says 2000",
        ),
        ("dose_source", "UPDATE dose_source SET volume_ul = 999", "does not say what the dose says"),
        ("dose_void", "DELETE FROM dose_void", "it is valid, but movement"),
        ("dose_void", "DELETE FROM dose_void", "2 valid doses say so"),
        ("dose_source", "DELETE FROM dose_source", "0 valid doses say so"),
        (
            "counter",
            "UPDATE counter SET value = value + 1 WHERE kind = 'dose'",
            "numbered to 4, but there are 3",
        ),
    ],
)
def test_names_what_the_ledger_does_not_bear_out(
    bench: Bench,
    cli: FlaskCliRunner,
    owner_connection: OwnerConnection,
    engine_kind: str,
    tampering: tuple[str, str, str],
) -> None:
    table, change, words = tampering
    switch_off(owner_connection, engine_kind, table)
    owner_connection.execute(change)
    owner_connection.commit()
    result = cli.invoke(args=["stock", "verify"])
    assert result.exit_code == 1
    assert words in result.output


def switch_off(connection: OwnerConnection, engine_kind: str, table: str) -> None:
    """Take the law off a table, as only its owner can."""
    if engine_kind == "postgresql":
        connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        return
    for (name,) in connection.execute(
        f"SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{table}'"
    ).fetchall():
        connection.execute(f"DROP TRIGGER {name}")
