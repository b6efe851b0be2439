"""A lot is added: it copies what its product is at that moment (law 9), and gets its accounts."""

from datetime import date

from sqlalchemy.orm import Session

from inventory.audit.acts import Act
from inventory.catalogue.models import Product
from inventory.kernel.errors import Refusal
from inventory.kernel.ids import uuid7
from inventory.kernel.laws import born_twice
from inventory.stock import ledger, queries, rules
from inventory.stock.models import Lot
from inventory.stock.queries import corrections

# A delivery and a dose look for the lot first, and find it when tried again, if somebody else was adding it.
born_twice("uq_lot_product_id_lot_number_key")


def new_lot(
    act: Act,
    product: Product,
    *,
    lot_number: str,
    expires_on: date,
    expires_month_only: bool = False,
    raw_scan: str | None = None,
) -> Lot:
    """Inside an act: add a lot of `product` without stock. Raises Refusal LOT-NUMBER-INVALID."""
    lot_id = uuid7()
    values = {
        "id": lot_id,
        "product_id": product.id,
        "lot_number": lot_number.strip(),
        "lot_number_key": rules.lot_number_key(lot_number),
        "expires_on": expires_on,
        "expires_month_only": expires_month_only,
        "raw_scan": raw_scan,
        "container_type": product.container_type,
        "strength_ng": product.strength_ng,
        "strength_ul": product.strength_ul,
        "container_volume_ul": product.container_volume_ul,
        "in_use_days": product.in_use_days,
        "created_at": act.recorded_at,
        "created_by_id": act.actor.id,
    }
    act.insert(Lot, values)
    ledger.open_lot_accounts(act.session, lot_id)
    return queries.lot_by_id(act.session, lot_id)


def refuse_merged(session: Session, lot: Lot, *, field: str | None = "lot_number") -> None:
    """Raise Refusal LOT-MERGED, which names the lot that this one went over into."""
    merge = corrections.merge_of(session, lot.id)
    if merge is not None:
        other = queries.lot_by_id(session, corrections.became(session, lot.id))
        said = (
            f"Lot {lot.lot_number} was a mistake for lot {other.lot_number} and was merged into it"
            f" on {merge.corrected_at.date().isoformat()}. Use lot {other.lot_number}."
        )
        raise Refusal("LOT-MERGED", said, field)
