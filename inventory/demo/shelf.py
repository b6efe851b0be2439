"""The demo's stock: deliveries before it runs low, vials opened and discarded, and where the next dose is drawn from.

It keeps its own count beside the ledger, so that a million doses need no question about stock. Every change is a service's.
"""

import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from inventory.demo.calendar import Period
from inventory.demo.products import PRICES, Article, by_key
from inventory.doses.rules.sourcing import Draw
from inventory.kernel.permissions import Actor
from inventory.stock.ledger import Place
from inventory.stock.models import WasteReason
from inventory.stock.services import Delivery, Why, discard_vial, open_vial, receive_delivery, waste_sealed

IN_USE_DAYS = 28
_DAYS_KEPT, _DAYS_ORDERED = 7, 28
FORGOTTEN = "hydroxo-30"
"""The article of which a vial is left open past its use-by, and then no longer used."""
SHORT_DATED, SHORT_DATED_DAYS = "hydrovit", 18
"""The article whose lots all expire soon."""


@dataclass(slots=True)
class LotOnShelf:
    """Sealed containers of one lot that may be used."""

    lot_id: UUID
    expires_on: date
    containers: int


@dataclass(slots=True)
class OpenVial:
    """An open multi-dose vial."""

    lot_id: UUID
    vial_id: UUID
    left_ul: int
    use_by_on: date


@dataclass(slots=True)
class Stock:
    """What is usable of one article, first expiring first."""

    article: Article
    product_id: UUID
    place: Place
    containers_a_day: float
    lots: list[LotOnShelf] = field(default_factory=list)
    open: OpenVial | None = None

    @property
    def sealed(self) -> int:
        """Usable sealed containers."""
        return sum(lot.containers for lot in self.lots)


