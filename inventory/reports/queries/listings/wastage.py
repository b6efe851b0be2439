"""Wastage: what was wasted, why, of what, and what it had cost where that is known. Waste that was reversed is not shown.

A volume costs what its lot's last priced delivery before the waste says, by the share of a container (as on the page of waste).
"""

from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import aliased

from inventory.clinic.settings import current_settings
from inventory.kernel.money import format_minor, rounded
from inventory.kernel.quantity import format_ml
from inventory.reports.documents.listing import Figure, Grouping, Layout, Section, Shown
from inventory.reports.queries.listings.reader import Cells, Reader, Things, filled, things, when
from inventory.stock.models import Lot, Movement, MovementKind, Receipt
from inventory.stock.presenters import reason_words

FORMAT = "wastage/1"
COLUMNS = (
    "row", "about", "on", "at", "at_utc", "month", "site", "location", "formulation", "product", "lot", "reason_code", "reason",
    "volume_ul", "volume_ml", "containers", "cost_minor", "cost", "currency", "by", "witness", "said",
)  # fmt: skip
Prices = dict[UUID, list[tuple[datetime, str, int]]]
_VOLUME = Figure("Volume mL", "volume_ul", lambda amount: format_ml(int(amount)))
_CONTAINERS = Figure("Containers", "containers", lambda amount: f"{float(round(amount, 2)):,.2f}")


def _cost(amount: Fraction) -> str:
    return format_minor(rounded(amount), current_settings().currency)


_FIGURES = (_VOLUME, _CONTAINERS, Figure("Cost, where known", "cost_minor", _cost))
LAYOUT = Layout(
    COLUMNS,
    (
        Section(
            "waste",
            "What was wasted",
            (
                Shown("When", 11, "{at:when}"),
                Shown("Where", 14, "{location}, {site}"),
                Shown("Product", 24, "{product}"),
                Shown("Lot", 10, "{lot}", is_bold=True),
                Shown("Reason", 22, "{reason}\n{said}"),
                Shown("mL", 6, "{volume_ml}", is_number=True),
                Shown("Cost", 9, "{cost}", is_number=True),
                Shown("By", 14, "{by}\n{witness}"),
            ),
            "Nothing was wasted in this period.",
        ),
    ),
    "Wastes recorded",
    (
        Grouping("Reason", "reason", figures=_FIGURES),
        Grouping("Product", "product", figures=_FIGURES, is_chart=False),
        Grouping("Month", "month", figures=_FIGURES, is_chart=False),
    ),
)


def rows(reader: Reader) -> Iterator[Cells]:
    """What was wasted on the days of the period."""
    undone = aliased(Movement)
    taken_back = select(undone.reverses_id).where(
        undone.reverses_id.is_not(None), reader.as_of.acted(undone.act_id)
    )
    statement = (
        select(Movement.__table__, Lot.product_id, Lot.container_volume_ul)
        .join(Lot, Lot.id == Movement.lot_id)
        .where(
            Movement.kind == MovementKind.WASTE,
            Movement.site_id.in_(reader.site_ids),
            reader.about_then(Movement.occurred_at),
            reader.as_of.acted(Movement.act_id),
            Movement.id.not_in(taken_back),
        )
        .order_by(Movement.occurred_at, Movement.id)
    )
    names, prices = things(reader), _prices(reader)
    wanted = reader.selection.formulation_id
    currency = current_settings().currency
    for row in reader.connection.execute(statement):
        if not reader.is_within(row.occurred_at, reader.zone(row.site_id)):
            continue
        if wanted is None or names.formulation_of[row.product_id] == wanted:
            yield _waste(reader, row, names, _price(prices, row), currency)


def _waste(reader: Reader, row: Any, names: Things, price: int | None, currency: str) -> Cells:
    share = Fraction(row.amount_ul, row.container_volume_ul)
    cost = None if price is None else share * price
    happened = when(row.occurred_at, reader.zone(row.site_id))
    return filled(
        COLUMNS,
        {
            "row": f"movement {row.id}",
            "about": "waste",
            **happened,
            "month": happened["on"][:7],
            "site": reader.code(row.site_id),
            "location": names.locations[row.location_id],
            "formulation": names.formulations[names.formulation_of[row.product_id]],
            "product": names.products[row.product_id],
            "lot": names.lots[row.lot_id][0],
            "reason_code": row.reason or "",
            "reason": reason_words(MovementKind.WASTE, row.reason),
            "volume_ul": str(row.amount_ul),
            "volume_ml": format_ml(row.amount_ul),
            "containers": str(share),
            "cost_minor": "" if cost is None else str(cost),
            "cost": "" if cost is None else format_minor(rounded(cost), currency),
            "currency": "" if cost is None else currency,
            "by": reader.person(row.actor_id),
            "witness": reader.person(row.witness_id),
            "said": row.note or "",
        },
    )


def _prices(reader: Reader) -> Prices:
    """The priced deliveries of each lot that were recorded by then and not undone, the first first."""
    received, undone = aliased(Movement), aliased(Movement)
    taken_back = select(undone.reverses_id).where(
        undone.reverses_id.is_not(None), reader.as_of.acted(undone.act_id)
    )
    statement = (
        select(Receipt.lot_id, Receipt.received_at, Receipt.id, Receipt.container_price_minor)
        .join(received, received.id == Receipt.movement_id)
        .where(
            Receipt.container_price_minor.is_not(None),
            reader.as_of.acted(received.act_id),
            Receipt.movement_id.not_in(taken_back),
        )
    )
    found: Prices = {}
    for row in reader.connection.execute(statement):
        found.setdefault(row.lot_id, []).append((row.received_at, row.id.hex, row.container_price_minor))
    return {lot_id: sorted(told) for lot_id, told in found.items()}


def _price(prices: Prices, row: Any) -> int | None:
    before = [price for at, _, price in prices.get(row.lot_id, ()) if at <= row.occurred_at]
    return before[-1] if before else None
