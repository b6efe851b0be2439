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
    page = browser.submit("/reports/new?kind=administrations", OCTOBER, follow_redirects=True)
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
    page = browser.submit("/reports/new?kind=administrations", {**OCTOBER, "lot_number": "NO SUCH LOT"})
    assert page.status_code == 422
    assert "REPORT-LOT" in page.text
    assert "NO SUCH LOT" in page.text


def test_day_that_does_not_exist_is_refused(clinic: ReportingClinic, signed_in_client: SignIn) -> None:
    page = signed_in_client(Role.AUDITOR).submit(
        "/reports/new?kind=administrations", {**OCTOBER, "last_day": "2026-02-30"}
    )
    assert page.status_code == 422
    assert "DATE-INVALID" in page.text


def test_form_sent_twice_is_one_report(clinic: ReportingClinic, signed_in_client: SignIn) -> None:
    browser = signed_in_client(Role.AUDITOR)
    form = browser.form("/reports/new?kind=administrations")
    first, second = (browser.send("/reports/new?kind=administrations", form, OCTOBER) for _ in range(2))
    assert first.location == second.location


def test_manager_meets_the_reports_of_stock_and_no_other(
    clinic: ReportingClinic, signed_in_client: SignIn
) -> None:
    report = clinic.issue(*(datetime.fromisoformat(day).date() for day in OCTOBER.values()))
    manager = signed_in_client(Role.MANAGER)
    assert report.label not in manager.get("/reports/").text
    assert manager.get(f"/reports/{report.id}").status_code == 404
    kinds = manager.get("/reports/new").text
    assert "Wastage report" in kinds
    assert "Administration report" not in kinds
    assert "Administration report" not in manager.get("/reports/new?kind=administrations").text
    page = manager.submit("/reports/new?kind=wastage", OCTOBER, follow_redirects=True)
    assert "Report MAIN-2 is issued." in page.text
    assert manager.get(f"{page.request.path}/pdf").data.startswith(b"%PDF")


def test_kind_is_asked_first_and_then_only_what_it_needs(
    clinic: ReportingClinic, signed_in_client: SignIn
) -> None:
    browser = signed_in_client(Role.AUDITOR)
    kinds = browser.get("/reports/new").text
    for title in ("Report of one patient", "Trace of one lot", "Who read what", "Completeness exceptions"):
        assert title in kinds
    assert 'name="first_day"' not in kinds
    lot = browser.get("/reports/new?kind=lot").text
    assert 'name="lot_number"' in lot
    assert 'name="first_day"' not in lot
    assert 'name="giver_id"' not in lot
    assert "REPORT-NEEDS" in browser.submit("/reports/new?kind=patient", OCTOBER).text
    done = browser.submit("/reports/new?kind=lot", {"lot_number": "LOTMAIN"}, follow_redirects=True)
    assert "Report MAIN-1 is issued." in done.text
    assert "Trace of one lot" in done.text


def test_register_is_filtered_by_kind_days_and_issuer(
    clinic: ReportingClinic, signed_in_client: SignIn
) -> None:
    clinic.issue(*(datetime.fromisoformat(day).date() for day in OCTOBER.values()))
    browser = signed_in_client(Role.AUDITOR)
    found, none = ">MAIN-1</a>", "No such report"
    for query, said in (
        ("kind=administrations", found),
        ("kind=patient", none),
        (f"issuer_id={clinic.auditor.id}", found),
        ("first_day=2026-10-31&last_day=2026-11-30", found),
        ("first_day=2026-11-01", none),
        ("last_day=2026-09-30", none),
    ):
        assert said in browser.get(f"/reports/?{query}").text, query
    assert "CHOICE-INVALID" in browser.get("/reports/?kind=nonsense").text


def test_superseded_report_says_by_which(clinic: ReportingClinic, signed_in_client: SignIn) -> None:
    first, _ = (clinic.issue(*(datetime.fromisoformat(day).date() for day in OCTOBER.values())) for _ in "12")
    browser = signed_in_client(Role.AUDITOR)
    assert "Superseded by MAIN-2" in browser.get("/reports/").text
    assert "Superseded by report MAIN-2" in browser.get(f"/reports/{first.id}").text
    name = browser.get(f"/reports/{first.id}/pdf").headers["Content-Disposition"]
    assert "superseded-by-MAIN-2.pdf" in name


@pytest.mark.parametrize(
    "kind,options",
    [
        ("patient", ["--patient", "R-77"]),
        ("lot", ["--lot", "LOTMAIN"]),
        ("completeness", []),
        ("pseudonymised", ["--formulation", "cyanocobalamin"]),
    ],
)
def test_command_issues_each_kind_with_what_it_asks(
    clinic: ReportingClinic, cli: Any, tmp_path: Path, kind: str, options: list[str]
) -> None:
    days = [] if kind == "lot" else ["--from", "2026-10-01", "--to", "2026-10-31"]
    out = tmp_path / "report.pdf"
    done = cli.invoke(args=["report", "issue", kind, *days, *options, "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert done.output.startswith("report MAIN-1 issued: ")
    assert out.read_bytes().startswith(b"%PDF")


def test_command_names_nobody_who_is_not_there(clinic: ReportingClinic, cli: Any, tmp_path: Path) -> None:
    asked = ["report", "issue", "practitioner", "--from", "2026-10-01", "--to", "2026-10-31"]
    done = cli.invoke(args=[*asked, "--practitioner", "ghost", "--out", str(tmp_path / "report.pdf")])
    assert (done.exit_code, "CHOICE-INVALID" in done.output) == (1, True)


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
    assert out.read_bytes().startswith(b"\xef\xbb\xbfnumber,site,")


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
