"""Temperatures by location, the excursions, and what lay where while a reading was outside its limits."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from inventory.catalogue.models import Product
from inventory.clinic.models import Location, LocationKind, Site
from inventory.kernel.errors import not_found
from inventory.staff.models import User
from inventory.stock.exposure import Kept, Limits, Reading
from inventory.stock.models import (
    Account,
    ExcursionDecision,
    ExcursionHold,
    Hold,
    Lot,
    Movement,
    TemperatureExcursion,
    TemperatureReading,
    Vial,
)
from inventory.stock.queries.on_hand import lying_at
from inventory.web.pagination import Page, paginate

CHART_DAYS = 30
MOST_READINGS_DRAWN = 100_000


@dataclass(frozen=True, slots=True)
class Spell:
    """The range of a time: lowest and highest in tenths of a degree, and how many readings; None where there is none."""

    lowest: int | None = None
    highest: int | None = None
    count: int = 0


@dataclass(frozen=True, slots=True)
class Watched:
    """A location as it stands: its last reading, its ranges, and what the products there allow."""

    location: Location
    last: TemperatureReading | None
    day: Spell
    month: Spell
    limits: Limits


@dataclass(frozen=True, slots=True)
class Excursion:
    """An excursion with its place, who decided, and the holds it placed."""

    excursion: TemperatureExcursion
    site: Site
    location: Location
    opened_by: str
    decided_by: str
    holds: Sequence[tuple[Hold, Lot, int | None, str]]
    """Each hold with its lot, the label of the vial where it is one vial's, and the location's name where it is one place's."""


def kept_at(session: Session, location_id: UUID, *, since: datetime) -> list[Kept]:
    """Return what lies at the location, or lay there since, of products with a limit, with what changed after `since`."""
    rows = session.execute(
        select(
            Account.id,
            Account.lot_id,
            Account.vial_id,
            Account.balance_ul,
            Product.storage_min_decicelsius,
            Product.storage_max_decicelsius,
        )
        .join(Lot, Lot.id == Account.lot_id)
        .join(Product, Product.id == Lot.product_id)
        .where(
            Account.location_id == location_id,
            or_(Product.storage_min_decicelsius.is_not(None), Product.storage_max_decicelsius.is_not(None)),
            or_(Account.balance_ul > 0, Account.last_occurred_at > since),
        )
    ).all()
    changes = _changes(session, [row.id for row in rows], since)
    return [
        Kept(row.lot_id, row.vial_id, Limits(row[4], row[5]), row.balance_ul, changes[row.id]) for row in rows
    ]


def condemned_lots(session: Session, location_id: UUID) -> set[UUID]:
    """Return the lots whose stock there was condemned and still waits, held, to be taken away."""
    return set(
        session.scalars(
            select(Hold.lot_id)
            .join(ExcursionHold, ExcursionHold.hold_id == Hold.id)
            .join(TemperatureExcursion, TemperatureExcursion.id == ExcursionHold.excursion_id)
            .where(
                TemperatureExcursion.decision == ExcursionDecision.CONDEMN,
                Hold.location_id == location_id,
                Hold.released_at.is_(None),
            )
        )
    )


def open_excursion(session: Session, location_id: UUID) -> TemperatureExcursion | None:
    """Return the location's excursion that waits for a decision, locked until the act ends."""
    return session.scalar(
        select(TemperatureExcursion)
        .where(TemperatureExcursion.location_id == location_id, TemperatureExcursion.decided_at.is_(None))
        .with_for_update()
    )


def excursion_by_id(session: Session, excursion_id: UUID) -> TemperatureExcursion:
    """Return the excursion, locked until the act ends. Raises Refusal NOT-FOUND."""
    found = session.scalar(
        select(TemperatureExcursion).where(TemperatureExcursion.id == excursion_id).with_for_update()
    )
    if found is None:
        raise not_found("excursion")
    return found


def holds_of_excursion(session: Session, excursion_id: UUID, *, standing: bool = False) -> list[Hold]:
    """Return the holds that the excursion placed; with `standing`, those that nobody released, locked."""
    statement = (
        select(Hold)
        .join(ExcursionHold, ExcursionHold.hold_id == Hold.id)
        .where(ExcursionHold.excursion_id == excursion_id)
        .order_by(Hold.id)
    )
    if standing:
        statement = statement.where(Hold.released_at.is_(None)).with_for_update(of=Hold)
    return list(session.scalars(statement))


