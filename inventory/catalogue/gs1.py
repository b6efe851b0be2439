"""Reads a barcode as a scanner sends it or a person types it. biip knows the fields of GS1; nothing of it leaves this module.

Law kept here: a field is given only if it stands in the text, whole. Where biip would cut a value short, take one field for
two or pass over a wrong check digit, the scan is refused instead: a wrong lot number misses its recall.
"""

import re
from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, time
from urllib.parse import parse_qsl, unquote, urlsplit

from biip import ParseConfig, ParseError
from biip.gs1_messages import GS1Message

from inventory.catalogue.rules import gtin14, has_gtin_check_digit, is_gtin
from inventory.kernel.errors import Refusal

SCAN_LIMIT = 500
"""The most characters of one scan."""
MOST_SCANS = 5
SCAN_END = "␞"
"""Parts several scans of one pack that are kept together: some packs bear the GTIN in one barcode and the lot in another."""
SHOWN_SEPARATOR = "␝"

_SEPARATOR = "\x1d"
# How keyboards and scanners write FNC1, the end of a field, where its own character (0x1D) does not come through. None of
# these can stand in a GS1 value but <GS> and <FNC1>, which no lot number is called.
_SUBSTITUTES = re.compile(
    r"[<{\[](?:GS|FNC1)[>}\]]|␝|\\x1d|\\u001d|\^\]|~d029|\|",
    re.IGNORECASE,
)
_AROUND = " \t\r\n\x00\x1d\x04\x03\x02"
_PREFIX = re.compile(r"\]([A-Za-z][0-9A-Za-z])")
# GS1-128, GS1 DataMatrix, GS1 QR, GS1 DataBar, GS1 DotCode (ISO/IEC 15424): what follows are element strings, whatever it looks like.
_GS1_SYMBOLS = {"C1", "d2", "Q3", "e0", "J1"}
_BRACKETS = re.compile(r"\((\d{2,4})\)", re.ASCII)
_EXPIRY_INSIDE = re.compile(r".17\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])", re.ASCII)
# Dates are read here and not by biip, which keeps its own clock and does not say that a day was 00.
_CONFIG = ParseConfig(gs1_element_strings_verify_date=False)

