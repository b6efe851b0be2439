"""The opening balance of stock: sealed containers and opened vials exactly as the sheet counts them, once."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import func, select

from inventory.kernel.db import db
from inventory.stock.models import Lot, Movement
from inventory.stock.queries import drawable
from tests.factories.catalogue import make_multi_dose_product, make_product
from tests.factories.stock import make_place

SAMPLES = Path(__file__).parents[3] / "docs" / "samples"
HEADER = "product,lot_number,expires_on,location,sealed_containers,opened_on,use_by,remaining_ml\n"
Import = Callable[..., Result]


@pytest.fixture(autouse=True)
def _clinic(app: Flask, at: datetime) -> None:
    for location in ("Cabinet A", "Fridge 1"):
        make_place(location=location)
    make_product(name="Hydroxocobalamin 1 mg/mL ampoule", at=at)
    make_multi_dose_product(name="Ten mL", gtin="00301439620105", ndc10="0143-9620-10", at=at)


@pytest.fixture
def import_stock(cli: FlaskCliRunner, tmp_path: Path) -> Import:
    """Write the rows under the usual header into a file and import it."""

    def run(rows: str, *options: str) -> Result:
        file = tmp_path / "shelf.csv"
        file.write_text(HEADER + rows, encoding="utf-8")
        return cli.invoke(args=["import", "stock", str(file), *options])

    return run


def on_hand(at: datetime) -> list[tuple[str, str, int, date | None]]:
    """Return lot, location, microlitres and use-by of everything there is."""
    found = drawable(db.session(), site_id=make_place().site_id, on=at.date())
    return sorted((one.lot.lot_number, one.location.name, one.volume_ul, one.use_by_on) for one in found)


def movements() -> int:
    return db.session.scalar(select(func.count()).select_from(Movement)) or 0


def test_sample_file_is_imported_exactly(cli: FlaskCliRunner, at: datetime) -> None:
    said = cli.invoke(args=["import", "stock", str(SAMPLES / "stock.csv")])
    assert said.output == "Added from stock.csv: 3 lots, 46 sealed containers, 2 opened vials.\n"
    assert on_hand(at) == [
        ("CY0777", "Fridge 1", 7_250, date(2026, 4, 6)),
        ("CY0777", "Fridge 1", 60_000, None),
        ("CY0778", "Fridge 1", 1_500, date(2026, 3, 30)),
        ("HX2291", "Cabinet A", 40_000, None),
    ]
    assert cli.invoke(args=["stock", "verify"]).exit_code == 0
    assert cli.invoke(args=["audit", "verify"]).exit_code == 0


def test_month_alone_is_kept_as_such(cli: FlaskCliRunner) -> None:
    cli.invoke(args=["import", "stock", str(SAMPLES / "stock.csv")])
    lot = db.session.execute(select(Lot).where(Lot.lot_number == "CY0777")).scalar_one()
    assert (lot.expires_on, lot.expires_month_only) == (date(2027, 11, 30), True)


def test_same_file_is_refused_the_second_time(import_stock: Import, at: datetime) -> None:
    row = "Ten mL,A1,2027-11,Cabinet A,5,,,\n"
    assert import_stock(row).exit_code == 0
    before = movements()
    again = import_stock(row, "--site", "main")
    assert again.exit_code == 1
    assert "IMPORT-ALREADY" in again.output
    assert movements() == before


def test_dry_run_writes_nothing(import_stock: Import, at: datetime) -> None:
    said = import_stock("Ten mL,A1,2027-11,Cabinet A,5,2026-03-10,,4\n", "--dry-run")
    assert "would add: 1 lot, 5 sealed containers, 1 opened vial. Nothing was written." in said.output
    assert movements() == 0
    assert on_hand(at) == []


def test_several_opened_vials_of_one_lot_and_a_little_overfill(import_stock: Import, at: datetime) -> None:
    make_multi_dose_product(name="Overfilled", overfill_limit_ul=500, at=at)
    said = import_stock(
        "Overfilled,A1,2027-11,Cabinet A,0,2026-03-10,,10.5\n"
        "Overfilled,a 1,2027-11,Cabinet A,3,2026-03-16,2026-03-20,10\n"
    )
    assert said.exit_code == 0, said.output
    assert on_hand(at) == [
        ("A1", "Cabinet A", 10_000, date(2026, 3, 20)),
        ("A1", "Cabinet A", 10_500, date(2026, 4, 7)),
        ("A1", "Cabinet A", 30_000, None),
    ]


def test_opened_earlier_today_is_not_in_the_future(
    import_stock: Import, at_instant: Callable[[datetime], None]
) -> None:
    moment = datetime(2026, 3, 16, 0, 20, tzinfo=UTC)
    at_instant(moment)
    assert import_stock("Ten mL,A1,2027-11,Cabinet A,0,2026-03-16,,4\n").exit_code == 0
    assert on_hand(moment) == [("A1", "Cabinet A", 4_000, date(2026, 4, 13))]


@pytest.mark.parametrize(
    "row, fault",
    [
        ("Nothing,A1,2027-11,Cabinet A,5,,,", "line 2, product: PRODUCT-UNKNOWN"),
        (",A1,2027-11,Cabinet A,5,,,", "line 2, product: FIELD-REQUIRED"),
        ("Ten mL,A1,2027-11,Attic,5,,,", "line 2, location: LOCATION-UNKNOWN"),
        ("Ten mL,A1,2026-03-15,Cabinet A,5,,,", "line 2, expires_on: LOT-EXPIRED-ON-RECEIPT"),
        ("Ten mL,A1,2027-11,Cabinet A,-5,,,", "line 2, sealed_containers: NUMBER-INVALID"),
        ("Ten mL,A1,2027-11,Cabinet A,999999,,,", "line 2, sealed_containers: COUNT-RANGE"),
        ("Ten mL,A1,2027-11,Cabinet A,0,,,", "line 2, sealed_containers: COUNT-RANGE"),
        ("Ten mL,A1,2027-11,Cabinet A,0,2026-03-10,,", "line 2, remaining_ml: FIELD-REQUIRED"),
        ("Ten mL,A1,2027-11,Cabinet A,0,,,4", "line 2, opened_on: FIELD-REQUIRED"),
        ("Ten mL,A1,2027-11,Cabinet A,0,2026-03-17,,4", "line 2, opened_on: TIME-FUTURE"),
        ("Ten mL,A1,2027-11,Cabinet A,0,2026-02-01,,4", "line 2, opened_on: VIAL-PAST-USE-BY"),
        ("Ten mL,A1,2027-11,Cabinet A,0,2026-03-10,2026-06-01,4", "line 2, use_by: VIAL-USE-BY"),
        ("Ten mL,A1,2027-11,Cabinet A,0,2026-03-10,,10.001", "line 2, remaining_ml: VIAL-OVERFULL"),
        ("Ten mL,A1,2027-11,Cabinet A,0,2026-03-10,,0.0001", "line 2, remaining_ml: AMOUNT-INVALID"),
        (
            "Hydroxocobalamin 1 mg/mL ampoule,A1,2027-11,Cabinet A,0,2026-03-10,,0.5",
            "line 2, opened_on: SINGLE-DOSE-ONLY-ONCE",
        ),
    ],
)
def test_bad_row_is_named_and_nothing_written(import_stock: Import, row: str, fault: str) -> None:
    said = import_stock(f"{row}\nTen mL,GOOD,2027-11,Cabinet A,5,,,\n")
    assert said.exit_code == 1
    assert fault in said.output
    assert said.output.startswith("Error: IMPORT-BAD-ROWS shelf.csv: 1 of 2 rows")
    assert movements() == 0


def test_rows_that_contradict_one_another_are_named(import_stock: Import) -> None:
    said = import_stock("Ten mL,A1,2027-11,Cabinet A,5,,,\n0143-9620-10,a1,2027-11,cabinet a,2,,,\n")
    assert "line 3, sealed_containers: IMPORT-ROW-TWICE Line 2 counts" in said.output
    said = import_stock("Ten mL,A1,2027-11,Cabinet A,5,,,\nTen mL,A1,2027-12,Fridge 1,5,,,\n")
    assert "line 3, expires_on: LOT-EXPIRY-DIFFERS" in said.output
    assert movements() == 0


def test_name_of_several_makers_asks_for_the_code(import_stock: Import, at: datetime) -> None:
    make_multi_dose_product(name="Ten mL", maker="Somebody else", at=at)
    said = import_stock("Ten mL,A1,2027-11,Cabinet A,5,,,\n")
    assert "PRODUCT-AMBIGUOUS Several products have this name (Invented Makers, Somebody else)" in said.output
    assert (
        import_stock("Ten mL,A1,2027-11,Cabinet A,5,,,\n".replace("Ten mL", "00301439620105")).exit_code == 0
    )


def test_site_is_asked_for_where_there_are_several(import_stock: Import) -> None:
    make_place(code="NORTH", location="Cabinet A")
    row = "Ten mL,A1,2027-11,Cabinet A,5,,,\n"
    assert (
        "SITE-NEEDED shelf.csv: Say for which site, with --site CODE: MAIN, NORTH."
        in import_stock(row).output
    )
    assert "SITE-UNKNOWN" in import_stock(row, "--site", "SOUTH").output
    assert import_stock(row, "--site", "north").exit_code == 0
