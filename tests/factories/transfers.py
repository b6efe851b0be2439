"""Sends stock on its way and receives it, through the room's own services."""

from datetime import datetime
from typing import Any
from uuid import UUID

from inventory.kernel import clock
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor
from inventory.stock import services
from inventory.stock.ledger import Place
from inventory.stock.models import Lot, TransferDifference, Vial
from inventory.stock.services import Arrival, Arrived, Consignment


def make_consignment(
    source: Place,
    target: Place,
    *,
    lot: Lot | None = None,
    containers: int = 1,
    vials: tuple[Vial, ...] = (),
    note: str = "",
) -> Consignment:
    """Return what is to be sent: containers of a lot, opened vials, or both."""
    sealed = ((lot.id, containers),) if lot else ()
    return Consignment(source, target, sealed, tuple(vial.id for vial in vials), note)


def make_transfer(
    source: Place,
    target: Place,
    *,
    actor: Actor = SYSTEM_ACTOR,
    at: datetime | None = None,
    sent_at: datetime | None = None,
    **what: Any,
) -> UUID:
    """Send stock on its way and return the transfer's id."""
    consignment = make_consignment(source, target, **what)
    made = services.send_transfer(actor=actor, at=at or clock.now(), consignment=consignment, sent_at=sent_at)
    return made.subject_id


def make_arrival(
    transfer_id: UUID,
    *came: int | tuple[int, TransferDifference],
    actor: Actor = SYSTEM_ACTOR,
    at: datetime | None = None,
    **rest: Any,
) -> None:
    """Receive a transfer: of each line how much came, with what became of the rest where less did."""
    lines = tuple(
        Arrived(position, one) if isinstance(one, int) else Arrived(position, *one)
        for position, one in enumerate(came, start=1)
    )
    services.receive_transfer(
        actor=actor, at=at or clock.now(), transfer_id=transfer_id, arrival=Arrival(lines, **rest)
    )
