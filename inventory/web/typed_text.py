"""What a person may type, decided without a form: text, dates, clock times and exact numbers.

Law kept here: nothing reaches a service that cannot be shown, printed and read back as it was
meant. Every refusal carries a stable code that `docs/refusals.md` explains.
"""

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Self
from zoneinfo import ZoneInfo

TEXT_LIMIT = 200
LONG_TEXT_LIMIT = 2_000
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

FIRST_YEAR, LAST_YEAR = 1900, 2199
# Marks that reorder or hide text on screen are no text, so that what is read is what is stored. The two joiners shape
# letters, in names and sentences of some scripts; in a code they only make twins.
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"
_ISO_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_WORD_DATE = re.compile(r"(\d{1,2})\s+([A-Za-z]{3})[a-z]*\s+(\d{4})", re.ASCII)
_MONTH_ONLY = (
    re.compile(r"(?P<year>\d{4})[-/](?P<month>\d{1,2})", re.ASCII),
    re.compile(r"(?P<month>\d{1,2})[-/](?P<year>\d{4})", re.ASCII),
    re.compile(r"(?P<name>[A-Za-z]{3})[a-z]*[ /-]?(?P<year>\d{4})", re.ASCII | re.IGNORECASE),
)
_LOCAL_TIME = re.compile(r"(\S+)[T ](\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(\d+)(?:\.(\d+))?", re.ASCII)


class CodedMessage(str):  # noqa: SLOT000 -- the code needs a place to live
    """A message for a person that also carries the stable `code` it is listed under."""

    code: str

    def __new__(cls, code: str, message: str) -> Self:
        """Make the message; it behaves as plain text wherever text is expected."""
        self = super().__new__(cls, message)
        self.code = code
        return self


class NotAcceptedError(ValueError):
    """What was typed cannot be used. `args[0]` is a `CodedMessage`, as WTForms expects it."""

    def __init__(self, code: str, message: str) -> None:
        """Keep code and message together."""
        super().__init__(CodedMessage(code, message))


def clean_text(raw: str, *, limit: int = TEXT_LIMIT, lines: bool = False, is_code: bool = False) -> str:
    """Return `raw` composed (NFC) and stripped; with `lines`, every line break becomes a newline.

    With `is_code` it is a number or code, which has no invisible character at all.

    Raises NotAcceptedError: TEXT-CONTROL for a character that cannot be seen or printed,
    TEXT-TOO-LONG past `limit` characters.
    """
    if lines:
        raw = raw.replace("\r\n", "\n").replace("\r", "\n")
    text = unicodedata.normalize("NFC", raw).strip(None if lines else " \t\u00a0")
    unseen = next((c for c in text if _is_unseen(c, lines=lines, is_code=is_code)), None)
    if unseen is not None:
        raise NotAcceptedError(
            "TEXT-CONTROL",
            f"Has a character that cannot be seen (U+{ord(unseen):04X}). "
            "It is left out below: check the text and send it again.",
        )
    if len(text) > limit:
        raise NotAcceptedError("TEXT-TOO-LONG", f"At most {limit:,} characters; this has {len(text):,}.")
    return text.strip()


def without_unseen(raw: str, *, lines: bool = False, is_code: bool = False) -> str:
    """Return `raw` without the characters `clean_text` refuses, to show it again in its field."""
    return "".join(c for c in raw if c == "\r" or not _is_unseen(c, lines=lines, is_code=is_code))


def _is_unseen(character: str, *, lines: bool, is_code: bool) -> bool:
    if (lines and character in "\n\t") or (not is_code and character in _JOINERS):
        return False
    return unicodedata.category(character) in _UNSEEN or character == "\ufffd"


def parse_date(raw: str) -> date:
    """Read `2026-11-20` or `20 Nov 2026`. Raises NotAcceptedError DATE-INVALID."""
    return _read_day(raw, "Type it as 2026-11-20 or 20 Nov 2026.")


