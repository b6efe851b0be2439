"""The page of a report in the making, and where it is told that one is ready."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.permissions import Role
from inventory.reports.jobs import running, services
from inventory.reports.models import Report
from inventory.staff import queries as staff
from tests.factories.jobs import stop_at
from tests.factories.reports import NOON, RECORDED_AT, ReportingClinic

OCTOBER = {"first_day": "2026-10-01", "last_day": "2026-10-31"}
SignIn = Callable[..., Any]


@pytest.fixture(autouse=True)
def in_december() -> Iterator[None]:
    with clock.frozen(RECORDED_AT):
        yield


@pytest.fixture
def busy(clinic: ReportingClinic, every_report_a_job: None) -> ReportingClinic:
    """A clinic with two doses in October."""
    for day in range(2):
        clinic.give(NOON + timedelta(days=day))
    return clinic


def signed_in(sign_in: SignIn, clinic: ReportingClinic) -> Any:
    """The browser of the clinic's auditor."""
    return sign_in(user=staff.person(clinic.auditor.id))


def test_long_report_leads_to_its_page_and_from_there_to_the_report(
    busy: ReportingClinic, signed_in_client: SignIn
) -> None:
    browser = signed_in(signed_in_client, busy)
    page = browser.submit("/reports/new?kind=administrations", OCTOBER, follow_redirects=True)
    assert page.request.path.startswith("/reports/jobs/")
    assert "Waiting for its turn: 2 doses." in page.text
    assert 'http-equiv="refresh"' in page.text
    assert (
        '<progress class="progress-bar-whole" aria-labelledby="progress-words" max="2" value="0">'
        in page.text
    )
    running.work_off()
    page = browser.get(page.request.path)
    assert "Your report is ready" in page.text
    assert 'http-equiv="refresh"' not in page.text
    assert "progress.js" not in page.text
    assert page.text.count("/pdf") == 1


def test_form_sent_twice_leads_to_one_job(busy: ReportingClinic, signed_in_client: SignIn) -> None:
    browser = signed_in(signed_in_client, busy)
    form = browser.form("/reports/new?kind=administrations")
    first, second = (browser.send("/reports/new?kind=administrations", form, OCTOBER) for _ in range(2))
    assert first.location == second.location
    assert "/jobs/" in first.location


def test_first_page_and_register_tell_of_it_until_it_is_seen(
    busy: ReportingClinic, signed_in_client: SignIn
) -> None:
    browser = signed_in(signed_in_client, busy)
    page = browser.submit("/reports/new?kind=administrations", OCTOBER).location
    assert "Your report waits for its turn" in browser.get("/").text
    running.work_off()
    other = signed_in_client(Role.AUDITOR)
    for path in ("/", "/reports/"):
        assert "Your report is ready" in browser.get(path).text
        assert "Your report is ready" not in other.get(path).text
    browser.get(page)
    for path in ("/", "/reports/"):
        assert "Your report is ready" not in browser.get(path).text


def test_progress_is_told_to_the_script(busy: ReportingClinic, signed_in_client: SignIn) -> None:
    browser = signed_in(signed_in_client, busy)
    page = browser.submit("/reports/new?kind=administrations", OCTOBER).location
    told: list[dict[str, Any]] = []
    running.work_off(stop_at(4, lambda: told.append(browser.get(f"{page}/progress").json)))
    assert told == [{"state": "running", "done": 1, "of": 2, "words": "Being made: 1 of 2 doses."}]


def test_cancelled_on_its_page_says_so_there_and_in_the_register(
    busy: ReportingClinic, signed_in_client: SignIn
) -> None:
    browser = signed_in(signed_in_client, busy)
    page = browser.submit("/reports/new?kind=administrations", OCTOBER).location
    answers: list[Any] = []

    def cancel() -> None:
        register = browser.get("/reports/").text
        assert "Being made" in register
        answers.append(browser.submit(page, action=f"{page}/cancel", follow_redirects=True))

    running.work_off(stop_at(4, cancel))
    assert "It is being cancelled." in answers[0].text
    assert "Cancel the report" not in answers[0].text
    shown = browser.get(page).text
    assert "The report was cancelled" in shown
    assert "Its number, MAIN-1, stays in the register, without files." in shown
    register = browser.get("/reports/").text
    assert "Cancelled" in register
    assert "Interrupted" not in register


def test_cancelled_too_late_is_told_and_the_report_stays(
    busy: ReportingClinic, signed_in_client: SignIn
) -> None:
    browser = signed_in(signed_in_client, busy)
    page = browser.submit("/reports/new?kind=administrations", OCTOBER).location
    form = browser.form(page, action=f"{page}/cancel")
    running.work_off()
    answer = browser.send(page, form, follow_redirects=True)
    assert "It is finished already" in answer.text
    assert "Your report is ready" in answer.text


def test_nobody_else_finds_it_and_an_administrator_cannot_take_the_report(
    busy: ReportingClinic, signed_in_client: SignIn
) -> None:
    page = signed_in(signed_in_client, busy).submit("/reports/new?kind=administrations", OCTOBER).location
    other, admin = signed_in_client(Role.AUDITOR), signed_in_client(Role.ADMIN)
    for path in (page, f"{page}/progress"):
        assert other.get(path).status_code == 404
    assert "Cancel the report" in admin.get(page).text
    running.work_off()
    assert "Download" not in admin.get(page).text


def test_page_of_a_report_without_files_says_what_became_of_it(
    busy: ReportingClinic, signed_in_client: SignIn
) -> None:
    browser = signed_in(signed_in_client, busy)
    browser.submit("/reports/new?kind=administrations", OCTOBER)
    job = services.claim(at=RECORDED_AT)
    assert job is not None

    def report_page() -> str:
        return str(browser.get(f"/reports/{db.session.scalar(select(Report.id))}").text)

    asked, _ = running.requests.request_of(job.parameters)
    stop = iter([False, False, True, True])
    with pytest.raises(running.Interrupted):
        running.issue_report(
            kind=job.kind,
            asked=asked,
            actor=busy.auditor,
            at=RECORDED_AT,
            request_key=job.id.hex,
            progress=running.Beats(job, lambda: next(stop)),
        )
    db.session.remove()
    assert "It is being made." in report_page()
    services.end(job, state=services.JobState.FAILED, at=RECORDED_AT, why="No room is left.")
    assert "It was not made. Its number stays. No room is left." in report_page()
