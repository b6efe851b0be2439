"""A recall notice as it is pasted or uploaded: lot numbers, one a line or several, perhaps with their product. Pure.

Law kept here: nothing that was pasted is dropped. What is not read as a product is read as a lot number.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from inventory.catalogue.rules import gtin14, has_gtin_check_digit
from inventory.kernel.errors import Refusal
from inventory.stock.rules import lot_number_key

MOST_LOTS = 500
"""Lot numbers of one recall."""
MOST_CHARACTERS = 20_000
_SEPARATORS = (";", "\t", ",")
_LOT_HEADINGS = frozenset(
    {"lot", "lots", "lot number", "lot no", "lot no.", "batch", "batch number", "batch no"}
)
_PRODUCT_HEADINGS = frozenset({"product", "gtin", "product name", "item", "drug"})
_GTIN = re.compile(r"\d{12,14}", re.ASCII)
_SHORTEST_GUESS = 3


@dataclass(frozen=True, slots=True)
class NamedLot:
    """One lot number as a notice names it. `product` is a GTIN or a product's name, where the notice says one."""

    lot_number: str
    product: str = ""

    @property
    def key(self) -> str:
        """What two spellings of the number share. Raises Refusal LOT-NUMBER-INVALID."""
        return lot_number_key(self.lot_number)


def read_notice(text: str, *, product_names: Iterable[str] = ()) -> list[NamedLot]:
    """Return the lot numbers of a notice, each once, in the order they stand.

    A line is one number, a number and its product, or several numbers; the first line may head the columns. A second cell is a
    product where it is a GTIN or one of `product_names`. Raises Refusal RECALL-NO-LOTS, RECALL-TOO-MANY, LOT-NUMBER-INVALID.
    """
    known = {name.casefold() for name in product_names}
    lines = [line.lstrip("\ufeff") for line in text.splitlines() if line.strip(" \t\ufeff,;")]
    separator = next((one for one in _SEPARATORS if lines and one in lines[0]), ",")
    columns = _headed(_cells(lines[0], separator)) if lines else None
    if columns is None:
        return _each_once([named for line in lines for named in _named(line, known)])
    rows = [_cells(line, separator) for line in lines[1:]]
    return _each_once([named for row in rows for named in _by_columns(row, *columns)])


def squeezed(text: str) -> str:
    """Return letters and digits alone, in capitals: what two spellings share that differ in blanks and hyphens."""
    return "".join(one for one in text.upper() if one.isalnum())


def spellings_in(text: str) -> set[str]:
    """Return, squeezed, each word of a text and each row of words: `Batch AB-12` has AB12 in it."""
    words = [word for word in re.split(r"[\W_]+", text.upper()) if word]
    rows = {"".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, len(words) + 1)}
    return {row for row in rows if len(row) >= _SHORTEST_GUESS}


def _cells(line: str, separator: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]


def _headed(cells: list[str]) -> tuple[int, int | None] | None:
    """Return which column holds lot numbers and which products, where the line is a heading."""
    names = [cell.casefold().replace("_", " ") for cell in cells]
    lots = [place for place, name in enumerate(names) if name in _LOT_HEADINGS]
    products = [place for place, name in enumerate(names) if name in _PRODUCT_HEADINGS]
    return (lots[0], products[0] if products else None) if lots else None


def _by_columns(row: list[str], lot: int, product: int | None) -> Iterator[NamedLot]:
    if lot < len(row) and row[lot]:
        yield NamedLot(row[lot], row[product] if product is not None and product < len(row) else "")


def _named(line: str, known: set[str]) -> list[NamedLot]:
    for separator in _SEPARATORS:
        row = _cells(line, separator)
        if len(row) == 2 and row[0] and (_is_gtin(row[1]) or row[1].casefold() in known):
            return [NamedLot(row[0], row[1])]
    cells = [line]
    for separator in _SEPARATORS:
        cells = [part for cell in cells for part in _cells(cell, separator)]
    return [NamedLot(cell) for cell in cells if cell]


def _is_gtin(text: str) -> bool:
    return bool(_GTIN.fullmatch(text)) and has_gtin_check_digit(gtin14(text))


def _each_once(found: list[NamedLot]) -> list[NamedLot]:
    once = {(_checked(named).key, named.product.casefold()): named for named in reversed(found)}
    named = list(reversed(once.values()))
    if not named:
        raise Refusal("RECALL-NO-LOTS", "Type or paste the lot numbers of the notice, one a line.", "lots")
    if len(named) > MOST_LOTS:
        said = f"At most {MOST_LOTS} lot numbers at once; these are {len(named):,}. Add the rest afterwards."
        raise Refusal("RECALL-TOO-MANY", said, "lots")
    return named


def _checked(named: NamedLot) -> NamedLot:
    try:
        lot_number_key(named.lot_number)
    except Refusal as refusal:
        said = f"“{named.lot_number[:60]}” is no lot number: it has at most 40 characters."
        raise Refusal(refusal.code, said, "lots") from refusal
    return named
