"""How patients are named, numbered and told apart."""

import unicodedata
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.kernel.errors import Refusal
from inventory.patients import rules
from inventory.patients.presenters import age_words

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=30)


@given(NAMES)
def test_a_name_is_found_however_it_is_cased_and_composed(name: str) -> None:
    assert rules.name_words(rules.name_key(name)) == rules.name_words(name)
    for form in ("NFC", "NFD"):
        assert rules.name_words(unicodedata.normalize(form, name)) == rules.name_words(name)


@given(st.text("abcdeéèßøłæ ", max_size=20))
def test_capitals_are_the_same_name(name: str) -> None:
    assert rules.name_words(name.upper()) == rules.name_words(name)


@given(NAMES)
def test_a_word_fits_its_column_and_has_no_blank(name: str) -> None:
    words = rules.name_words(name * 40)
    assert all(word and len(word) <= 200 and not word.isspace() for word in words)
    assert len(rules.name_key(name * 20, name * 20)) <= 500


@given(st.dates(date(1900, 1, 1), date(2100, 12, 31)))
def test_a_date_is_read_back_from_every_way_of_writing_it(day: date) -> None:
    ways = ("%Y-%m-%d", "%Y/%m/%d", "%d %b %Y", "%d %B %Y", "%B %d, %Y", "%d.%m.%Y")
    assert {rules.birth_date(day.strftime(way)) for way in ways} == {day}


@given(st.dates(date(1900, 1, 1), date(2100, 12, 31)))
def test_a_date_with_strokes_is_read_only_where_it_has_one_meaning(day: date) -> None:
    typed = f"{day.day}/{day.month}/{day.year}"
    if day.day > 12 or day.day == day.month:
        assert rules.birth_date(typed) == day
    else:
        with pytest.raises(Refusal, match="BIRTH-DATE-AMBIGUOUS"):
            rules.birth_date(typed)


@pytest.mark.parametrize(
    "typed, key",
    [
        ("O'Brien-NUÑEZ", "obrien nunez"),
        ("Łukasz Straße", "lukasz strasse"),
        ("  Møller\u00a0Ægir ", "moller aegir"),
        ("محمد", "محمد"),
        ("Ǆ", "dz"),
    ],
)
def test_names_without_case_accents_and_punctuation(typed: str, key: str) -> None:
    assert rules.name_key(typed) == key


def test_a_search_knows_what_it_was_given() -> None:
    assert rules.sought("jos bri").words == ("jos", "bri")
    assert rules.sought(" AB 12 ").record_number_key == "ab12"
    assert rules.sought("4 Mar 1980").born_on == date(1980, 3, 4)
    for text, code in (("***", "SEARCH-EMPTY"), ("1980-02-30", "DATE-INVALID")):
        with pytest.raises(Refusal, match=code):
            rules.sought(text)


def test_the_future_begins_after_the_last_day_on_earth() -> None:
    assert rules.last_day_on_earth(datetime(2026, 3, 16, 9, 59, tzinfo=UTC)) == date(2026, 3, 16)
    assert rules.last_day_on_earth(datetime(2026, 3, 16, 10, 0, tzinfo=UTC)) == date(2026, 3, 17)


def test_age_is_said_as_people_say_it() -> None:
    born_on = date(2024, 2, 29)
    said = [age_words(born_on, today) for today in (date(2024, 3, 1), date(2025, 2, 28), date(2026, 3, 1))]
    assert said == ["1 day", "11 months", "2 years"]
