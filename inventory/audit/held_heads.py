"""A head that is held elsewhere, as one line of text: when, which clinic, the entry it stands at, its hash. Pure.

Such lines are written to a file or mailed, so that whoever has no access to the clinic's database holds old heads. The
file is only ever added to, and `audit verify --heads FILE` asks for each of its lines whether the chain still has it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

_LINE = re.compile(r"(?P<at>\S+)\s+(?P<clinic>.+?)\s+(?P<seq>[0-9]{1,18})\s+(?P<hash>[0-9a-f]{64})\s*")
"""A line as it comes back, also where a mail program made blanks of its tabs."""


@dataclass(frozen=True, slots=True)
class HeldHead:
    """A head, and the number of the line it was read from (0 where it was not read)."""

    at: datetime
    clinic: str
    seq: int
    hash: str
    line: int = 0

    def __str__(self) -> str:
        clinic = " ".join(self.clinic.split()) or "-"
        instant = self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return "\t".join((instant, clinic, str(self.seq), self.hash))


class HeldHeadError(ValueError):
    """A line that is not a head; the message names it."""


def read_heads(lines: Iterable[str]) -> Iterator[HeldHead]:
    """Yield the head of each line that is not blank. Raises HeldHeadError for one that is none."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _read(line.strip(), number)


def _read(line: str, number: int) -> HeldHead:
    found = _LINE.fullmatch(line)
    if not found:
        raise HeldHeadError(f"line {number} is not a head: time, clinic, entry and hash")
    try:
        at = datetime.fromisoformat(found["at"])
    except ValueError as error:
        raise HeldHeadError(f"line {number} does not begin with a time") from error
    return HeldHead(at, found["clinic"], int(found["seq"]), found["hash"], number)
