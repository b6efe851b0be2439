"""A cell of a file never runs as a formula, and a number stays a number."""

import pytest

from inventory.web.spreadsheets import csv_answer, safe_cell


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "+442079460000+1", "+44-20-79460000", "@SUM(A1)", "-1+2", "-", "\t=1", "\uff1d1"]
)
def test_what_would_run_gets_an_apostrophe(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    "text", ["", "LOT-1", "12", "-12", "-0.5", "+44 20 7946 0000", "+44 (20) 7946-0000", "+442079460000"]
)
def test_everything_else_stays_as_it_is(text: str) -> None:
    assert safe_cell(text) == text


def test_a_file_opens_in_a_spreadsheet() -> None:
    answer = csv_answer("count.csv", ["lot"], [["=1"], ["\u00c4"]])
    assert answer.get_data() == b"\xef\xbb\xbflot\r\n'=1\r\n\xc3\x84\r\n"
    assert answer.headers["Content-Disposition"] == "attachment; filename=count.csv"
