"""The laws of courses, tried by going around the application with plain SQL as the owner of the tables."""

from datetime import datetime

import pytest
from flask import Flask

from inventory.courses import services
from inventory.courses.models import Authority, CourseSlot, ProtocolStep
from inventory.kernel.db import db
from tests.conftest import AT
from tests.factories.courses import Ward, make_authority
from tests.factories.patients import make_patient
from tests.integration.doses.test_laws import ANOTHER, copy_of, refused
from tests.support.databases import OwnerConnection

SLOT = [column.name for column in CourseSlot.__table__.columns]
STEP = [column.name for column in ProtocolStep.__table__.columns]


@pytest.fixture
def ward(app: Flask, at: datetime) -> Ward:
    """A clinic with a course whose first dose was given, and a standing order."""
    made = Ward()
    made.course_id = made.start()
    made.bench.give()
    make_authority(made.formulation_id, actor=made.prescriber)
    db.session.rollback()
    return made


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE protocol_version SET source = 'Another'",
        "UPDATE protocol_step SET dose_ng = dose_ng + 1",
        "DELETE FROM protocol_step",
        "UPDATE course SET most_dose_ng = 9000000",
        "DELETE FROM course",
        "DELETE FROM dose_slot",
    ],
)
def test_no_row_of_an_order_changes(ward: Ward, owner_connection: OwnerConnection, statement: str) -> None:
    assert "law:insert_only" in refused(owner_connection, statement)


def test_no_decision_changes(ward: Ward, owner_connection: OwnerConnection) -> None:
    course_id = ward.course_id
    services.end_course(actor=ward.prescriber, at=AT, course_id=course_id, reason="Cured")
    assert "law:insert_only" in refused(owner_connection, "UPDATE course_change SET reason = 'Another'")


@pytest.mark.parametrize("table", ["protocol", "authority", "course_slot"])
def test_nothing_is_taken_out(ward: Ward, owner_connection: OwnerConnection, table: str) -> None:
    assert "law:undeletable" in refused(owner_connection, f"DELETE FROM {table}")


@pytest.mark.parametrize(
    "statement",
    ["UPDATE protocol SET name = 'Another'", "UPDATE authority SET expires_on = '2099-12-31'"],
)
def test_what_may_be_withdrawn_changes_in_nothing_else(
    ward: Ward, owner_connection: OwnerConnection, statement: str
) -> None:
    assert "law:finished_once" in refused(owner_connection, statement)


def test_no_step_is_added_to_a_published_version(
    ward: Ward, owner_connection: OwnerConnection, engine_kind: str
) -> None:
    for changes in ({"position": "3"}, {"position": "3", "step_count": "3"}):
        words = refused(owner_connection, copy_of("protocol_step", STEP, **changes)).lower()
        assert "ck_protocol_step_position" in words or "foreign key" in words


@pytest.mark.parametrize(
    "change",
    [
        "due_on = '2026-03-30' WHERE state = 'open'",
        "dose_ng = 1 WHERE state = 'open'",
        "opens_on = '2026-03-01' WHERE state = 'open'",
        "course_id = id WHERE state = 'open'",
        "planned_at = planned_at, number = 9 WHERE state = 'open'",
        "state = 'skipped', given_on = NULL WHERE state = 'given'",
        "state = 'open' WHERE state = 'open'",
    ],
)
def test_what_a_slot_asks_for_is_fixed(ward: Ward, owner_connection: OwnerConnection, change: str) -> None:
    assert "law:slot_decided" in refused(owner_connection, f"UPDATE course_slot SET {change}")


def test_a_decided_slot_is_not_opened_again_unless_it_was_given(
    ward: Ward, owner_connection: OwnerConnection
) -> None:
    owner_connection.execute(
        "UPDATE course_slot SET state = 'missed', decided_at = planned_at, decided_by_id = (SELECT actor_id FROM dose)"
        " WHERE state = 'open'"
    )
    owner_connection.commit()
    reopening = "UPDATE course_slot SET state = 'open', decided_at = NULL, decided_by_id = NULL WHERE state = 'missed'"
    assert "law:slot_decided" in refused(owner_connection, reopening)


def test_a_course_has_one_open_slot(ward: Ward, owner_connection: OwnerConnection, engine_kind: str) -> None:
    changes = {"id": ANOTHER[engine_kind], "number": "9", "state": "'open'", "given_on": "NULL"}
    changes |= {"decided_at": "NULL", "decided_by_id": "NULL"}
    words = refused(owner_connection, copy_of("course_slot", SLOT, **changes))
    assert "ix_course_slot_one_open" in words or "course_slot.course_id" in words


def test_one_dose_fulfils_a_slot(ward: Ward, owner_connection: OwnerConnection) -> None:
    ward.bench.give(ward.bench.request(patient_id=make_patient()))
    db.session.rollback()
    again = (
        "INSERT INTO dose_slot (dose_id, slot_id) SELECT dose.id, course_slot.id FROM dose, course_slot"
        " WHERE course_slot.state = '{}' AND dose.id NOT IN (SELECT dose_id FROM dose_slot)"
    )
    for state in ("given", "open"):
        assert "law:slot_fulfilled_once" in refused(owner_connection, again.format(state))


@pytest.mark.parametrize(
    "change,constraint",
    [
        ("least_dose_ng = most_dose_ng + 1", "ck_authority_dose_range"),
        ("expires_on = '2020-01-01'", "ck_authority_validity"),
    ],
)
def test_no_authority_is_upside_down(
    ward: Ward, owner_connection: OwnerConnection, engine_kind: str, change: str, constraint: str
) -> None:
    columns = [column.name for column in Authority.__table__.columns]
    name, _, value = change.partition(" = ")
    statement = copy_of("authority", columns, id=ANOTHER[engine_kind], document="'Another'", **{name: value})
    assert constraint in refused(owner_connection, statement)
