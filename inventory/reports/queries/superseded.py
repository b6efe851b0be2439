"""Which reports are superseded: a later one of the same kind and the same parameters was issued. Nothing of the older one changes."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select

from inventory.clinic.models import Site
from inventory.kernel.db import db
from inventory.reports.kinds import KIND_WORDS, ReportKind
from inventory.reports.models import Report, ReportFile
from inventory.reports.queries.parameters import read

_MOMENTS = {"last_look", "last_numbers", "pseudonyms"}
"""What parameters say of the moment of issuing, not of what was asked."""
_DAYS = {"first_day", "last_day"}


def report_label(site_code: str, number: int) -> str:
    """The number of a report as it is printed: the site where it is counted, and the count."""
    return f"{site_code}-{number}"


def newest_of(reports: Sequence[Report]) -> dict[UUID, str]:
    """Return for each of these reports that is superseded the number of the newest that supersedes it."""
    asked = {report.id: _asked(report.kind, read(report.parameters)) for report in reports}
    if not any(asked.values()):
        return {}
    newest: dict[str, tuple[Any, str]] = {}
    for row in db.session.execute(_candidates(reports)):
        newest[_asked(row.kind, read(row.parameters))] = (
            (row.issued_at, row.id),
            report_label(row.code, row.number),
        )
    return {
        report.id: newest[asked[report.id]][1]
        for report in reports
        if asked[report.id] in newest and newest[asked[report.id]][0] > (report.issued_at, report.id)
    }


def _candidates(reports: Sequence[Report]) -> Any:
    """Those that have files, with the same words for their filters and no older than the oldest; the newest comes last."""
    return (
        select(Report.id, Report.kind, Report.number, Report.issued_at, Report.parameters, Site.code)
        .join(Site, Site.id == Report.site_id)
        .where(
            Report.kind.in_({report.kind for report in reports}),
            Report.filters.in_({report.filters for report in reports}),
            Report.issued_at >= min(report.issued_at for report in reports),
            Report.parameters.is_not(None),
            exists().where(ReportFile.report_id == Report.id),
        )
        .order_by(Report.issued_at, Report.id)
    )


def _asked(kind: str, parameters: Mapping[str, Any]) -> str:
    """What was asked for, as text that is the same whenever it is asked again; empty where it is not known."""
    if not parameters:
        return ""
    has_days = KIND_WORDS[ReportKind(kind)].has_days
    left_out = _MOMENTS if has_days else _MOMENTS | _DAYS
    return json.dumps([kind, {k: v for k, v in parameters.items() if k not in left_out}], sort_keys=True)
