"""Every table an auditor may take along, as a CSV file: which there are, and how one is read row after row.

Law kept here: least sight (11). Each table says its permission, its site, its day and its patient; what of it somebody sees
is narrowed here, in one place, and asked of the same limits as the pages.
"""

from inventory.interop.exports.care import CARE
from inventory.interop.exports.courses import COURSES
from inventory.interop.exports.measured import MEASURED
from inventory.interop.exports.oversight import OVERSIGHT
from inventory.interop.exports.reactions import REACTIONS
from inventory.interop.exports.stock import STOCK
from inventory.interop.exports.table import Column, Exported, lines_of
from inventory.kernel.errors import not_found
from inventory.kernel.permissions import Actor

__all__ = ["EVERY", "Column", "Exported", "export_named", "exports_for", "lines_of"]

EVERY = (*CARE, *COURSES, *MEASURED, *REACTIONS, *STOCK, *OVERSIGHT)
"""What makes each of the tables."""


def exports_for(actor: Actor) -> list[Exported]:
    """Return the tables that somebody may take along."""
    every = [make() for make in EVERY]
    # What shows how things are now has no days: it is not for those who see some days only.
    return [
        one
        for one in every
        if one.is_for(actor) and (one.is_timeless or one.day is not None or not actor.days)
    ]


def export_named(name: str, actor: Actor) -> Exported:
    """Return the table of this name. Raises Refusal NOT-FOUND where there is none, or not for this person."""
    found = next((one for one in exports_for(actor) if one.name == name), None)
    if found is None:
        raise not_found("table")
    return found
