"""The administration report's PDF, read back as an auditor's program would read it."""

import hashlib
import io
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from inventory.reports.documents.administration_row import (
    AdministrationRow,
    Practitioner,
    Remark,
    ReportedSite,
    Source,
    Standing,
)
from inventory.reports.documents.fonts import BOLD, REGULAR, embedded_font

MakeRow = Callable[..., AdministrationRow]
ReadPages = Callable[..., list[str]]
WritePdf = Callable[..., bytes]

printable = st.characters(exclude_categories=("C", "Z"), max_codepoint=0x2FFFF)


def without_blanks(text: str) -> str:
    return "".join(text.split())


def left_to_right(character: str) -> bool:
    return unicodedata.bidirectional(character) not in {"R", "AL", "AN"}


def test_heading_says_what_who_when_and_which(pages: ReadPages, row: MakeRow) -> None:
    first = pages([row()])[0]
    for words in (
        "Administration report",
        "Report MAIN-12",
        "Harbour Clinic",
        "Harbour Street (MAIN), days of Europe/London",
        "1 Oct 2026 to 31 Oct 2026",
        "Practitioner all",
        "Lot LOT77",
        "Aud Auditor, auditor",
        "1 Nov 2026, 08:00:00 UTC",
    ):
        assert words in first


def test_row_shows_every_field(pages: ReadPages, row: MakeRow) -> None:
    text = pages([row()])[0]
    for words in (
        "5 Oct 2026 09:30 +01:00",
        "Anna Kowalska R1001, born 3 Apr 1961",
        "Cyanocobalamin vial 1,000 mcg/mL",
        "LOT77, exp 31 Mar 2027 vial V12, use by 2 Nov 2026",
        "1,000 1 Left deltoid IM",
        "Nora Nurse RN 12345",
        "Pernicious anaemia Consent seen",
        "5 Oct 2026 09:32 +01:00",
    ):
        assert words in text


def test_each_source_of_a_dose_has_its_line(pages: ReadPages, row: MakeRow) -> None:
    sources = (
        Source("LOT1", date(2027, 3, 31), "V1", None, 400),
        Source("LOT2", date(2027, 4, 30), "V2", None, 600),
    )
    text = pages([row(sources=sources)])[0]
    assert "LOT1, exp 31 Mar 2027 vial V1, 0.4 mL LOT2, exp 30 Apr 2027 vial V2, 0.6 mL" in text


def test_void_is_shown_with_its_reason(pages: ReadPages, row: MakeRow) -> None:
    remark = Remark("VOID", "Never opened. Piet Prescriber")
    text = pages([row(standing=Standing.VOID, marks=("VOID",), remarks=(remark,))])[0]
    assert "Anna Kowalska" in text
    assert "VOID VOID Never opened. Piet Prescriber" in text


def test_totals_count_voided_and_amended_apart(pages: ReadPages, row: MakeRow) -> None:
    rows = [
        row(),
        row(number="MAIN-000002", standing=Standing.VOID),
        row(number="MAIN-000003", standing=Standing.AMENDED, volume_ul=250),
    ]
    text = " ".join(pages(rows))
    for name in ("Cyanocobalamin", "Left deltoid", "Nora Nurse, RN 12345", "All administrations"):
        assert f"{name} 1 1,000 1 2 2,000 1.25" in text
    assert "3 entries, of which 2 void or amended" in text


def test_chain_head_stands_on_the_first_and_the_last_page(pages: ReadPages, row: MakeRow) -> None:
    found = pages([row(number=f"MAIN-{number:06d}") for number in range(1, 120)])
    assert len(found) > 2
    for page in (found[0], found[-1]):
        assert f"entry 4,321, hash {'ab' * 32}" in page


def test_every_page_says_which_of_how_many(pages: ReadPages, row: MakeRow) -> None:
    found = pages([row(number=f"MAIN-{number:06d}") for number in range(1, 200)])
    assert [f"Page {number} of {len(found)}" in page for number, page in enumerate(found, 1)] == [True] * len(
        found
    )


def test_demo_is_marked_on_every_page(pages: ReadPages, row: MakeRow) -> None:
    rows = [row(number=f"MAIN-{number:06d}") for number in range(1, 60)]
    assert all("DEMO" in page for page in pages(rows, is_demo=True))
    assert not any("DEMO" in page for page in pages(rows))


def test_empty_period_says_so(pages: ReadPages) -> None:
    found = pages([], not_given=2)
    assert "No administrations in this period with these filters." in found[0]
    assert "Not given, recorded with a reason: 2" in " ".join(found)


def test_several_sites_name_their_days_and_rows_their_site(pages: ReadPages, row: MakeRow) -> None:
    sites = (
        ReportedSite("MAIN", "Harbour", "Europe/London"),
        ReportedSite("NYC", "Pier", "America/New_York"),
    )
    text = pages([row(site_code="NYC", number="NYC-000001")], sites=sites)[0]
    assert "Pier (NYC), days of America/New_York" in text
    assert "NYC-000001 5 Oct 2026" in text


def test_a_number_and_a_word_of_marks_do_not_break(pages: ReadPages, row: MakeRow) -> None:
    remarks = (Remark("SEEN", "LOT-NEAR-EXPIRY: it expires soon."), Remark("DEVIATION", "Late."))
    marked = row(number="MAIN-000401", remarks=remarks, marks=("DEVIATION", "OVERRIDE"))
    text = pages([marked, row(number="LONGSITE-000402")])[0]
    assert "MAIN-000401 5 Oct 2026" in text
    assert "SEEN LOT-NEAR-EXPIRY" in text
    assert "DEVIATION OVERRIDE" in text
    assert "LONGSITE- 000402" in text


