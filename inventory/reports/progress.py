"""How far a report has come, for whoever watches it being made; and how they make it stop."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Progress = Callable[[int, int], None]
"""Is told (rows done, rows altogether, 0 while they are being read), and may raise `Stopped` to end the making."""
Row = TypeVar("Row")

STEP = 100
"""Rows from one telling to the next: often enough for a bar, seldom enough to cost nothing."""


class Stopped(Exception):
    """Whoever watches wants no more of it. Nothing of the report is kept but its number, once it has one."""


class Cancelled(Stopped):
    """Somebody cancelled it."""


def unwatched(_done: int, _of: int) -> None:
    """Nobody watches."""


def reading_on(rows: Iterable[Row], progress: Progress) -> Iterator[Row]:
    """Yield the rows as they are read, before anybody knows how many there will be: `progress` hears that it goes on."""
    progress(0, 0)
    for done, row in enumerate(rows, 1):
        yield row
        if done % STEP == 0:
            progress(0, 0)


def watched(rows: Iterable[Row], of: int, progress: Progress) -> Iterator[Row]:
    """Yield the rows as they are, telling `progress` at the first, every so often, and after the last."""
    progress(0, of)
    done = 0
    for done, row in enumerate(rows, 1):
        yield row
        if done % STEP == 0:
            progress(done, of)
    progress(done, of)
