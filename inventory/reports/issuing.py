"""One door for every kind of report: what is asked goes to the service of its kind."""

from datetime import datetime

from inventory.kernel.permissions import Actor
from inventory.reports.kinds import ReportKind
from inventory.reports.listings import issue_listing
from inventory.reports.progress import Progress, unwatched
from inventory.reports.queries.issued import IssuedReport
from inventory.reports.queries.requests import Asked, refuse_lacking
from inventory.reports.recalls import issue_recall_report
from inventory.reports.reconciliations import issue_reconciliation
from inventory.reports.register import refuse_issuer
from inventory.reports.services import issue_administration_report
from inventory.stock.queries.scopes import Wanted


def issue_report(
    *,
    kind: ReportKind,
    asked: Asked,
    actor: Actor,
    at: datetime,
    request_key: str | None = None,
    progress: Progress = unwatched,
) -> IssuedReport:
    """Issue a report as PDF and CSV, and return its entry in the register. `progress` is told of rows as they are drawn.

    Raises Refusal NOT-PERMITTED, and what the service of the kind refuses.
    """
    refuse_issuer(actor, kind)
    if kind is ReportKind.RECALL:
        refuse_lacking(asked, kind)
        assert asked.recall_id  # noqa: S101  as was just asked
        return issue_recall_report(recall_id=asked.recall_id, actor=actor, at=at, request_key=request_key)
    if kind is ReportKind.RECONCILIATION:
        wanted = Wanted(
            first_day=asked.first_day,
            last_day=asked.last_day,
            site_code=asked.site_code,
            formulation_id=asked.formulation_id,
            lot_number=asked.lot_number,
        )
        return issue_reconciliation(
            wanted=wanted, by_part=asked.by_part, actor=actor, at=at, request_key=request_key
        )
    if kind in {ReportKind.ADMINISTRATIONS, ReportKind.PSEUDONYMISED}:
        return issue_administration_report(
            asked=asked, actor=actor, at=at, request_key=request_key, kind=kind, progress=progress
        )
    return issue_listing(
        kind=kind, asked=asked, actor=actor, at=at, request_key=request_key, progress=progress
    )
