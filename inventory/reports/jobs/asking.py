"""Asking for a report: a short one is issued within the request, a long one becomes a job."""

from datetime import datetime

from flask import current_app

from inventory.audit.acts import Outcome
from inventory.clinic.settings import current_settings
from inventory.kernel.permissions import Actor
from inventory.reports.issuing import issue_report, rows_of
from inventory.reports.jobs import queue, requests, services
from inventory.reports.kinds import ReportKind
from inventory.reports.queries.requests import Asked


def issue_or_ask(
    *, kind: ReportKind, asked: Asked, actor: Actor, at: datetime, request_key: str | None = None
) -> Outcome:
    """Issue a report, or where it has more rows than the setting lets a request wait for, put it into the queue.

    The outcome names the report, or the job. Raises as issuing it does.
    """
    most = current_settings().report_rows_at_once
    rows = rows_of(kind, asked=asked, actor=actor, at=at, most=most)
    if rows is not None and rows <= most:
        report = issue_report(kind=kind, asked=asked, actor=actor, at=at, request_key=request_key)
        return Outcome("report", report.id)
    parameters = requests.written(asked, actor.site_ids)
    outcome = services.ask(
        kind=kind, parameters=parameters, rows=rows or 0, actor=actor, at=at, request_key=request_key
    )
    queue.queue_of(current_app).nudge()
    return outcome