_GTIN, _LOT, _SERIAL, _EXPIRY, _EXPIRY_TIME, _PRODUCED = "01", "10", "21", "17", "7003", "11"
_NAMES = {
    _GTIN: "GTIN",
    _LOT: "lot number",
    _SERIAL: "serial number",
    _EXPIRY: "expiry",
    _EXPIRY_TIME: "expiry",
    _PRODUCED: "production date",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What a barcode says. What it does not say is None.

    `raw` is the text as it came, with ␝ for the character that ends a field. `gtin` has 14 digits. With `expires_month_only`
    the code gave day 00, and `expires_on` is the last day of that month. `lot_may_hold_more`: the scanner seems to have left
    out the end of the lot number.
    """

    raw: str
    gtin: str | None = None
    lot_number: str | None = None
    serial_number: str | None = None
    expires_on: date | None = None
    expires_month_only: bool = False
    expiry_time: time | None = None
    produced_on: date | None = None
    lot_may_hold_more: bool = False


def read_scan(text: str, *, on: date) -> Scan:
    """Return what a scan says; `on` is the day from which its two-digit years are understood.

    Taken: element strings (with FNC1 or what scanners send for it, with or without a prefix such as `]d2`), the text in
    brackets that is printed beside a code, a GS1 digital link, or a GTIN alone. Digits that have the length of a GTIN are one,
    unless a prefix says that they are element strings.

    Raises Refusal SCAN-UNREADABLE, SCAN-CHECK-DIGIT, SCAN-DATE, SCAN-CONTRADICTS, SCAN-EMPTY.
    """
    raw = shown(text)
    if not raw or len(raw) > SCAN_LIMIT:
        raise _unreadable("It is empty." if not raw else f"It has more than {SCAN_LIMIT} characters.")
    fields = _fields(_plain(raw))
    if not fields.keys() & {_GTIN, _LOT, _EXPIRY, _EXPIRY_TIME}:
        said = "This code names neither a product nor a lot nor an expiry. Scan the other code on the pack."
        raise Refusal("SCAN-EMPTY", said, "scan")
    return _scan(raw, fields, on)


def read_scans(text: str, *, on: date) -> list[Scan]:
    """Return what several scans say that were kept together. Raises Refusal as `read_scan`."""
    parts = text.split(SCAN_END)
    if len(parts) > MOST_SCANS:
        raise _unreadable(f"These are more than {MOST_SCANS} scans.")
    return [read_scan(part, on=on) for part in parts]


def shown(text: str) -> str:
    """Return a scan as it can be shown and kept: without what scanners send around it, the end of a field as ␝."""
    return text.strip(_AROUND).replace(_SEPARATOR, SHOWN_SEPARATOR).strip(SHOWN_SEPARATOR)


def _plain(raw: str) -> str:
    plain = _SUBSTITUTES.sub(_SEPARATOR, raw)
    if any(c != _SEPARATOR and not " " <= c <= "~" for c in plain):
        raise _unreadable("It has characters that no barcode of a product has.")
    return plain


def _fields(text: str) -> dict[str, str]:
    """Return the fields by their application identifier."""
    prefix = _PREFIX.match(text)
    is_gs1 = prefix is not None and prefix[1] in _GS1_SYMBOLS
    body = (text[3:] if prefix else text).strip(_SEPARATOR)
    if body.lower().startswith(("http://", "https://")):
        return _collected(_whole(_link_pairs(body)))
    if body.startswith("("):
        return _collected(_whole(_bracket_pairs(body)))
    if is_gtin(body) and not is_gs1:
        return {_GTIN: gtin14(body)}
    fields = _collected(_elements(body))
    if not is_gs1 and not fields.keys() & {_GTIN, _EXPIRY, _EXPIRY_TIME}:
        # A number that a person types, such as 10234, would otherwise be taken for the lot 234.
        raise _unreadable("It names neither a product nor an expiry. Type a lot number into its own field.")
    return fields


def _elements(text: str) -> Iterator[tuple[str, str]]:
    """Yield the fields of element strings, each ended as it must be, together all of the text."""
    rest = text
    for ai, value, needs_end in _understood(text):
        found = f"{ai}{value}"
        if not rest.startswith(found):
            raise _unreadable("It does not follow the rules of GS1.")
        rest = rest[len(found) :]
        if rest and needs_end and not rest.startswith(_SEPARATOR):
            said = f"Field ({ai}) is longer than allowed, or its end is missing: the scanner must send FNC1 (GS)."
            raise _unreadable(said)
        rest = rest.lstrip(_SEPARATOR)
        yield ai, value


def _understood(text: str) -> list[tuple[str, str, bool]]:
    """Return what biip understands: identifier, value, and whether the field needs an end."""
    try:
        elements = GS1Message.parse(text, config=_CONFIG).element_strings
    except (ParseError, ValueError):
        raise _unreadable("It is no GS1 barcode and no GTIN, or a part of it is missing.") from None
    return [(one.ai.ai, one.value, one.ai.separator_required) for one in elements]


def _whole(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield the pairs, each of which biip takes whole."""
    for ai, value in pairs:
        padded = gtin14(value) if ai == _GTIN and is_gtin(value) else value
        if [(ai, padded)] != [found[:2] for found in _understood(f"{ai}{padded}")]:
            raise _unreadable(f"Field ({ai}) cannot be {value[:40]!r}.")
        yield ai, padded


def _bracket_pairs(text: str) -> Iterator[tuple[str, str]]:
    head, *parts = _BRACKETS.split(text)
    if head or not parts:
        raise _unreadable("In brackets stands the number of a field, as in (01) and (10).")
    for ai, value in zip(parts[::2], parts[1::2], strict=True):
        yield ai, value.strip(f" {_SEPARATOR}")


def _link_pairs(text: str) -> Iterator[tuple[str, str]]:
    """Yield the fields of a digital link: the path from /01/ on, then those of the query that are GS1's."""
    try:
        parts = urlsplit(text)
    except ValueError:
        raise _unreadable("It is no address.") from None
    path = parts.path.rstrip("/").split("/")
    if _GTIN not in path:
        raise _unreadable("It is an address, but of no product: there is no /01/ in it.")
    keys = path[path.index(_GTIN) :]
    if len(keys) % 2:
        raise _unreadable("The address is incomplete.")
    for ai, value in zip(keys[::2], keys[1::2], strict=True):
        yield ai, _decoded(unquote(value))
    for ai, value in parse_qsl(parts.query, keep_blank_values=True):
        if ai in _NAMES:
            yield ai, _decoded(value)


def _decoded(value: str) -> str:
    if not (value.isascii() and value.isprintable()):
        raise _unreadable("The address has characters that no barcode of a product has.")
    return value


def _collected(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for ai, value in pairs:
        if ai in _NAMES and fields.setdefault(ai, value) != value:
            raise _contradicts(_NAMES[ai], fields[ai], value)
    return fields


def _scan(raw: str, fields: dict[str, str], on: date) -> Scan:
    gtin, lot = fields.get(_GTIN), fields.get(_LOT)
    if gtin and not has_gtin_check_digit(gtin):
        said = (
            f"The last digit of GTIN {gtin} does not check: the code was misread or damaged. Scan it again."
        )
        raise Refusal("SCAN-CHECK-DIGIT", said, "scan")
    expires_on, month_only, expiry_time = _expiry(fields, on)
    produced = fields.get(_PRODUCED)
    is_delimited = "(" in raw[:4] or "://" in raw
    return Scan(
        raw=raw,
        gtin=gtin,
        lot_number=lot,
        serial_number=fields.get(_SERIAL),
        expires_on=expires_on,
        expires_month_only=month_only,
        expiry_time=expiry_time,
        produced_on=_day(produced, _PRODUCED, on)[0] if produced else None,
        lot_may_hold_more=bool(lot and not expires_on and not is_delimited and _EXPIRY_INSIDE.search(lot)),
    )


def _expiry(fields: dict[str, str], on: date) -> tuple[date | None, bool, time | None]:
    """Return the expiry, whether it is a month's last day, and the clock time on it if one is given."""
    by_day, by_time = fields.get(_EXPIRY), fields.get(_EXPIRY_TIME)
    if by_time is None:
        return (*_day(by_day, _EXPIRY, on), None) if by_day else (None, False, None)
    expires_on, month_only = _day(by_time[:6], _EXPIRY_TIME, on)
    if by_day and _day(by_day, _EXPIRY, on)[0] != expires_on:
        raise _contradicts(_NAMES[_EXPIRY], by_day, by_time)
    hour, minute = int(by_time[6:8]), int(by_time[8:])
    if hour > 23 or minute > 59:
        raise _no_day(_EXPIRY_TIME, by_time)
    return expires_on, month_only, time(hour, minute)


def _day(digits: str, ai: str, on: date) -> tuple[date, bool]:
    """Return the day of YYMMDD, and whether it is day 00: then the last of its month (GS1 General Specifications, 3.4.6)."""
    year, month, day = _year(int(digits[:2]), on), int(digits[2:4]), int(digits[4:6])
    try:
        first = date(year, month, day or 1)
    except ValueError:
        raise _no_day(ai, digits) from None
    return (first if day else first.replace(day=monthrange(year, month)[1])), day == 0


def _year(two_digits: int, on: date) -> int:
    """Return the year that is at most 49 years past and 50 ahead (GS1 General Specifications, 7.12)."""
    century = on.year - on.year % 100
    ahead = two_digits - on.year % 100
    return century + two_digits + (-100 if ahead > 50 else 100 if ahead < -49 else 0)


def _no_day(ai: str, digits: str) -> Refusal:
    said = f"The {_NAMES[ai]} in the code, {digits}, is no date. Type what is printed on the pack."
    return Refusal("SCAN-DATE", said, "scan")


def _contradicts(name: str, one: str, other: str) -> Refusal:
    said = f"The code gives the {name} twice: {one} and {other}. Type what is printed on the pack."
    return Refusal("SCAN-CONTRADICTS", said, "scan")


def _unreadable(why: str) -> Refusal:
    return Refusal("SCAN-UNREADABLE", f"This cannot be read as the barcode of a pack. {why}", "scan")
