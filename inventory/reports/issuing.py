"""One door for every kind of report: what is asked goes to the service of its kind, within the request or in the worker.

A further kind is one more line in `WORKS`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, Protocol

from inventory.kernel.permissions import Actor
from inventory.reports.kinds import ReportKind
from inventory.reports.listings import issue_listing, rows_of_listing
from inventory.reports.progress import Progress, unwatched
from inventory.reports.queries.issued import IssuedReport
from inventory.reports.queries.listings.kinds import LISTINGS
from inventory.reports.queries.requests import Asked
from inventory.reports.recalls import issue_recall, rows_of_recall
from inventory.reports.reconciliations import issue_asked_reconciliation, rows_of_reconciliation
from inventory.reports.register import refuse_issuer
from inventory.reports.services import issue_administration_report, rows_of_administration_report


class Count(Protocol):
    """Counts the rows that a report would have now; None where they are more than `most`, and counting all would take long.

    Raises what issuing it would.
    """

    def __call__(
        self, *, kind: ReportKind, asked: Asked, actor: Actor, at: datetime, most: int
    ) -> int | None: ...


class Issue(Protocol):
    """Issues a report; with `resumes`, goes on with one that was entered and interrupted under the same key."""

    def __call__(
        self,
        *,
        kind: ReportKind,
        asked: Asked,
        actor: Actor,
        at: datetime,
        request_key: str | None,
        progress: Progress,
        resumes: bool,
    ) -> IssuedReport: ...


class Work(NamedTuple):
    """What it takes to make one kind of report, now or later."""

    rows: Count
    issue: Issue


_OF_DOSES = Work(rows_of_administration_report, issue_administration_report)
WORKS: Mapping[ReportKind, Work] = {
    ReportKind.ADMINISTRATIONS: _OF_DOSES,
    ReportKind.PSEUDONYMISED: _OF_DOSES,
    ReportKind.RECONCILIATION: Work(rows_of_reconciliation, issue_asked_reconciliation),
    ReportKind.RECALL: Work(rows_of_recall, issue_recall),
    **dict.fromkeys(LISTINGS, Work(rows_of_listing, issue_listing)),
}


def issue_report(
    *,
    kind: ReportKind,
    asked: Asked,
    actor: Actor,
    at: datetime,
    request_key: str | None = None,
    progress: Progress = unwatched,
    resumes: bool = False,
) -> IssuedReport:
    """Issue a report as PDF and CSV, and return its entry in the register. `progress` is told of rows as they are drawn.

    Raises Refusal NOT-PERMITTED, and what the service of the kind refuses.
    """
    refuse_issuer(actor, kind)
    return WORKS[kind].issue(
        kind=kind,
        asked=asked,
        actor=actor,
        at=at,
        request_key=request_key,
        progress=progress,
        resumes=resumes,
    )


def rows_of(kind: ReportKind, *, asked: Asked, actor: Actor, at: datetime, most: int) -> int | None:
    """Return how many rows a report would have now, as `Count` does. Raises as issuing it."""
    refuse_issuer(actor, kind)
    return WORKS[kind].rows(kind=kind, asked=asked, actor=actor, at=at, most=most)
