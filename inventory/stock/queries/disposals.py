"""Returns and destructions: the list, one document with its lines, and which movements belong to one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from inventory.catalogue.models import Product, Supplier
from inventory.clinic.models import Location, Site
from inventory.kernel.errors import not_found
from inventory.staff.models import User
from inventory.stock.models import (
    Disposal,
    DisposalKind,
    DisposalLine,
    Lot,
    Movement,
    TransferLine,
    TransferReceipt,
    Vial,
)
from inventory.web.pagination import Page, paginate


@dataclass(frozen=True, slots=True)
class DisposedLine:
    """A line of a document with what a reader needs."""

    line: DisposalLine
    lot: Lot
    product: Product
    location: str
    label_number: int | None


@dataclass(frozen=True, slots=True)
class Disposed:
    """A whole document: who, what, where to, and the reversal where it was recorded wrongly."""

    disposal: Disposal
    site: Site
    supplier: str
    by: str
    witness: str
    lines: Sequence[DisposedLine]
    reversal: Movement | None
    reversed_by: str


def disposal_by_id(session: Session, disposal_id: UUID) -> Disposal:
    """Return the document's row. Raises Refusal NOT-FOUND."""
    found = session.get(Disposal, disposal_id)
    if found is None:
        raise not_found("document")
    return found


def disposal_lines(session: Session, disposal_id: UUID) -> list[DisposalLine]:
    """Return the lines of a document in their order."""
    lines = select(DisposalLine).where(DisposalLine.disposal_id == disposal_id)
    return list(session.scalars(lines.order_by(DisposalLine.position)))


def disposed(session: Session, disposal_id: UUID) -> Disposed:
    """Return one document with all a reader needs. Raises Refusal NOT-FOUND."""
    row = session.execute(_documents().where(Disposal.id == disposal_id)).one_or_none()
    if row is None:
        raise not_found("document")
    lines = _lines(session, disposal_id)
    reversal = _reversal(session, lines[0].line.movement_id)
    return Disposed(
        disposal=row.Disposal,
        site=row.Site,
        supplier=row.supplier or "",
        by=row.by,
        witness=row.witness or "",
        lines=lines,
        reversal=reversal[0] if reversal else None,
        reversed_by=reversal[1] if reversal else "",
    )


def disposals_page(
    session: Session, *, site_id: UUID, kind: DisposalKind | None = None, cursor: str = ""
) -> Page[Disposal]:
    """Return a page of the site's documents, newest first."""
    statement = select(Disposal).where(Disposal.site_id == site_id)
    if kind is not None:
        statement = statement.where(Disposal.kind == kind)
    return paginate(
        session, statement, order=[Disposal.disposed_at, Disposal.id], newest_first=True, cursor=cursor
    )


def disposal_sums(session: Session, disposal_ids: Iterable[UUID]) -> dict[UUID, tuple[int, int, bool]]:
    """Return by document its sealed containers, its opened vials, and whether it was reversed."""
    undone = aliased(Movement)
    rows = session.execute(
        select(DisposalLine.disposal_id, DisposalLine.containers, DisposalLine.vial_id, undone.id)
        .outerjoin(undone, undone.reverses_id == DisposalLine.movement_id)
        .where(DisposalLine.disposal_id.in_(set(disposal_ids)))
    )
    sums: dict[UUID, tuple[int, int, bool]] = {}
    for disposal_id, containers, vial_id, undone_id in rows:
        sealed, vials, _ = sums.get(disposal_id, (0, 0, False))
        sums[disposal_id] = (sealed + containers, vials + (vial_id is not None), undone_id is not None)
    return sums


def disposals_of_movements(session: Session, movement_ids: Iterable[int]) -> dict[int, Disposal]:
    """Return, by movement, the document that it was posted for."""
    ids = set(movement_ids)
    if not ids:
        return {}
    rows = session.execute(
        select(DisposalLine.movement_id, Disposal)
        .join(Disposal, Disposal.id == DisposalLine.disposal_id)
        .where(DisposalLine.movement_id.in_(ids))
    )
    return {movement_id: disposal for movement_id, disposal in rows}  # noqa: C416  rows are not pairs to the type checker


def is_on_its_way(session: Session, vial_id: UUID) -> bool:
    """Tell whether a vial was sent to another place and has not arrived."""
    sent = (
        select(TransferLine.position)
        .outerjoin(TransferReceipt, TransferReceipt.transfer_id == TransferLine.transfer_id)
        .where(TransferLine.vial_id == vial_id, TransferReceipt.transfer_id.is_(None))
    )
    return session.scalar(sent.limit(1)) is not None


def supplier_names(session: Session, supplier_ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Return the names of suppliers by id."""
    wanted = {one for one in supplier_ids if one}
    rows = session.execute(select(Supplier.id, Supplier.name).where(Supplier.id.in_(wanted)))
    return {supplier_id: name for supplier_id, name in rows}  # noqa: C416  as above


def _documents() -> Select[Disposal, Site, str, str, str]:
    witness = aliased(User)
    return (
        select(
            Disposal,
            Site,
            Supplier.name.label("supplier"),
            User.display_name.label("by"),
            witness.display_name.label("witness"),
        )
        .join(Site, Site.id == Disposal.site_id)
        .join(User, User.id == Disposal.actor_id)
        .outerjoin(Supplier, Supplier.id == Disposal.supplier_id)
        .outerjoin(witness, witness.id == Disposal.witness_id)
    )


def _lines(session: Session, disposal_id: UUID) -> list[DisposedLine]:
    rows = session.execute(
        select(DisposalLine, Lot, Product, Location.name, Vial.label_number)
        .join(Lot, Lot.id == DisposalLine.lot_id)
        .join(Product, Product.id == Lot.product_id)
        .join(Location, Location.id == DisposalLine.location_id)
        .outerjoin(Vial, Vial.id == DisposalLine.vial_id)
        .where(DisposalLine.disposal_id == disposal_id)
        .order_by(DisposalLine.position)
    )
    return [DisposedLine(line, lot, product, location, label) for line, lot, product, location, label in rows]


def _reversal(session: Session, movement_id: int) -> tuple[Movement, str] | None:
    row = session.execute(
        select(Movement, User.display_name)
        .join(User, User.id == Movement.actor_id)
        .where(Movement.reverses_id == movement_id)
    ).one_or_none()
    return None if row is None else (row[0], row[1])
