"""Overfill is there once: what a vial yields beyond its label is limited in all, not each time it is found."""

from uuid import UUID

from sqlalchemy.orm import Session

from inventory.kernel.errors import Refusal
from inventory.kernel.quantity import format_ml
from inventory.stock.queries.overfill import overfill_of


def refuse_more_overfill(session: Session, vial_id: UUID, more_ul: int, *, limit_ul: int, field: str) -> None:
    """Raise Refusal VIAL-OVERFULL where `more_ul` is beyond what is left of the product's limit (microlitres)."""
    yielded_ul = overfill_of(session, vial_id)
    if yielded_ul + more_ul > limit_ul:
        before = f" It yielded {format_ml(yielded_ul)} mL of it already." if yielded_ul else ""
        said = f"A vial of this product holds at most {format_ml(limit_ul)} mL more than its label.{before}"
        raise Refusal("VIAL-OVERFULL", f"{said} Choose another reason, and say in words what it is.", field)
