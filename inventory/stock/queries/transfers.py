"""Transfers: what is on its way, where to, and how each consignment ended."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from inventory.catalogue.models import Product
from inventory.clinic.models import Location, Site
from inventory.kernel.errors import Refusal, not_found
from inventory.kernel.numbering import written_number
from inventory.stock.models import (
    Lot,
    Transfer,
    TransferLine,
    TransferReceipt,
    TransferReceiptLine,
    Vial,
)
from inventory.web.pagination import Page, paginate

LONG_ON_ITS_WAY = timedelta(days=7)
"""After this, what was sent and never received asks for attention."""


@dataclass(frozen=True, slots=True)
class Travel:
    """A transfer that something is on its way by: its written number and where it goes."""

    transfer_id: UUID
    number: str
    to_site: str
    to_location: str

    @property
    def words(self) -> str:
        """Where it is going, in words."""
        return f"on its way to {self.to_location}, {self.to_site} (transfer {self.number})"


@dataclass(frozen=True, slots=True)
class Consigned:
    """A transfer in a list, with the names of where it comes from and goes to, and its receipt if it has ended."""

    transfer: Transfer
    number: str
    from_site: str
    from_location: str
    to_site: str
    to_location: str
    receipt: TransferReceipt | None
    came_ul: int | None
    """What arrived in all, in microlitres; None while it is on its way."""

    def is_overdue(self, at: datetime) -> bool:
        """Tell whether it has been on its way for longer than a week at the instant `at`."""
        return self.receipt is None and self.transfer.sent_at < at - LONG_ON_ITS_WAY

    @property
    def is_cancelled(self) -> bool:
        """Whether nothing of it arrived."""
        return self.receipt is not None and not self.came_ul


@dataclass(frozen=True, slots=True)
class SentLine:
    """One line of a transfer, with its lot, its vial, and what came of it."""

    line: TransferLine
    lot_number: str
    product: str
    container_ul: int
    label_number: int | None
    arrived: TransferReceiptLine | None

    @property
    def sent(self) -> int:
        """Containers sent; 1 for a vial."""
        return self.line.containers or 1

    @property
    def came(self) -> int | None:
        """Containers that arrived, 1 or 0 for a vial; None while it is on its way."""
        if self.arrived is None:
            return None
        return int(self.arrived.amount_ul > 0) if self.line.vial_id else self.arrived.containers


def transfer_by_id(session: Session, transfer_id: UUID) -> Transfer:
    """Return the transfer. Raises Refusal NOT-FOUND."""
    found = session.get(Transfer, transfer_id)
    if found is None:
        raise not_found("transfer")
    return found


def lines_of(session: Session, transfer_id: UUID) -> Sequence[TransferLine]:
    """Return the lines of a transfer in order. Raises Refusal NOT-FOUND."""
    transfer_by_id(session, transfer_id)
    lines = select(TransferLine).where(TransferLine.transfer_id == transfer_id)
    return session.scalars(lines.order_by(TransferLine.position)).all()


def receipt_of(session: Session, transfer_id: UUID) -> TransferReceipt | None:
    """Return how a transfer ended; None while it is on its way."""
    ended = select(TransferReceipt).where(TransferReceipt.transfer_id == transfer_id)
    return session.scalar(ended.execution_options(populate_existing=True))


def is_under_way() -> ColumnElement[bool]:
    """Return the condition that a transfer was not received yet."""
    return ~exists().where(TransferReceipt.transfer_id == Transfer.id)


def is_travelling() -> ColumnElement[bool]:
    """Return the condition that a vial was sent and not received yet."""
    sent = select(TransferLine.vial_id).join(Transfer, Transfer.id == TransferLine.transfer_id)
    return sent.where(TransferLine.vial_id == Vial.id, is_under_way()).exists()


def travels(session: Session, vial_ids: Iterable[UUID]) -> dict[UUID, Travel]:
    """Return by vial where those that are on their way are going."""
    rows = session.execute(
        select(TransferLine.vial_id, Transfer, Site.code, Location.name)
        .join(Transfer, Transfer.id == TransferLine.transfer_id)
        .join(Site, Site.id == Transfer.from_site_id)
        .join(Location, Location.id == Transfer.to_location_id)
        .where(TransferLine.vial_id.in_(set(vial_ids)), is_under_way())
    ).all()
    sites = _site_names(session, {row.Transfer.to_site_id for row in rows})
    return {
        vial_id: Travel(
            transfer.id, written_number(code, transfer.number), sites[transfer.to_site_id], location
        )
        for vial_id, transfer, code, location in rows
        if vial_id is not None
    }


def refuse_on_its_way(session: Session, vial_id: UUID) -> None:
    """Raise Refusal VIAL-ON-ITS-WAY, saying where to, for a vial that was sent and not received yet."""
    found = travels(session, [vial_id]).get(vial_id)
    if found is not None:
        raise Refusal("VIAL-ON-ITS-WAY", f"This vial is {found.words}. Receive it there first.")


def is_coming(session: Session, lot_id: UUID, location_id: UUID) -> bool:
    """Tell whether something of the lot is on its way to a location."""
    coming = (
        select(TransferLine.lot_id)
        .join(Transfer, Transfer.id == TransferLine.transfer_id)
        .where(TransferLine.lot_id == lot_id, Transfer.to_location_id == location_id, is_under_way())
    )
    return session.scalar(coming.limit(1)) is not None


def is_linked(session: Session, location_id: UUID) -> bool:
    """Tell whether something is on its way to a location, or may come back to it."""
    linked = select(Transfer.id).where(
        or_(Transfer.to_location_id == location_id, Transfer.from_location_id == location_id), is_under_way()
    )
    return session.scalar(linked.limit(1)) is not None


def coming_to(session: Session, site_id: UUID) -> int:
    """Return how many transfers of other places and of this one wait to be received at the site."""
    coming = select(func.count()).select_from(Transfer).where(Transfer.to_site_id == site_id, is_under_way())
    return int(session.scalar(coming) or 0)


def consigned(session: Session, transfer_id: UUID) -> Consigned:
    """Return one transfer with its names. Raises Refusal NOT-FOUND."""
    return _told(session, [transfer_by_id(session, transfer_id)])[0]


def under_way(session: Session, site_id: UUID) -> tuple[list[Consigned], list[Consigned]]:
    """Return what is on its way to the site, and what of it left for elsewhere, the first sent first."""
    found = session.scalars(
        select(Transfer)
        .where(or_(Transfer.to_site_id == site_id, Transfer.from_site_id == site_id), is_under_way())
        .order_by(Transfer.sent_at, Transfer.id)
    ).all()
    told = _told(session, found)
    coming = [one for one in told if one.transfer.to_site_id == site_id]
    return coming, [one for one in told if one.transfer.to_site_id != site_id]


def ended_page(session: Session, site_id: UUID, *, cursor: str = "") -> Page[Consigned]:
    """Return a page of the transfers from or to the site that have ended, the last sent first."""
    statement = select(Transfer).where(
        or_(Transfer.to_site_id == site_id, Transfer.from_site_id == site_id), ~is_under_way()
    )
    page = paginate(
        session, statement, order=[Transfer.sent_at, Transfer.id], newest_first=True, cursor=cursor
    )
    return Page(_told(session, page.items), previous=page.previous, next=page.next)


def sent_lines(session: Session, transfer_id: UUID) -> list[SentLine]:
    """Return the lines of a transfer with what came of them, in order."""
    rows = session.execute(
        select(
            TransferLine,
            Lot.lot_number,
            Product.name,
            Lot.container_volume_ul,
            Vial.label_number,
            TransferReceiptLine,
        )
        .join(Lot, Lot.id == TransferLine.lot_id)
        .join(Product, Product.id == Lot.product_id)
        .outerjoin(Vial, Vial.id == TransferLine.vial_id)
        .outerjoin(
            TransferReceiptLine,
            and_(
                TransferReceiptLine.transfer_id == TransferLine.transfer_id,
                TransferReceiptLine.position == TransferLine.position,
            ),
        )
        .where(TransferLine.transfer_id == transfer_id)
        .order_by(TransferLine.position)
    )
    return [SentLine(*row) for row in rows]


def of_movements(session: Session, movement_ids: Iterable[int]) -> dict[int, Consigned]:
    """Return the transfers that movements belong to, by movement."""
    ids = set(movement_ids)
    if not ids:
        return {}
    rows = session.execute(
        select(TransferLine.movement_id, TransferLine.transfer_id).where(TransferLine.movement_id.in_(ids))
    ).all()
    arrived = session.execute(
        select(
            TransferReceiptLine.movement_id,
            TransferReceiptLine.difference_movement_id,
            TransferReceiptLine.transfer_id,
        ).where(
            or_(TransferReceiptLine.movement_id.in_(ids), TransferReceiptLine.difference_movement_id.in_(ids))
        )
    )
    pairs = [(movement_id, transfer_id) for movement_id, transfer_id in rows]
    for movement_id, difference_id, transfer_id in arrived:
        pairs += [(one, transfer_id) for one in (movement_id, difference_id) if one in ids]
    transfers = session.scalars(select(Transfer).where(Transfer.id.in_({second for _, second in pairs})))
    told = {one.transfer.id: one for one in _told(session, transfers.all())}
    return {movement_id: told[transfer_id] for movement_id, transfer_id in pairs}


def lost_on_the_way(vial_id: UUID) -> Select[int | None]:
    """Return the statement that finds the movement by which a vial was wasted on its way: it touches no account of the vial."""
    return (
        select(TransferReceiptLine.difference_movement_id)
        .join(
            TransferLine,
            and_(
                TransferLine.transfer_id == TransferReceiptLine.transfer_id,
                TransferLine.position == TransferReceiptLine.position,
            ),
        )
        .where(TransferLine.vial_id == vial_id, TransferReceiptLine.difference_movement_id.is_not(None))
    )


def _told(session: Session, transfers: Sequence[Transfer]) -> list[Consigned]:
    """Return the transfers with names and ends: one statement, however many."""
    source, target, from_site, to_site = aliased(Location), aliased(Location), aliased(Site), aliased(Site)
    came = (
        select(func.sum(TransferReceiptLine.amount_ul))
        .where(TransferReceiptLine.transfer_id == Transfer.id)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Transfer.id, from_site, source.name, to_site.name, target.name, TransferReceipt, came)
        .join(source, source.id == Transfer.from_location_id)
        .join(target, target.id == Transfer.to_location_id)
        .join(from_site, from_site.id == Transfer.from_site_id)
        .join(to_site, to_site.id == Transfer.to_site_id)
        .outerjoin(TransferReceipt, TransferReceipt.transfer_id == Transfer.id)
        .where(Transfer.id.in_({one.id for one in transfers}))
    )
    found = {row[0]: row[1:] for row in rows}
    told = []
    for one in transfers:
        site, *rest = found[one.id]
        told.append(Consigned(one, written_number(site.code, one.number), site.name, *rest))
    return told


def _site_names(session: Session, site_ids: Iterable[UUID]) -> dict[UUID, str]:
    rows = session.execute(select(Site.id, Site.name).where(Site.id.in_(set(site_ids))))
    return {site_id: name for site_id, name in rows}  # noqa: C416  rows are not pairs to the type checker
