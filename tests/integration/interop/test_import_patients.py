"""Patients from a spreadsheet: all rows or none, every bad one named, the same file never twice."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
from click.testing import Result
from flask.testing import FlaskCliRunner
from sqlalchemy import func, select

from inventory.audit.models import AuditEntry
from inventory.kernel.db import db
from inventory.patients.models import Alert, AllergyStatus, Patient

SAMPLES = Path(__file__).parents[3] / "docs" / "samples"
Import = Callable[..., Result]


@pytest.fixture
def import_patients(cli: FlaskCliRunner, tmp_path: Path, at: datetime) -> Import:
    """Write the rows into a file and import it."""

    def run(content: str | bytes, *options: str) -> Result:
        file = tmp_path / "people.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return cli.invoke(args=["import", "patients", str(file), *options])

    return run


def patients() -> int:
    return db.session.scalar(select(func.count()).select_from(Patient)) or 0


def entries(action: str) -> int:
    return db.session.scalar(select(func.count()).where(AuditEntry.action == action)) or 0


def test_sample_file_is_imported_whole(cli: FlaskCliRunner, at: datetime) -> None:
    said = cli.invoke(args=["import", "patients", str(SAMPLES / "patients.csv")])
    assert (said.exit_code, said.output) == (0, "Added from patients.csv: 5 patients.\n")
    greek = db.session.execute(select(Patient).where(Patient.record_number == "W-1003")).scalar_one()
    assert greek.full_name == "Παπαδόπουλος, Ελένη"
    assert (greek.born_on, greek.allergy_status) == (date(1966, 11, 23), AllergyStatus.PRESENT)
    # The sheet does not say which allergies: the gate asks for them at the first dose.
    assert db.session.scalars(select(Alert)).all() == []
    assert greek.notes == "Penicillin: rash, 2009"
    assert entries("patients.add") == 5
    assert entries("interop.import-patients") == 1


def test_dry_run_says_what_would_be_written_and_writes_nothing(import_patients: Import) -> None:
    said = import_patients("family_name,born_on\nAda,1990-01-02\n", "--dry-run")
    assert said.exit_code == 0
    assert said.output == "people.csv is well and would add: 1 patient. Nothing was written.\n"
    assert patients() == entries("patients.add") == entries("interop.import-patients") == 0


def test_same_file_is_refused_the_second_time(import_patients: Import) -> None:
    content = "family_name,born_on\nAda,1990-01-02\n"
    assert import_patients(content).exit_code == 0
    again = import_patients(content, "--namesakes")
    assert again.exit_code == 1
    assert "IMPORT-ALREADY people.csv: This very file was imported on 2026-03-16 09:30 UTC." in again.output
    assert patients() == 1


def test_every_bad_row_is_named_and_none_is_written(import_patients: Import) -> None:
    said = import_patients(
        "record_number,family_name,born_on,allergy_status,allergies_asked_on\n"
        "A1,Well,1990-01-02,,\n"
        "A2,,31 Feb 1990,,\n"
        "a 1,Twice,1991-01-02,,\n"
        "A3,Well,1990-01-02,,\n"
        "A4,Later,2190-01-02,,\n"
        "A5,Asked,1990-01-02,perhaps,\n"
        "A6,Asked,1992-01-02,none_known,\n"
    )
    assert said.exit_code == 1
    assert said.output.splitlines()[:3] == [
        "Error: IMPORT-BAD-ROWS people.csv: 6 of 7 rows cannot be used. Nothing was written.",
        "line 3, born_on: DATE-INVALID “31 Feb 1990” is not a date. There is no such day.",
        "line 3, family_name: FIELD-REQUIRED This is needed.",
    ]
    for fault in (
        "line 4, record_number: IMPORT-ROW-TWICE",
        "line 5: PATIENT-LIKE",
        "line 6, born_on: BIRTH-DATE-FUTURE",
        "line 7, allergy_status: CHOICE-INVALID",
        "line 8, allergies_asked_on: ALLERGIES-DATE",
    ):
        assert fault in said.output
    assert patients() == 0


def test_rows_that_are_one_another_are_named(import_patients: Import) -> None:
    said = import_patients(
        "record_number,family_name,born_on\nA1,Well,1990-01-02\na 1,Other,1991-01-02\nA3,WELL,1990-01-02\n"
    )
    assert "line 3, record_number: IMPORT-ROW-TWICE Line 2 has this record number too." in said.output
    assert "line 4: PATIENT-LIKE Line 2 has the same name and date of birth." in said.output
    assert patients() == 0


def test_what_the_service_refuses_is_named_by_line(import_patients: Import) -> None:
    assert import_patients("record_number,family_name,born_on\nA1,Well,1990-01-02\n").exit_code == 0
    said = import_patients(
        "record_number,family_name,born_on,allergy_status\n"
        "A 1,Other,1991-01-02,\nA2,Later,2190-01-02,\nA3,Asked,1992-01-02,none_known\nA4,Fine,1993-01-02,\n"
    )
    assert said.exit_code == 1
    assert "3 of 4 rows" in said.output
    assert "line 2, record_number: RECORD-NUMBER-TAKEN" in said.output
    assert "line 3, born_on: BIRTH-DATE-FUTURE" in said.output
    assert "line 4, allergies_asked_on: ALLERGIES-DATE" in said.output
    assert patients() == 1


def test_somebody_on_record_is_refused_unless_namesakes_are_accepted(import_patients: Import) -> None:
    assert import_patients("family_name,born_on\nWell,1990-01-02\n").exit_code == 0
    row = "record_number,family_name,born_on\nB9,Wéll,1990-01-02\n"
    assert "PATIENT-LIKE" in import_patients(row).output
    assert import_patients(row, "--namesakes").exit_code == 0
    assert patients() == 2


def test_a_hundred_faults_are_shown_and_the_rest_counted(import_patients: Import) -> None:
    said = import_patients("family_name,born_on\n" + "A,never\n" * 130)
    lines = said.output.splitlines()
    assert lines[0].endswith("130 of 130 rows cannot be used. Nothing was written.")
    assert lines[100].startswith("line 101, born_on: DATE-INVALID")
    assert lines[101:] == ["and 30 more"]


@pytest.mark.parametrize(
    "content, code",
    [(b"", "IMPORT-EMPTY"), ("family_name,born_on\nJosé,1990".encode("latin-1"), "IMPORT-ENCODING")],
)
def test_what_is_no_sheet_is_one_line(import_patients: Import, content: bytes, code: str) -> None:
    said = import_patients(content)
    assert said.exit_code == 1
    assert said.output.startswith(f"Error: {code} people.csv: ")
    assert said.output.count("\n") == 1


def test_file_that_is_not_there_is_one_line(cli: FlaskCliRunner) -> None:
    said = cli.invoke(args=["import", "patients", "nowhere.csv"])
    assert (said.exit_code, said.output.count("\n")) == (1, 1)
    assert "IMPORT-UNREADABLE nowhere.csv" in said.output
