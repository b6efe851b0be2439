"""Prices in a currency's smallest unit: exact, and rounded once."""

from decimal import Decimal
from fractions import Fraction

import pytest

from inventory.kernel.errors import Refusal
from inventory.kernel.money import format_minor, is_currency, rounded, to_minor


@pytest.mark.parametrize(
    "typed,currency,minor,shown",
    [
        ("4.75", "USD", 475, "4.75"),
        ("1234.5", "EUR", 123_450, "1,234.50"),
        ("0", "USD", 0, "0.00"),
        ("900", "JPY", 900, "900"),
        ("0.125", "KWD", 125, "0.125"),
    ],
)
def test_a_price_is_a_whole_number_of_the_smallest_unit(
    typed: str, currency: str, minor: int, shown: str
) -> None:
    assert to_minor(Decimal(typed), currency) == minor
    assert format_minor(minor, currency) == shown


@pytest.mark.parametrize("typed,currency", [("4.755", "USD"), ("0.5", "JPY"), ("-1", "USD"), ("1e12", "USD")])
def test_refuses_what_the_currency_cannot_say(typed: str, currency: str) -> None:
    with pytest.raises(Refusal) as refused:
        to_minor(Decimal(typed), currency, field="price")
    assert (refused.value.code, refused.value.field) == ("PRICE-INVALID", "price")


@pytest.mark.parametrize("exact,whole", [("1/2", 1), ("49/100", 0), ("5/2", 3), ("7/3", 2), ("0", 0)])
def test_rounds_halves_up(exact: str, whole: int) -> None:
    assert rounded(Fraction(exact)) == whole


def test_a_currency_is_three_capital_letters() -> None:
    assert is_currency("USD")
    assert not any(map(is_currency, ["usd", "US", "USDX", "U5D", ""]))