@dataclass(slots=True)
class Shelf:
    """All of the demo's stock. `manager` receives, `nurse` opens and discards."""

    manager: Actor
    nurse: Actor
    suppliers: list[UUID]
    period: Period
    stocks: dict[str, Stock]
    rng: random.Random
    arrived_at: dict[UUID, datetime] = field(default_factory=dict)
    _lots: int = 0

    def restock(self, at: datetime) -> None:
        """Receive a delivery of everything that runs low, and discard what is past its use-by."""
        today = at.astimezone(self.period.zone).date()
        for stock in self.stocks.values():
            if not stock.article.share:
                continue
            stock.lots = [lot for lot in stock.lots if lot.expires_on >= today and lot.containers]
            self._discard_overdue(stock, today, at)
            least = 2 * stock.article.most_containers + round(stock.containers_a_day * _DAYS_KEPT)
            if stock.sealed < least and not self.is_forgotten(stock, today):
                wanted = max(least + 1, round(stock.containers_a_day * _DAYS_ORDERED))
                self.deliver(stock.article.key, wanted, at)

    def deliver(
        self, key: str, containers: int, at: datetime, *, expires_on: date | None = None, usable: bool = True
    ) -> UUID:
        """Receive at least so many containers, in whole packs, and return the lot. Not `usable`: no dose is drawn from it."""
        stock = self.stocks[key]
        packs = -(-containers // stock.article.pack_size)
        came = packs * stock.article.pack_size
        self._lots += 1
        lot_number = f"{key[:2].upper()}{self._lots + 1000:05d}{self.rng.choice('ABCDEFGH')}"
        expires_on = expires_on or self._expiry(key, at)
        lot_id = self.receive(key, lot_number, came, at, expires_on=expires_on)
        if usable:
            self.use(key, LotOnShelf(lot_id, expires_on, came))
        return lot_id

    def receive(self, key: str, lot_number: str, containers: int, at: datetime, *, expires_on: date) -> UUID:
        """Receive exactly so many containers of a lot and return it; no dose is drawn from it yet."""
        stock = self.stocks[key]
        number = len(self.arrived_at) + 1
        delivery = Delivery(
            product_id=stock.product_id,
            lot_number=lot_number,
            expires_on=expires_on,
            containers=containers,
            site_id=stock.place.site_id,
            location_id=stock.place.location_id,
            supplier_id=self.suppliers[number % len(self.suppliers)],
            document_number=f"DN-{number + 4200}",
            container_price_minor=PRICES[key],
        )
        lot_id = receive_delivery(actor=self.manager, at=at, delivery=delivery).subject_id
        self.arrived_at[lot_id] = at
        return lot_id

    def use(self, key: str, lot: LotOnShelf) -> None:
        """Let doses of an article be drawn from these containers, first expiring first."""
        lots = self.stocks[key].lots
        lots.append(lot)
        lots.sort(key=lambda one: one.expires_on)

    def draws(self, key: str, at: datetime, *, times: int = 1) -> tuple[Draw, ...]:
        """Return where so many times the usual dose of an article is drawn from, and count it as gone."""
        stock = self.stocks[key]
        if stock.sealed < times:
            self.deliver(key, 2 * stock.article.pack_size, at - timedelta(seconds=1))
        if stock.article.is_multi:
            return (self._from_vial(stock, at),)
        return tuple(self._from_sealed(stock, times))

    def tidy(self, key: str, at: datetime) -> None:
        """After a dose: discard an open vial that does not hold another one."""
        stock = self.stocks[key]
        if stock.open is not None and stock.open.left_ul < stock.article.volume_ul:
            self._discard(stock, at, WasteReason.OTHER, "Empty.")

    def put_back(self, key: str, lot_id: UUID) -> None:
        """Count a container as sealed again, since it was never opened."""
        for lot in self.stocks[key].lots:
            if lot.lot_id == lot_id:
                lot.containers += 1

    def break_one(self, key: str, at: datetime) -> None:
        """Waste one sealed container that fell down."""
        stock = self.stocks[key]
        lot = next((lot for lot in stock.lots if lot.containers > 1), None)
        if lot is not None:
            lot.containers -= 1
            why = Why(WasteReason.BROKEN, "Dropped on the floor.")
            waste_sealed(actor=self.nurse, at=at, lot_id=lot.lot_id, place=stock.place, containers=1, why=why)

    def open(self, key: str, at: datetime) -> OpenVial:
        """Open a multi-dose vial; one that was open is discarded first."""
        stock = self.stocks[key]
        if stock.open is not None:
            self._discard(stock, at, WasteReason.OTHER, "Replaced by a new vial.")
        stock.open = self.open_another(key, at)
        return stock.open

    def open_another(self, key: str, at: datetime) -> OpenVial:
        """Open a multi-dose vial beside the one that is in use."""
        stock = self.stocks[key]
        if not stock.sealed:
            self.deliver(key, 1, at - timedelta(seconds=1))
        lot = next(lot for lot in stock.lots if lot.containers)
        lot.containers -= 1
        place = stock.place
        vial_id = open_vial(
            actor=self.nurse, at=at, lot_id=lot.lot_id, site_id=place.site_id, location_id=place.location_id
        ).subject_id
        use_by_on = min(lot.expires_on, at.astimezone(self.period.zone).date() + timedelta(days=IN_USE_DAYS))
        return OpenVial(lot.lot_id, vial_id, stock.article.content_ul, use_by_on)

    def is_forgotten(self, stock: Stock, today: date) -> bool:
        """Tell whether the article is the one whose vial stays open past its use-by, and that time has come."""
        vial = stock.open
        recent = (self.period.today - today).days < IN_USE_DAYS
        return stock.article.key == FORGOTTEN and recent and vial is not None and vial.use_by_on < today

    def _from_vial(self, stock: Stock, at: datetime) -> Draw:
        volume_ul = stock.article.volume_ul
        vial = stock.open or self.open(stock.article.key, at - timedelta(seconds=1))
        vial.left_ul -= volume_ul + stock.article.dead_space_ul
        return Draw(vial.lot_id, stock.place.location_id, vial.vial_id, volume_ul)

    def _from_sealed(self, stock: Stock, times: int) -> list[Draw]:
        draws, wanted_ul = [], stock.article.volume_ul * times
        for lot in stock.lots:
            while lot.containers and wanted_ul > 0:
                drawn = min(wanted_ul, stock.article.content_ul)
                draws.append(Draw(lot.lot_id, stock.place.location_id, None, drawn))
                lot.containers -= 1
                wanted_ul -= drawn
        return draws

    def _discard_overdue(self, stock: Stock, today: date, at: datetime) -> None:
        vial = stock.open
        if vial is not None and vial.use_by_on < today and not self.is_forgotten(stock, today):
            self._discard(stock, at, WasteReason.PAST_USE_BY, "")

    def _discard(self, stock: Stock, at: datetime, reason: WasteReason, note: str) -> None:
        assert stock.open is not None  # noqa: S101  the callers have looked
        discard_vial(actor=self.nurse, at=at, vial_id=stock.open.vial_id, why=Why(reason, note))
        stock.open = None

    def _expiry(self, key: str, at: datetime) -> date:
        if key == SHORT_DATED:
            return self.period.today + timedelta(days=SHORT_DATED_DAYS)
        return at.date() + timedelta(days=self.rng.randrange(420, 800))


def containers_a_day(key: str, doses_a_day: float) -> float:
    """Return how many containers of an article so many doses a day of all articles take."""
    article = by_key(key)
    a_dose = article.volume_ul / article.content_ul if article.is_multi else 1 + article.doubled / 100
    # A multi-dose vial lasts four weeks at most, however few doses it serves.
    least = 1 / IN_USE_DAYS if article.is_multi and article.share else 0.0
    return max(least, doses_a_day * article.share / 100 * a_dose)
