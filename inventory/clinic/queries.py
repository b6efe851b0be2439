"""What is read about sites and storage locations."""

from uuid import UUID

from sqlalchemy import select

from inventory.clinic.models import Location, Site
from inventory.kernel.db import db
from inventory.kernel.errors import not_found

_SITES = select(Site).order_by(Site.created_at, Site.id)

_SITE = Site.__table__
_FIRST = select(_SITE.c.id).order_by(_SITE.c.created_at, _SITE.c.id).limit(1)


def first_site_id() -> UUID | None:
    """Return the id of the first site, if there is any."""
    return db.session.scalar(_FIRST)


def sites() -> list[Site]:
    """Return every site, the first one first."""
    return list(db.session.scalars(_SITES))


def site(site_id: UUID) -> Site:
    """Return a site. Raises Refusal NOT-FOUND."""
    found = db.session.get(Site, site_id)
    if found is None:
        raise not_found("site")
    return found


def location(location_id: UUID) -> Location:
    """Return a storage location, closed or not. Raises Refusal NOT-FOUND."""
    found = db.session.get(Location, location_id)
    if found is None:
        raise not_found("storage location")
    return found


def locations(site_id: UUID, *, with_closed: bool = False) -> list[Location]:
    """Return a site's storage locations by name; closed ones last, where asked for."""
    statement = select(Location).where(Location.site_id == site_id)
    if not with_closed:
        statement = statement.where(Location.closed_at.is_(None))
    return list(
        db.session.scalars(statement.order_by(Location.closed_at.is_not(None), Location.name, Location.id))
    )
