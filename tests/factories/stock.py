"""Makes stock through the room's own services: a shelf to put it on, a delivery, an open vial."""

from datetime import date, datetime
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from inventory.clinic.models import Location, Site
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor
from inventory.stock import queries, services
from inventory.stock.ledger import Place
from inventory.stock.models import Account, AccountKind, Lot, Movement, Vial
from inventory.stock.services import Delivery
from tests.factories.catalogue import make_product
from tests.factories.clinic import make_location, make_site

EXPIRES_ON = date(2027, 8, 31)
_numbers = count(1)


def make_place(*, code: str = "MAIN", location: str = "Cabinet", zone: str = "Europe/London") -> Place:
    """Return a location of the site, each added where it does not exist yet."""
    site_id = db.session.scalar(select(Site.id).where(Site.code == code))
    if site_id is None:
        site_id = make_site(code, time_zone=zone, locations=()).id
    found = db.session.scalar(
        select(Location.id).where(Location.site_id == site_id, Location.name == location)
    )
    return Place(site_id, found or make_location(site_id, location).id)


def make_delivery(
    *,
    product_id: UUID | None = None,
    place: Place | None = None,
    lot_number: str = "",
    expires_on: date = EXPIRES_ON,
    containers: int = 25,
    received_at: datetime | None = None,
    actor: Actor = SYSTEM_ACTOR,
    at: datetime | None = None,
    **rest: Any,
) -> Lot:
    """Receive a delivery and return its lot, with product and formulation loaded."""
    where = place or make_place()
    instant = at or clock.now()
    delivery = Delivery(
        product_id=product_id or make_product(at=instant).id,
        lot_number=lot_number or f"INV{next(_numbers):05d}",
        expires_on=expires_on,
        containers=containers,
        site_id=where.site_id,
        location_id=where.location_id,
        received_at=received_at,
        **rest,
    )
    made = services.receive_delivery(actor=actor, at=instant, delivery=delivery)
    return queries.lot_by_id(db.session(), made.subject_id)


def make_open_vial(
    lot: Lot, *, place: Place | None = None, actor: Actor = SYSTEM_ACTOR, at: datetime | None = None
) -> Vial:
    """Open a multi-dose container of `lot` and return the vial."""
    where = place or make_place()
    made = services.open_vial(
        actor=actor,
        at=at or clock.now(),
        lot_id=lot.id,
        site_id=where.site_id,
        location_id=where.location_id,
    )
    return queries.vial_by_id(db.session(), made.subject_id)


def balance_ul(lot: Lot, kind: AccountKind = AccountKind.SHELF) -> int:
    """Return what the lot's accounts of one kind hold together, as the database has it now."""
    held = select(func.sum(Account.balance_ul)).where(Account.lot_id == lot.id, Account.kind == kind)
    return int(db.session.scalar(held) or 0)


def movements_of(lot: Lot) -> list[Movement]:
    """Return the lot's movements in the order they were recorded."""
    return list(db.session.scalars(select(Movement).where(Movement.lot_id == lot.id).order_by(Movement.id)))
