"""Which list each kind of report is."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from inventory.reports.documents.listing import Layout
from inventory.reports.kinds import ReportKind
from inventory.reports.queries.listings import (
    access,
    completeness,
    corrections,
    incidents,
    lot,
    patient,
    practitioner,
    reactions,
    wastage,
)
from inventory.reports.queries.listings.reader import Cells, Reader


class Listing(NamedTuple):
    """The format of a list's cells, how they are printed, and the query that reads them."""

    format: str
    layout: Layout
    rows: Callable[[Reader], Iterator[Cells]]


LISTINGS = {
    ReportKind.PATIENT: Listing(patient.FORMAT, patient.LAYOUT, patient.rows),
    ReportKind.PRACTITIONER: Listing(practitioner.FORMAT, practitioner.LAYOUT, practitioner.rows),
    ReportKind.LOT: Listing(lot.FORMAT, lot.LAYOUT, lot.rows),
    ReportKind.WASTAGE: Listing(wastage.FORMAT, wastage.LAYOUT, wastage.rows),
    ReportKind.INCIDENTS: Listing(incidents.FORMAT, incidents.LAYOUT, incidents.rows),
    ReportKind.REACTIONS: Listing(reactions.FORMAT, reactions.LAYOUT, reactions.rows),
    ReportKind.CORRECTIONS: Listing(corrections.FORMAT, corrections.LAYOUT, corrections.rows),
    ReportKind.ACCESS: Listing(access.FORMAT, access.LAYOUT, access.rows),
    ReportKind.COMPLETENESS: Listing(completeness.FORMAT, completeness.LAYOUT, completeness.rows),
}
"""The kinds that are lists. The others are drawn in ways of their own."""
