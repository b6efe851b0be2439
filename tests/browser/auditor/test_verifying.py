"""The auditor takes a report away, and brings it back to be checked: as it was, and with one byte changed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from inventory.kernel.permissions import Role
from tests.factories.reports import make_reporting_clinic

Axe = Callable[[Any], None]
SignIn = Callable[..., Any]
PHONE = {"width": 360, "height": 740}


@pytest.fixture
def report(live_server: Any, tmp_path: Path) -> Path:
    """The PDF of a report, as it was downloaded."""
    file = tmp_path / "report.pdf"
    # Signing runs a loop of its own, and the browser's runs in this thread.
    with ThreadPoolExecutor(1) as beside:
        file.write_bytes(beside.submit(_issued, live_server.app).result())
    return file


def _issued(app: Flask) -> bytes:
    with app.app_context():
        clinic = make_reporting_clinic()
        clinic.give(datetime(2026, 10, 5, 11, 0, tzinfo=UTC))
        return clinic.content(clinic.issue(date(2026, 10, 1), date(2026, 10, 31)), "pdf")


def check(page: Any) -> None:
    """Send the file. A process of its own reads it, which may take long where many tests run."""
    page.set_default_timeout(60_000)
    page.get_by_role("button", name="Check the file").click()


def test_auditor_has_a_report_checked(report: Path, signed_in_page: SignIn, axe: Axe) -> None:
    page = signed_in_page(Role.AUDITOR)
    page.goto("/reports/")
    page.get_by_role("link", name="Verify a report").click()
    axe(page)
    page.get_by_label("Report").set_input_files(report)
    check(page)
    page.get_by_text("The file is proven").wait_for()
    axe(page)
    assert page.get_by_role("row").count() == 9
    page.get_by_role("link", name="The report in the register").click()
    page.get_by_role("heading", name="Report MAIN-1", level=1).wait_for()


def test_one_changed_byte_is_told_on_a_phone_without_scripts(report: Path, signed_in_page: SignIn) -> None:
    content = report.read_bytes()
    report.write_bytes(content[:2000] + bytes((content[2000] ^ 1,)) + content[2001:])
    page = signed_in_page(Role.AUDITOR, page={"viewport": PHONE, "java_script_enabled": False})
    page.goto("/verify")
    page.get_by_label("Report").set_input_files(report)
    check(page)
    page.get_by_text("Something is wrong with this file").wait_for()
    assert page.get_by_text("Wrong", exact=True).count() >= 2
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
