"""To which sites belongs what stock keeps: an opened vial to where it is now, a transfer to both its ends. Lots are the clinic's."""

from sqlalchemy import or_, select, union_all

from inventory.audit.subjects import Subjects, found_by
from inventory.audit.viewed import named
from inventory.clinic.models import Location
from inventory.clinic.sight import belongs, of_column
from inventory.kernel.db import db
from inventory.stock.models import (
    Disposal,
    DisposalLine,
    Hold,
    Lot,
    Receipt,
    StockCount,
    TemperatureExcursion,
    Transfer,
    TransferLine,
    Vial,
)
from inventory.stock.queries.scopes import lots_named

_OF_HOLD = (
    select(Location.site_id)
    .select_from(Hold)
    .outerjoin(Vial, Vial.id == Hold.vial_id)
    .outerjoin(Location, or_(Location.id == Hold.location_id, Location.id == Vial.location_id))
)

belongs(
    "vial_id",
    "vial",
    of_column(
        lambda key: select(Location.site_id).join(Vial, Vial.location_id == Location.id).where(Vial.id == key)
    ),
)
belongs(
    "transfer_id",
    "transfer",
    of_column(
        lambda key: union_all(
            select(Transfer.from_site_id).where(Transfer.id == key),
            select(Transfer.to_site_id).where(Transfer.id == key),
        )
    ),
)
belongs("hold_id", "hold", of_column(lambda key: _OF_HOLD.where(Hold.id == key)))
belongs("receipt_id", "receipt", of_column(lambda key: select(Receipt.site_id).where(Receipt.id == key)))
belongs("count_id", "count", of_column(lambda key: select(StockCount.site_id).where(StockCount.id == key)))
belongs("disposal_id", "document", of_column(lambda key: select(Disposal.site_id).where(Disposal.id == key)))
belongs(
    "excursion_id",
    "excursion",
    of_column(lambda key: select(TemperatureExcursion.site_id).where(TemperatureExcursion.id == key)),
)


def _about_lot(typed: str) -> Subjects:
    """Return the lots of this number in any spelling, now or before, with their vials and the papers they stand on."""
    lots = lots_named(db.session(), typed)
    return [
        ("lot", lots),
        ("vial", select(Vial.id).where(Vial.lot_id.in_(lots))),
        ("transfer", select(TransferLine.transfer_id).where(TransferLine.lot_id.in_(lots))),
        ("disposal", select(DisposalLine.disposal_id).where(DisposalLine.lot_id.in_(lots))),
    ]


found_by("lot", _about_lot)
named("lot_id", "Lot", lambda key: select(Lot.lot_number).where(Lot.id == key))
