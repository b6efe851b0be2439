"""What was wasted at a site by month and reason, and what it had cost: exact sums, of the prices that deliveries came with.

A volume costs what its lot's last priced delivery before the waste says, by the share of a container. What has no price is
counted apart, never guessed. Waste that was reversed, and deliveries that were, do not count.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, case, exists, func, select
from sqlalchemy.orm import Session, aliased

from inventory.clinic.models import Site
from inventory.stock.models import Account, AccountKind, Lot, Movement, MovementKind, Receipt, WasteReason

_UNDO = aliased(Movement)
_UNRECEIVED = aliased(Movement)


@dataclass(slots=True)
class Wasted:
    """What was wasted for one reason in one month at one site.

    `cost` is in the smallest unit of the clinic's currency, not yet rounded; `unpriced_ul` has none.
    """

    site_id: UUID
    month: date
    reason: WasteReason
    volume_ul: int = 0
    containers: Fraction = Fraction()
    cost: Fraction = Fraction()
    unpriced_ul: int = 0

    def add(self, volume_ul: int, container_ul: int, price_minor: int | None) -> None:
        """Count a volume of containers of one size and price."""
        share = Fraction(volume_ul, container_ul)
        self.volume_ul += volume_ul
        self.containers += share
        if price_minor is None:
            self.unpriced_ul += volume_ul
        else:
            self.cost += share * price_minor


def waste_by_month(session: Session, sites: Iterable[Site], *, from_on: date, to_on: date) -> list[Wasted]:
    """Return the waste of a period, of each site by its own days: the newest month first, then by site and reason."""
    found: list[Wasted] = []
    ordered = list(sites)
    for site in ordered:
        found += _of_site(session, site, from_on, to_on)
    position = {site.id: n for n, site in enumerate(ordered)}
    reasons = list(WasteReason)
    return sorted(
        found, key=lambda one: (-one.month.toordinal(), position[one.site_id], reasons.index(one.reason))
    )


def _of_site(session: Session, site: Site, from_on: date, to_on: date) -> list[Wasted]:
    months = months_of(from_on, to_on)
    bounds = [_midnight(day, site.time_zone) for day in (*months, to_on + timedelta(days=1))]
    found: defaultdict[tuple[date, WasteReason], Wasted] = defaultdict()
    for row in session.execute(_by_price(site.id, bounds)):
        month, reason = months[row.month].replace(day=1), WasteReason(row.reason)
        one = found.setdefault((month, reason), Wasted(site.id, month, reason))
        one.add(int(row.volume_ul), row.container_ul, row.price)
    return list(found.values())


def months_of(from_on: date, to_on: date) -> list[date]:
    """Return the first day of each month of a period; of the first month, the first day of the period."""
    firsts = [from_on]
    while (following := (firsts[-1].replace(day=1) + timedelta(days=32)).replace(day=1)) <= to_on:
        firsts.append(following)
    return firsts


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone))


def _by_price(site_id: UUID, bounds: Sequence[datetime]) -> Select[Any]:
    """Sums of volume by month (its position), reason, size of container and price: few rows, however much was wasted."""
    month = case(*((Movement.occurred_at < until, n) for n, until in enumerate(bounds[1:])))
    each = (
        select(
            month.label("month"),
            Movement.reason,
            Movement.amount_ul,
            Lot.container_volume_ul.label("container_ul"),
            _price().label("price"),
        )
        .select_from(Account)
        .join(Lot, Lot.id == Account.lot_id)
        .join(Movement, Movement.to_id == Account.id)
        .where(
            Account.kind == AccountKind.WASTE,
            Account.last_occurred_at >= bounds[0],
            Movement.kind == MovementKind.WASTE,
            Movement.site_id == site_id,
            Movement.occurred_at >= bounds[0],
            Movement.occurred_at < bounds[-1],
            ~exists().where(_UNDO.reverses_id == Movement.id),
        )
        .subquery()
    )
    keys = (each.c.month, each.c.reason, each.c.container_ul, each.c.price)
    return select(*keys, func.sum(each.c.amount_ul).label("volume_ul")).group_by(*keys)


def _price() -> Any:
    """The price of a container in the lot's last priced delivery before the movement."""
    return (
        select(Receipt.container_price_minor)
        .where(
            Receipt.lot_id == Movement.lot_id,
            Receipt.received_at <= Movement.occurred_at,
            Receipt.container_price_minor.is_not(None),
            ~exists().where(_UNRECEIVED.reverses_id == Receipt.movement_id),
        )
        .order_by(Receipt.received_at.desc(), Receipt.id.desc())
        .limit(1)
        .correlate(Movement)
        .scalar_subquery()
    )
