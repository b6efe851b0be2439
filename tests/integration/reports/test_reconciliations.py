"""Reconciliations as they are issued: numbered, kept, of one moment; by pages, by the command, and for whom."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import select

from inventory.audit.models import AuditEntry
from inventory.clinic.services import edit_site
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor, Role
from inventory.reports.queries.issued import IssuedReport, stored_content
from inventory.reports.queries.requests import Asked
from inventory.reports.reconciliations import issue_reconciliation
from inventory.reports.services import fetch_file, issue_administration_report
from inventory.reports.tables import table_of
from inventory.reports.verification.checks import verify_report
from inventory.reports.verification.verdict import Check
from inventory.stock import services
from inventory.stock.models import AdjustReason, Lot, TransferDifference, Vial, WasteReason
from inventory.stock.queries.scopes import Wanted
from inventory.stock.services import Difference, Direction, Why
from tests.conftest import AT
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.staff import make_actor
from tests.factories.stock import make_delivery, make_open_vial, make_place
from tests.factories.transfers import make_arrival, make_transfer

TODAY = AT.date()
DAY = {"first_day": TODAY.isoformat(), "last_day": TODAY.isoformat()}
COMMAND = ["report", "issue", "reconciliation", "--from", "2026-03-16", "--to", "2026-03-16"]
SignIn = Callable[..., Any]


@pytest.fixture
def lot(app: Flask, at: object) -> Lot:
    """Three vials came, one was opened and a part of it wasted, and one that is sealed is missing."""
    place = make_place()
    product = make_multi_dose_product(name="=Invented B12")
    lot = make_delivery(place=place, product_id=product.id, containers=3, lot_number="LOT-A")
    vial = make_open_vial(lot, place=place)
    why = Why(WasteReason.DRAWN_NOT_GIVEN)
    services.waste_from_vial(actor=SYSTEM_ACTOR, at=AT, vial_id=vial.id, volume_ul=250, why=why)
    services.adjust_shelf(
        actor=SYSTEM_ACTOR,
        at=AT,
        lot_id=lot.id,
        place=place,
        containers=1,
        difference=Difference(Direction.MISSING, AdjustReason.MISSING, "Not in the cabinet"),
    )
    return lot


@pytest.fixture
def manager(lot: Lot) -> Actor:
    return make_actor(Role.MANAGER, display_name="Mona Manager")


def issued(actor: Actor, **asked: Any) -> IssuedReport:
    by_part = asked.pop("by_part", False)
    return issue_reconciliation(wanted=Wanted(TODAY, TODAY, **asked), by_part=by_part, actor=actor, at=AT)


def pdf_text(report: IssuedReport, actor: Actor) -> str:
    content = fetch_file(report_id=report.id, file_format="pdf", actor=actor, at=AT).content
    reader = PdfReader(io.BytesIO(content))
    return " ".join(" ".join(page.extract_text().split()) for page in reader.pages)


def csv_lines(report: IssuedReport, actor: Actor) -> list[dict[str, str]]:
    content = fetch_file(report_id=report.id, file_format="csv", actor=actor, at=AT).content
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_pdf_says_first_what_differed_and_that_nobody_counted(manager: Actor) -> None:
    text = pdf_text(issued(manager), manager)
    for words in (
        "Reconciliation",
        "10 mL differed without a cause",
        "10 mL missing, 0 mL found, in 1 adjustment",
        "Cabinet, MAIN never",
        "It proves nothing alone",
        "Drawn, not given: 0.25 mL",
        "Differences without a cause (1)",
        "Not in the cabinet",
        "Audit chain head",
        "Sign-off",
        "Mona Manager, manager",
    ):
        assert words in text


def test_pdf_names_each_vial_only_when_asked(manager: Actor) -> None:
    assert "LOT-A: vial 1" not in pdf_text(issued(manager), manager)
    assert "LOT-A: vial 1" in pdf_text(issued(manager, by_part=True), manager)


def test_same_state_gives_the_same_numbers_again(manager: Actor) -> None:
    first, second = issued(manager), issued(manager)
    assert csv_lines(first, manager) == csv_lines(second, manager)
    assert (first.label, second.label) == ("MAIN-1", "MAIN-2")


INFLOWS = (
    "Opening",
    "Received",
    "Opened",
    "Transferred in",
    "Came from another number",
    "Overfill",
    "Found",
)
OUTFLOWS = (
    "Given",
    "Wasted",
    "Returned",
    "Transferred out",
    "Went to another number",
    "Lost",
    "Closing",
    "Difference",
)


def column(lines: list[dict[str, str]], name: str) -> Decimal:
    return sum((Decimal(line.get(f"{name} (mL)", "0")) for line in lines), Decimal(0))


def test_csv_is_one_table_of_the_chosen_level_that_adds_up(manager: Actor) -> None:
    whole, parts = (csv_lines(issued(manager, by_part=by_part), manager) for by_part in (False, True))
    assert [line["Part"] for line in whole] == ["Whole lot"]
    assert [line["Part"] for line in parts] == ["Sealed", "Vial 1"]
    for lines in (whole, parts):
        assert all(line["Product"].startswith("'=") for line in lines)
        assert sum(column(lines, name) for name in INFLOWS) == sum(column(lines, name) for name in OUTFLOWS)
        assert (column(lines, "Closing"), column(lines, "Wasted")) == (Decimal("19.75"), Decimal("0.25"))
    assert (whole[0]["Lost (mL)"], whole[0]["Closing (containers)"]) == ("10", "1.98")
    assert len(whole[0]) == 21


@pytest.mark.parametrize("by_part", [False, True])
def test_csv_of_all_sites_adds_up_to_nothing_with_what_was_lost_on_the_way(
    manager: Actor, lot: Lot, by_part: bool
) -> None:
    """2 of 3 on their way, 1 of them lost: with the rows of what is on its way nothing is missing."""
    here, there = make_place(), make_place(code="EAST")
    make_delivery(place=here, product_id=lot.product_id, lot_number="LOT-B", containers=3)
    lot_b = db.session.scalars(select(Lot).where(Lot.lot_number == "LOT-B")).one()
    sent = make_transfer(here, there, lot=lot_b, containers=1, at=AT)
    make_transfer(here, there, lot=lot_b, containers=1, at=AT)
    make_arrival(sent, (0, TransferDifference.LOST, "Never came"), at=AT)
    report = issued(manager, by_part=by_part, lot_number="LOT-B")
    lines = csv_lines(report, manager)
    (way,) = [line for line in lines if line["Part"] == "On its way"]
    assert (way["Lot"], way["Transferred in (mL)"], way["Wasted (mL)"], way["Closing (mL)"]) == (
        "LOT-B",
        "20",
        "10",
        "10",
    )
    assert sum(column(lines, name) for name in INFLOWS) == sum(column(lines, name) for name in OUTFLOWS)
    not_arrived = column(lines, "Transferred in") - column(lines, "Transferred out")
    assert not_arrived == 0
    assert column(lines, "Received") - column(lines, "Wasted") == column(lines, "Closing") == 20
    text = pdf_text(report, manager)
    for words in ("LOT-B, on its way from MAIN", "Broken or lost on the way (1)", "10 mL lost", "Never came"):
        assert words in text


def test_what_happens_afterwards_changes_no_issued_one(manager: Actor, lot: Lot) -> None:
    report = issued(manager)
    before = csv_lines(report, manager)
    make_delivery(place=make_place(), product_id=lot.product_id, lot_number="LOT-A", containers=9)
    assert csv_lines(report, manager) == before
    assert csv_lines(issued(manager), manager) != before


def test_trail_knows_who_issued_and_took_it(manager: Actor) -> None:
    report = issued(manager)
    pdf_text(report, manager)
    entries = select(AuditEntry.action).where(AuditEntry.subject_id == report.id)
    actions = list(db.session.scalars(entries.order_by(AuditEntry.id)))
    assert actions == ["reports.issue", "reports.store", "reports.download"]


def test_nurse_may_not_issue_one(lot: Lot) -> None:
    with pytest.raises(Refusal, match="NOT-PERMITTED"):
        issued(make_actor(Role.PRACTITIONER))


def test_manager_takes_reconciliations_and_no_report_with_patients(manager: Actor) -> None:
    auditor = make_actor(Role.AUDITOR)
    other = issue_administration_report(asked=Asked(TODAY, TODAY), actor=auditor, at=AT)
    with pytest.raises(Refusal, match="NOT-PERMITTED"):
        fetch_file(report_id=other.id, file_format="pdf", actor=manager, at=AT)


def test_nurse_meets_no_reconciliation_in_the_general_register(
    manager: Actor, signed_in_client: SignIn
) -> None:
    report, nurse = issued(manager), signed_in_client(Role.PRACTITIONER)
    assert report.label not in nurse.get("/reports/").get_data(as_text=True)
    for path in (f"/reports/{report.id}", f"/reports/{report.id}/pdf", f"/reports/{report.id}/csv"):
        assert nurse.get(path).status_code == 404, path
    with pytest.raises(Refusal, match="NOT-PERMITTED"):
        fetch_file(report_id=report.id, file_format="csv", actor=make_actor(Role.PRACTITIONER), at=AT)
    auditor = signed_in_client(Role.AUDITOR)
    assert report.label in auditor.get("/reports/").get_data(as_text=True)
    assert auditor.get(f"/reports/{report.id}/csv").status_code == 200


def test_what_cannot_be_asked_takes_no_number(manager: Actor) -> None:
    for asked in ({"site_code": "NOWHERE"}, {"lot_number": "NOBODY"}):
        with pytest.raises(Refusals):
            issued(manager, **asked)
    assert issued(manager).label == "MAIN-1"


def test_days_to_come_are_signed_by_nobody(manager: Actor, cli: Any, at: object, tmp_path: Path) -> None:
    tomorrow = TODAY + timedelta(days=1)
    with pytest.raises(Refusals, match="REPORT-PERIOD"):
        issue_reconciliation(wanted=Wanted(TODAY, tomorrow), actor=manager, at=AT)
    days = ["--from", TODAY.isoformat(), "--to", tomorrow.isoformat()]
    done = cli.invoke(args=[*COMMAND[:3], *days, "--out", str(tmp_path / "day.pdf")])
    assert (done.exit_code, list(tmp_path.iterdir())) == (1, [])
    assert "The period ends after today." in done.output


def test_one_of_all_sites_is_numbered_under_the_oldest(manager: Actor) -> None:
    make_place(code="AAA")
    assert issued(manager).label == "MAIN-1"


def test_person_of_one_site_issues_of_that_site_alone(lot: Lot) -> None:
    north, south = make_place(code="NORTH"), make_place(code="SOUTH")
    somebody = make_actor(Role.MANAGER)
    both = Actor(
        somebody.id, somebody.name, somebody.roles, site_ids=frozenset({north.site_id, south.site_id})
    )
    with pytest.raises(Refusals, match="REPORT-SITE"):
        issued(both, site_code="MAIN")
    with pytest.raises(Refusal, match="REPORT-SITE"):
        issued(both)
    assert issued(both, site_code="NORTH").label == "NORTH-1"


def test_manager_issues_from_the_page_and_downloads(lot: Lot, signed_in_client: SignIn) -> None:
    client = signed_in_client(Role.MANAGER)
    assert "/reports/reconciliations/new" in client.get("/stock/reconciliation").text
    assert "None yet" in client.get("/reports/reconciliations").text
    page = client.submit("/reports/reconciliations/new", {**DAY, "level": "vial"}, follow_redirects=True)
    assert "Reconciliation MAIN-1 is issued." in page.text
    assert client.get(f"{page.request.path}/csv").data.startswith(b"\xef\xbb\xbf")
    file = client.get(f"{page.request.path}/pdf")
    assert "reconciliation-MAIN-1-2026-03-16-2026-03-16.pdf" in file.headers["Content-Disposition"]
    assert "MAIN-1" in client.get("/reports/reconciliations").text
    assert "Reconciliation" in signed_in_client(Role.AUDITOR).get("/reports/").text


def test_form_begins_with_what_the_page_showed(lot: Lot, signed_in_client: SignIn) -> None:
    client = signed_in_client(Role.MANAGER)
    asked = "first_day=2026-02-01&last_day=2026-02-28&lot_number=LOT-A&level=vial"
    page = client.get(f"/reports/reconciliations/new?{asked}").text
    for words in ('value="2026-02-01"', 'value="2026-02-28"', 'value="LOT-A"'):
        assert words in page


def test_typed_values_stay_when_it_is_refused(lot: Lot, signed_in_client: SignIn) -> None:
    page = signed_in_client(Role.MANAGER).submit(
        "/reports/reconciliations/new", {**DAY, "lot_number": "NOBODY"}
    )
    assert page.status_code == 422
    assert "REPORT-LOT" in page.text
    assert "NOBODY" in page.text


def test_administration_report_is_no_reconciliation(lot: Lot, signed_in_client: SignIn) -> None:
    auditor = make_actor(Role.AUDITOR)
    other = issue_administration_report(asked=Asked(TODAY, TODAY), actor=auditor, at=AT)
    client = signed_in_client(Role.MANAGER)
    for path in ("", "/pdf", "/csv"):
        assert client.get(f"/reports/reconciliations/{other.id}{path}").status_code == 404


def test_command_writes_the_file_and_says_so(lot: Lot, cli: Any, tmp_path: Path) -> None:
    out = tmp_path / "day.csv"
    done = cli.invoke(args=[*COMMAND, "--by-vial", "--lot", "lot-a", "--out", str(out)])
    assert done.exit_code == 0
    assert done.output.startswith("report MAIN-1 issued: 1 lot, 2026-03-16 to 2026-03-16")
    assert out.read_bytes().startswith(b"\xef\xbb\xbf")


def test_command_refuses_in_one_line(lot: Lot, cli: Any, tmp_path: Path) -> None:
    done = cli.invoke(args=[*COMMAND, "--lot", "NOBODY", "--out", str(tmp_path / "day.pdf")])
    assert done.exit_code == 1
    assert done.output.splitlines() == ["not issued: REPORT-LOT: No lot has this number."]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("by_part", [False, True])
def test_rows_are_read_again_as_of_the_head_whatever_is_recorded_later(
    manager: Actor, lot: Lot, by_part: bool, behind: Callable[[str], None]
) -> None:
    place, other = make_place(), make_place(code="AKL", zone="Pacific/Auckland")
    make_transfer(place, other, lot=lot, at=AT)
    report = issued(manager, by_part=by_part)
    printed = list(
        csv.reader(io.StringIO(stored_content(report.id, "csv")[1].decode("utf-8-sig"), newline=""))
    )
    assert len(printed) > 1
    why = Why(WasteReason.DRAWN_NOT_GIVEN)
    vial_id = db.session.scalars(select(Vial.id)).one()
    services.waste_from_vial(actor=SYSTEM_ACTOR, at=AT, vial_id=vial_id, volume_ul=100, why=why)
    more = make_delivery(
        place=place,
        product_id=lot.product_id,
        containers=4,
        lot_number="LOT-B",
        received_at=AT - timedelta(days=2),
    )
    make_transfer(place, other, lot=more, at=AT)
    table = table_of(report.kind, report.parameters, report.head_seq)
    assert [list(table.columns), *map(list, table.rows)] == printed
    pdf = stored_content(report.id, "pdf")[1]
    assert verify_report(pdf, actor=SYSTEM_ACTOR).conclusion.startswith("This file is proven")
    assert len(list(table_of(report.kind, report.parameters, 10**9).rows)) > len(printed) - 1
    site_id = place.site_id
    named = {"code": "OTHER", "name": "Other", "time_zone": "Asia/Tokyo"}
    edit_site(actor=SYSTEM_ACTOR, at=AT, site_id=site_id, version=1, **named)
    table = table_of(report.kind, report.parameters, report.head_seq)
    assert [list(table.columns), *map(list, table.rows)] == printed
    edit_site(
        actor=SYSTEM_ACTOR,
        at=AT,
        site_id=site_id,
        version=2,
        code="MAIN",
        name="Main",
        time_zone="Europe/London",
    )
    behind("UPDATE movement SET amount_ul = amount_ul + 1 WHERE kind = 'waste' AND amount_ul = 250")
    said = [line.words for line in verify_report(pdf, actor=SYSTEM_ACTOR).lines if line.check is Check.ROWS]
    part = "Vial 1" if by_part else "Whole lot"
    assert said == [f"MAIN LOT-A {part} (Opening (mL), Wasted (mL)): not as printed any more."]
