"""Compares the rows that a report printed with those that the record gives for it now. Pure.

Rows are compared by the hashes of the manifest. Only where they differ is the report's CSV read too, to name them; a line of it
counts only where it is the row that was hashed.
"""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from inventory.reports.manifest import RowHasher

Cells = Sequence[str]
_Name = tuple[str, int]
"""What names a row, and which of its namesakes it is."""

SHOWN = 10


@dataclass(slots=True)
class Difference:
    """The rows that differ, by their names: changed (with the columns), gone from the record, and more than were printed."""

    changed: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    more: list[str] = field(default_factory=list)
    first: int = 0
    """The place of the first row that differs, counted from 1."""

    @property
    def has_names(self) -> bool:
        """Whether any row can be named. Where none can, rows are in another order, or there is no CSV to name them from."""
        return bool(self.changed or self.gone or self.more)


def difference(
    *,
    hashes: Sequence[str],
    salt: bytes,
    columns: Sequence[str],
    printed: Callable[[], Iterator[Cells]],
    now: Callable[[], Iterable[Cells]],
) -> Difference | None:
    """Return how the rows of the record differ from those printed, or None where they are the same.

    `printed` gives the lines of the report's CSV and `now` the rows of the record; each is asked only when it is needed.
    """
    hasher = RowHasher(salt)
    first = _first_difference(hashes, hasher, now())
    if first is None:
        return None
    before = _by_name(_trusted(hashes, hasher, printed()))
    if not before and hashes:
        return Difference(first=first)
    after = _by_name(now())
    changed = [name for name, digest in before.items() if after.get(name, digest) != digest]
    return Difference(
        changed=list(_with_columns(changed, columns, _trusted(hashes, hasher, printed()), now())),
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


def _named(rows: Iterable[Cells]) -> Iterator[tuple[_Name, Cells]]:
    namesakes: Counter[str] = Counter()
    for cells in rows:
        name = cells[0] if cells else ""
        namesakes[name] += 1
        yield (name, namesakes[name]), cells


def _by_name(rows: Iterable[Cells]) -> dict[_Name, int]:
    # A number instead of the cells: a hundred thousand rows are held at once.
    return {name: hash(tuple(cells)) for name, cells in _named(rows)}


def _written(name: _Name) -> str:
    return name[0] if name[1] == 1 else f"{name[0]} ({name[1]})"


def _with_columns(
    names: list[_Name], columns: Sequence[str], printed: Iterable[Cells], now: Iterable[Cells]
) -> Iterator[str]:
    shown = set(names[:SHOWN])
    before = {name: cells for name, cells in _named(printed) if name in shown}
    after = {name: cells for name, cells in _named(now) if name in shown}
    for name in names:
        if name not in shown:
            yield _written(name)
            continue
        pairs = zip(columns, before[name], after[name], strict=False)
        yield f"{_written(name)} ({', '.join(column for column, old, new in pairs if old != new)})"
