"""Issuing a reconciliation: its numbers and the head of the chain are of one moment (laws 4 and 10)."""

import tempfile
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select

from inventory.audit.models import AuditHead
from inventory.clinic.settings import current_settings
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Actor, Permission
from inventory.reports import register
from inventory.reports.documents.reconciliation import write_reconciliation
from inventory.reports.documents.reconciliation_csv import FORMAT, columns_of, rows_of
from inventory.reports.heading import heading_of
from inventory.reports.kinds import ReportKind
from inventory.reports.progress import Progress, unwatched
from inventory.reports.queries.issued import IssuedReport, issued_report
from inventory.reports.queries.requests import Asked
from inventory.reports.queries.selection import reading
from inventory.reports.recording import Recording
from inventory.stock.queries.reconciled import Reconciliation, reconciliation_of
from inventory.stock.queries.reconciliation import lot_rows
from inventory.stock.queries.scopes import Wanted, Worded, worded_scope


class Known(NamedTuple):
    """A reconciliation as it is known at one head of the chain, its filters in words, and how it is shown."""

    found: Reconciliation
    filters: tuple[tuple[str, str], ...]
    head_seq: int
    head_hash: str
    by_part: bool


def issue_reconciliation(
    *,
    wanted: Wanted,
    by_part: bool = False,
    actor: Actor,
    at: datetime,
    request_key: str | None = None,
    progress: Progress = unwatched,
    resumes: bool = False,
) -> IssuedReport:
    """Issue a reconciliation as PDF and CSV, and return its entry in the register; with `by_part` also vial by vial.

    With `resumes`, one that was interrupted is issued anew, as it is known now, under the next number. Raises Refusals as `worded_scope`; Refusal NOT-PERMITTED, and REPORT-SITE for all sites by somebody who works at some only.
    """
    known = _known(_worded(wanted, actor, at), by_part=by_part, at=at)
    outcome = register.take_number_anew(
        _entry(known), actor=actor, at=at, request_key=request_key, resumes=resumes
    )
    report = issued_report(outcome.subject_id)
    if not outcome.repeated:
        _write_files(report, known, actor=actor, at=at, progress=progress)
    return issued_report(outcome.subject_id)


def issue_asked_reconciliation(*, kind: ReportKind, asked: Asked, **more: Any) -> IssuedReport:  # noqa: ARG001  it is of one kind
    """Issue the reconciliation that is asked for, as `issue_reconciliation` does."""
    return issue_reconciliation(wanted=_wanted(asked), by_part=asked.by_part, **more)


def rows_of_reconciliation(
    *,
    kind: ReportKind,  # noqa: ARG001  it is of one kind
    asked: Asked,
    actor: Actor,
    at: datetime,
    most: int,  # noqa: ARG001  one statement sums them all
) -> int:
    """Return how many lots the reconciliation would tell of now. Raises as issuing it does."""
    scope = _worded(_wanted(asked), actor, at).scope
    with reading() as connection:
        return len(lot_rows(connection, scope))


def _wanted(asked: Asked) -> Wanted:
    return Wanted(asked.first_day, asked.last_day, asked.site_code, asked.formulation_id, asked.lot_number)


def _worded(wanted: Wanted, actor: Actor, at: datetime) -> Worded:
    register.refuse_unless(actor, Permission.STOCK_RECONCILE)
    worded = worded_scope(db.session(), wanted, at=at, visible=actor.site_ids)
    if actor.site_ids is not None and len(worded.scope.sites) > 1:
        raise Refusal("REPORT-SITE", "Choose one of the sites at which you work.", "site_code")
    return worded


def _known(worded: Worded, *, by_part: bool, at: datetime) -> Known:
    settings = current_settings()
    with reading() as connection:
        head = connection.execute(select(AuditHead.seq, AuditHead.hash)).one()
        found = reconciliation_of(connection, worded.scope, settings=settings, at=at)
    shown = ("Shown", "vial by vial" if by_part else "lot by lot")
    return Known(found, (*worded.filters, shown), head.seq, head.hash, by_part)


def _entry(known: Known) -> register.Entry:
    scope = known.found.scope
    return register.Entry(
        kind=ReportKind.RECONCILIATION,
        site_id=scope.sites[0].id,
        site_code=scope.sites[0].code,
        covers_all_sites=len(scope.sites) > 1,
        period_from=scope.first_day,
        period_to=scope.last_day,
        filters=known.filters,
        row_count=len(known.found.rows),
        head_seq=known.head_seq,
        head_hash=known.head_hash,
        parameters=_parameters(known),
        facts={
            "from": scope.first_day.isoformat(),
            "to": scope.last_day.isoformat(),
            "lots": len(known.found.rows),
            "unexplained_ul": known.found.whole.unexplained_ul,
        },
    )


def _write_files(
    report: IssuedReport, known: Known, *, actor: Actor, at: datetime, progress: Progress
) -> None:
    with tempfile.TemporaryFile() as pdf, tempfile.TemporaryFile() as csv:
        header = heading_of(report, sites=known.found.scope.sites, actor=actor)
        columns = columns_of(by_part=known.by_part)
        recording = Recording(
            report, csv, columns, parameters=report.parameters, actor=actor, progress=progress
        )
        recording.take(rows_of(known.found.rows, known.found.ways, by_part=known.by_part))
        write_reconciliation(pdf, header, known.found, by_part=known.by_part, seal=recording.seal)
        recording.store(report, pdf, csv, actor=actor, at=at)


def _parameters(known: Known) -> dict[str, Any]:
    scope = known.found.scope
    told: dict[str, Any] = {
        "format": FORMAT,
        "site_ids": [site.id.hex for site in scope.sites],
        "first_day": scope.first_day.isoformat(),
        "last_day": scope.last_day.isoformat(),
        "by_part": known.by_part,
    }
    if scope.formulation_id is not None:
        told["formulation_id"] = scope.formulation_id.hex
    if scope.lot_ids is not None:
        told["lot_ids"] = [lot_id.hex for lot_id in scope.lot_ids]
    return told
