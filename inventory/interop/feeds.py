"""What stands in a calendar feed, and for whom: read by its secret address, without a sign-in, and nothing is written through it.

Law kept here: least sight (11). The feed tells what its person may see at this moment, and no names unless they asked for them; names
are a look at each patient, logged once a day.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from inventory.audit.services import log_list
from inventory.clinic.models import Site
from inventory.clinic.settings import current_settings
from inventory.doses.presenters.due import due_line
from inventory.doses.queries.due import Wanted, due_list
from inventory.interop.icalendar import DayEvent, calendar_text
from inventory.interop.models import CalendarFeed
from inventory.interop.queries import feed_by_token
from inventory.kernel.clock import local_day
from inventory.kernel.db import db
from inventory.kernel.errors import not_found
from inventory.kernel.permissions import Actor, Permission, Role
from inventory.staff.models import User
from inventory.staff.queries import actor_of, person

AHEAD = timedelta(days=92)
MOST_EVENTS = 2_000
_A_DAY = timedelta(days=1)
Address = Callable[[Any], str]


def feed_text(token: str, *, at: datetime, address: Address) -> str:
    """Return the feed of a secret: one event for each dose that is due. `address` gives the page of a row.

    Raises Refusal NOT-FOUND where the secret is none, was revoked, or its person may not see the list any more.
    """
    feed = feed_by_token(db.session(), token)
    if feed is None:
        raise not_found("calendar")
    actor, site = _reader(feed, at), db.session.get_one(Site, feed.site_id)
    named = feed.names_patients and actor.can(Permission.PATIENT_READ)
    today = local_day(at, site.time_zone)
    rows = due_list(db.session(), Wanted(site_ids=[site.id], last_on=today + AHEAD), at=at, most=MOST_EVENTS)
    events = [_event(row, today=today, named=named, address=address) for row in rows]
    name = f"Due: {current_settings().clinic_name}, {site.name}"
    shown: list[UUID] = [row.patient_id for row in rows] if named else []
    log_list(actor, shown, "calendar feed", at=at, within=_A_DAY)
    return calendar_text(events, name=name, at=at)


def may_have_feed(actor: Actor) -> bool:
    """Tell whether somebody may have a feed: who works with stock or patients here, and no auditor, who stands apart."""
    return actor.can(Permission.STOCK_USE) and Role.AUDITOR not in actor.roles


def _reader(feed: CalendarFeed, at: datetime) -> Actor:
    """Return whose feed it is, as they are now. Raises Refusal NOT-FOUND where they may not read it any more."""
    user = person(feed.user_id)
    actor = actor_of(user)
    if not _is_active(user, at) or not may_have_feed(actor) or not actor.works_at(feed.site_id):
        raise not_found("calendar")
    return actor


def _is_active(user: User, at: datetime) -> bool:
    began = user.access_from is None or user.access_from <= at
    return user.deactivated_at is None and began and (user.access_until is None or at < user.access_until)


def _event(row: Any, *, today: Any, named: bool, address: Address) -> DayEvent:
    line = due_line(row, today)
    overdue = "Overdue: " if row.due_on < today else ""
    what = f"{line.dose} {line.what}"
    told = [f"Window {line.window}"] if line.window else []
    if named:
        told = [f"Record {line.record_number}", *told, f"Last dose: {line.last}"]
        told += [f"To watch: {line.watch.words}"] if line.watch else []
    return DayEvent(
        uid=f"{row.slot_id}@due",
        on=row.due_on,
        summary=f"{overdue}{f'{line.name}, {what}' if named else what}",
        description="\n".join(told),
        address=address(row),
        changed_at=row.planned_at,
        categories=("Overdue" if overdue else "Due",),
    )
