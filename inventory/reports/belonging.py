"""To which site belongs a report: the one it covers. One over all sites is for those who work at all of them."""

from sqlalchemy import select

from inventory.clinic.sight import belongs, of_column
from inventory.reports.models import Report

belongs(
    "report_id",
    "report",
    of_column(lambda key: select(Report.site_id).where(Report.id == key, Report.covers_all_sites.is_(False))),
)
