"""What the stories of the demo's stock room share: the days, the people, the places, and stock of their own on a shelf."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from inventory.demo.calendar import Period
from inventory.demo.products import CABINET, NORTH_CABINET
from inventory.demo.shelf import LotOnShelf, Shelf
from inventory.kernel.db import db
from inventory.kernel.permissions import Actor
from inventory.stock.ledger import Place
from inventory.stock.models import Account, AccountKind, Lot, TransferLine
from inventory.stock.services import Arrival, Arrived, Consignment, receive_transfer, send_transfer

Happening = tuple[datetime, Callable[[datetime], None]]
"""When something happens, and what."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The clinic as its stock room sees it. `places` are by name; those of the second site begin with its name.

    `rng` is its own: what happens here changes no number that the treatment room draws.
    """

    period: Period
    staff: dict[str, Actor]
    shelf: Shelf
    places: dict[str, Place]
    rng: random.Random

    def day(self, days_ago: int) -> date:
        """The day so many days ago."""
        return self.period.today - timedelta(days=days_ago)

    def evening(self, days_ago: int) -> datetime:
        """After the clinic has closed, so many days ago."""
        return self.period.at(self.day(days_ago), 18, 20)

    def morning(self, days_ago: int) -> datetime:
        """Before it opens, so many days ago."""
        return self.period.at(self.day(days_ago), 7, 30)

    def receive(
        self, key: str, lot_number: str, containers: int, at: datetime, *, expires_on: date | None = None
    ) -> UUID:
        """Receive exactly so many containers of a lot that no dose is drawn from, unless `use_first` says so."""
        return self.shelf.receive(
            key, lot_number, containers, at, expires_on=expires_on or at.date() + timedelta(days=540)
        )

    def send(self, lot_id: UUID, containers: int, at: datetime) -> None:
        """Send containers from the cabinet of the first site to that of the second."""
        consignment = Consignment(
            self.places[CABINET], self.places[NORTH_CABINET], sealed=((lot_id, containers),)
        )
        send_transfer(actor=self.staff["manager"], at=at, consignment=consignment)

    def take_in(self, lot_id: UUID, arrived: Arrived, at: datetime) -> None:
        """Receive at the second site what was sent of a lot, in a consignment of one line."""
        sent = select(TransferLine.transfer_id).where(TransferLine.lot_id == lot_id)
        transfer_id = db.session.execute(sent).scalar_one()
        arrival = Arrival((arrived,))
        receive_transfer(actor=self.staff["s.adeyemi"], at=at, transfer_id=transfer_id, arrival=arrival)

    def use_first(self, key: str, lot_id: UUID, containers: int, until: date) -> None:
        """Let the doses of an article be drawn from these containers before all others, until that day."""
        self.shelf.use(key, LotOnShelf(lot_id, until, containers))

    def no_longer_used(self, lot_id: UUID) -> None:
        """Let no dose be drawn from a lot from now on."""
        for stock in self.shelf.stocks.values():
            stock.lots = [lot for lot in stock.lots if lot.lot_id != lot_id]

    def lot(self, lot_number: str) -> Lot:
        """Return a lot by the number it has now."""
        return db.session.execute(select(Lot).where(Lot.lot_number == lot_number)).scalar_one()

    def sealed(self, lot: Lot, place: Place) -> int:
        """Return how many sealed containers of a lot the ledger holds at a place."""
        held = select(Account.balance_ul).where(
            Account.lot_id == lot.id,
            Account.kind == AccountKind.SHELF,
            Account.location_id == place.location_id,
        )
        return (db.session.scalar(held) or 0) // lot.container_volume_ul
