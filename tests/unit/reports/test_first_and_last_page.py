"""What is known only at the end stands on the first page; the last keeps places for signatures; and what the document says of itself."""

import io
import itertools
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import segno
from pyhanko.pdf_utils.reader import PdfFileReader
from pypdf import PdfReader

from inventory.reports.documents import charts
from inventory.reports.documents.administration_row import AdministrationRow, ReportedSite
from inventory.reports.documents.front import code_of, qr_text
from inventory.reports.documents.places import signature_places

MakeRow = Callable[..., AdministrationRow]
MakePdf = Callable[..., bytes]
SECTIONS = ["Administrations", "Totals", "Charts", "Dose numbers", "Sign-off"]


def titles(reader: PdfReader) -> list[str]:
    return [str(entry.title) for entry in reader.outline]  # type: ignore[union-attr]


def test_contents_name_the_page_on_which_each_section_begins(row: MakeRow, pages: Any) -> None:
    found = pages([row(number=f"MAIN-{n:06}") for n in range(1, 200)])
    contents = re.search(r"Contents In all (.*?) Manifest", found[0])
    assert contents
    for title in SECTIONS:
        told = re.search(rf"{title} (\d+)", contents[1])
        assert told, title
        # A title stands on its page; that of the rows is their heads.
        assert (title if title != "Administrations" else "Given at") in found[int(told[1]) - 1]


def test_bookmarks_lead_to_the_sections(row: MakeRow, pdf: MakePdf) -> None:
    assert titles(PdfReader(io.BytesIO(pdf([row()])))) == SECTIONS


def test_document_says_what_it_is(pdf: MakePdf) -> None:
    root = PdfReader(io.BytesIO(pdf([]))).trailer["/Root"]
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]


def test_places_for_signatures_are_in_the_file_on_its_last_page(row: MakeRow, pdf: MakePdf) -> None:
    content = pdf([row()])
    places = signature_places(PdfFileReader(io.BytesIO(content), strict=False))
    assert [place.name for place in places] == ["sign-1", "sign-2", "sign-3", "sign-4"]
    last = PdfReader(io.BytesIO(content)).pages[-1].indirect_reference
    assert last
    assert {place.page_object for place in places} == {last.idnum}
    boxes = [place.box for place in places]
    for left, bottom, right, top in boxes:
        assert 0 < left < right < 842
        assert 0 < bottom < top < 595
    assert all(upper[1] > lower[3] for upper, lower in itertools.pairwise(boxes))


def test_code_bears_number_manifest_and_head() -> None:
    text = qr_text("MAIN-7", "ab" * 32, 1204, "cd" * 32)
    assert text == f"REPORT MAIN-7 MANIFEST {'AB' * 32} HEAD 1204 {'CD' * 32}"


def test_every_dark_module_of_the_code_is_drawn_and_no_other() -> None:
    matrix = [list(row) for row in segno.make("REPORT MAIN-7", error="m", micro=False).matrix]
    size = len(matrix) + 8
    drawn = [[0] * size for _ in range(size)]
    for left, bottom, width in re.findall(
        r"([\d.]+) ([\d.]+) ([\d.]+) [\d.]+ re", code_of("REPORT MAIN-7", float(size))
    ):
        for column in range(round(float(left)), round(float(left) + float(width))):
            drawn[size - 1 - round(float(bottom))][column] = 1
    assert [line[4:-4] for line in drawn[4:-4]] == matrix
    assert sum(map(sum, drawn)) == sum(map(sum, matrix))


def test_gaps_are_named_and_none_is_said_too(row: MakeRow, pages: Any) -> None:
    assert "without a gap" in pages([row()])[-1] + pages([row()])[-2]
    found = " ".join(pages([row()], gaps=("MAIN-000004 to MAIN-000009",)))
    assert "Skipped MAIN-000004 to MAIN-000009" in found
    assert "Numbers skipped 1" in found


def test_heading_of_many_sites_stays_on_its_page(row: MakeRow, pages: Any) -> None:
    sites = tuple(
        ReportedSite(f"S{n:02}", f"Site with a rather long name {n}", "Europe/London") for n in range(40)
    )
    found = pages([row()], sites=sites)
    assert "Site with a rather long name 39 (S39): days of Europe/London" in found[0]
    assert "Manifest SHA-256" in found[0]
    assert "40 sites" in found[1]


@pytest.mark.parametrize(
    "first,last,span,bars",
    [
        (date(2026, 10, 5), date(2026, 10, 31), "week", 4),
        (date(2026, 1, 1), date(2026, 12, 31), "month", 12),
        (date(1900, 1, 1), date(2026, 12, 31), "year", 2),
    ],
)
def test_chart_counts_weeks_months_or_years(first: date, last: date, span: str, bars: int) -> None:
    by_day = {date(2026, 10, 6): 2, date(2026, 10, 12): 1, last: 4}
    if span == "year":
        by_day[date(2025, 3, 1)] = 5
    told, rows = charts.over_time(by_day, first, last)
    assert (told, len(rows)) == (span, bars)
    assert sum(figure for _, figure in rows) == sum(by_day.values())


def test_most_is_first_and_the_rest_are_one() -> None:
    counts = {f"name {n:02}": n for n in range(1, 20)}
    found = charts.largest(counts)
    assert found[0] == ("name 19", 19)
    assert found[-1] == ("8 others", 36)
    assert sum(figure for _, figure in found) == sum(counts.values())
