"""A reconciliation as CSV: one table of one level, whose columns can be added up, named as on the page.

Law kept here: a lot is told once, whole or by its parts, and so is what is on its way; added up over all sites, what was transferred in
is what was transferred out. Amounts are exact: a thousandth of a mL is a microlitre. What stands out is in the PDF, and a file of its
own beside the page.
"""

from collections.abc import Iterable, Iterator

from inventory.kernel.quantity import format_ml
from inventory.stock.presenters import reconciliation as words
from inventory.stock.queries.reconciliation import LotRow
from inventory.stock.reconciling import Column, Sums
from inventory.web.spreadsheets import safe_cell

ABOUT = ("Site", "Formulation", "Product", "Lot", "Expires", "Part")
NAMED_BY = (0, 3, 5)
"""The site, the lot and the part name a row."""
WHOLE, ON_ITS_WAY = "Whole lot", "On its way"


FORMAT = "reconciliation/1"


def columns_of(*, by_part: bool) -> tuple[str, ...]:
    """The headings of the table."""
    names = (
        "Opening",
        *(words.COLUMNS[column] for column in _columns(by_part=by_part)),
        "Closing",
        "Difference",
    )
    return (*ABOUT, *(f"{name} (mL)" for name in names), "Closing (containers)")


def rows_of(rows: Iterable[LotRow], ways: Iterable[LotRow], *, by_part: bool) -> Iterator[tuple[str, ...]]:
    """Every lot, or with `by_part` what is sealed of it and each vial, and what is on its way, as the CSV holds it."""
    for row, part, sums in _told(rows, ways, by_part=by_part):
        about = (
            row.site_code,
            row.formulation,
            row.product,
            row.lot_number,
            row.expires_on.isoformat(),
            part,
        )
        yield (*map(safe_cell, about), *_amounts(sums, _columns(by_part=by_part), row.container_ul))


def _columns(*, by_part: bool) -> list[Column]:
    return [column for column in Column if by_part or column is not Column.OPENED]


def _told(
    rows: Iterable[LotRow], ways: Iterable[LotRow], *, by_part: bool
) -> Iterator[tuple[LotRow, str, Sums]]:
    for row in rows:
        if not by_part:
            yield row, WHOLE, row.sums
        for part in row.parts if by_part else ():
            yield row, words.part_words(part), part.sums
    for row in ways:
        yield row, ON_ITS_WAY, row.sums


def _amounts(sums: Sums, columns: list[Column], container_ul: int) -> Iterator[str]:
    yield format_ml(sums.opening_ul)
    for column in columns:
        yield format_ml(sums.moved[column])
    yield format_ml(sums.closing_ul)
    yield format_ml(sums.difference_ul)
    yield words.hundredths_of(sums.closing_ul, container_ul).replace(",", "")
