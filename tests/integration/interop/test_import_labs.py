"""Laboratory results from a spreadsheet: all rows or none, every bad one named, the same file never twice."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result
from flask.testing import FlaskCliRunner
from sqlalchemy import func, select

from inventory.audit.models import AuditEntry
from inventory.kernel.db import db
from inventory.patients.models import LabResult
from tests.factories.clinic import make_site
from tests.factories.measured import make_lab
from tests.factories.patients import make_patient

SAMPLES = Path(__file__).parents[3] / "docs" / "samples"
HEAD = "record_number,analyte,value,unit,low,high,laboratory,taken_at\n"
Import = Callable[..., Result]


@pytest.fixture
def import_labs(cli: FlaskCliRunner, tmp_path: Path, at: datetime) -> Import:
    """Write the rows into a file and import it, in a clinic with the patient A1."""
    make_site()
    make_patient(has_baseline=False, record_number="A1")

    def run(rows: str, *options: str) -> Result:
        file = tmp_path / "labs.csv"
        file.write_text(HEAD + rows, encoding="utf-8")
        return cli.invoke(args=["import", "labs", str(file), *options])

    return run


def results() -> list[LabResult]:
    return list(db.session.scalars(select(LabResult).order_by(LabResult.id)))


def test_sample_file_is_imported_whole(cli: FlaskCliRunner, at: datetime) -> None:
    make_site()
    cli.invoke(args=["import", "patients", str(SAMPLES / "patients.csv")])
    said = cli.invoke(args=["import", "labs", str(SAMPLES / "labs.csv")])
    assert (said.exit_code, said.output) == (0, "Added from labs.csv: 5 results, 3 patients.\n")
    b12, _, mma, homocysteine, potassium = results()
    assert (str(b12.amount), b12.unit, b12.loinc, b12.low_millionths) == (
        "142",
        "pg/mL",
        "2132-9",
        180_000_000,
    )
    assert (str(mma.amount), mma.low_millionths, mma.high_millionths) == ("< 0.61", None, 270_000)
    assert (homocysteine.analyte, homocysteine.unit) == ("homocysteine", "umol/L")
    assert potassium.taken_at.astimezone(UTC).date().isoformat() == "2026-02-02"
    entries = db.session.scalar(select(func.count()).where(AuditEntry.action == "interop.import-labs"))
    assert entries == 1


def test_dry_run_writes_nothing_and_the_same_file_is_taken_once(import_labs: Import) -> None:
    row = "A1,b12,210,pg/mL,180,914,,2026-03-01\n"
    assert "is well and would add: 1 result, 1 patient" in import_labs(row, "--dry-run").output
    assert results() == []
    assert import_labs(row).exit_code == 0
    assert "IMPORT-ALREADY" in import_labs(row).output
    assert len(results()) == 1


def test_every_bad_row_is_named_and_none_is_written(import_labs: Import) -> None:
    said = import_labs(
        "A1,b12,210,pg/mL,,,,2026-03-01 08:00\n"
        "A9,b12,210,pg/mL,,,,2026-03-01\n"
        "A1,zinc,210,pg/mL,,,,2026-03-01\n"
        "A1,b12,low,pg/mL,,,,2026-03-01\n"
        "A1,b12,210,,,,,2026-03-01\n"
        "A1,b12,210,g/dL,,,,2026-03-01\n"
        "A1,mma,210,nmol/L,271,73,,2026-03-01\n"
        "A1,mcv,90,fL,,,,2026-04-01\n"
        "A1,ferritin,5,ug/L,,,,31 Feb 2026\n"
        "a 1,2132-9,211,ng/L,,,,2026-03-01 08:00\n"
    )
    assert said.exit_code == 1
    for fault in (
        "IMPORT-BAD-ROWS labs.csv: 9 of 10 rows cannot be used. Nothing was written.",
        "line 3, record_number: PATIENT-UNKNOWN",
        "line 4, analyte: LAB-ANALYTE",
        "line 5, value: LAB-VALUE",
        "line 6, unit: LAB-UNIT",
        "line 7, unit: LAB-UNIT Vitamin B12 is not measured in",
        "line 8, low: LAB-RANGE-ORDER",
        "line 9, taken_at: LAB-FUTURE",
        "line 10, taken_at: DATE-INVALID",
        "line 11, value: IMPORT-ROW-TWICE Line 2 has this result of this sample too.",
    ):
        assert fault in said.output, said.output
    assert results() == []


def test_what_is_on_record_already_is_refused(import_labs: Import, at: datetime) -> None:
    make_lab(
        make_patient(has_baseline=False, record_number="B2"), taken_at=datetime(2026, 3, 1, 8, tzinfo=UTC)
    )
    said = import_labs("B2,b12,210,pg/mL,,,,2026-03-01 08:00\n")
    assert "line 2, value: LAB-TWICE" in said.output
    assert len(results()) == 1
