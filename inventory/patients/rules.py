"""How a patient is named, numbered and told apart. Pure: no database, no web.

A name is searched by a key without case, accents or punctuation, so that "O'BRIEN" is found as "obrien" and "José" as
"jose"; a record number is one number whatever its case or spacing.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from inventory.kernel.errors import Refusal
from inventory.kernel.printed import as_printed

FIRST_BIRTH_YEAR = 1900
# What the columns hold: a single character of some scripts comes apart into many.
_LONGEST_WORD, _LONGEST_KEY = 200, 500
_EARTH_AHEAD_OF_UTC = timedelta(hours=14)
# Letters that Unicode does not take apart, as people type them without the letter.
_UNDIVIDED = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"}
)
_APOSTROPHES = dict.fromkeys(map(ord, "'’‘ʼʻʹ`´"))
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LOOSE_NUMBER = re.compile(r"([a-z]*)[-./]?0*([1-9][0-9]*)", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})", re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})", re.ASCII)
_DAY_WORD = re.compile(r"(\d{1,2})\.?\s+([A-Za-z]{3})[A-Za-z]*\.?,?\s+(\d{4})", re.ASCII)
_WORD_DAY = re.compile(r"([A-Za-z]{3})[A-Za-z]*\.?\s+(\d{1,2}),?\s+(\d{4})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Sought:
    """What a search box was asked for: exactly one of the three is set."""

    words: tuple[str, ...] = ()
    born_on: date | None = None
    record_number_key: str = ""


def kept_until(last_on: date, years: int) -> date:
    """Return the first day on which a record may be erased whose last day of care was `last_on`."""
    try:
        return last_on.replace(year=last_on.year + years)
    except ValueError:
        # 29 February, in a year that has none.
        return date(last_on.year + years, 3, 1)


def name_words(text: str) -> tuple[str, ...]:
    """Return the words of a name without case, accents and punctuation, in the order typed."""
    folded = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES)).casefold().translate(_UNDIVIDED)
    bare = (c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
    return tuple(
        word[:_LONGEST_WORD] for word in "".join(c if _is_of_a_word(c) else " " for c in bare).split()
    )


def name_key(family_name: str, given_name: str = "") -> str:
    """Return the key a name is sorted and searched by: "family given"."""
    return " ".join(name_words(f"{family_name} {given_name}"))[:_LONGEST_KEY]


def full_name(family_name: str, given_name: str) -> str:
    """Return a name as a record is filed: family name, given name."""
    return f"{family_name}, {given_name}" if given_name else family_name


def record_number_key(record_number: str) -> str:
    """Return a record number as printed and without case, by which it is unique."""
    return as_printed(record_number).casefold()


def loose_number(key: str) -> tuple[str, str] | None:
    """Return how the keys end, and the pattern they have, of numbers that `key` names without zeros, hyphen or letters.

    `25`, `00025` and `ws25` all name ws-00025. None where it is not letters and then digits.
    """
    found = _LOOSE_NUMBER.fullmatch(key)
    if found is None:
        return None
    letters, digits = found[1] or "[a-z]*", found[2]
    return digits, f"^{letters}[^0-9a-z]*0*{digits}$"


def made_number(number: int) -> str:
    """Return the record number we give to the patient whose clinic has none: P-000001."""
    return f"P-{number:06d}"


def sought(text: str) -> Sought:
    """Return what `text` in the search box asks for: a birth date, a record number (it has a digit) or a name.

    Raises Refusal BIRTH-DATE-AMBIGUOUS, DATE-INVALID, SEARCH-EMPTY.
    """
    born_on = birth_date(text)
    if born_on:
        return Sought(born_on=born_on)
    if any(c.isdigit() for c in text):
        return Sought(record_number_key=record_number_key(text))
    words = name_words(text)
    if not words:
        raise Refusal("SEARCH-EMPTY", "Type a name, a record number or a date of birth.", "q")
    return Sought(words=words)


def birth_date(text: str) -> date | None:
    """Return the day that `text` writes as a date, or None when it is not written as one.

    Read are 2026-03-04, 4 Mar 2026, Mar 4 2026, 04.03.2026 and 25/12/2026. Raises Refusal BIRTH-DATE-AMBIGUOUS where day
    and month could be either, DATE-INVALID where there is no such day.
    """
    typed = text.strip()
    if found := _YEAR_FIRST.fullmatch(typed):
        return _day(int(found[1]), int(found[3]), int(found[4]))
    if found := _DAY_WORD.fullmatch(typed):
        return _worded(found[3], found[2], found[1])
    if found := _WORD_DAY.fullmatch(typed):
        return _worded(found[3], found[1], found[2])
    if found := _YEAR_LAST.fullmatch(typed):
        return _year_last(int(found[1]), found[2], int(found[3]), int(found[4]))
    return None


def agrees(name: str, other: str, full_name: str, born_on: date, record_number: str) -> bool:
    """Tell whether a name as somebody says it, and a date of birth or record number, are those of a record.

    A part of the name is enough, such as the family name alone; every word that is said must be of the record's.
    """
    said = name_words(name)
    if not said or not set(said) <= set(name_words(full_name)):
        return False
    try:
        day = birth_date(other)
    except Refusal:
        return False
    return day == born_on if day else record_number_key(other) == record_number_key(record_number)


def refuse_birth_date(born_on: date, today: date) -> None:
    """Raise Refusal BIRTH-DATE-FUTURE or BIRTH-DATE-TOO-EARLY unless a living person can be born that day."""
    if born_on > today:
        raise Refusal("BIRTH-DATE-FUTURE", "The date of birth is in the future.", "born_on")
    if born_on.year < FIRST_BIRTH_YEAR:
        raise Refusal(
            "BIRTH-DATE-TOO-EARLY",
            f"The date of birth is before {FIRST_BIRTH_YEAR}. Check the year.",
            "born_on",
        )


def last_day_on_earth(instant: datetime) -> date:
    """Return the latest calendar day that it is anywhere at `instant`: what lies after it is in the future everywhere."""
    return (instant + _EARTH_AHEAD_OF_UTC).date()


def _is_of_a_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"


def _worded(year: str, month: str, day: str) -> date | None:
    if month.lower() not in _MONTHS:
        return None
    return _day(int(year), _MONTHS.index(month.lower()) + 1, int(day))


def _year_last(first: int, mark: str, second: int, year: int) -> date:
    if mark == "." or first > 12:
        return _day(year, second, first)
    if second > 12 or first == second:
        return _day(year, first, second)
    raise Refusal(
        "BIRTH-DATE-AMBIGUOUS",
        f"{first:02d}/{second:02d}/{year} can be read in two ways. Type {year}-{second:02d}-{first:02d} "
        f"for {first} {_MONTHS[second - 1].title()}, or {year}-{first:02d}-{second:02d} "
        f"for {second} {_MONTHS[first - 1].title()}.",
        "q",
    )


def _day(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise Refusal(
            "DATE-INVALID", "There is no such day. Type it as 1980-03-04 or 4 Mar 1980.", "q"
        ) from None
