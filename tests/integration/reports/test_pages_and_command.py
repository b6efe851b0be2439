"""The reports' pages as an auditor uses them, and `flask report` as a script does."""

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from inventory.kernel import clock
from inventory.kernel.permissions import Role
from inventory.reports import commands
from tests.factories.reports import RECORDED_AT, ReportingClinic

NOON = datetime(2026, 10, 5, 11, 0, tzinfo=UTC)
OCTOBER = {"first_day": "2026-10-01", "last_day": "2026-10-31"}
COMMAND = ["report", "issue", "administrations", "--from", "2026-10-01", "--to", "2026-10-31"]

SignIn = Callable[..., Any]


@pytest.fixture(autouse=True)
def in_december() -> Iterator[None]:
    """A report of days to come is refused: these tests live after the October they ask for."""
    with clock.frozen(RECORDED_AT):
        yield


def test_auditor_issues_and_downloads(clinic: ReportingClinic, signed_in_client: SignIn) -> None:
    clinic.give(NOON)
    browser = signed_in_client(Role.AUDITOR)
    page = browser.submit("/reports/new", OCTOBER, follow_redirects=True)
    assert page.status_code == 200
    assert "Report MAIN-1 is issued." in page.text
    file = browser.get(f"{page.request.path}/pdf")
    assert file.content_type == "application/pdf"
    assert "administrations-MAIN-1-2026-10-01-2026-10-31.pdf" in file.headers["Content-Disposition"]
    assert "Kowalska" in PdfReader(io.BytesIO(file.data)).pages[0].extract_text()
    assert browser.get(f"{page.request.path}/csv").data.startswith(b"\xef\xbb\xbf")


def test_register_lists_what_was_issued(clinic: ReportingClinic, signed_in_client: SignIn) -> None:
    browser = signed_in_client(Role.AUDITOR)
    assert "No report yet" in browser.get("/reports/").text
    clinic.issue(*(datetime.fromisoformat(day).date() for day in OCTOBER.values()))
    page = browser.get("/reports/")
    assert "MAIN-1" in page.text
    assert "1 Oct 2026" in page.text


def test_typed_values_stay_when_a_filter_is_refused(
    clinic: ReportingClinic, signed_in_client: SignIn
) -> None:
    browser = signed_in_client(Role.AUDITOR)
    page = browser.submit("/reports/new", {**OCTOBER, "lot_number": "NO SUCH LOT"})
    assert page.status_code == 422
    assert "REPORT-LOT" in page.text
    assert "NO SUCH LOT" in page.text


def test_day_that_does_not_exist_is_refused(clinic: ReportingClinic, signed_in_client: SignIn) -> None:
    page = signed_in_client(Role.AUDITOR).submit("/reports/new", {**OCTOBER, "last_day": "2026-02-30"})
    assert page.status_code == 422
    assert "DATE-INVALID" in page.text


def test_form_sent_twice_is_one_report(clinic: ReportingClinic, signed_in_client: SignIn) -> None:
    browser = signed_in_client(Role.AUDITOR)
    form = browser.form("/reports/new")
    first, second = (browser.send("/reports/new", form, OCTOBER) for _ in range(2))
    assert first.location == second.location


def test_manager_may_not_read_reports(clinic: ReportingClinic, signed_in_client: SignIn) -> None:
    assert signed_in_client(Role.MANAGER).get("/reports/").status_code == 403


def test_unknown_report_is_not_found(clinic: ReportingClinic, signed_in_client: SignIn) -> None:
    browser = signed_in_client(Role.AUDITOR)
    path = "/reports/00000000-0000-0000-0000-000000000001"
    assert browser.get(path).status_code == 404
    assert browser.get(f"{path}/pdf").status_code == 404


