"""A reconciliation as CSV: a line for each lot at each site, for each part of it, and for each thing that stands out.

`level` says what a line is: lot, sealed, vial, single_dose, exception. The lines of a lot's parts add up to the lot's own: whoever
adds up the file takes one level. Amounts stand as the exact microlitres, and the main ones as mL and containers too.
"""

import codecs
import csv
import io
from collections.abc import Iterator
from typing import BinaryIO

from inventory.kernel.quantity import format_ml
from inventory.stock.models import AdjustReason, WasteReason
from inventory.stock.presenters import reconciliation as words
from inventory.stock.queries.reconciled import Reconciliation
from inventory.stock.queries.reconciliation import LotRow, Part
from inventory.stock.reconciling import Column, Sums
from inventory.web.spreadsheets import safe_cell

_ABOUT = (
    "level",
    "site",
    "first_day",
    "last_day",
    "formulation",
    "product",
    "lot",
    "expires_on",
    "vial",
    "container_ul",
)
_AMOUNTS = ("opening", *Column, "closing", "difference")
_REASONS = (
    *((Column.WASTED, reason.value) for reason in WasteReason),
    *((column, reason.value) for column in (Column.FOUND, Column.LOST) for reason in AdjustReason),
)
_NOTED = ("topic", "what", "at", "recorded_at", "where", "by", "said")
FIELDS = (
    *_ABOUT,
    *(f"{name}_{unit}" for unit in ("ul", "ml", "containers") for name in _AMOUNTS),
    *(f"{column}_{reason}_ul" for column, reason in _REASONS),
    *_NOTED,
)


def write_reconciliation_csv(out: BinaryIO, found: Reconciliation) -> None:
    """Write every line to `out` (binary, left open)."""
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(FIELDS)
    for line in (*_amounts(found), *_exceptions(found)):
        lines.writerow([_cell(name, line.get(name, "")) for name in FIELDS])
    out.write(codecs.BOM_UTF8 + text.getvalue().encode())


def _cell(name: str, text: str) -> str:
    """A number that a reversal made negative is a number; words that begin so would be run as a formula."""
    return text if name not in _ABOUT + _NOTED else safe_cell(text)


def _amounts(found: Reconciliation) -> Iterator[dict[str, str]]:
    days = {"first_day": found.scope.first_day.isoformat(), "last_day": found.scope.last_day.isoformat()}
    for row in found.rows:
        yield {**days, **_about(row), "level": "lot", **_sums(row.sums, row.container_ul)}
        for part in row.parts:
            label = str(part.label or "")
            yield {
                **days,
                **_about(row),
                "level": _level(part),
                "vial": label,
                **_sums(part.sums, row.container_ul),
            }


def _about(row: LotRow) -> dict[str, str]:
    return {
        "site": row.site_code,
        "formulation": row.formulation,
        "product": row.product,
        "lot": row.lot_number,
        "expires_on": row.expires_on.isoformat(),
        "container_ul": str(row.container_ul),
    }


def _level(part: Part) -> str:
    if not part.is_opened:
        return "sealed"
    return "vial" if part.vial_id else "single_dose"


def _sums(sums: Sums, container_ul: int) -> dict[str, str]:
    whole = {
        "opening": sums.opening_ul,
        **{column.value: sums.moved[column] for column in Column},
        "closing": sums.closing_ul,
        "difference": sums.difference_ul,
    }
    return {
        **{f"{name}_ul": str(ul) for name, ul in whole.items()},
        **{f"{name}_ml": format_ml(ul) for name, ul in whole.items()},
        **{
            f"{name}_containers": words.hundredths_of(ul, container_ul).replace(",", "")
            for name, ul in whole.items()
        },
        **{f"{column}_{reason}_ul": str(sums.by_reason[column, reason]) for column, reason in _REASONS},
    }


def _exceptions(found: Reconciliation) -> Iterator[dict[str, str]]:
    for topic, members in words.by_topic(found.noted):
        for one in members:
            yield {
                "level": "exception",
                "topic": topic.value,
                "what": one.what,
                "at": one.at.isoformat(timespec="seconds"),
                "recorded_at": one.recorded_at.isoformat(timespec="seconds") if one.recorded_at else "",
                "where": one.where,
                "by": one.by,
                "said": one.said,
            }
