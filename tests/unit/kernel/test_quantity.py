"""Exact amounts: what is typed is what is stored is what is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.kernel.errors import Refusal
from inventory.kernel.quantity import Strength, format_mcg, format_ml, parse_mcg, parse_ml


@given(st.integers(0, 10**12))
def test_reads_back_what_it_shows(amount: int) -> None:
    assert parse_ml(format_ml(amount)) == amount
    assert parse_mcg(format_mcg(amount)) == amount


@pytest.mark.parametrize(
    "volume_ul,shown", [(1_000, "1"), (250, "0.25"), (1, "0.001"), (10_500, "10.5"), (0, "0"), (-500, "-0.5")]
)
def test_shows_a_leading_zero_and_no_trailing_zero(volume_ul: int, shown: str) -> None:
    assert format_ml(volume_ul) == shown


@pytest.mark.parametrize("typed", ["1,000", "1000", " 1000.0 ", "1,000.000"])
def test_reads_a_thousand_micrograms(typed: str) -> None:
    assert parse_mcg(typed) == 1_000_000


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "1,0",
        "1e3",
        "-1",
        "+1",
        "0.0001",
        "½",
        "١",
        "1.",
        ".5",
        "NaN",
        "1 000",
        "0x10",
        "1,00,000",
        "9" * 40,
    ],
)
def test_refuses_what_is_no_plain_amount(typed: str) -> None:
    for parse in (parse_ml, parse_mcg):
        with pytest.raises(Refusal) as refused:
            parse(typed, field="dose")
        assert (refused.value.code, refused.value.field) == ("AMOUNT-INVALID", "dose")


@given(st.text(max_size=30))
def test_answers_any_text_with_an_amount_or_a_refusal(typed: str) -> None:
    try:
        amount = parse_ml(typed)
    except Refusal:
        return
    assert parse_ml(format_ml(amount)) == amount


@given(st.integers(1, 10**10), st.integers(1, 30_000), st.integers(1, 30_000))
def test_volume_and_dose_follow_from_each_other_to_the_nearest(ng: int, per_ul: int, volume_ul: int) -> None:
    strength = Strength(ng, per_ul)
    dose_ng = strength.dose_ng(volume_ul)
    assert abs(2 * (dose_ng * per_ul - ng * volume_ul)) <= per_ul
    if dose_ng and ng >= 2 * per_ul:
        assert strength.volume_ul(dose_ng) == volume_ul


@pytest.mark.parametrize("ng,ul", [(0, 1), (1, 0), (-1, 5)])
def test_refuses_a_strength_of_nothing(ng: int, ul: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        Strength(ng, ul)


def test_words_a_strength_as_on_the_label() -> None:
    assert str(Strength(1_000_000, 1_000)) == "1,000 mcg/mL"
    assert str(Strength(1_000_000, 3_000)) == "1,000 mcg/3 mL"
    assert str(Strength(12_500, 1_000)) == "12.5 mcg/mL"
