"""A report's rows are read again from the record as they stood at the head that it prints."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from inventory.audit.queries import head
from inventory.clinic.services import edit_site
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.reports.kinds import ReportKind
from inventory.reports.models import Report, ReportFile
from inventory.reports.queries import parameters as kept
from inventory.reports.queries.issued import IssuedReport
from inventory.reports.queries.requests import Asked, made_definite
from inventory.reports.queries.selection import take_snapshot
from inventory.reports.tables import table_of
from inventory.staff.models import User
from inventory.staff.services.people import Entry, edit_person
from tests.factories.reports import NOON, RECORDED_AT, ReportingClinic

FIRST, LAST = datetime(2026, 10, 1, tzinfo=UTC).date(), datetime(2026, 10, 31, tzinfo=UTC).date()
GOLDEN = (
    "MAIN-000001", "MAIN", "2026-10-05T12:00:00+01:00", "2026-10-05T11:00:00+00:00", "2026-12-01T09:00:00+00:00",
    "2026-12-01T09:00:00+00:00", "Kowalska, Zo\u00eb", "R-77", "1980-03-04", "Cyanocobalamin", "Invented B12",
    "1,000 mcg/mL", "LOTMAIN", "2027-08-31", "", "", "1000", "1000000", "1000", "1000", "1", "Left arm (deltoid)",
    "IM", "Nora Nurse", "RN 12345", "Pernicious anaemia", "Consent seen", "void", "VOID; LATE",
    ("VOID: Drawn, not given: the volume was wasted. Reason: Fainted. Nora Nurse, 1 Dec 2026 09:00 +00:00.; "
    "LATE: Recorded 56 d 22 h after it was given.; DETAILS: Needle 23 G. =SUM(A1)"),
)  # fmt: skip


def cells(clinic: ReportingClinic, report: IssuedReport) -> list[tuple[str, ...]]:
    text = clinic.content(report, "csv").decode("utf-8-sig")
    return [tuple(row) for row in csv.reader(io.StringIO(text, newline=""))]


def again(report: IssuedReport) -> list[tuple[str, ...]]:
    parameters = kept.read(db.session.get_one(Report, report.id).parameters)
    table = table_of(report.kind, parameters, report.head_seq)
    return [table.columns, *table.rows]


def test_what_the_cells_of_administrations_1_say_is_pinned(clinic: ReportingClinic) -> None:
    clinic.void(clinic.give(NOON, needle="23 G", note="=SUM(A1)").id)
    found = cells(clinic, clinic.issue(FIRST, LAST))
    assert dict(zip(found[0], found[1], strict=True)) == dict(zip(found[0], GOLDEN, strict=True))
    assert len(found) == 2


def test_csv_holds_exactly_the_rows_that_are_read_again(clinic: ReportingClinic) -> None:
    clinic.void(clinic.give(NOON, note="=SUM(A1)").id)
    clinic.give(NOON + timedelta(days=1))
    report = clinic.issue(FIRST, LAST)
    assert again(report) == cells(clinic, report)


def test_what_is_recorded_later_is_not_seen_as_of_the_head(clinic: ReportingClinic) -> None:
    first, second = clinic.give(NOON), clinic.give(NOON + timedelta(days=1))
    clinic.void(clinic.give(NOON + timedelta(days=2)).id)
    report = clinic.issue(FIRST, LAST)
    clinic.void(first.id)
    clinic.amend(second.id)
    clinic.give(NOON + timedelta(days=3))
    assert again(report) == cells(clinic, report)
    assert len(again(clinic.issue(FIRST, LAST))) == 6


def test_names_are_those_of_then(clinic: ReportingClinic) -> None:
    clinic.void(clinic.give(NOON).id)
    report = clinic.issue(FIRST, LAST)
    version = db.session.get_one(User, clinic.nurse.id).version
    renamed = Entry("Nora Married", frozenset({Role.MANAGER}))
    edit_person(actor=SYSTEM_ACTOR, at=RECORDED_AT, user_id=clinic.nurse.id, version=version, entry=renamed)
    site_id = clinic.places["MAIN"].site_id
    edit_site(
        actor=clinic.auditor,
        at=RECORDED_AT,
        site_id=site_id,
        version=1,
        code="OTHER",
        name="Other",
        time_zone="Europe/Paris",
    )
    assert again(report) == cells(clinic, report)
    later = again(clinic.issue(FIRST, LAST))[1]
    assert later[0] == "OTHER-000001"
    assert any("Nora Married" in cell for cell in later)


def test_parameters_are_ids_and_select_the_same_again(clinic: ReportingClinic) -> None:
    clinic.give(NOON)
    report = clinic.issue(
        FIRST, LAST, lot_number="lotmain", patient_record_number="r-77", giver_id=clinic.nurse.id
    )
    parameters = kept.read(db.session.get_one(Report, report.id).parameters)
    assert parameters == {
        "format": "administrations/1",
        "site_ids": [clinic.places["MAIN"].site_id.hex],
        "first_day": "2026-10-01",
        "last_day": "2026-10-31",
        "giver_id": clinic.nurse.id.hex,
        "patient_id": clinic.patient_id.hex,
        "lot_ids": [clinic.lots["MAIN"].hex],
    }
    assert kept.parameters_of("administrations/1", kept.selection_of(parameters)) == parameters


def test_manifest_of_the_drawn_rows_is_kept_with_the_files(clinic: ReportingClinic) -> None:
    clinic.give(NOON)
    report = clinic.issue(FIRST, LAST)
    kept_hashes = set(db.session.scalars(select(ReportFile.manifest_sha256)))
    assert len(kept_hashes) == 1
    assert all(len(one or "") == 64 for one in kept_hashes)
    assert set(db.session.scalars(select(ReportFile.manifest_salt))) == {None}
    assert report.head_seq < head(db.session()).seq


def test_unknown_format_is_not_guessed(clinic: ReportingClinic) -> None:
    with pytest.raises(Refusal, match="REPORT-NOT-RECHECKABLE"):
        table_of(ReportKind.ADMINISTRATIONS, json.loads('{"format": "administrations/99"}'), 1)


def test_skipped_numbers_as_of_a_head_are_those_of_then(
    clinic: ReportingClinic, behind: Callable[[str], None]
) -> None:
    """Read again as of an older head: neither what was given since nor that it is gone is a gap of then."""
    for minutes in range(3):
        clinic.give(NOON + timedelta(minutes=minutes))
    selection = made_definite(Asked(FIRST, LAST), at=RECORDED_AT).selection
    then = head(db.session()).seq
    for minutes in range(3, 6):
        clinic.give(NOON + timedelta(minutes=minutes))
    gone = "number IN (2, 3, 5)"
    for table in ("dose_finding", "dose_source", "incident"):
        behind(f"DELETE FROM {table} WHERE dose_id IN (SELECT id FROM dose WHERE {gone})")
    behind(f"DELETE FROM dose WHERE {gone}")
    assert [gap.words for gap in take_snapshot(selection).gaps] == [
        "MAIN-000002 to MAIN-000003",
        "MAIN-000005",
    ]
    assert [gap.words for gap in take_snapshot(selection, then).gaps] == ["MAIN-000002 to MAIN-000003"]
