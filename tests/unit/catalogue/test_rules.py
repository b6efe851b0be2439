"""Codes on a label: check digits and forms."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.catalogue import rules

GTINS = ["00301439621256", "00301439620105", "00305170031251", "00305912888303", "4006381333931", "96385074"]


@pytest.mark.parametrize("gtin", GTINS)
def test_takes_a_gtin_whose_check_digit_is_right(gtin: str) -> None:
    assert rules.is_gtin(gtin)
    assert rules.has_gtin_check_digit(gtin)
    assert rules.has_gtin_check_digit(rules.gtin14(gtin))


@given(st.sampled_from(GTINS), st.integers(0, 7), st.integers(1, 9))
def test_one_wrong_digit_never_checks(gtin: str, place: int, change: int) -> None:
    wrong = gtin[:place] + str((int(gtin[place]) + change) % 10) + gtin[place + 1 :]
    assert not rules.has_gtin_check_digit(wrong)


@pytest.mark.parametrize("text", ["", "123", "0030143962125", "٠٠301439621256"[:14], json.dumps("x")])
def test_form_of_a_gtin(text: str) -> None:
    assert rules.is_gtin(text) is (len(text) == 13 and text.isascii() and text.isdigit())


@pytest.mark.parametrize(
    "text, ten, eleven",
    [
        ("0143-9621-25", True, False),
        ("12345-678-90", True, False),
        ("12345-6789-0", True, False),
        ("0143962125", True, False),
        ("00143-9621-25", False, True),
        ("00143962125", False, True),
        ("0143-9621-2", False, False),
        ("", False, False),
    ],
)
def test_forms_of_an_ndc(text: str, ten: bool, eleven: bool) -> None:
    assert (rules.is_ndc10(text), rules.is_ndc11(text)) == (ten, eleven)
