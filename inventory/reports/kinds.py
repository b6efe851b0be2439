"""The kinds of report there are: what each is called on a page, in a file's name, what it counts, and who may read it."""

from dataclasses import dataclass
from enum import StrEnum

from inventory.kernel.permissions import Actor, Permission


class ReportKind(StrEnum):
    """What a report is about."""

    ADMINISTRATIONS = "administrations"
    RECALL = "recall"
    RECONCILIATION = "reconciliation"


@dataclass(frozen=True, slots=True)
class KindWords:
    """The title of a report of this kind, one of what it counts, and the permission it takes to read it."""

    title: str
    counts: str
    permission: Permission


KIND_WORDS = {
    ReportKind.ADMINISTRATIONS: KindWords("Administration report", "dose", Permission.REPORT_READ),
    ReportKind.RECALL: KindWords("Recall report", "patient", Permission.REPORT_READ),
    ReportKind.RECONCILIATION: KindWords("Reconciliation", "lot", Permission.STOCK_RECONCILE),
}


def kinds_for(actor: Actor) -> frozenset[ReportKind]:
    """Return the kinds of report that a person may read."""
    return frozenset(kind for kind, words in KIND_WORDS.items() if actor.can(words.permission))
