"""The answer to a file, as data: one line for each check. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Verdict(StrEnum):
    """What came of a check. A note is neither good nor bad; what is unknown could not be checked."""

    WELL = "well"
    WRONG = "wrong"
    UNKNOWN = "unknown"
    NOTE = "note"


class Check(StrEnum):
    """What is checked, in the order in which it is told."""

    SIGNATURE = "Signature"
    BYTES = "Unchanged bytes"
    NUMBER = "Registered number"
    KEY = "Key of the clinic"
    ROWS = "Rows still in the record"
    COMPLETE = "Complete for its filters"
    TRAIL = "Trail up to the printed head"
    NEWEST = "Newest report"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the answer."""

    check: Check
    verdict: Verdict
    words: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found of a file, and the report in the register that it is or says it is, if there is one."""

    lines: tuple[Line, ...]
    report_id: UUID | None = None

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong with it."""
        return not any(line.verdict is Verdict.WRONG for line in self.lines)

    @property
    def unknown(self) -> tuple[Line, ...]:
        """What could not be checked."""
        return tuple(line for line in self.lines if line.verdict is Verdict.UNKNOWN)

    @property
    def conclusion(self) -> str:
        """What it all comes to, in one sentence."""
        if not self.is_well:
            return "Do not rely on this file: something about it is wrong."
        if self.unknown:
            return "Nothing is wrong with this file, but not everything could be checked."
        return (
            "This file is proven: this clinic issued it, it is unchanged, and the record still says the same."
        )


Lines = Iterator[Line]
