"""Whom lots came from, and which papers of a supplier were used: what a return is held against."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select, union
from sqlalchemy.orm import Session, aliased

from inventory.catalogue.models import Supplier
from inventory.stock.models import Disposal, DisposalKind, DisposalLine, LotCorrection, Movement, Receipt

_UNDO = aliased(Movement)


def suppliers_of_lots(session: Session, lot_ids: Iterable[UUID]) -> dict[UUID, dict[UUID, str]]:
    """Return by lot the suppliers (id and name) of its receipts that stand, and of those of lots merged into it. One statement."""
    wanted = set(lot_ids)
    stands = ~exists().where(_UNDO.reverses_id == Receipt.movement_id)
    own = select(Receipt.lot_id, Supplier.id, Supplier.name).join(
        Supplier, Supplier.id == Receipt.supplier_id
    )
    merged = (
        select(LotCorrection.merged_into_id, Supplier.id, Supplier.name)
        .join(Receipt, Receipt.lot_id == LotCorrection.lot_id)
        .join(Supplier, Supplier.id == Receipt.supplier_id)
    )
    rows: Any = session.execute(
        union(
            own.where(Receipt.lot_id.in_(wanted), stands),
            merged.where(LotCorrection.merged_into_id.in_(wanted), stands),
        )
    )
    found: dict[UUID, dict[UUID, str]] = {}
    for lot_id, supplier_id, name in rows:
        found.setdefault(lot_id, {})[supplier_id] = name
    return found


def only_supplier(session: Session, lot_ids: Iterable[UUID]) -> UUID | None:
    """Return the supplier that all of the lots came from; None where there are several, or none is known of one."""
    wanted = set(lot_ids)
    found = suppliers_of_lots(session, wanted)
    suppliers = {supplier for of_lot in found.values() for supplier in of_lot}
    return suppliers.pop() if len(suppliers) == 1 and found.keys() == wanted else None


def was_returned_by(session: Session, supplier_id: UUID, document_number: str) -> bool:
    """Tell whether a return to the supplier that stands has this number."""
    same = (
        select(Disposal.id)
        .join(DisposalLine, DisposalLine.disposal_id == Disposal.id)
        .where(
            Disposal.kind == DisposalKind.RETURN,
            Disposal.supplier_id == supplier_id,
            Disposal.document_number == document_number,
            ~exists().where(_UNDO.reverses_id == DisposalLine.movement_id),
        )
    )
    return session.scalar(same.limit(1)) is not None
