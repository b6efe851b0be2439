"""The auditor asks for a long report, watches it being made, goes away and is told that it is ready."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from inventory.kernel.clock import now
from inventory.kernel.permissions import Role
from inventory.reports.jobs import running, services
from tests.factories.jobs import make_every_report_a_job
from tests.factories.reports import ReportingClinic, make_reporting_clinic

Axe = Callable[[Any], None]
SignIn = Callable[..., Any]
PHONE = {"width": 360, "height": 740}


def is_within(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.fixture
def clinic(live_server: Any) -> Iterator[ReportingClinic]:
    with live_server.app.app_context():
        opened = make_reporting_clinic()
        for day in range(4):
            opened.give(datetime(2026, 10, 5 + day, 11, 0, tzinfo=UTC))
        make_every_report_a_job(now())
        yield opened


def ask(page: Any) -> None:
    page.goto("/reports/new?kind=administrations")
    page.get_by_label("From").fill("2026-10-01")
    page.get_by_label("To", exact=True).fill("2026-10-31")
    page.get_by_role("button", name="Issue the report").click()
    page.get_by_role("heading", name="Your report is being made", level=1).wait_for()


def begin(done: int) -> services.Claimed:
    """Be a worker that has drawn some of the rows."""
    job = services.claim(at=now())
    assert job is not None
    services.beat(job, done=done, of=4, at=now())
    return job


def test_bar_moves_and_the_page_tells_when_it_is_ready(
    clinic: ReportingClinic, signed_in_page: SignIn, axe: Axe
) -> None:
    page = signed_in_page(Role.AUDITOR)
    ask(page)
    axe(page)
    bar = page.get_by_role("progressbar", name="Waiting for its turn: 4 doses.")
    assert bar.evaluate("bar => [bar.value, bar.max]") == [0, 4]
    job = begin(3)
    bar = page.get_by_role("progressbar", name="Being made: 3 of 4 doses.")
    bar.wait_for()
    assert bar.evaluate("bar => [bar.value, bar.max]") == [3, 4]
    services.give_back(job, at=now() - timedelta(minutes=5))
    running.work_off()
    page.get_by_role("heading", name="Your report is ready", level=1).wait_for()
    axe(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download PDF").click()
    assert download.value.suggested_filename.startswith("administrations-MAIN-1-")


def test_it_is_told_elsewhere_and_cancelled_without_scripts_on_a_phone(
    clinic: ReportingClinic, signed_in_page: SignIn
) -> None:
    page = signed_in_page(Role.AUDITOR, page={"viewport": PHONE, "java_script_enabled": False})
    ask(page)
    assert is_within(page)
    page.goto("/")
    assert is_within(page)
    page.get_by_role("link", name="Administration report, asked for").click()
    begin(2)
    # The page loads itself anew.
    page.get_by_text("Being made: 2 of 4 doses.").first.wait_for()
    page.get_by_role("button", name="Cancel the report").click()
    page.get_by_text("It is being cancelled.").wait_for()
    assert is_within(page)
