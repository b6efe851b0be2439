"""What every list reads with: one read of the record, the selection, and what people, sites and products were called then."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.engine import Connection

from inventory.catalogue.models import Formulation, Product
from inventory.clinic.models import Location
from inventory.kernel.numbering import written_number
from inventory.reports.queries.as_of import AsOf, Called, called
from inventory.reports.queries.selection import Selection
from inventory.stock.models import Lot, LotCorrection
from inventory.stock.queries.corrections import Corrected, every_later_word

Cells = tuple[str, ...]
_WIDEST_OFFSET = timedelta(hours=26)  # no site's day begins or ends further than this from the day in UTC


@dataclass(frozen=True, slots=True)
class Reader:
    """One read. Instants come back by the clock of a site."""

    connection: Connection
    selection: Selection
    as_of: AsOf
    called: Called
    site_ids: tuple[UUID, ...] = field(default=())

    def person(self, user_id: UUID | None) -> str:
        """What somebody was called; nothing for nobody."""
        return self.called.people[user_id] if user_id else ""

    def code(self, site_id: UUID) -> str:
        """The code of a site."""
        return self.called.codes[site_id]

    def zone(self, site_id: UUID) -> ZoneInfo:
        """The zone of a site's clock."""
        return ZoneInfo(self.called.zones[site_id])

    def first_zone(self) -> ZoneInfo:
        """The clock of what belongs to no site: that of the report's first."""
        return ZoneInfo(self.selection.sites[0].time_zone)

    def numbered(self, site_id: UUID, number: int) -> str:
        """The number of a dose as it is written."""
        return written_number(self.code(site_id), number)

    def about_then(self, column: Any) -> ColumnElement[bool]:
        """The condition that keeps instants far outside the period from being read; `is_within` decides."""
        first, last = self.selection.first_day, self.selection.last_day
        begin = datetime.combine(first, time(), tzinfo=UTC) - _WIDEST_OFFSET
        end = datetime.combine(last, time(), tzinfo=UTC) + timedelta(days=1) + _WIDEST_OFFSET
        return and_(column >= begin, column < end)

    def is_within(self, instant: datetime, zone: ZoneInfo) -> bool:
        """Whether an instant is on a day of the period by this clock."""
        on = instant.astimezone(zone).date()
        return self.selection.first_day <= on <= self.selection.last_day


def reader_of(connection: Connection, selection: Selection, as_of: AsOf) -> Reader:
    """Return the reader of a selection."""
    return Reader(
        connection, selection, as_of, called(connection, as_of), tuple(site.id for site in selection.sites)
    )


def filled(columns: Sequence[str], cells: Mapping[str, str]) -> Cells:
    """Return a row of these columns; what is not told is empty."""
    unknown = cells.keys() - set(columns)
    if unknown:
        raise ValueError(f"these columns have no {sorted(unknown)}")
    return tuple(cells.get(name, "") for name in columns)


def when(instant: datetime, zone: ZoneInfo) -> dict[str, str]:
    """The cells of the instant that a row stands at: its day, its clock time, and UTC."""
    local = instant.astimezone(zone)
    return {"on": local.date().isoformat(), "at": clock(instant, zone), "at_utc": clock(instant, UTC)}


def clock(instant: datetime | None, zone: Any) -> str:
    """An instant by a clock, to the second, with its offset; nothing for none."""
    return instant.astimezone(zone).isoformat(timespec="seconds") if instant else ""


def iso(value: date | None) -> str:
    """A day as it is written in a cell."""
    return value.isoformat() if value else ""


@dataclass(frozen=True, slots=True)
class Things:
    """What products, formulations, locations and lots were called then."""

    products: Mapping[UUID, str]
    formulations: Mapping[UUID, str]
    formulation_of: Mapping[UUID, UUID]
    locations: Mapping[UUID, str]
    lots: Mapping[UUID, tuple[str, date]]
    product_of: Mapping[UUID, UUID]


def things(reader: Reader) -> Things:
    """Read them: few rows, whatever was done with them."""
    connection, as_of = reader.connection, reader.as_of
    products = connection.execute(select(Product.id, Product.name, Product.formulation_id)).all()
    formulations = connection.execute(select(Formulation.id, Formulation.name)).all()
    locations = connection.execute(select(Location.id, Location.name)).all()
    return Things(
        {row.id: row.name for row in products} | as_of.before(connection, "catalogue.edit-product", "name"),
        {row.id: row.name for row in formulations}
        | as_of.before(connection, "catalogue.edit-formulation", "name"),
        {row.id: row.formulation_id for row in products},
        {row.id: row.name for row in locations} | as_of.before(connection, "clinic.location-edited", "name"),
        _lots(reader),
        {row.id: row.product_id for row in connection.execute(select(Lot.id, Lot.product_id))},
    )


def corrections_then(reader: Reader) -> list[Corrected]:
    """Every correction of a lot that was recorded by then, the first first, with the names of then."""
    moments = reader.as_of.moments(reader.connection, "lot")
    found = every_later_word(
        reader.connection, among=lambda one: (one.lot_id, one.corrected_at) not in moments
    )
    own = [one for lot_id, told in found.items() for one in told if one.lot_id == lot_id]
    return sorted(own, key=lambda one: (one.corrected_at, one.lot_id, one.position))


def _lots(reader: Reader) -> dict[UUID, tuple[str, date]]:
    """Number and expiry of every lot: as they are, unless a later correction says what they were."""
    lots = reader.connection.execute(select(Lot.id, Lot.lot_number, Lot.expires_on)).all()
    found = {row.id: (row.lot_number, row.expires_on) for row in lots}
    return found | corrected_later(reader)


def corrected_later(reader: Reader) -> dict[UUID, tuple[str, date]]:
    """Number and expiry of the lots that a later correction changed, as they were before it."""
    return {lot_id: (number, expires_on) for lot_id, number, expires_on in _undone(reader)}


def _undone(reader: Reader) -> Iterator[tuple[UUID, str, date]]:
    moments = reader.as_of.moments(reader.connection, "lot")
    newest_first = select(
        LotCorrection.lot_id,
        LotCorrection.corrected_at,
        LotCorrection.lot_number_before,
        LotCorrection.expires_on_before,
    ).order_by(LotCorrection.lot_id, LotCorrection.position.desc())
    for row in reader.connection.execute(newest_first) if moments else ():
        if (row.lot_id, row.corrected_at) in moments:
            yield row.lot_id, row.lot_number_before, row.expires_on_before
