"""Lots as they were received, before any correction: what the trail witnessed of them (laws 4 and 9)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.stock.models import LotCorrection
from inventory.stock.rules import lot_number_key


def as_received(session: Session, rows: Sequence[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    """Return the rows of `lot` as they were inserted: what the first correction says stood there before."""
    first = select(LotCorrection).where(
        LotCorrection.lot_id.in_([row["id"] for row in rows]), LotCorrection.position == 1
    )
    corrected = {correction.lot_id: correction for correction in session.scalars(first)}
    return [_restored(row, corrected[row["id"]]) if row["id"] in corrected else row for row in rows]


def _restored(row: Mapping[str, Any], first: LotCorrection) -> Mapping[str, Any]:
    number = first.lot_number_before
    return {
        **row,
        "lot_number": number,
        "lot_number_key": lot_number_key(number),
        "expires_on": first.expires_on_before,
        "expires_month_only": first.expires_month_only_before,
    }
