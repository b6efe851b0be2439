"""The kinds of report there are, and what each is called on a page, in a file's name, and counts."""

from dataclasses import dataclass
from enum import StrEnum


class ReportKind(StrEnum):
    """What a report is about."""

    ADMINISTRATIONS = "administrations"
    RECALL = "recall"
    RECONCILIATION = "reconciliation"


@dataclass(frozen=True, slots=True)
class KindWords:
    """The title of a report of this kind, and one of what it counts."""

    title: str
    counts: str


KIND_WORDS = {
    ReportKind.ADMINISTRATIONS: KindWords("Administration report", "dose"),
    ReportKind.RECALL: KindWords("Recall report", "patient"),
    ReportKind.RECONCILIATION: KindWords("Reconciliation", "lot"),
}
