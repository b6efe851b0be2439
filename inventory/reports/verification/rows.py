"""Compares the rows that a report printed with those that the record gives for it now. Pure.

Rows are compared by the hashes of the manifest. Only where they differ is the report's CSV read too, to name them; a line of it
counts only where it is the row that was hashed.
"""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from inventory.reports.manifest import RowHasher

Cells = Sequence[str]
_Name = tuple[str, int]
"""What names a row, and which of its namesakes it is."""

SHOWN = 10


@dataclass(slots=True)
class Difference:
    """The rows that differ, by their names: changed (with the columns), gone from the record, and more than were printed.

    `erased` are those of a patient who was erased since, and differ in nothing else.
    """

    changed: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    more: list[str] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)
    first: int = 0
    """The place of the first row that differs, counted from 1."""

    @property
    def has_names(self) -> bool:
        """Whether any row can be named. Where none can, rows are in another order, or there is no CSV to name them from."""
        return bool(self.changed or self.gone or self.more or self.erased)


class Erased(NamedTuple):
    """Which rows are about somebody who was erased since, by their names, and the columns that an erasure may have changed."""

    is_about: Callable[[str], bool] = lambda _: False
    columns: frozenset[str] = frozenset()


def difference(
    *,
    hashes: Sequence[str],
    salt: bytes,
    columns: Sequence[str],
    printed: Callable[[], Iterator[Cells]],
    now: Callable[[], Iterable[Cells]],
    named_by: tuple[int, ...] = (0,),
    erased: Erased = Erased(),  # noqa: B008  it is never changed
) -> Difference | None:
    """Return how the rows of the record differ from those printed, or None where they are the same.

    `printed` gives the lines of the report's CSV and `now` the rows of the record; each is asked only when it is needed. `named_by` are
    the places of the cells that name a row together.
    """
    hasher = RowHasher(salt)
    first = _first_difference(hashes, hasher, now())
    if first is None:
        return None

    def named(rows: Iterable[Cells]) -> Iterator[tuple[_Name, Cells]]:
        return _named(rows, named_by)

    def differing_in(names: Sequence[_Name]) -> dict[_Name, list[str]]:
        both = named(_trusted(hashes, hasher, printed())), named(now())
        return _columns_that_differ(names, columns, *both) if names else {}

    before = _hashed(named(_trusted(hashes, hasher, printed())))
    if not before and hashes:
        return Difference(first=first)
    after = _hashed(named(now()))
    differing = [name for name, digest in before.items() if after.get(name, digest) != digest]
    about = differing_in([name for name in differing if erased.is_about(name[0])])
    taken = {name for name, found in about.items() if erased.columns.issuperset(found)}
    changed = [name for name in differing if name not in taken]
    shown = differing_in(changed[:SHOWN])
    return Difference(
        changed=[_with_columns(name, shown.get(name)) for name in changed],
        erased=[_written(name) for name in about if name in taken],
        gone=[_written(name) for name in before if name not in after],
        more=[_written(name) for name in after if name not in before],
        first=first,
    )


def csv_lines(content: bytes) -> Iterator[Cells]:
    """Yield the lines of a report's CSV under its heading; what cannot be read ends them."""
    lines = csv.reader(io.StringIO(content.decode("utf-8-sig", "replace"), newline=""))
    try:
        next(lines, None)
        yield from lines
    except csv.Error:
        return


def _first_difference(hashes: Sequence[str], hasher: RowHasher, rows: Iterable[Cells]) -> int | None:
    place = 0
    for cells in rows:
        if place >= len(hashes) or hasher.row_hash(place, cells).hex() != hashes[place]:
            return place + 1
        place += 1
    return None if place == len(hashes) else place + 1


def _trusted(hashes: Sequence[str], hasher: RowHasher, lines: Iterable[Cells]) -> Iterator[Cells]:
    for place, (cells, expected) in enumerate(zip(lines, hashes, strict=False)):
        if hasher.row_hash(place, cells).hex() == expected:
            yield cells


def _named(rows: Iterable[Cells], named_by: tuple[int, ...]) -> Iterator[tuple[_Name, Cells]]:
    namesakes: Counter[str] = Counter()
    for cells in rows:
        name = " ".join([cells[place] for place in named_by if place < len(cells)])
        namesakes[name] += 1
        yield (name, namesakes[name]), cells


def _hashed(rows: Iterable[tuple[_Name, Cells]]) -> dict[_Name, int]:
    # A number instead of the cells: a hundred thousand rows are held at once.
    return {name: hash(tuple(cells)) for name, cells in rows}


def _written(name: _Name) -> str:
    return name[0] if name[1] == 1 else f"{name[0]} ({name[1]})"


def _with_columns(name: _Name, columns: Sequence[str] | None) -> str:
    return _written(name) if columns is None else f"{_written(name)} ({', '.join(columns)})"


def _columns_that_differ(
    names: Sequence[_Name],
    columns: Sequence[str],
    printed: Iterable[tuple[_Name, Cells]],
    now: Iterable[tuple[_Name, Cells]],
) -> dict[_Name, list[str]]:
    """Return by row the columns in which what was printed and what the record says differ."""
    wanted = set(names)
    before = {name: cells for name, cells in printed if name in wanted}
    after = {name: cells for name, cells in now if name in wanted}
    found: dict[_Name, list[str]] = {}
    for name in names:
        pairs = zip(columns, before[name], after[name], strict=False)
        found[name] = [column for column, old, new in pairs if old != new]
    return found
