"""Every report as a table: its columns, and its rows read as of one link of the chain (law 10).

Issuing draws these rows, and whoever checks a report reads them again from the record with the parameters that the register keeps:
the same cells come back, whatever was recorded since.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from inventory.kernel.errors import Refusal
from inventory.reports.documents import administration_csv
from inventory.reports.kinds import ReportKind
from inventory.reports.queries.administrations import administration_rows
from inventory.reports.queries.parameters import selection_of
from inventory.reports.queries.selection import take_snapshot

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a report as text, exactly as in its CSV; the first cell names the row.

    `format` is the promise of what the cells say: a format that was issued once is read for ever.
    """

    format: str
    columns: tuple[str, ...]
    rows: Iterator[Cells]


def table_of(kind: ReportKind, parameters: Mapping[str, Any], up_to: int) -> Table:
    """Read a report's rows as the record stood at the link `up_to`.

    Raises Refusal REPORT-NOT-RECHECKABLE for a report whose rows cannot be read again exactly.
    """
    if kind is ReportKind.ADMINISTRATIONS and parameters.get("format") == administration_csv.FORMAT:
        snapshot = take_snapshot(selection_of(parameters), up_to)
        rows = map(administration_csv.cells_of, administration_rows(snapshot))
        return Table(administration_csv.FORMAT, administration_csv.COLUMNS, rows)
    raise not_recheckable()


def not_recheckable() -> Refusal:
    """Return the refusal for a report whose rows cannot be read again as they were."""
    said = "The rows of this report cannot be read again from the record as they were. Its file can still be checked."
    return Refusal("REPORT-NOT-RECHECKABLE", said, status=409)
