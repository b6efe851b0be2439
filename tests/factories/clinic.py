"""Sites and storage locations of the tests."""

from collections.abc import Sequence

from sqlalchemy import select

from inventory.clinic import services
from inventory.clinic.models import Location, LocationKind, Site
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR


def make_site(
    code: str = "MAIN",
    *,
    time_zone: str = "Europe/London",
    name: str = "",
    address: str = "1 Invented Street",
    locations: Sequence[str] = ("Cabinet",),
) -> Site:
    """Add a site with its storage locations (cabinets; a name with "Fridge" in it is a fridge)."""
    outcome = services.add_site(
        actor=SYSTEM_ACTOR,
        at=clock.now(),
        code=code,
        name=name or f"{code.title()} Street",
        time_zone=time_zone,
        address=address,
    )
    for location in locations:
        make_location(outcome.subject_id, location)
    return db.session.get_one(Site, outcome.subject_id)


def make_location(site_id: object, name: str = "Cabinet") -> Location:
    """Add a storage location to a site."""
    kind = LocationKind.FRIDGE if "fridge" in name.lower() else LocationKind.CABINET
    outcome = services.add_location(
        actor=SYSTEM_ACTOR,
        at=clock.now(),
        site_id=site_id,
        name=name,
        kind=kind,  # type: ignore[arg-type]
    )
    return db.session.get_one(Location, outcome.subject_id)


def locations_of(site: Site) -> list[Location]:
    """Return a site's storage locations in the order they were added."""
    return list(db.session.scalars(select(Location).where(Location.site_id == site.id).order_by(Location.id)))


def site_by_code(code: str) -> Site:
    """Return the site of this code."""
    return db.session.scalars(select(Site).where(Site.code == code)).one()