def test_command_writes_the_file_and_says_so(clinic: ReportingClinic, cli: Any, tmp_path: Path) -> None:
    clinic.give(NOON)
    out = tmp_path / "report.pdf"
    done = cli.invoke(args=[*COMMAND, "--site", "MAIN", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert done.output.startswith("report MAIN-1 issued: 1 dose, 2026-10-01 to 2026-10-31, in ")
    assert len(done.output.splitlines()) == 1
    assert "Kowalska" in PdfReader(out).pages[0].extract_text()


def test_command_writes_csv_where_the_name_says_so(clinic: ReportingClinic, cli: Any, tmp_path: Path) -> None:
    out = tmp_path / "report.csv"
    assert cli.invoke(args=[*COMMAND, "--out", str(out)]).exit_code == 0
    assert out.read_bytes().startswith(b"\xef\xbb\xbfsite,number,")


def test_command_acts_in_the_name_it_is_given(clinic: ReportingClinic, cli: Any, tmp_path: Path) -> None:
    out = tmp_path / "report.pdf"
    done = cli.invoke(args=[*COMMAND, "--out", str(out), "--as", "nobody-here"])
    assert done.exit_code != 0
    assert not out.exists()


def test_command_refuses_an_unknown_site_in_one_line(
    clinic: ReportingClinic, cli: Any, tmp_path: Path
) -> None:
    done = cli.invoke(args=[*COMMAND, "--site", "NOWHERE", "--out", str(tmp_path / "report.pdf")])
    assert done.exit_code == 1
    assert "REPORT-SITE" in done.output
    assert len(done.output.splitlines()) == 1


def test_command_that_cannot_write_takes_no_number(clinic: ReportingClinic, cli: Any, tmp_path: Path) -> None:
    done = cli.invoke(args=[*COMMAND, "--out", str(tmp_path / "missing" / "report.pdf")])
    assert done.exit_code == 1
    assert "cannot be written" in done.output
    again = cli.invoke(args=[*COMMAND, "--out", str(tmp_path / "report.pdf")])
    assert again.output.startswith("report MAIN-1 issued")


@pytest.mark.parametrize("days", [("0001-01-01", "2026-10-31"), ("2026-10-01", "9999-12-31")])
def test_command_refuses_years_no_report_has_in_one_line(
    clinic: ReportingClinic, cli: Any, tmp_path: Path, days: tuple[str, str]
) -> None:
    out = tmp_path / "report.pdf"
    done = cli.invoke(args=[*COMMAND[:3], "--from", days[0], "--to", days[1], "--out", str(out)])
    assert done.exit_code == 1
    assert "REPORT-PERIOD" in done.output
    assert len(done.output.splitlines()) == 1


def test_command_that_is_refused_leaves_no_file_and_the_old_one_as_it_was(
    clinic: ReportingClinic, cli: Any, tmp_path: Path
) -> None:
    out = tmp_path / "report.pdf"
    assert cli.invoke(args=[*COMMAND, "--site", "NOWHERE", "--out", str(out)]).exit_code == 1
    assert list(tmp_path.iterdir()) == []
    out.write_text("an older report")
    assert cli.invoke(args=[*COMMAND, "--site", "NOWHERE", "--out", str(out)]).exit_code == 1
    assert out.read_text() == "an older report"
    assert cli.invoke(args=[*COMMAND, "--out", str(out)]).exit_code == 0
    assert out.read_bytes().startswith(b"%PDF")
    assert list(tmp_path.iterdir()) == [out]


def test_command_writes_to_files_only(clinic: ReportingClinic, cli: Any, tmp_path: Path) -> None:
    done = cli.invoke(args=[*COMMAND, "--out", str(tmp_path)])
    assert done.exit_code == 1
    assert "cannot be written" in done.output
    again = cli.invoke(args=[*COMMAND, "--out", str(tmp_path / "report.pdf")])
    assert again.output.startswith("report MAIN-1 issued")


def test_command_shows_on_a_terminal_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with commands._bar() as progress:
        for done in (0, 2, 4):
            progress(done, 4)
    assert "50%" in terminal.getvalue()
    assert "100%" in terminal.getvalue()
