"""Writes iCalendar (RFC 5545): whole days, in UTC-free dates, so that no zone moves one. Pure text; knows nothing of the clinic.

Lines end with CR LF and are folded at 75 octets, never inside a character (section 3.1); commas, semicolons, backslashes and line
breaks in texts are escaped (section 3.3.11).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

PRODUCT = "-//Clinic//Who is due//EN"
_OCTETS = 75


@dataclass(frozen=True, slots=True)
class DayEvent:
    """Something that is of one day. `uid` never changes for the same thing; `changed_at` is when it last did."""

    uid: str
    on: date
    summary: str
    description: str
    address: str
    changed_at: datetime
    categories: tuple[str, ...] = ()


def calendar_text(events: Iterable[DayEvent], *, name: str, at: datetime) -> str:
    """Return a calendar of the events, as it is at the instant `at`."""
    return "".join(f"{folded(line)}\r\n" for line in _calendar(events, name, at))


def _calendar(events: Iterable[DayEvent], name: str, at: datetime) -> Iterator[str]:
    yield "BEGIN:VCALENDAR"
    yield "VERSION:2.0"
    yield f"PRODID:{PRODUCT}"
    yield "CALSCALE:GREGORIAN"
    yield "METHOD:PUBLISH"
    yield f"X-WR-CALNAME:{escaped(name)}"
    yield "REFRESH-INTERVAL;VALUE=DURATION:PT1H"
    yield "X-PUBLISHED-TTL:PT1H"
    for event in events:
        yield from _event(event, at)
    yield "END:VCALENDAR"


def _event(event: DayEvent, at: datetime) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{event.uid}"
    yield f"DTSTAMP:{_instant(at)}"
    yield f"DTSTART;VALUE=DATE:{_day(event.on)}"
    yield f"DTEND;VALUE=DATE:{_day(event.on + timedelta(days=1))}"
    yield f"LAST-MODIFIED:{_instant(event.changed_at)}"
    yield f"SUMMARY:{escaped(event.summary)}"
    if event.description:
        yield f"DESCRIPTION:{escaped(event.description)}"
    if event.address:
        yield f"URL:{event.address}"
    if event.categories:
        yield f"CATEGORIES:{','.join(map(escaped, event.categories))}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def escaped(text: str) -> str:
    """Return a text as the value of a property."""
    plain = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return plain.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\n")


def folded(line: str) -> str:
    """Return a content line with a break and a blank wherever it would grow longer than 75 octets."""
    parts, part, room = [], "", _OCTETS
    for character in line:
        size = len(character.encode("utf-8"))
        if size > room:
            parts.append(part)
            part, room = " ", _OCTETS - 1
        part += character
        room -= size
    return "\r\n".join([*parts, part])


def _day(value: date) -> str:
    return f"{value:%Y%m%d}"


def _instant(value: datetime) -> str:
    return f"{value.astimezone(UTC):%Y%m%dT%H%M%SZ}"
