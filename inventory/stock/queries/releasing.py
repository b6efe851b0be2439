"""Whose hold it is, and how far it reaches: what decides who may release it, and where."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.clinic.models import Location
from inventory.stock.models import (
    Account,
    ExcursionHold,
    Recall,
    RecallLine,
    TemperatureExcursion,
    Transfer,
    TransferLine,
)
from inventory.stock.queries.transfers import is_under_way


def undecided_excursion(session: Session, hold_id: UUID) -> TemperatureExcursion | None:
    """Return the excursion whose hold this is and that nobody has decided yet; None where it waits for no decision."""
    return session.scalar(
        select(TemperatureExcursion)
        .join(ExcursionHold, ExcursionHold.excursion_id == TemperatureExcursion.id)
        .where(ExcursionHold.hold_id == hold_id, TemperatureExcursion.decided_at.is_(None))
        .order_by(TemperatureExcursion.began_at, TemperatureExcursion.id)
        .limit(1)
    )


def recall_of_hold(session: Session, hold_id: UUID) -> Recall | None:
    """Return the recall that placed a hold; None where none did."""
    placed = select(Recall).join(RecallLine, RecallLine.recall_id == Recall.id)
    return session.scalars(placed.where(RecallLine.hold_id == hold_id).limit(1)).first()


def sites_of_lot(session: Session, lot_id: UUID) -> set[UUID]:
    """Return the sites where stock of a lot lies, or between which it is on its way."""
    lies = (
        select(Location.site_id)
        .join(Account, Account.location_id == Location.id)
        .where(Account.lot_id == lot_id, Account.balance_ul > 0)
    )
    sent = (
        select(Transfer.from_site_id, Transfer.to_site_id)
        .join(TransferLine, TransferLine.transfer_id == Transfer.id)
        .where(TransferLine.lot_id == lot_id, is_under_way())
    )
    on_its_way = {site_id for both in session.execute(sent) for site_id in both}
    return set(session.scalars(lies)) | on_its_way
