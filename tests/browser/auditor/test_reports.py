"""The auditor issues a report, takes its PDF away and finds the dose in it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from inventory.kernel.permissions import Role
from tests.factories.reports import ReportingClinic, make_reporting_clinic

Axe = Callable[[Any], None]
SignIn = Callable[..., Any]
PHONE = {"width": 360, "height": 740}


def is_within(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.fixture
def clinic(live_server: Any) -> ReportingClinic:
    with live_server.app.app_context():
        opened = make_reporting_clinic()
        opened.give(datetime(2026, 10, 5, 11, 0, tzinfo=UTC))
    return opened


def test_auditor_issues_a_report_and_finds_the_dose_in_it(
    clinic: ReportingClinic, signed_in_page: SignIn, axe: Axe, tmp_path: Path
) -> None:
    page = signed_in_page(Role.AUDITOR)
    page.goto("/reports/")
    axe(page)
    page.get_by_role("link", name="Issue the first report").click()
    axe(page)
    page.get_by_role("link", name="Administration report", exact=True).click()
    axe(page)
    page.get_by_label("From").fill("2026-10-01")
    page.get_by_label("To", exact=True).fill("2026-10-31")
    page.get_by_role("button", name="Issue the report").click()
    page.get_by_role("heading", name="Report MAIN-1", level=1).wait_for()
    axe(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download PDF").click()
    download.value.save_as(tmp_path / "report.pdf")
    assert "Kowalska" in PdfReader(tmp_path / "report.pdf").pages[0].extract_text()


def test_register_fits_a_phone_without_scripts(
    clinic: ReportingClinic, live_server: Any, signed_in_page: SignIn
) -> None:
    with live_server.app.app_context():
        clinic.issue(datetime(2026, 10, 1, tzinfo=UTC).date(), datetime(2026, 10, 31, tzinfo=UTC).date())
    page = signed_in_page(Role.AUDITOR, page={"viewport": PHONE, "java_script_enabled": False})
    page.goto("/reports/")
    assert is_within(page)
    page.get_by_role("link", name="MAIN-1").click()
    page.get_by_role("heading", name="Report MAIN-1", level=1).wait_for()
    assert is_within(page)
