"""Laboratory results: recorded exactly, all or none; corrected and retracted by new rows, which the database holds too."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import func, insert, select
from sqlalchemy.exc import DBAPIError

from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.patients.laboratory import MILLION, Amount, Analyte, Comparator
from inventory.patients.measured_queries import last_units, standing_labs, superseded_among
from inventory.patients.models import LabResult
from inventory.patients.services import Sample, correct_lab, record_labs, retract_lab
from tests.factories.measured import make_lab, make_reading
from tests.factories.patients import BORN_ON, make_patient
from tests.support.databases import OwnerConnection


@pytest.fixture
def patient_id(app: Flask, at: datetime) -> UUID:
    return make_patient(has_baseline=False)


def count() -> int:
    return db.session.scalar(select(func.count()).select_from(LabResult)) or 0


def codes(caught: pytest.ExceptionInfo[Refusals]) -> set[tuple[str, str | None]]:
    return {(refusal.code, refusal.field) for refusal in caught.value.refusals}


def test_keeps_a_sample_exactly_as_it_was_reported(patient_id: UUID, at: datetime) -> None:
    taken_at = at - timedelta(days=3)
    record_labs(
        actor=SYSTEM_ACTOR,
        at=at,
        patient_id=patient_id,
        sample=Sample(taken_at, "Northmoor Laboratory"),
        readings=[
            make_reading("< 150.0", low="180", high="914"),
            make_reading("5.1", analyte=Analyte.POTASSIUM),
        ],
    )
    b12, potassium = standing_labs(db.session(), patient_id)
    assert (b12.amount, b12.unit, b12.loinc) == (
        Amount(150 * MILLION, 1, Comparator.BELOW),
        "pg/mL",
        "2132-9",
    )
    assert (b12.low_millionths, b12.high_millionths) == (180 * MILLION, 914 * MILLION)
    assert (b12.laboratory, b12.taken_at, b12.recorded_at) == ("Northmoor Laboratory", taken_at, at)
    assert (str(potassium.amount), potassium.unit, potassium.low_millionths) == ("5.1", "mmol/L", None)
    assert last_units(db.session()) == {Analyte.B12: "pg/mL", Analyte.POTASSIUM: "mmol/L"}


def test_one_bad_line_keeps_the_whole_sample_out_and_all_are_named(patient_id: UUID, at: datetime) -> None:
    bad = [
        make_reading("210"),
        replace(make_reading("5", analyte=Analyte.POTASSIUM), unit=""),
        make_reading("13", analyte=Analyte.HAEMOGLOBIN, low="17", high="12"),
    ]
    with pytest.raises(Refusals) as caught:
        record_labs(
            actor=SYSTEM_ACTOR,
            at=at,
            patient_id=patient_id,
            sample=Sample(at + timedelta(minutes=1)),
            readings=bad,
        )
    assert codes(caught) == {
        ("LAB-FUTURE", "taken_at"),
        ("LAB-UNIT", "potassium_unit"),
        ("LAB-RANGE-ORDER", "haemoglobin_low"),
    }
    assert count() == 0


def test_refuses_nothing_a_day_before_birth_and_the_same_result_twice(patient_id: UUID, at: datetime) -> None:
    who = {"actor": SYSTEM_ACTOR, "at": at, "patient_id": patient_id}
    with pytest.raises(Refusal, match="LAB-NONE"):
        record_labs(**who, sample=Sample(at), readings=[])  # type: ignore[arg-type]
    unborn = datetime(BORN_ON.year, BORN_ON.month, BORN_ON.day, tzinfo=at.tzinfo) - timedelta(days=2)
    with pytest.raises(Refusals, match="LAB-BEFORE-BIRTH"):
        record_labs(**who, sample=Sample(unborn), readings=[make_reading()])  # type: ignore[arg-type]
    make_lab(patient_id)
    with pytest.raises(Refusals, match="LAB-TWICE"):
        make_lab(patient_id, "300")
    assert count() == 1


def correct(
    patient_id: UUID, result_id: UUID, at: datetime, text: str = "201", reason: str = "Read wrongly"
) -> UUID:
    return correct_lab(
        actor=SYSTEM_ACTOR,
        at=at,
        patient_id=patient_id,
        result_id=result_id,
        sample=Sample(at, "Northmoor Laboratory"),
        reading=make_reading(text),
        reason=reason,
    ).subject_id


def test_a_correction_stands_in_for_the_old_row_which_stays(patient_id: UUID, at: datetime) -> None:
    old = make_lab(patient_id)
    new = correct(patient_id, old, at)
    assert [row.id for row in standing_labs(db.session(), patient_id)] == [new]
    rows = db.session.scalars(select(LabResult)).all()
    assert {row.id for row in rows} == {old, new}
    assert superseded_among(db.session(), rows)[old].reason == "Read wrongly"
    with pytest.raises(Refusal, match="CORRECTED-ALREADY"):
        correct(patient_id, old, at, "202")
    assert correct(patient_id, new, at, "202")


def test_a_correction_needs_a_difference_a_reason_and_the_right_patient(
    patient_id: UUID, at: datetime
) -> None:
    old = make_lab(patient_id)
    for changes, code in (
        ({"text": "210"}, "NOTHING-CHANGED"),
        ({"reason": "  "}, "REASON-NEEDED"),
        ({"patient_id": make_patient(has_baseline=False)}, "NOT-FOUND"),
    ):
        with pytest.raises(Refusal, match=code):
            correct(**{"patient_id": patient_id, "result_id": old, "at": at, **changes})  # type: ignore[arg-type]
    assert count() == 1


def test_what_is_retracted_stands_no_more_and_may_be_typed_anew(patient_id: UUID, at: datetime) -> None:
    old = make_lab(patient_id)
    retracted = retract_lab(
        actor=SYSTEM_ACTOR, at=at, patient_id=patient_id, result_id=old, reason="Somebody else's blood"
    ).subject_id
    assert standing_labs(db.session(), patient_id) == []
    with pytest.raises(Refusal, match="RETRACTED"):
        correct(patient_id, retracted, at)
    again = make_lab(patient_id, "300")
    assert [row.id for row in standing_labs(db.session(), patient_id)] == [again]


def test_the_trail_proves_results(patient_id: UUID, at: datetime, cli: FlaskCliRunner) -> None:
    correct(patient_id, make_lab(patient_id), at)
    said = cli.invoke(args=["audit", "verify"])
    assert (said.exit_code, "The trail is well" in said.output) == (0, True), said.output


# Around the application -------------------------------------------------------------------------------------------


def row(patient_id: UUID, at: datetime, **changes: object) -> dict[str, object]:
    usual: dict[str, object] = {
        "id": uuid4(),
        "patient_id": patient_id,
        "analyte": "b12",
        "loinc": "2132-9",
        "comparator": "",
        "value_millionths": 210 * MILLION,
        "value_places": 0,
        "unit": "pg/mL",
        "low_millionths": None,
        "high_millionths": None,
        "laboratory": "",
        "taken_at": at,
        "recorded_at": at,
        "actor_id": SYSTEM_ACTOR.id,
        "corrects_id": None,
        "is_retraction": False,
        "reason": None,
    }
    return usual | changes


def inserted(values: dict[str, object]) -> str:
    """Insert a row behind the services, and return what the database said; empty where it took it."""
    db.session.rollback()
    try:
        with db.engine.begin() as connection:
            connection.execute(insert(LabResult.__table__), values)  # type: ignore[arg-type]
    except DBAPIError as error:
        return str(error.orig)
    return ""


@pytest.mark.parametrize(
    "changes, law",
    [
        ({}, ""),
        ({"value_millionths": -1}, "ck_lab_result_value"),
        ({"value_places": 7}, "ck_lab_result_value"),
        ({"unit": ""}, "ck_lab_result_unit"),
        ({"comparator": "~"}, "ck_lab_result_comparator"),
        ({"low_millionths": 2, "high_millionths": 1}, "ck_lab_result_range"),
        ({"low_millionths": 1, "high_millionths": None}, ""),
        ({"low_millionths": None, "high_millionths": -1}, "ck_lab_result_range"),
        ({"reason": "Why"}, "ck_lab_result_reason"),
        ({"is_retraction": True}, "ck_lab_result_retraction"),
    ],
)
def test_the_database_holds_what_a_result_is(
    patient_id: UUID, at: datetime, changes: dict[str, object], law: str
) -> None:
    said = inserted(row(patient_id, at, **changes))
    assert law in said
    assert bool(said) == bool(law), said


def test_the_database_takes_no_result_of_the_future(patient_id: UUID, at: datetime) -> None:
    assert "ck_lab_result_taken" in inserted(row(patient_id, at, taken_at=at + timedelta(seconds=1)))


def test_sqlite_takes_whole_amounts_only(patient_id: UUID, at: datetime) -> None:
    if db.engine.dialect.name == "sqlite":
        for name in ("value_millionths", "low_millionths", "high_millionths"):
            values = row(patient_id, at, low_millionths=1, high_millionths=9) | {name: 4.5}
            assert "law:whole_amount:lab_result" in inserted(values)


def test_a_correction_is_of_the_same_patient_and_analyte_once_and_of_nothing_retracted(
    patient_id: UUID, at: datetime
) -> None:
    old = make_lab(patient_id)
    corrects = {"corrects_id": old, "reason": "Why"}
    foreign = ("foreign key", "FOREIGN KEY")
    assert any(word in inserted(row(make_patient(has_baseline=False), at, **corrects)) for word in foreign)
    assert any(word in inserted(row(patient_id, at, analyte="mma", **corrects)) for word in foreign)
    retracted = uuid4()
    assert inserted(row(patient_id, at, id=retracted, is_retraction=True, **corrects)) == ""
    again = inserted(row(patient_id, at, **corrects))
    assert "uq_lab_result_corrects_id" in again or "law:insert_only:lab_result" in again
    after = row(patient_id, at, corrects_id=retracted, reason="Why")
    assert "law:after_retraction:lab_result" in inserted(after)


Try = Callable[[str], str]


@pytest.fixture
def refused(owner_connection: OwnerConnection) -> Try:
    """Runs a statement as the owner of the tables, which must fail, and returns what the database said."""

    def run(statement: str) -> str:
        db.session.rollback()
        with pytest.raises(Exception) as caught:
            owner_connection.execute(statement)
        owner_connection.rollback()
        return str(caught.value)

    return run


@pytest.mark.parametrize("table", ["lab_result", "symptom_score", "checklist_answer"])
def test_no_row_is_changed_or_taken_out(measured: UUID, refused: Try, table: str, at: datetime) -> None:
    rude = f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"
    rude = f"TRUNCATE {table} CASCADE" if db.engine.dialect.name == "postgresql" else rude
    for statement in (f"UPDATE {table} SET recorded_at = NULL", f"DELETE FROM {table}", rude):
        assert "law:insert_only" in refused(statement)


def test_an_item_of_the_checklist_is_retired_never_deleted(app: Flask, refused: Try) -> None:
    assert "law:undeletable" in refused("DELETE FROM checklist_item")