def instants_read(session: Session, location_id: UUID, *, first: datetime, last: datetime) -> set[datetime]:
    """Return the instants for which the location has a reading already."""
    return set(
        session.scalars(
            select(TemperatureReading.read_at).where(
                TemperatureReading.location_id == location_id,
                TemperatureReading.read_at >= first,
                TemperatureReading.read_at <= last,
            )
        )
    )


def fresh_readings(session: Session, location_id: UUID, readings: Sequence[Reading]) -> list[Reading]:
    """Return the readings whose instants have none yet, the first where two have the same, oldest first."""
    by_instant = {one.read_at: one for one in reversed(readings)}
    if not by_instant:
        return []
    known = instants_read(session, location_id, first=min(by_instant), last=max(by_instant))
    return [by_instant[instant] for instant in sorted(by_instant) if instant not in known]


def location_here(session: Session, location_id: UUID, *, site_id: UUID) -> Location:
    """Return a location of the site, also a closed one. Raises Refusal NOT-FOUND."""
    found = session.get(Location, location_id)
    if found is None or found.site_id != site_id:
        raise not_found("location")
    return found


def watched(session: Session, *, site_id: UUID, at: datetime) -> list[Watched]:
    """Return the site's locations in use with their last reading and their ranges, fridges first."""
    places = session.scalars(
        select(Location)
        .where(Location.site_id == site_id, Location.closed_at.is_(None))
        .order_by(Location.name)
    ).all()
    ids = [place.id for place in places]
    last, limits = _last_readings(session, ids), limits_at(session, ids)
    day = _spells(session, ids, at - timedelta(days=1))
    month = _spells(session, ids, at - timedelta(days=CHART_DAYS))
    found = [
        Watched(
            place,
            last.get(place.id),
            day.get(place.id, Spell()),
            month.get(place.id, Spell()),
            limits.get(place.id, Limits(None, None)),
        )
        for place in places
    ]
    return sorted(found, key=lambda one: (one.location.kind != LocationKind.FRIDGE, one.last is None))


def limits_at(session: Session, location_ids: Collection[UUID]) -> dict[UUID, Limits]:
    """Return by location the narrowest limits of what lies there now."""
    lying = lying_at(location_ids)
    least, most = func.max(Product.storage_min_decicelsius), func.min(Product.storage_max_decicelsius)
    rows = session.execute(
        select(lying.c.location_id, least, most)
        .join(Lot, Lot.id == lying.c.lot_id)
        .join(Product, Product.id == Lot.product_id)
        .group_by(lying.c.location_id)
    )
    return {place: Limits(low, high) for place, low, high in rows if place is not None}


def readings_between(
    session: Session, location_id: UUID, *, first: datetime, last: datetime
) -> list[Reading]:
    """Return the readings of a time, oldest first, at most `MOST_READINGS_DRAWN` of them, the newest."""
    rows = session.execute(
        select(TemperatureReading.read_at, TemperatureReading.decicelsius)
        .where(
            TemperatureReading.location_id == location_id,
            TemperatureReading.read_at >= first,
            TemperatureReading.read_at <= last,
        )
        .order_by(TemperatureReading.read_at.desc())
        .limit(MOST_READINGS_DRAWN)
    )
    return [Reading(read_at, decicelsius) for read_at, decicelsius in rows][::-1]


def readings_page(
    session: Session, location_id: UUID, *, cursor: str = ""
) -> Page[tuple[TemperatureReading, str]]:
    """Return a page of a location's readings with who recorded each, newest first."""
    page: Page[TemperatureReading] = paginate(
        session,
        select(TemperatureReading).where(TemperatureReading.location_id == location_id),
        order=[TemperatureReading.read_at, TemperatureReading.id],
        newest_first=True,
        cursor=cursor,
    )
    people = {one.actor_id for one in page.items}
    rows = session.execute(select(User.id, User.display_name).where(User.id.in_(people)))
    names = {user_id: name for user_id, name in rows}  # noqa: C416  rows are not pairs to the type checker
    told = [(one, names[one.actor_id]) for one in page.items]
    return Page(told, previous=page.previous, next=page.next)


