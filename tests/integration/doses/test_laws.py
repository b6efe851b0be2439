"""The record's laws, tried by going around the application with plain SQL as the owner of the tables."""

from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.doses.models import Dose, DoseSource
from inventory.doses.services import Decisions
from inventory.kernel.db import db
from tests.factories.doses import Bench
from tests.support.databases import OwnerConnection

DOSE = [column.name for column in Dose.__table__.columns]
SOURCE = [column.name for column in DoseSource.__table__.columns]


@pytest.fixture
def dose(app: Flask, at: datetime) -> Dose:
    bench = Bench()
    seen = Decisions(acknowledged=frozenset({"CONSENT-NOT-RECORDED"}))
    given = bench.give(bench.request(volume_ul=500, consent_seen=False), decisions=seen)
    db.session.rollback()
    return given


def refused(connection: OwnerConnection, statement: str) -> str:
    """Run the statement and return the words of the refusal."""
    with pytest.raises(Exception) as error:
        connection.execute(statement)
        connection.commit()
    connection.rollback()
    return str(error.value)


def copy_of(table: str, columns: list[str], **changes: str) -> str:
    """Return the statement that adds a copy of the only row of `table` with some columns changed."""
    values = ", ".join(changes.get(name, name) for name in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} LIMIT 1"


ANOTHER = {"sqlite": "lower(hex(randomblob(16)))", "postgresql": "gen_random_uuid()"}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE dose SET indication = 'something else'",
        "DELETE FROM dose_source",
        "DELETE FROM dose",
        "UPDATE dose_source SET lot_number = 'B'",
        "UPDATE dose_finding SET message = ''",
    ],
)
def test_no_row_of_the_record_changes(dose: Dose, owner_connection: OwnerConnection, statement: str) -> None:
    assert "law:insert_only" in refused(owner_connection, statement)


def test_replace_does_not_get_around_it(
    dose: Dose, owner_connection: OwnerConnection, engine_kind: str
) -> None:
    if engine_kind == "postgresql":
        statement = copy_of("dose", DOSE) + " ON CONFLICT (id) DO UPDATE SET note = 'changed'"
    else:
        owner_connection.execute("PRAGMA recursive_triggers = OFF")
        statement = copy_of("dose", DOSE, note="'changed'").replace("INSERT", "INSERT OR REPLACE")
    assert "law:" in refused(owner_connection, statement)


def test_a_dose_nothing_was_drawn_for_is_refused(
    dose: Dose, owner_connection: OwnerConnection, engine_kind: str
) -> None:
    statement = copy_of("dose", DOSE, id=ANOTHER[engine_kind], number="2")
    assert "law:dose_is_drawn" in refused(owner_connection, statement)


def test_a_movement_stands_behind_one_dose_only(
    dose: Dose, owner_connection: OwnerConnection, engine_kind: str
) -> None:
    statement = copy_of("dose_source", SOURCE, dose_id=ANOTHER[engine_kind])
    assert "law:given_once" in refused(owner_connection, statement)


def test_a_source_cannot_be_added_to_a_recorded_dose(dose: Dose, owner_connection: OwnerConnection) -> None:
    assert "law:insert_only:dose_source" in refused(
        owner_connection, copy_of("dose_source", SOURCE, position="2")
    )


def test_a_source_says_what_its_movement_says(
    dose: Dose, owner_connection: OwnerConnection, engine_kind: str
) -> None:
    statement = copy_of("dose_source", SOURCE, dose_id=ANOTHER[engine_kind], volume_ul="499")
    assert "law:dose_is_drawn" in refused(owner_connection, statement)


@pytest.mark.parametrize(
    "changes,constraint",
    [
        ({"dose_ng": "dose_ng + 1"}, "dose_agrees_with_volume"),
        ({"given_at": "'2999-01-01 00:00:00.000000'"}, "not_in_the_future"),
        ({"volume_ul": "0", "dose_ng": "0"}, "amounts_positive"),
    ],
)
def test_a_dose_that_cannot_be_is_refused(
    dose: Dose, owner_connection: OwnerConnection, engine_kind: str, changes: dict[str, str], constraint: str
) -> None:
    # Without the trigger that asks for sources, the constraint itself has to answer.
    drop = "DROP TRIGGER dose_check" + (" ON dose" if engine_kind == "postgresql" else "")
    owner_connection.execute(drop)
    owner_connection.commit()
    statement = copy_of("dose", DOSE, id=ANOTHER[engine_kind], number="2", **changes)
    assert constraint in refused(owner_connection, statement)


def test_a_number_is_used_once(dose: Dose, owner_connection: OwnerConnection, engine_kind: str) -> None:
    owner_connection.execute("DROP TRIGGER dose_check" + (" ON dose" if engine_kind == "postgresql" else ""))
    owner_connection.commit()
    words = refused(owner_connection, copy_of("dose", DOSE, id=ANOTHER[engine_kind]))
    assert "uq_dose_site_id_number" in words or "dose.site_id, dose.number" in words


@pytest.mark.parametrize("engine_kind", ["postgresql"], indirect=True)  # SQLite has no roles
def test_the_applications_role_may_not_erase(dose: Dose) -> None:
    for statement in ("TRUNCATE dose CASCADE", "DELETE FROM dose", "ALTER TABLE dose DISABLE TRIGGER ALL"):
        with pytest.raises(Exception, match=r"permission denied|must be owner"):
            db.session.execute(db.text(statement))
        db.session.rollback()
    assert db.session.scalar(select(Dose.number)) == 1
