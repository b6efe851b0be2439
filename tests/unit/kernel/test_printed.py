"""A printed number is one number, however it is typed: with other dashes, blanks, or characters nobody sees."""

import pytest

from inventory.patients.rules import record_number_key
from inventory.stock.rules import lot_number_key

TWINS = ["AB\u200b-12", "AB\u00ad-12", "AB\u2060-12\ufeff", "AB\u200d-12", "AB -12", "ab-12"]
DASHES = [f"AB{chr(dash)}12" for dash in (*range(0x2010, 0x2016), 0x2212)]


@pytest.mark.parametrize("typed", TWINS + DASHES)
def test_twins_are_one_number(typed: str) -> None:
    assert lot_number_key(typed) == "AB-12"
    assert record_number_key(typed) == "ab-12"


def test_other_numbers_are_others() -> None:
    assert lot_number_key("AB12") != lot_number_key("AB-12")
