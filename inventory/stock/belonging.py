"""To which sites belongs what stock keeps: an opened vial to where it is now, a transfer to both its ends. Lots are the clinic's."""

from sqlalchemy import or_, select, union_all

from inventory.clinic.models import Location
from inventory.clinic.sight import belongs, of_column
from inventory.stock.models import (
    Disposal,
    Hold,
    Receipt,
    StockCount,
    TemperatureExcursion,
    Transfer,
    Vial,
)

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
