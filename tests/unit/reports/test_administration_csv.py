"""The administration report's CSV."""

import csv
import io
from collections.abc import Callable, Iterable
from datetime import date

import pytest

from inventory.reports.documents.administration_csv import FIELDS, CsvWriter, cells_of
from inventory.reports.documents.administration_row import AdministrationRow, Remark, Source, Standing

MakeRow = Callable[..., AdministrationRow]


def written(rows: Iterable[AdministrationRow]) -> bytes:
    out = io.BytesIO()
    writer = CsvWriter(out)
    for row in rows:
        writer.write(cells_of(row))
    return out.getvalue()


def read(rows: Iterable[AdministrationRow]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(written(rows).decode("utf-8-sig"), newline="")))


def test_begins_with_the_mark_that_excel_needs(row: MakeRow) -> None:
    assert written([row()]).startswith(b"\xef\xbb\xbfnumber,site,")


def test_amounts_are_exact_and_worded(row: MakeRow) -> None:
    found = read([row(dose_ng=12_500, volume_ul=250)])[0]
    assert (found["dose_ng"], found["dose_mcg"]) == ("12500", "12.5")
    assert (found["volume_ul"], found["volume_ml"]) == ("250", "0.25")


def test_has_every_row_and_field(row: MakeRow) -> None:
    remark = Remark("VOID", "Never opened, said Nora")
    rows = [row(), row(number="MAIN-000002", standing=Standing.VOID, marks=("VOID",), remarks=(remark,))]
    found = read(rows)
    assert [line["number"] for line in found] == ["MAIN-000001", "MAIN-000002"]
    assert list(found[0]) == [name for name, _ in FIELDS]
    assert found[1]["remarks"] == "VOID: Never opened, said Nora"


def test_instants_are_given_on_the_site_s_clock_and_in_utc(row: MakeRow) -> None:
    found = read([row()])[0]
    assert found["given_at"] == "2026-10-05T09:30:00+01:00"
    assert found["given_at_utc"] == "2026-10-05T08:30:00+00:00"


def test_several_sources_keep_their_order(row: MakeRow) -> None:
    sources = (
        Source("LOT1", date(2027, 3, 31), "V1", None, 400),
        Source("LOT2", date(2027, 4, 30), "V2", None, 600),
    )
    found = read([row(sources=sources)])[0]
    assert (found["lots"], found["drawn_ul"]) == ("LOT1; LOT2", "400; 600")


def test_names_survive_in_any_alphabet(row: MakeRow) -> None:
    assert (
        read([row(patient_name="\u738b\u5c0f\u660e, Zo\u00eb")])[0]["patient_name"]
        == "\u738b\u5c0f\u660e, Zo\u00eb"
    )


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"])
def test_formula_is_disarmed(begin: str, row: MakeRow) -> None:
    assert read([row(patient_name=f"{begin}cmd()")])[0]["patient_name"].startswith("'")


def test_plain_text_is_left_alone(row: MakeRow) -> None:
    assert read([row(patient_name="1-2=3")])[0]["patient_name"] == "1-2=3"