def _read_day(raw: str, how: str) -> date:
    text = raw.strip()
    if found := _ISO_DATE.fullmatch(text):
        year, month, day = (int(part) for part in found.groups())
    elif (found := _WORD_DATE.fullmatch(text)) and found[2].title() in MONTHS:
        year, month, day = int(found[3]), MONTHS.index(found[2].title()) + 1, int(found[1])
    else:
        raise _bad_date(text, how)
    return _date_of(text, year, month, day)


def is_month_alone(raw: str) -> bool:
    """Tell whether `raw` names a month without a day, as packs print it: `2026-11`, `11/2026`, `NOV 2026`."""
    return _month_alone(raw) is not None


def parse_expiry(raw: str) -> date:
    """Read a date, or a month alone (`2026-11`, `11/2026`, `Nov 2026`), which means the last day of that month.

    Raises NotAcceptedError DATE-INVALID.
    """
    found = _month_alone(raw)
    if found is None:
        return _read_day(raw, "Type it as 2028-05-31, or a month alone as 2028-05 or 05/2028.")
    first = _date_of(raw.strip(), *found, 1)
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _month_alone(raw: str) -> tuple[int, int] | None:
    """Return year and month where `raw` is a month alone."""
    found = next((match for form in _MONTH_ONLY if (match := form.fullmatch(raw.strip()))), None)
    if found is None:
        return None
    parts = found.groupdict()
    name = parts.get("name", "").title()
    if name and name not in MONTHS:
        return None
    return int(parts["year"]), MONTHS.index(name) + 1 if name else int(parts["month"])


def _date_of(text: str, year: int, month: int, day: int) -> date:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise _bad_date(text, f"The year must be from {FIRST_YEAR} to {LAST_YEAR}.")
    try:
        return date(year, month, day)
    except ValueError:
        raise _bad_date(text, "There is no such day.") from None


def _bad_date(text: str, why: str) -> NotAcceptedError:
    return NotAcceptedError("DATE-INVALID", f"“{without_unseen(text)[:40]}” is not a date. {why}")


def parse_local_time(raw: str) -> datetime:
    """Read `2026-11-20T09:30` (or with a blank) as a clock reading without a zone.

    Raises NotAcceptedError DATE-INVALID or TIME-INVALID.
    """
    found = _LOCAL_TIME.fullmatch(raw.strip())
    if not found:
        parse_date(raw.strip().partition("T")[0])
        raise NotAcceptedError("TIME-INVALID", "The time is missing. Type it as 09:30.")
    day = parse_date(found[1])
    hour, minute, second = int(found[2]), int(found[3]), int(found[4] or 0)
    if hour > 23 or minute > 59 or second > 59:
        raise NotAcceptedError("TIME-INVALID", f"{found[2]}:{found[3]} is not a time of day.")
    return datetime(day.year, day.month, day.day, hour, minute, second)  # noqa: DTZ001 -- a clock reading has no zone yet


def instants_of(reading: datetime, zone: ZoneInfo) -> list[datetime]:
    """The UTC instants at which a clock in `zone` shows `reading`: none, one or two."""
    instants = {reading.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return sorted(i for i in instants if i.astimezone(zone).replace(tzinfo=None) == reading)


def parse_amount(raw: str, *, places: int) -> Decimal:
    """Read an exact decimal with at most `places` digits after the point; never a float.

    Raises NotAcceptedError AMOUNT-INVALID, which says so when a comma was typed.
    """
    text = raw.strip()
    if "," in text:
        raise NotAcceptedError("AMOUNT-INVALID", "Type a point for the decimals and no comma: 0.5, 1000.")
    found = _DECIMAL.fullmatch(text)
    if not found or len(text) > 20:
        raise NotAcceptedError("AMOUNT-INVALID", "Type a number in digits, such as 0.5 or 1000.")
    if len((found[2] or "").rstrip("0")) > places:
        raise NotAcceptedError("AMOUNT-INVALID", f"At most {places} digits after the point.")
    return Decimal(text)
