"""To which site belongs a report: the one it covers. One over all sites is for those who work at all of them.

It is of the days it covers: whoever sees some days only sees the reports that lie in them.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import String, cast, select

from inventory.audit.viewed import named
from inventory.clinic.models import Site
from inventory.clinic.sight import belongs, dated, of_column, of_moments
from inventory.reports.models import Report

belongs(
    "report_id",
    "report",
    of_column(lambda key: select(Report.site_id).where(Report.id == key, Report.covers_all_sites.is_(False))),
)


def _period(report_id: UUID) -> Any:
    return select(Report.period_from, Report.period_to).where(Report.id == report_id)


dated("report_id", of_moments(_period))
named(
    "report_id",
    "Report",
    lambda key: (
        select(Site.code + "-" + cast(Report.number, String))
        .select_from(Report)
        .join(Site, Site.id == Report.site_id)
        .where(Report.id == key)
    ),
)
