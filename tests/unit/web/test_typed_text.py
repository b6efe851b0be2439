"""What may be typed: text, days, clock readings and exact numbers."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.web.typed_text import (
    NotAcceptedError,
    clean_text,
    instants_of,
    is_month_alone,
    parse_amount,
    parse_date,
    parse_expiry,
    parse_local_time,
    without_unseen,
)

LONDON = ZoneInfo("Europe/London")


def code_of(refused: pytest.ExceptionInfo[NotAcceptedError]) -> str:
    return str(refused.value.args[0].code)


@pytest.mark.parametrize(
    "mark",
    [
        "\x00",
        "\x07",
        "\x85",
        "\u202e",
        "\u2066",
        "\u200f",
        "\u200e",
        "\ufeff",
        "\u2028",
        "\n",
        "\ufffd",
        "\u200b",
        "\u2060",
        "\u00ad",
    ],
)
def test_refuses_a_character_that_cannot_be_seen(mark: str) -> None:
    with pytest.raises(NotAcceptedError) as refused:
        clean_text(f"Ana{mark}Petrova")
    assert code_of(refused) == "TEXT-CONTROL"
    assert f"U+{ord(mark):04X}" in str(refused.value)


def test_composes_and_strips() -> None:
    assert clean_text("  Zoe\u0308 \u00a0") == "Zoë"


def test_keeps_names_of_any_alphabet() -> None:
    for name in (
        "Ελένη",
        "Нина",
        "שרה",
        "ليلى",
        "李明",
        "Nguyễn Thị Ánh",
        "O’Brien-Šimůnek",
        "می\u200cخواهم",
    ):
        assert clean_text(name) == name


@pytest.mark.parametrize("joiner", ["\u200c", "\u200d"])
def test_joiners_shape_words_and_have_no_place_in_a_code(joiner: str) -> None:
    assert clean_text(f"AB{joiner}12") == f"AB{joiner}12"
    with pytest.raises(NotAcceptedError) as refused:
        clean_text(f"AB{joiner}12", is_code=True)
    assert code_of(refused) == "TEXT-CONTROL"
    assert without_unseen(f"AB{joiner}12", is_code=True) == "AB12"


def test_lines_are_kept_only_where_allowed() -> None:
    assert clean_text("one\r\ntwo\rthree", lines=True) == "one\ntwo\nthree"


def test_refuses_ten_thousand_characters_and_says_how_many() -> None:
    with pytest.raises(NotAcceptedError, match="At most 200 characters; this has 10,000") as refused:
        clean_text("a" * 10_000)
    assert code_of(refused) == "TEXT-TOO-LONG"


@given(st.text(max_size=100))
def test_what_is_shown_again_is_accepted(raw: str) -> None:
    assert clean_text(without_unseen(raw).replace("\r", ""), limit=400) is not None


@pytest.mark.parametrize(
    "typed,meant",
    [
        ("2026-11-20", date(2026, 11, 20)),
        ("20 Nov 2026", date(2026, 11, 20)),
        ("1 march 2024", date(2024, 3, 1)),
        (" 2024-2-29 ", date(2024, 2, 29)),
    ],
)
def test_reads_a_day(typed: str, meant: date) -> None:
    assert parse_date(typed) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "2026-02-30",
        "2025-02-29",
        "31 Jun 2026",
        "20/11/2026",
        "0001-01-01",
        "9999-01-01",
        "x",
        "２０２６-11-20",
    ],
)
def test_refuses_a_day_that_does_not_exist(typed: str) -> None:
    with pytest.raises(NotAcceptedError) as refused:
        parse_date(typed)
    assert code_of(refused) == "DATE-INVALID"


@pytest.mark.parametrize(
    "typed,last",
    [
        ("2026-11", date(2026, 11, 30)),
        ("2024-2", date(2024, 2, 29)),
        ("2026-12", date(2026, 12, 31)),
        ("05/2028", date(2028, 5, 31)),
        ("2-2028", date(2028, 2, 29)),
        ("2028/05", date(2028, 5, 31)),
        ("Mar 2028", date(2028, 3, 31)),
        ("MAR2028", date(2028, 3, 31)),
        ("march 2028", date(2028, 3, 31)),
        ("MAR-2028", date(2028, 3, 31)),
    ],
)
def test_month_alone_expires_on_its_last_day(typed: str, last: date) -> None:
    assert parse_expiry(typed) == last
    assert is_month_alone(typed)


@pytest.mark.parametrize(
    "typed", ["05/06/2028", "31/05/2028", "05/28", "Foo 2028", "13/2028", "2028-05x", "Mar 28"]
)
def test_an_expiry_that_may_be_misread_is_refused_with_how_to_type_it(typed: str) -> None:
    with pytest.raises(NotAcceptedError) as refused:
        parse_expiry(typed)
    assert code_of(refused) == "DATE-INVALID"
    if not typed.startswith("13"):
        assert "2028-05 or 05/2028" in str(refused.value)


def test_refuses_a_thirteenth_month() -> None:
    with pytest.raises(NotAcceptedError):
        parse_expiry("2026-13")


@pytest.mark.parametrize("typed", ["2026-11-20", "2026-11-20T24:00", "2026-11-20T09:61", "2026-11-20T9"])
def test_refuses_a_time_that_does_not_exist(typed: str) -> None:
    with pytest.raises(NotAcceptedError) as refused:
        parse_local_time(typed)
    assert code_of(refused) == "TIME-INVALID"


def test_clock_reading_is_one_instant_on_an_ordinary_day() -> None:
    assert instants_of(parse_local_time("2026-07-01T09:30"), LONDON) == [
        datetime(2026, 7, 1, 8, 30, tzinfo=UTC)
    ]


def test_clock_reading_is_two_instants_when_the_clocks_go_back() -> None:
    assert instants_of(parse_local_time("2026-10-25T01:30"), LONDON) == [
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    ]


def test_clock_reading_is_no_instant_when_the_clocks_go_forward() -> None:
    assert instants_of(parse_local_time("2026-03-29T01:30"), LONDON) == []


@pytest.mark.parametrize("typed,exact", [("0.5", "0.5"), ("1000", "1000"), ("0.1250", "0.125"), ("-2", "-2")])
def test_amount_is_exact(typed: str, exact: str) -> None:
    assert parse_amount(typed, places=3) == Decimal(exact)


@pytest.mark.parametrize(
    "typed", ["0,5", "1e3", "NaN", "Infinity", "", ".5", "5.", "0x10", "1 000", "٣", "0.0001", "9" * 30]
)
def test_refuses_an_amount_that_is_not_exact(typed: str) -> None:
    with pytest.raises(NotAcceptedError) as refused:
        parse_amount(typed, places=3)
    assert code_of(refused) == "AMOUNT-INVALID"
