"""Right-to-left text: the order it is drawn in, and Arabic letters joined."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.reports.documents.arabic import joined, unjoined
from inventory.reports.documents.bidi import direction_of, drawn_order

SHALOM = "\u05e9\u05dc\u05d5\u05dd"
MUHAMMAD = "\u0645\u062d\u0645\u062f"


def test_draws_hebrew_from_the_right() -> None:
    assert drawn_order(SHALOM, 1) == SHALOM[::-1]


def test_leaves_latin_text_as_it_is() -> None:
    assert drawn_order("Anna (RN 12), 5%", 0) == "Anna (RN 12), 5%"


def test_keeps_a_number_readable_among_hebrew_words() -> None:
    assert drawn_order(f"{SHALOM} 123", 1) == f"123 {SHALOM[::-1]}"


def test_keeps_a_latin_word_readable_among_hebrew_words() -> None:
    assert drawn_order(f"{SHALOM} abc {SHALOM}", 1) == f"{SHALOM[::-1]} abc {SHALOM[::-1]}"


def test_turns_brackets_round() -> None:
    assert drawn_order(f"({SHALOM})", 1) == f"({SHALOM[::-1]})"


def test_keeps_vowel_points_after_their_letter() -> None:
    assert drawn_order("\u05d0\u05b8\u05d1", 1) == "\u05d1\u05d0\u05b8"


def test_separators_stay_inside_a_number() -> None:
    assert drawn_order(f"{SHALOM} 1,000.5", 1) == f"1,000.5 {SHALOM[::-1]}"


@pytest.mark.parametrize(
    "text,level", [("abc", 0), (SHALOM, 1), ("12 abc", 0), (f"12 {SHALOM}", 1), ("12", 0)]
)
def test_first_strong_letter_sets_the_direction(text: str, level: int) -> None:
    assert direction_of(text) == level


def test_joins_arabic_letters() -> None:
    assert joined(MUHAMMAD) == "\ufee3\ufea4\ufee4\ufeaa"


def test_draws_lam_and_alef_as_one() -> None:
    assert joined("\u0633\u0644\u0627\u0645") == "\ufeb3\ufefc\ufee1"


def test_vowel_marks_do_not_part_letters() -> None:
    assert joined("\u0645\u064e\u062f") == "\ufee3\u064e\ufeaa"


@given(st.text(alphabet=st.characters(min_codepoint=0x0620, max_codepoint=0x064A)))
def test_joining_loses_no_letter(text: str) -> None:
    assert unjoined(joined(text)) == text


@given(st.text(alphabet="\u05d0\u05d1\u0633\u0644ab 12.,()"), st.sampled_from([0, 1]))
def test_ordering_loses_no_character(text: str, base: int) -> None:
    assert sorted(drawn_order(text, base).replace(")", "(")) == sorted(text.replace(")", "("))
