"""What stands in a calendar feed, and for whom: read by its secret address, without a sign-in, never written through.

Law kept here: least sight (11). The feed tells what its person may see at this moment, and no names unless they asked for them; names
are a look at each patient, logged once a day.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from inventory.audit.services import log_list
from inventory.clinic.models import Site
from inventory.doses.presenters.due import due_line
from inventory.doses.queries.due import Wanted, due_list
from inventory.interop.icalendar import DayEvent, calendar_text
from inventory.interop.models import CalendarFeed
from inventory.interop.queries_feeds import feed_of
from inventory.kernel.clock import local_day
from inventory.kernel.db import db
from inventory.kernel.permissions import Actor, Permission

AHEAD = timedelta(days=92)
MOST_EVENTS = 2_000
