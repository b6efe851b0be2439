"""Asking for a report: a short one is issued within the request, a long one becomes a job."""

from datetime import datetime
from typing import Any

from flask import current_app

from inventory.audit.acts import Outcome
from inventory.clinic.settings import current_settings
from inventory.kernel.permissions import Actor
from inventory.reports.issuing import issue_report
from inventory.reports.jobs import kinds, queue, services
from inventory.reports.kinds import ReportKind


def issue_or_ask(
    *, kind: ReportKind, asked: Any, actor: Actor, at: datetime, request_key: str | None = None
) -> Outcome:
    """Issue a report, or where it has more rows than the setting lets a request wait for, put it into the queue.

    The outcome names the report, or the job. Raises as issuing it does.
    """
    work = kinds.WORKS.get(kind)
    rows = work.rows(asked=asked, actor=actor, at=at) if work else 0
    if rows <= current_settings().report_rows_at_once:
        report = issue_report(kind=kind, asked=asked, actor=actor, at=at, request_key=request_key)
        return Outcome("report", report.id)
    parameters = kinds.written(kind, asked, actor.site_ids)
    outcome = services.ask(
        kind=kind, parameters=parameters, rows=rows, actor=actor, at=at, request_key=request_key
    )
    queue.queue_of(current_app).nudge()
    return outcome
