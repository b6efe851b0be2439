"""Calendar feeds: valid iCalendar, a secret that can be revoked, and no name for whoever may not see it."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from inventory.audit.models import AccessEntry
from inventory.interop.icalendar import DayEvent, calendar_text, escaped, folded
from inventory.interop.models import CalendarFeed
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.staff.queries import person
from inventory.staff.services import deactivate_person, edit_person, set_sites
from inventory.staff.services.people import Entry
from tests.factories.clinic import make_site
from tests.factories.doses import Bench
from tests.factories.due import make_due
from tests.factories.patients import make_patient
from tests.factories.staff import make_user
from tests.support.client import CheckingClient
from tests.support.databases import OwnerConnection

Client = Callable[..., CheckingClient]
TODAY = date(2026, 3, 16)
ONCE = {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "LAST-MODIFIED", "TRANSP"}


def parsed(text: str) -> list[dict[str, str]]:
    """Read a calendar as strictly as RFC 5545 has it, and return its events."""
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    raw = text.split("\r\n")[:-1]
    assert all(0 < len(line.encode()) <= 75 for line in raw)
    lines: list[str] = []
    for line in raw:
        if line[0] == " ":
            lines[-1] += line[1:]
        else:
            lines.append(line)
    assert (lines[0], lines[-1]) == ("BEGIN:VCALENDAR", "END:VCALENDAR")
    for needed in ("VERSION:2.0", "CALSCALE:GREGORIAN"):
        assert lines.count(needed) == 1
    assert sum(line.startswith("PRODID:") for line in lines) == 1
    events: list[dict[str, str]] = []
    inside = False
    for line in lines[1:-1]:
        found = re.fullmatch(r"([A-Z-]+)((?:;[A-Z]+=[A-Z]+)*):(.*)", line)
        assert found, line
        if line == "BEGIN:VEVENT":
            assert not inside
            inside, event = True, {}
        elif line == "END:VEVENT":
            assert set(event) >= ONCE
            events.append(event)
            inside = False
        elif inside:
            assert found[1] not in event, f"{found[1]} twice"
            event[found[1]] = checked(found[1], found[2], found[3])
    assert not inside
    assert len({event["UID"] for event in events}) == len(events)
    return events


def checked(name: str, parameters: str, value: str) -> str:
    if name in {"DTSTART", "DTEND"}:
        assert parameters == ";VALUE=DATE"
        assert re.fullmatch(r"\d{8}", value)
    if name in {"DTSTAMP", "LAST-MODIFIED"}:
        assert re.fullmatch(r"\d{8}T\d{6}Z", value)
    if name in {"SUMMARY", "DESCRIPTION"}:
        assert re.fullmatch(r"(?:[^\\;,]|\\[\\;,n])*", value), value
        return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], value)
    return value


def address_of(page: str) -> str:
    found = re.search(r"http://localhost(/exports/calendar/[\w-]+\.ics)", page)
    assert found
    return found[1]


def made(client: CheckingClient, **typed: str) -> str:
    answer = client.submit("/exports/calendar", typed, having="request_key")
    assert answer.status_code == 200
    return address_of(answer.get_data(as_text=True))


def events(client: CheckingClient, path: str) -> list[dict[str, str]]:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.content_type == "text/calendar; charset=utf-8"
    return parsed(answer.get_data(as_text=True))


def clinic(*days: int) -> Bench:
    bench = Bench()
    for number, day in enumerate(days):
        make_due(
            make_patient(family_name=f"O'Fee{'abcdef'[number]}; Kő", record_number=f"F-{number}"),
            site_id=bench.place.site_id,
            due_on=TODAY + timedelta(days=day),
        )
    return bench


def test_a_feed_without_names_names_nobody_and_is_valid(
    app: Flask, at: datetime, signed_in_client: Client, client: CheckingClient
) -> None:
    clinic(-3, 0, 20, 200)
    path = made(signed_in_client(Role.PRACTITIONER))
    text = client.get(path).get_data(as_text=True)
    assert "Fee" not in text.replace("\r\n ", "")
    assert "F-0" not in text.replace("\r\n ", "")
    found = events(client, path)
    assert [(one["DTSTART"], one["DTEND"], one["SUMMARY"]) for one in found] == [
        ("20260313", "20260314", "Overdue: 1,000 mcg Cyanocobalamin"),
        ("20260316", "20260317", "1,000 mcg Cyanocobalamin"),
        ("20260405", "20260406", "1,000 mcg Cyanocobalamin"),
    ]
    assert db.session.scalar(select(func.count()).where(AccessEntry.page == "calendar feed")) == 0


def test_a_feed_with_names_is_a_look_at_each_once_a_day(
    app: Flask,
    at: datetime,
    at_instant: Callable[[datetime], None],
    signed_in_client: Client,
    client: CheckingClient,
) -> None:
    clinic(0, 1)
    path = made(signed_in_client(Role.PRACTITIONER), names_patients="y")
    assert [one["SUMMARY"] for one in events(client, path)] == [
        "O'Feea; Kő, Ada, 1,000 mcg Cyanocobalamin",
        "O'Feeb; Kő, Ada, 1,000 mcg Cyanocobalamin",
    ]
    looks = select(func.count()).where(AccessEntry.page == "calendar feed")
    at_instant(at + timedelta(hours=20))
    events(client, path)
    assert db.session.scalar(looks) == 2
    at_instant(at + timedelta(hours=25))
    events(client, path)
    assert db.session.scalar(looks) == 4


def test_the_due_day_is_the_sites_own_whatever_the_hour(
    app: Flask,
    at: datetime,
    at_instant: Callable[[datetime], None],
    signed_in_client: Client,
    client: CheckingClient,
) -> None:
    clinic(0)
    path = made(signed_in_client(Role.PRACTITIONER))
    at_instant(datetime(2026, 3, 16, 23, 59, tzinfo=at.tzinfo))
    assert events(client, path)[0]["SUMMARY"] == "1,000 mcg Cyanocobalamin"
    at_instant(datetime(2026, 3, 17, 0, 1, tzinfo=at.tzinfo))
    assert events(client, path)[0]["SUMMARY"].startswith("Overdue: ")
    assert events(client, path)[0]["DTSTART"] == "20260316"


def test_the_secret_is_kept_as_a_hash_only_and_shown_once(
    app: Flask, at: datetime, signed_in_client: Client, client: CheckingClient
) -> None:
    clinic(0)
    nurse = signed_in_client(Role.PRACTITIONER)
    form = nurse.form("/exports/calendar", having="request_key")
    path = address_of(nurse.send("/exports/calendar", form).get_data(as_text=True))
    token = path.removeprefix("/exports/calendar/").removesuffix(".ics")
    feed = db.session.scalars(select(CalendarFeed)).one()
    assert token not in repr(vars(feed))
    again = nurse.send("/exports/calendar", form).get_data(as_text=True)
    assert "made already" in again
    assert token not in again
    assert token not in nurse.get("/exports/calendar").get_data(as_text=True)
    assert client.get(f"/exports/calendar/{token[:-1]}.ics").status_code == 404
    assert client.post(path).status_code in {400, 405}


def test_a_revoked_address_leads_nowhere(
    app: Flask, at: datetime, signed_in_client: Client, client: CheckingClient
) -> None:
    clinic(0)
    nurse, other = signed_in_client(Role.PRACTITIONER), signed_in_client(Role.PRACTITIONER)
    path = made(nurse)
    feed_id = db.session.scalars(select(CalendarFeed.id)).one()
    token = {"csrf_token": other.form("/exports/calendar", having="request_key").fields["csrf_token"][0]}
    assert other.post(f"/exports/calendar/{feed_id}/revoke", data=token).status_code == 404
    assert client.get(path).status_code == 200
    nurse.submit("/exports/calendar", action=f"/exports/calendar/{feed_id}/revoke")
    assert client.get(path).status_code == 404


def test_a_feed_tells_what_its_person_may_see_now(
    app: Flask, at: datetime, signed_in_client: Client, client: CheckingClient
) -> None:
    clinic(0)
    north = make_site("NORTH", locations=())
    user = make_user(roles=(Role.PRACTITIONER, Role.MANAGER))
    path = made(signed_in_client(user=user), names_patients="y")
    assert "Feea" in events(client, path)[0]["SUMMARY"]
    entry = Entry(display_name=user.display_name, roles=frozenset({Role.MANAGER}))
    edit_person(actor=SYSTEM_ACTOR, at=at, user_id=user.id, version=person(user.id).version, entry=entry)
    assert "Feea" not in events(client, path)[0]["SUMMARY"]
    set_sites(actor=SYSTEM_ACTOR, at=at, user_id=user.id, site_ids=[north.id])
    assert client.get(path).status_code == 404
    set_sites(actor=SYSTEM_ACTOR, at=at, user_id=user.id, site_ids=[])
    assert client.get(path).status_code == 200
    deactivate_person(actor=SYSTEM_ACTOR, at=at, user_id=user.id)
    assert client.get(path).status_code == 404


def test_a_manager_is_offered_no_names_and_an_auditor_no_feed(
    app: Flask, at: datetime, signed_in_client: Client
) -> None:
    clinic(0)
    assert "names_patients" not in signed_in_client(Role.MANAGER).get("/exports/calendar").get_data(
        as_text=True
    )
    assert signed_in_client(Role.AUDITOR).get("/exports/calendar").status_code == 403


def test_a_feed_is_revoked_once_and_never_deleted(
    app: Flask, at: datetime, signed_in_client: Client, owner_connection: OwnerConnection
) -> None:
    clinic(0)
    nurse = signed_in_client(Role.PRACTITIONER)
    made(nurse)
    feed_id = db.session.scalars(select(CalendarFeed.id)).one()
    nurse.submit("/exports/calendar", action=f"/exports/calendar/{feed_id}/revoke")
    for statement in ("DELETE FROM calendar_feed", "UPDATE calendar_feed SET revoked_at = NULL"):
        with pytest.raises(Exception, match="law:"):
            owner_connection.execute(statement)
        owner_connection.rollback()


@pytest.mark.parametrize("text", ["", "plain", "a" * 80, "é" * 60, "\U0001f489" * 40, "a,b;c\\d\ne" * 20])
def test_any_text_is_escaped_and_folded(text: str) -> None:
    event = DayEvent("1@due", TODAY, text, text, "", datetime(2026, 3, 1, tzinfo=None).astimezone())
    [found] = parsed(calendar_text([event], name=text, at=datetime(2026, 3, 1).astimezone()))
    assert found["SUMMARY"] == text
    assert folded(escaped(text)).replace("\r\n ", "") == escaped(text)
