"""What looks wrong with a return and may be right: another supplier than the one it came from, a paper used before."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from sqlalchemy.orm import Session

from inventory.kernel.errors import Refusal, Refusals
from inventory.stock.queries.lot_suppliers import suppliers_of_lots, was_returned_by


def refuse_doubtful(
    session: Session, *, supplier_id: UUID | None, document_number: str, lots: Iterable[tuple[UUID, str]]
) -> None:
    """Raise Refusals with DISPOSAL-OTHER-SUPPLIER and DISPOSAL-NUMBER-USED for a return that somebody has to look at again.

    `lots` are ids and numbers. One whose supplier nobody recorded fits every supplier.
    """
    if supplier_id is None:
        return
    found = list(_from_others(session, supplier_id, dict(lots)))
    if was_returned_by(session, supplier_id, document_number):
        said = f"A return to this supplier has the number {document_number} already. Check the paper, or tick that it is right."
        found.append(Refusal("DISPOSAL-NUMBER-USED", said, "document_number"))
    if found:
        raise Refusals(found)


def _from_others(session: Session, supplier_id: UUID, lots: dict[UUID, str]) -> Iterator[Refusal]:
    known = suppliers_of_lots(session, lots)
    others = [
        f"lot {lots[lot]} from {' and '.join(sorted(of.values()))}"
        for lot, of in known.items()
        if supplier_id not in of
    ]
    if others:
        said = f"It came from another supplier: {'; '.join(sorted(others))}. Choose that one, or tick that it is right."
        yield Refusal("DISPOSAL-OTHER-SUPPLIER", said, "supplier")