def test_word_wider_than_its_column_is_not_cut(pages: ReadPages, row: MakeRow) -> None:
    assert "W" * 200 in without_blanks(pages([row(patient_name="W" * 200)])[0])


def test_entry_taller_than_a_page_goes_on(pages: ReadPages, row: MakeRow) -> None:
    words = [f"word{number}" for number in range(9_000)]
    found = pages(
        [row(number="MAIN-000007", remarks=(Remark("NOTE", " ".join(words)),)), row(number="MAIN-000008")]
    )
    text = " ".join(found)
    assert "MAIN-000007 (continued)" in found[1]
    assert all(word in text.split() for word in words[::97] + words[-1:])


def test_letter_paper_is_landscape_letter(pdf: WritePdf, row: MakeRow) -> None:
    box = PdfReader(io.BytesIO(pdf([row()], paper="letter"))).pages[0].mediabox
    assert (float(box.width), float(box.height)) == (792, 612)


@pytest.mark.parametrize(
    "name",
    [
        "Zo\u00eb Bront\u00eb-\u00c5ngstr\u00f6m",
        "\u0393\u03b9\u03ce\u03c1\u03b3\u03bf\u03c2",
        "\u041d\u0430\u0442\u0430\u043b\u044c\u044f",
        "\u0531\u0580\u0561\u0574",
        "\u10d2\u10d8\u10dd\u10e0\u10d2\u10d8",
        "Nguy\u1ec5n Th\u1ecb \u00c1nh",
        "O'Brien (J\\r)",
    ],
)
def test_name_is_found_as_typed(pages: ReadPages, row: MakeRow, name: str) -> None:
    assert name in pages([row(patient_name=name)])[0]


def test_decomposed_name_is_found_composed(pages: ReadPages, row: MakeRow) -> None:
    assert "Zo\u00eb" in pages([row(patient_name="Zoe\u0308")])[0]


@pytest.mark.parametrize("name", ["\u05dc\u05d0\u05d4 \u05db\u05d4\u05df", "\u0645\u062d\u0645\u062f"])
def test_right_to_left_name_carries_the_text_as_typed(pdf: WritePdf, row: MakeRow, name: str) -> None:
    content = PdfReader(io.BytesIO(pdf([row(patient_name=name)]))).pages[0].get_contents().get_data()
    assert f"/ActualText <FEFF{name.encode('utf-16-be').hex().upper()}>".encode() in content


def test_character_without_a_glyph_is_printed_as_its_number_with_a_note(
    pages: ReadPages, row: MakeRow
) -> None:
    found = pages([row(patient_name="\u738b\u5c0f\u660e")], not_given=1)[0]
    assert "[U+738B][U+5C0F][U+660E]" in without_blanks(found)
    assert "[U+...] on this page" in found


def test_note_stands_only_where_a_number_was_printed(pages: ReadPages, row: MakeRow) -> None:
    assert "[U+...]" not in pages([row()])[0]


def test_unseen_characters_are_printed_as_their_number(pages: ReadPages, row: MakeRow) -> None:
    text = without_blanks(pages([row(patient_name="A\u202eB\x00C\u200bD")])[0])
    assert "A[U+202E]B[U+0000]C[U+200B]D" in text


@settings(max_examples=60, deadline=None)
@given(text=st.text(alphabet=printable, min_size=1, max_size=60))
def test_every_character_is_printed_or_named(pages: ReadPages, row: MakeRow, text: str) -> None:
    extracted = without_blanks(
        "".join(pages([row(patient_name=text, indication="", giver=Practitioner("", ""))]))
    )
    font = embedded_font(REGULAR).face.charToGlyph
    for character in unicodedata.normalize("NFC", text):
        named = f"[U+{ord(character):04X}]" in extracted
        shown = character in unicodedata.normalize("NFKC", extracted) or character in extracted
        assert (
            named
            or shown
            or unicodedata.normalize("NFKC", character) in unicodedata.normalize("NFKC", extracted)
        )
        assert named != (ord(character) in font and ord(character) <= 0xFFFF) or not left_to_right(character)


def test_same_input_gives_the_same_bytes(pdf: WritePdf, row: MakeRow) -> None:
    rows = [row(number=f"MAIN-{number:06d}", patient_name=f"Zo\u00eb {number}") for number in range(30)]
    first, second = (hashlib.sha256(pdf(rows)).hexdigest() for _ in range(2))
    assert first == second


def test_document_says_what_it_is(pdf: WritePdf, row: MakeRow) -> None:
    reader = PdfReader(io.BytesIO(pdf([row()])))
    assert reader.metadata.title == "Administration report MAIN-12"
    assert reader.metadata.author == "Harbour Clinic"
    assert "number MAIN-12" in reader.metadata.subject
    assert reader.metadata.creation_date == datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
    assert reader.trailer["/Root"]["/Lang"] == "en"


def test_every_font_is_embedded(pdf: WritePdf, row: MakeRow) -> None:
    fonts = (
        PdfReader(io.BytesIO(pdf([row(patient_name="\u041d\u0430")])))
        .pages[0]["/Resources"]["/Font"]
        .values()
    )
    names = {font.get_object()["/BaseFont"].split("+")[-1] for font in fonts}
    assert names == {REGULAR, BOLD}
    assert all("/FontFile2" in font.get_object()["/FontDescriptor"] for font in fonts)


def test_rows_are_read_once_and_in_order(pages: ReadPages, row: MakeRow) -> None:
    start = row()
    rows = (
        replace(start, number=f"MAIN-{n:06d}", given_at=start.given_at + timedelta(minutes=40 + n))
        for n in (3, 1, 2)
    )
    text = pages(rows)[0]
    assert text.index("10:13 +01:00") < text.index("10:11 +01:00") < text.index("10:12 +01:00")
