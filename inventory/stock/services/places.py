"""Where an act may happen: a site that exists, a location of that site, and what stock is in there."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from inventory.clinic.models import Location, Site
from inventory.clinic.services import location_guards
from inventory.kernel.clock import local_day
from inventory.kernel.errors import Refusal, not_found
from inventory.stock import queries
from inventory.stock.models import Account, Lot
from inventory.stock.queries.transfers import is_linked


def site_of(session: Session, site_id: UUID) -> Site:
    """Return the site. Raises Refusal NOT-FOUND."""
    site = session.get(Site, site_id)
    if site is None:
        raise not_found("site")
    return site


def refuse_elsewhere(session: Session, *, site_id: UUID, location_id: UUID) -> None:
    """Raise Refusal LOCATION-ELSEWHERE unless the location is in use at the site."""
    location = session.get(Location, location_id)
    if location is None or location.site_id != site_id or location.closed_at is not None:
        raise Refusal("LOCATION-ELSEWHERE", "Choose a storage location of this site.", "location")


def refuse_unusable_lot(session: Session, lot: Lot, *, site: Site, location_id: UUID, at: datetime) -> None:
    """Raise Refusal LOT-EXPIRED or LOT-HELD as things stood at the instant `at`."""
    if lot.expires_on < local_day(at, site.time_zone):
        said = f"Lot {lot.lot_number} expired on {lot.expires_on.isoformat()}. Waste it instead."
        raise Refusal("LOT-EXPIRED", said)
    if queries.active_hold_kinds(session, lot_id=lot.id, location_id=location_id, at=at):
        said = f"Lot {lot.lot_number} is on hold. Nothing of it may be opened until the hold is released."
        raise Refusal("LOT-HELD", said)


def why_not_closed(session: Session, location_id: UUID) -> str | None:
    """Return why the clinic cannot close this storage location: stock is kept there. None when it is empty."""
    kept = exists().where(Account.location_id == location_id, Account.balance_ul > 0)
    if session.execute(select(kept)).scalar_one():
        return "Stock is still kept there, sealed or in open vials. Use it up or waste it first."
    if is_linked(session, location_id):
        return "Stock is on its way from or to there. Receive the transfer first."
    return None


location_guards.append(why_not_closed)
