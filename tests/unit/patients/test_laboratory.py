"""What laboratories write, read exactly: values, units, ranges, and pg/mL against pmol/L."""

from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.kernel.errors import Refusal
from inventory.patients.laboratory import (
    ANALYTES,
    MILLION,
    Against,
    Amount,
    Analyte,
    Comparator,
    against,
    analyte_named,
    convert,
    decimal,
    is_convertible,
    parse_amount,
    parse_bound,
    range_words,
    unit_of,
)

amounts = st.integers(min_value=0, max_value=10**9 * MILLION - 1)


@pytest.mark.parametrize(
    "text, amount",
    [
        ("210", Amount(210_000_000)),
        (" 0.350 ", Amount(350_000, 3)),
        ("0", Amount(0)),
        ("<150", Amount(150_000_000, 0, Comparator.BELOW)),
        ("≥ 2000.0", Amount(2_000_000_000, 1, Comparator.AT_LEAST)),
        ("999999999.999999", Amount(999_999_999_999_999, 6)),
    ],
)
def test_reads_a_value_as_the_laboratory_gives_it(text: str, amount: Amount) -> None:
    assert parse_amount(text) == amount


@pytest.mark.parametrize(
    "text",
    [
        "",
        "low",
        "-3",
        "1,5",
        "1e3",
        "NaN",
        "inf",
        "٣",
        "1.",
        ".5",
        "< ",
        "<> 5",
        "1.2345678",
        "12 34",
        "0x1F",
    ],
)
def test_refuses_what_is_not_a_number(text: str) -> None:
    with pytest.raises(Refusal, match="LAB-VALUE"):
        parse_amount(text)


def test_a_bound_is_a_number_alone() -> None:
    assert parse_bound("180") == 180 * MILLION
    with pytest.raises(Refusal, match="LAB-VALUE"):
        parse_bound("<180")


@given(amounts, st.integers(0, 6), st.sampled_from(Comparator))
def test_what_is_written_is_read_back_the_same(millionths: int, places: int, comparator: Comparator) -> None:
    amount = Amount(millionths, max(places, len(f"{millionths % MILLION:06d}".rstrip("0"))), comparator)
    assert parse_amount(str(amount)) == amount


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(Refusal):
        assert 0 <= parse_amount(text).millionths < 10**9 * MILLION


def test_one_picogram_is_0_738_picomoles() -> None:
    found = convert(MILLION, analyte=Analyte.B12, from_unit="pg/mL", to_unit="pmol/L")
    assert found == 737_806
    assert convert(200 * MILLION, analyte=Analyte.B12, from_unit="pmol/L", to_unit="pg/mL") == 271_074_000
    assert convert(5 * MILLION, analyte=Analyte.B12, from_unit="ng/L", to_unit="pg/mL") == 5 * MILLION


@given(amounts)
def test_there_and_back_is_the_same_within_rounding(millionths: int) -> None:
    there = convert(millionths, analyte=Analyte.B12, from_unit="pg/mL", to_unit="pmol/L")
    back = convert(there, analyte=Analyte.B12, from_unit="pmol/L", to_unit="pg/mL")
    # Half a millionth of a pmol/L is 0.68 millionths of a pg/mL, and half of one more is rounded away there.
    assert abs(back - millionths) <= 1


@given(amounts, st.sampled_from([(a, u, v) for a, d in ANALYTES.items() for u in d.units for v in d.units]))
def test_conversion_is_never_off_by_more_than_half_a_millionth(millionths: int, case: tuple) -> None:  # type: ignore[type-arg]
    analyte, here, there = case
    if not is_convertible(analyte, here.ucum, there.ucum):
        with pytest.raises(Refusal, match="LAB-NOT-CONVERTIBLE"):
            convert(millionths, analyte=analyte, from_unit=here.ucum, to_unit=there.ucum)
        return
    found = convert(millionths, analyte=analyte, from_unit=here.ucum, to_unit=there.ucum)
    if here is not there:
        assert abs(found - millionths * here.per / there.per) <= Fraction(1, 2)
    else:
        assert found == millionths


@pytest.mark.parametrize(
    "analyte, text, ucum",
    [
        (Analyte.B12, "PG/ML", "pg/mL"),
        (Analyte.HOMOCYSTEINE, "µmol/L", "umol/L"),
        (Analyte.FERRITIN, "mcg/L", "ug/L"),
        (Analyte.HAEMOGLOBIN, " g/dl ", "g/dL"),
    ],
)
def test_reads_a_unit_however_it_is_spelt(analyte: Analyte, text: str, ucum: str) -> None:
    assert unit_of(analyte, text).ucum == ucum


@pytest.mark.parametrize(
    "analyte, text", [(Analyte.B12, ""), (Analyte.B12, "g/dL"), (Analyte.POTASSIUM, "mg/L")]
)
def test_refuses_a_unit_that_is_missing_or_of_something_else(analyte: Analyte, text: str) -> None:
    with pytest.raises(Refusal, match="LAB-UNIT"):
        unit_of(analyte, text)


def test_a_microgram_is_never_shown_by_its_greek_letter() -> None:
    shown = [unit.words for described in ANALYTES.values() for unit in described.units]
    assert "mcg/L" in shown
    assert not [words for words in shown if words.startswith("ug") or "µ" in words]


def test_finds_an_analyte_by_code_name_or_loinc() -> None:
    for text in ("b12", "Vitamin  B12", "2132-9"):
        assert analyte_named(text) is Analyte.B12
    assert analyte_named("active b12") is Analyte.ACTIVE_B12
    with pytest.raises(Refusal, match="LAB-ANALYTE"):
        analyte_named("vitamin d")


@pytest.mark.parametrize(
    "text, low, high, found",
    [
        ("150", 180, 914, Against.BELOW),
        ("180", 180, 914, Against.WITHIN),
        ("915", 180, 914, Against.ABOVE),
        ("< 180", 180, 914, Against.BELOW),
        ("<= 180", 180, 914, None),
        ("> 914", 180, 914, Against.ABOVE),
        ("> 200", 180, 914, None),
        ("< 1000", 180, 914, None),
        ("500", None, None, None),
        ("500", None, 400, Against.ABOVE),
        ("300", None, 400, Against.WITHIN),
    ],
)
def test_says_where_a_value_lies_only_where_that_is_certain(
    text: str, low: int | None, high: int | None, found: Against | None
) -> None:
    bounds = [None if bound is None else bound * MILLION for bound in (low, high)]
    assert against(parse_amount(text), *bounds) is found


def test_writes_a_range() -> None:
    assert range_words(180 * MILLION, 914_500_000) == "180 to 914.5"
    assert range_words(180 * MILLION, None) == "from 180"
    assert range_words(None, 271 * MILLION) == "up to 271"
    assert range_words(None, None) == ""
    assert decimal(1, places=0) == "0.000001"