def excursions_of(
    session: Session, *, site_id: UUID, is_open: bool, most: int = 50
) -> list[tuple[TemperatureExcursion, str]]:
    """Return the site's excursions with their location's name: those that wait for a decision, or the last that were decided."""
    waits = TemperatureExcursion.decided_at.is_(None)
    statement = (
        select(TemperatureExcursion, Location.name)
        .join(Location, Location.id == TemperatureExcursion.location_id)
        .where(TemperatureExcursion.site_id == site_id, waits if is_open else ~waits)
        .order_by(TemperatureExcursion.number.desc())
        .limit(most)
    )
    return [(excursion, name) for excursion, name in session.execute(statement)]


def excursion(session: Session, excursion_id: UUID) -> Excursion:
    """Return one excursion with all a reader needs. Raises Refusal NOT-FOUND."""
    decider = aliased(User)
    row = session.execute(
        select(TemperatureExcursion, Site, Location, User.display_name, decider.display_name)
        .join(Site, Site.id == TemperatureExcursion.site_id)
        .join(Location, Location.id == TemperatureExcursion.location_id)
        .join(User, User.id == TemperatureExcursion.opened_by_id)
        .outerjoin(decider, decider.id == TemperatureExcursion.decided_by_id)
        .where(TemperatureExcursion.id == excursion_id)
    ).one_or_none()
    if row is None:
        raise not_found("excursion")
    found, site, location, opened_by, decided_by = row
    return Excursion(found, site, location, opened_by, decided_by or "", _held(session, excursion_id))


def fridges_without_reading(session: Session, *, site_id: UUID, day: date, zone: str) -> list[Location]:
    """Return the site's fridges that have been read before, but not on this day of the site."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    of_it = TemperatureReading.location_id == Location.id
    return list(
        session.scalars(
            select(Location)
            .where(
                Location.site_id == site_id,
                Location.closed_at.is_(None),
                Location.kind == LocationKind.FRIDGE,
                exists().where(of_it),
                ~exists().where(of_it, TemperatureReading.read_at >= midnight),
            )
            .order_by(Location.name, Location.id)
        )
    )


def _changes(
    session: Session, account_ids: Sequence[int], since: datetime
) -> defaultdict[int, list[tuple[datetime, int]]]:
    found: defaultdict[int, list[tuple[datetime, int]]] = defaultdict(list)
    for account, sign in ((Movement.to_id, 1), (Movement.from_id, -1)):
        rows = session.execute(
            select(account, Movement.occurred_at, Movement.amount_ul).where(
                account.in_(account_ids), Movement.occurred_at > since
            )
        )
        for account_id, occurred_at, amount_ul in rows:
            found[account_id].append((occurred_at, sign * amount_ul))
    for changes in found.values():
        changes.sort(key=lambda change: change[0], reverse=True)
    return found


def _last_readings(session: Session, ids: Collection[UUID]) -> dict[UUID, TemperatureReading]:
    last = (
        select(TemperatureReading.location_id, func.max(TemperatureReading.read_at).label("read_at"))
        .where(TemperatureReading.location_id.in_(ids))
        .group_by(TemperatureReading.location_id)
        .subquery()
    )
    newest: Select[TemperatureReading] = select(TemperatureReading).join(
        last,
        (last.c.location_id == TemperatureReading.location_id)
        & (last.c.read_at == TemperatureReading.read_at),
    )
    return {one.location_id: one for one in session.scalars(newest)}


def _spells(session: Session, ids: Iterable[UUID], since: datetime) -> dict[UUID, Spell]:
    rows = session.execute(
        select(
            TemperatureReading.location_id,
            func.min(TemperatureReading.decicelsius),
            func.max(TemperatureReading.decicelsius),
            func.count(),
        )
        .where(TemperatureReading.location_id.in_(list(ids)), TemperatureReading.read_at > since)
        .group_by(TemperatureReading.location_id)
    )
    return {place: Spell(low, high, number) for place, low, high, number in rows}


def _held(session: Session, excursion_id: UUID) -> list[tuple[Hold, Lot, int | None, str]]:
    rows = session.execute(
        select(Hold, Lot, Vial.label_number, Location.name)
        .join(ExcursionHold, ExcursionHold.hold_id == Hold.id)
        .join(Lot, Lot.id == Hold.lot_id)
        .outerjoin(Vial, Vial.id == Hold.vial_id)
        .outerjoin(Location, Location.id == Hold.location_id)
        .where(ExcursionHold.excursion_id == excursion_id)
        .order_by(Lot.lot_number, Hold.id)
    )
    return [(hold, lot, label, place or "") for hold, lot, label, place in rows]
