"""What a site, a storage location and a setting may be. Pure."""

import re
from functools import cache
from zoneinfo import available_timezones

from inventory.kernel.errors import Refusal

_SITE_CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{0,11}", re.ASCII)
_OLD_NAMES = ("Etc/", "SystemV/", "US/", "posix/", "right/")


@cache
def time_zones() -> tuple[str, ...]:
    """Return the IANA zones that a site may choose: Area/City, and UTC."""
    places = {zone for zone in available_timezones() if "/" in zone and not zone.startswith(_OLD_NAMES)}
    return ("UTC", *sorted(places))


def site_code(typed: str) -> str:
    """Return a site's code as it is stored: in capitals."""
    return typed.strip().upper()


def site_refusals(*, code: str, name: str, time_zone: str) -> list[Refusal]:
    """Return everything wrong with a site's entry."""
    found = []
    if not _SITE_CODE.fullmatch(code):
        said = "1 to 12 letters, digits and hyphens, such as MAIN. It stands in every dose's number."
        found.append(Refusal("SITE-CODE", said, "code"))
    if not name.strip():
        found.append(Refusal("SITE-NAME", "Type the site's name.", "name"))
    if time_zone not in time_zones():
        found.append(Refusal("ZONE-UNKNOWN", "Choose the time zone from the list.", "time_zone"))
    return found


def location_refusals(name: str) -> list[Refusal]:
    """Return what is wrong with a storage location's name."""
    if name.strip():
        return []
    return [Refusal("LOCATION-NAME", "Type a name, such as Fridge 1.", "name")]
