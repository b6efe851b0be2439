"""Every report as a table: its columns, and its rows read as of one link of the chain (law 10).

Issuing draws these rows, and whoever checks a report reads them again from the record with the parameters that the register keeps:
the same cells come back, whatever was recorded since.
"""

import hmac
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from inventory.kernel.errors import Refusal
from inventory.reports import pseudonyms
from inventory.reports.documents import administration_csv as told
from inventory.reports.documents import recall_csv, reconciliation_csv
from inventory.reports.kinds import ReportKind
from inventory.reports.queries.administrations import administration_rows, identified_rows
from inventory.reports.queries.as_of import AsOf
from inventory.reports.queries.listings.kinds import LISTINGS
from inventory.reports.queries.listings.reader import Reader, corrected_later, reader_of
from inventory.reports.queries.parameters import selection_of
from inventory.reports.queries.recall_then import rows_then
from inventory.reports.queries.selection import head_of, reading, take_snapshot
from inventory.stock.queries.reconciled import ways_of
from inventory.stock.queries.reconciliation import Scope, ScopeSite, Then, lot_rows
from inventory.web.spreadsheets import safe_cell

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a report as text, exactly as in its CSV; the cells at `named_by` name a row, the first unless it says otherwise.

    `format` is the promise of what the cells say: a format that was issued once is read for ever.
    """

    format: str
    columns: tuple[str, ...]
    rows: Iterator[Cells]
    named_by: tuple[int, ...] = (0,)


def table_of(kind: ReportKind, parameters: Mapping[str, Any], up_to: int) -> Table:
    """Read a report's rows as the record stood at the link `up_to`.

    Raises Refusal REPORT-NOT-RECHECKABLE for a report whose rows cannot be read again exactly.
    """
    read = _READERS.get((kind, str(parameters.get("format"))))
    if read is None:
        raise not_recheckable()
    return read(kind, parameters, up_to)


def not_recheckable() -> Refusal:
    """Return the refusal for a report whose rows cannot be read again as they were."""
    said = "The rows of this report cannot be read again from the record as they were. Its file can still be checked."
    return Refusal("REPORT-NOT-RECHECKABLE", said, status=409)


def guarded(cells: Cells) -> Cells:
    """Return a row of a list as its CSV holds it."""
    return tuple([safe_cell(cell) for cell in cells])


def _administrations(_kind: ReportKind, parameters: Mapping[str, Any], up_to: int) -> Table:
    snapshot = take_snapshot(selection_of(parameters), up_to, tells_gaps=False)
    return Table(told.FORMAT, told.COLUMNS, map(told.cells_of, administration_rows(snapshot)))


def _pseudonymised(_kind: ReportKind, parameters: Mapping[str, Any], up_to: int) -> Table:
    secret = pseudonyms.key()
    # Under another key every pseudonym is another: the rows would all seem to be changed.
    if not hmac.compare_digest(pseudonyms.mark_of(secret), str(parameters.get("pseudonyms"))):
        raise not_recheckable()
    snapshot = take_snapshot(selection_of(parameters), up_to, tells_gaps=False)
    rows = pseudonyms.pseudonymised(identified_rows(snapshot), secret)
    columns = told.PSEUDONYMISED_COLUMNS
    return Table(pseudonyms.FORMAT, columns, map(told.pseudonymised_cells_of, rows))


def rows_as_of(kind: ReportKind, parameters: Mapping[str, Any], up_to: int) -> Iterator[Cells]:
    """Yield the rows of a list as the record stood at the link `up_to`, as they are printed; held by nobody."""
    with reading(streams=True) as connection:
        seq = None if up_to >= head_of(connection).seq else up_to
        reader = reader_of(connection, selection_of(parameters), AsOf(seq))
        yield from LISTINGS[kind].rows(reader)


def _listing(kind: ReportKind, parameters: Mapping[str, Any], up_to: int) -> Table:
    rows = map(guarded, rows_as_of(kind, parameters, up_to))
    return Table(LISTINGS[kind].format, LISTINGS[kind].layout.columns, rows)


def _reconciliation(_kind: ReportKind, parameters: Mapping[str, Any], up_to: int) -> Table:
    by_part = bool(parameters["by_part"])
    with reading() as connection:
        seq = None if up_to >= head_of(connection).seq else up_to
        reader = reader_of(connection, selection_of(parameters), AsOf(seq))
        scope, then = _scope_of(reader), _then_of(reader)
        rows, ways = lot_rows(connection, scope, then), ways_of(connection, scope, then)
    return Table(
        reconciliation_csv.FORMAT,
        reconciliation_csv.columns_of(by_part=by_part),
        reconciliation_csv.rows_of(rows, ways, by_part=by_part),
        reconciliation_csv.NAMED_BY,
    )


def _recall(_kind: ReportKind, parameters: Mapping[str, Any], up_to: int) -> Table:
    with reading() as connection:
        seq = None if up_to >= head_of(connection).seq else up_to
        rows = rows_then(connection, UUID(parameters["recall_id"]), AsOf(seq))
    return Table(recall_csv.FORMAT, recall_csv.FIELDS, rows, recall_csv.NAMED_BY)


def _scope_of(reader: Reader) -> Scope:
    """The scope of a reconciliation, its days by the clocks of then."""
    selection = reader.selection
    sites = tuple(
        ScopeSite(site.id, reader.code(site.id), site.name, reader.called.zones[site.id])
        for site in selection.sites
    )
    return Scope(sites, selection.first_day, selection.last_day, selection.formulation_id, selection.lot_ids)


def _then_of(reader: Reader) -> Then:
    as_of, connection = reader.as_of, reader.connection
    return Then(
        as_of.later_acts(),
        codes=as_of.before(connection, "clinic.site-edited", "code"),
        formulations=as_of.before(connection, "catalogue.edit-formulation", "name"),
        products=as_of.before(connection, "catalogue.edit-product", "name"),
        lots=corrected_later(reader),
    )


_Read = Callable[[ReportKind, Mapping[str, Any], int], Table]
_READERS: dict[tuple[ReportKind, str], _Read] = {
    (ReportKind.ADMINISTRATIONS, told.FORMAT): _administrations,
    (ReportKind.PSEUDONYMISED, pseudonyms.FORMAT): _pseudonymised,
    (ReportKind.RECALL, recall_csv.FORMAT): _recall,
    (ReportKind.RECONCILIATION, reconciliation_csv.FORMAT): _reconciliation,
    **{(kind, listing.format): _listing for kind, listing in LISTINGS.items()},
}
"""How the rows of each format are read."""
