"""Whose record it is follows from the merges that stand: tried by going around the application, as the owner of the tables."""

from datetime import datetime
from uuid import UUID

import pytest
from flask import Flask

from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.patients.services import merge_records, undo_merge
from inventory.stock import verification
from tests.factories.patients import make_patient
from tests.integration.doses.test_laws import refused
from tests.support.databases import OwnerConnection

THEN = "2026-03-16 09:30:00"


@pytest.fixture
def people(app: Flask, at: datetime) -> dict[str, UUID]:
    """a and b are merged, c and d were once and are apart again, e never was."""
    found = {name: make_patient() for name in "abcde"}
    for kept, merged in ("ab", "cd"):
        done = merge_records(
            actor=SYSTEM_ACTOR, at=at, kept_id=found[kept], merged_id=found[merged], reason="Same"
        ).subject_id
        found[kept + merged] = done
    undo_merge(actor=SYSTEM_ACTOR, at=at, merge_id=found["cd"], reason="Twins")
    db.session.rollback()
    return found


def _id(connection: OwnerConnection, key: UUID) -> str:
    return f"'{key.hex}'" if "sqlite" in type(connection).__module__ else f"'{key}'"


def _merge(connection: OwnerConnection, kept: UUID, merged: UUID) -> str:
    made, actor = _id(connection, UUID(int=77)), _id(connection, UUID(int=0))
    return (
        "INSERT INTO patient_merge (id, kept_id, merged_id, reason, recorded_at, actor_id) VALUES"
        f" ({made}, {_id(connection, kept)}, {_id(connection, merged)}, 'x', '{THEN}', {actor})"
    )


@pytest.mark.parametrize("pair", ["ba", "ab", "cb", "bc"])
def test_only_records_that_stand_for_a_person_are_merged(
    people: dict[str, UUID], owner_connection: OwnerConnection, pair: str
) -> None:
    words = refused(owner_connection, _merge(owner_connection, people[pair[0]], people[pair[1]]))
    assert "law:merge_of_heads:patient_merge" in words


def test_no_record_is_merged_with_itself(people: dict[str, UUID], owner_connection: OwnerConnection) -> None:
    assert "ck_patient_merge_of_two" in refused(
        owner_connection, _merge(owner_connection, people["e"], people["e"])
    )


@pytest.mark.parametrize(
    "one, person", [("e", "a"), ("b", "b"), ("b", None), ("a", None), ("d", "c"), ("e", "e")]
)
def test_nothing_but_a_merge_says_whose_a_record_is(
    people: dict[str, UUID], owner_connection: OwnerConnection, one: str, person: str | None
) -> None:
    value = _id(owner_connection, people[person]) if person else "NULL"
    statement = f"UPDATE patient SET person_id = {value} WHERE id = {_id(owner_connection, people[one])}"
    assert "law:person_by_merge:patient" in refused(owner_connection, statement)


def test_no_record_is_born_merged(people: dict[str, UUID], owner_connection: OwnerConnection) -> None:
    copied = (
        "INSERT INTO patient (id, record_number, record_number_key, family_name, given_name, name_key, born_on, phone, email,"
        " address, allergy_status, notes, created_at, created_by_id, version, person_id)"
        f" SELECT {_id(owner_connection, UUID(int=5))}, 'X', 'x', family_name, given_name, name_key, born_on, phone, email,"
        " address, 'not_asked', notes, created_at, created_by_id, version, id FROM patient LIMIT 1"
    )
    assert "law:person_by_merge:patient" in refused(owner_connection, copied)


@pytest.mark.parametrize("table", ["patient_merge", "patient_merge_undo"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET reason = 'y'", "DELETE FROM {}"])
def test_a_merge_and_its_undoing_are_never_changed(
    people: dict[str, UUID], owner_connection: OwnerConnection, table: str, statement: str
) -> None:
    assert people
    assert f"law:insert_only:{table}" in refused(owner_connection, statement.format(table))


def test_a_merge_is_undone_once_by_the_database_too(
    people: dict[str, UUID], owner_connection: OwnerConnection
) -> None:
    columns = "merge_id, reason, recorded_at, actor_id"
    again = f"INSERT INTO patient_merge_undo ({columns}) SELECT {columns} FROM patient_merge_undo"
    assert people
    assert "patient_merge_undo" in refused(owner_connection, again)


def test_a_merge_by_hand_is_followed_and_seen(
    people: dict[str, UUID], owner_connection: OwnerConnection
) -> None:
    owner_connection.execute(_merge(owner_connection, people["e"], people["a"]))
    owner_connection.commit()
    rows = owner_connection.execute("SELECT person_id FROM patient WHERE person_id IS NOT NULL").fetchall()
    assert {UUID(str(row[0])) for row in rows} == {people["e"]}
    assert len(rows) == 3
    assert list(verification.findings(db.session())) == []


@pytest.mark.parametrize("changes", ["state = 'gone'", "state = 'deceased'", "died_on = '2026-01-01'"])
def test_who_died_has_a_day_of_death_and_nobody_else(
    people: dict[str, UUID], owner_connection: OwnerConnection, changes: str
) -> None:
    assert people
    assert "ck_patient_" in refused(owner_connection, f"UPDATE patient SET {changes}")


def test_verification_names_a_record_that_is_not_whose_the_merges_say(
    people: dict[str, UUID], owner_connection: OwnerConnection, engine_kind: str
) -> None:
    off = {
        "sqlite": "DROP TRIGGER patient_person_by_merge",
        "postgresql": "ALTER TABLE patient DISABLE TRIGGER patient_person_by_merge",
    }
    owner_connection.execute(off[engine_kind])
    one, other = _id(owner_connection, people["e"]), _id(owner_connection, people["a"])
    owner_connection.execute(f"UPDATE patient SET person_id = {other} WHERE id = {one}")
    owner_connection.execute(f"UPDATE patient SET person_id = NULL WHERE id = {other}")
    owner_connection.commit()
    found = list(verification.findings(db.session()))
    assert len([line for line in found if "whose record it is" in line]) == 2
