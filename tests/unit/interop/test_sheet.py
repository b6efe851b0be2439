"""Reading a CSV: what a spreadsheet may save it as, and every fault named."""

import pytest

from inventory.interop import rules
from inventory.interop.rules import BadRowsError, Columns, read_sheet, refuse_faults
from inventory.kernel.errors import Refusal
from inventory.web.typed_text import clean_text, parse_date

COLUMNS = Columns(needed=("name", "born_on"), others=("note",))


@pytest.mark.parametrize(
    "raw",
    [
        b"name,born_on,note\nAda,1990-01-02,x\n",
        b"\xef\xbb\xbfname,born_on,note\r\nAda,1990-01-02,x",
        b"note;born_on;name\r\nx;1990-01-02;Ada\r\n",
        b"Name\t Born_On \tNOTE\nAda\t1990-01-02\tx\n",
        b'\n\nname,born_on,note\n,,\n"Ada",1990-01-02,"x"\n\n',
        b"name,born_on,note\rAda,1990-01-02,x\r",
    ],
    ids=["plain", "bom", "semicolons", "tabs-and-case", "blank-lines", "old-mac"],
)
def test_reads_what_spreadsheets_save(raw: bytes) -> None:
    (row,) = read_sheet(raw, COLUMNS)
    assert row.cells == {"name": "Ada", "born_on": "1990-01-02", "note": "x"}


def test_leaves_out_columns_that_need_not_be_there() -> None:
    (row,) = read_sheet(b"born_on,name\n1990-01-02,Ada\n", COLUMNS)
    assert row.cells["note"] == ""


def test_counts_lines_as_an_editor_does() -> None:
    rows = read_sheet(b'name,born_on,note\nA,1,"two\nlines"\n\nB,2,\n', COLUMNS)
    assert [(row.line, row.cells["name"]) for row in rows] == [(2, "A"), (5, "B")]


@pytest.mark.parametrize(
    "raw, code, said",
    [
        (b"", "IMPORT-EMPTY", "The file is empty."),
        (b"\xef\xbb\xbf \r\n ", "IMPORT-EMPTY", "The file is empty."),
        (b"name,born_on\n", "IMPORT-EMPTY", "The file has a header and no row."),
        (b"name,born_on\nAda\x00,1990\n", "IMPORT-NOT-CSV", "Line 2 has a NUL character"),
        (b"PK\x03\x04workbook", "IMPORT-NOT-CSV", "This is a workbook"),
        (b'name,born_on\nA,1\n"Ada,1990\n', "IMPORT-NOT-CSV", "begins on line 3"),
        ("name,born_on\n\nJosé,1990\n".encode("latin-1"), "IMPORT-ENCODING", "Line 3 is not in UTF-8"),
        ("name,born_on\nAda,1990\n".encode("utf-16"), "IMPORT-ENCODING", "UTF-16"),
        (b"name,born_on,shoe\nA,1,2\n", "IMPORT-HEADER", "Unknown column “shoe”. The header may name: name"),
        (b"name,note\nA,1\n", "IMPORT-HEADER", "Missing column “born_on”"),
        (b"name,born_on,name\nA,1,B\n", "IMPORT-HEADER", "Column named twice: “name”"),
        (b"<html><body>hello</body></html>", "IMPORT-HEADER", "Unknown column"),
    ],
)
def test_says_why_a_file_is_no_sheet(raw: bytes, code: str, said: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_sheet(raw, COLUMNS)
    assert refused.value.code == code
    assert said in refused.value.message
    assert "\n" not in refused.value.message


def test_refuses_more_rows_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOST_ROWS", 2)
    assert len(read_sheet(b"name,born_on\nA,1\nB,2\n", COLUMNS)) == 2
    with pytest.raises(Refusal, match="IMPORT-TOO-LARGE"):
        read_sheet(b"name,born_on\nA,1\nB,2\nC,3\n", COLUMNS)


def test_names_every_row_with_too_many_or_too_few_cells() -> None:
    with pytest.raises(BadRowsError) as bad:
        read_sheet(b"name,born_on\nA,1\nB\nC,3,4\n", COLUMNS)
    assert [str(fault) for fault in bad.value.faults] == [
        "line 3: IMPORT-ROW-SHAPE The row has 1 cells; the header has 2.",
        "line 4: IMPORT-ROW-SHAPE The row has 3 cells; the header has 2.",
    ]


def test_names_every_fault_of_a_row_by_column_and_code() -> None:
    sheet = "name,born_on,note\nAda,31 Feb 1990,\n,1990-01-02,ab\u202ec\n"
    rows = read_sheet(sheet.encode(), COLUMNS)
    for row in rows:
        row.need("name", clean_text)
        row.need("born_on", parse_date)
        row.read("note", clean_text)
    with pytest.raises(BadRowsError) as bad:
        refuse_faults(rows)
    assert [(fault.line, fault.column, fault.code) for fault in bad.value.faults] == [
        (2, "born_on", "DATE-INVALID"),
        (3, "name", "FIELD-REQUIRED"),
        (3, "note", "TEXT-CONTROL"),
    ]
