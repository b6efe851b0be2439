"""How instants, days and amounts are worded on a page.

Law kept here: instants are stored in UTC and shown in the site's zone; amounts are whole
microlitres and nanograms and are shown as mL and mcg, exactly.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, current_app, g
from markupsafe import Markup

from inventory.kernel.clinic_command import database_name
from inventory.kernel.clock import now
from inventory.kernel.quantity import format_mcg, format_ml
from inventory.web.typed_text import MONTHS

EMPTY = "—"
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ZONE_KEY = "web.zone"
_CLINIC_KEY = "web.clinic_name"


def set_zone_source(app: Flask, source: Callable[[], ZoneInfo | str]) -> None:
    """Tell the pages where to learn the site's zone; asked at most once a request."""
    app.extensions[_ZONE_KEY] = source


def set_clinic_name_source(app: Flask, source: Callable[[], str]) -> None:
    """Tell the pages where to learn the clinic's name; asked at most once a request."""
    app.extensions[_CLINIC_KEY] = source


def site_zone() -> ZoneInfo:
    """The zone that clock times on this page are read and written in; UTC where none is known."""
    if "site_zone" not in g:
        source = current_app.extensions.get(_ZONE_KEY)
        found = source() if source else current_app.config.get("SITE_ZONE", "UTC")
        g.site_zone = found if isinstance(found, ZoneInfo) else ZoneInfo(str(found))
    return ZoneInfo(g.site_zone.key)


def clinic_name() -> str:
    """The clinic's name for titles; empty until the clinic is set up."""
    if "clinic_name" not in g:
        source = current_app.extensions.get(_CLINIC_KEY)
        g.clinic_name = str(source() if source else current_app.config.get("CLINIC_NAME", ""))
    return str(g.clinic_name)


def clinic_in_words() -> str:
    """Which clinic this is and where it is kept: `Riverside Clinic, the demo, in demo.sqlite3`."""
    demo = ", the demo" if current_app.config["DEMO"] else ""
    return f"{clinic_name() or 'a clinic that is not set up yet'}{demo}, in {database_name()}"


def day(value: date | None) -> str:
    """`20 Nov 2026`, whatever the machine's locale."""
    return f"{value.day} {MONTHS[value.month - 1]} {value.year}" if value else EMPTY


def month(value: date) -> str:
    """`November 2026`, whatever the machine's locale."""
    return f"{_MONTHS[value.month - 1]} {value.year}"


def weekday(value: date) -> str:
    """`Monday`, whatever the machine's locale."""
    return _WEEKDAYS[value.weekday()]


def local_day(instant: datetime | None) -> str:
    """The day on the site's calendar at that instant: `20 Nov 2026`."""
    return day(instant.astimezone(site_zone()).date()) if instant else EMPTY


def local_time(instant: datetime | None) -> str:
    """`20 Nov 2026, 09:30` on the site's clock; with the zone's name in a repeated hour."""
    if instant is None:
        return EMPTY
    local = instant.astimezone(site_zone())
    suffix = f" {local.tzname()}" if _is_repeated(local) else ""
    return f"{day(local.date())}, {local:%H:%M}{suffix}"


def local_clock(instant: datetime | None) -> str:
    """`09:30` on the site's clock."""
    return f"{instant.astimezone(site_zone()):%H:%M}" if instant else EMPTY


def _is_repeated(local: datetime) -> bool:
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def relative_days(value: date | None, today: date | None = None) -> str:
    """`today`, `tomorrow`, `in 12 days`, `3 days ago`, counted in the site's days."""
    if value is None:
        return EMPTY
    days = (value - (today or site_today())).days
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}
    return near.get(days) or (f"in {days:,} days" if days > 0 else f"{-days:,} days ago")


def site_today() -> date:
    """The site's present day."""
    return now().astimezone(site_zone()).date()


def ml(volume_ul: int | None) -> str:
    """Whole microlitres as `0.5 mL`."""
    return EMPTY if volume_ul is None else f"{format_ml(volume_ul)} mL"


def mcg(dose_ng: int | None) -> str:
    """Whole nanograms as `1000 mcg`."""
    return EMPTY if dose_ng is None else f"{format_mcg(dose_ng)} mcg"


def count(number: int | None, one: str = "", many: str = "") -> str:
    """`1 vial`, `25 vials`, `1,204`; `many` defaults to `one` with an s."""
    if number is None:
        return EMPTY
    noun = one if number == 1 else (many or (one and f"{one}s"))
    return f"{number:,} {noun}".rstrip()


def when(instant: datetime | None) -> str | Markup:
    """A `<time>` element: the site's clock to read, the exact instant for machines."""
    if instant is None:
        return EMPTY
    return Markup('<time datetime="{}">{}</time>').format(instant.isoformat(), local_time(instant))


def on_day(value: date | None) -> str | Markup:
    """A `<time>` element for a day."""
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), day(value)) if value else EMPTY


FILTERS: dict[str, Callable[..., Any]] = {
    "day": day,
    "month": month,
    "weekday": weekday,
    "on_day": on_day,
    "when": when,
    "local_day": local_day,
    "local_time": local_time,
    "local_clock": local_clock,
    "relative_days": relative_days,
    "ml": ml,
    "mcg": mcg,
    "count_of": count,
}
