"""Lots as they were received, before any correction: what the trail witnessed of them (laws 4 and 9)."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.stock.models import LotCorrection
from inventory.stock.rules import lot_number_key


def as_received(session: Session, rows: Sequence[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    """Return the rows of `lot` as they were inserted: every correction undone, the newest first.

    A correction by which a lot went over into another changed nothing of its row.
    """
    said = select(LotCorrection).where(
        LotCorrection.lot_id.in_([row["id"] for row in rows]), LotCorrection.merged_into_id.is_(None)
    )
    ordered = session.scalars(said.order_by(LotCorrection.lot_id, LotCorrection.position))
    corrected = {
        lot_id: list(corrections) for lot_id, corrections in groupby(ordered, key=lambda c: c.lot_id)
    }
    return [_restored(row, corrected.get(row["id"], [])) for row in rows]


def _restored(row: Mapping[str, Any], corrections: Sequence[LotCorrection]) -> Mapping[str, Any]:
    for said in reversed(corrections):
        stands = (row["lot_number"], row["lot_number_key"], row["expires_on"], row["expires_month_only"])
        if stands != (said.lot_number, said.lot_number_key, said.expires_on, said.expires_month_only):
            # What stands there is not what was corrected to, perhaps what was received: no lot had an empty key.
            return {**row, "lot_number_key": ""}
        row = {
            **row,
            "lot_number": said.lot_number_before,
            "lot_number_key": lot_number_key(said.lot_number_before),
            "expires_on": said.expires_on_before,
            "expires_month_only": said.expires_month_only_before,
        }
    return row
