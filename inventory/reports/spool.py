"""Rows that are read in one go and drawn afterwards: a file of the system's holds them, not the memory, however many they are."""

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self

Cells = tuple[str, ...]


class Spool:
    """Takes the rows of a report, and gives them back in their order. The file is gone when it is left."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile("w+", encoding="ascii")  # noqa: SIM115  closed where it is left
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return self._count

    def fill(self, rows: Iterable[Sequence[str]]) -> None:
        """Take the rows in, instead of those that are there."""
        self._file.seek(0)
        self._file.truncate()
        self._count = 0
        for row in rows:
            self._file.write(json.dumps(row))
            self._file.write("\n")
            self._count += 1

    def __iter__(self) -> Iterator[Cells]:
        self._file.seek(0)
        for line in self._file:
            yield tuple(json.loads(line))
