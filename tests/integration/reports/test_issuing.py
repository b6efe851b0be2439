"""Issuing the administration report: which doses it shows, what it says of them, and that it stays as it was."""

import csv
import hashlib
import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from inventory.audit.models import AuditEntry, AuditHead
from inventory.doses.queries.containers import DoseRequest
from inventory.doses.rules.terms import BodySite, EntryMode, NotGivenReason, VoidKind
from inventory.doses.services import amend_dose, record_not_given, void_dose
from inventory.doses.services.correcting import draws_of
from inventory.doses.services.not_given import NotGivenRequest
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor, Role
from inventory.reports import services
from inventory.reports.queries import requests, selection
from inventory.reports.queries.administrations import administration_rows
from inventory.reports.queries.issued import IssuedReport
from inventory.reports.queries.requests import Asked
from tests.factories.patients import make_patient
from tests.factories.reports import ReportingClinic
from tests.factories.staff import make_actor

OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))
LONDON = ZoneInfo("Europe/London")
RECORDED_AT = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
NOON = datetime(2026, 10, 5, 12, 0, tzinfo=LONDON)


def numbers(clinic: ReportingClinic, report: IssuedReport) -> list[tuple[str, str]]:
    text = clinic.content(report, "csv").decode("utf-8-sig")
    return [
        (row["site"], row["number"].removeprefix(f"{row['site']}-000"))
        for row in csv.DictReader(io.StringIO(text, newline=""))
    ]


def test_shows_the_dose_with_all_an_auditor_needs(clinic: ReportingClinic) -> None:
    clinic.give(NOON, needle="23 G", information_sheet="v3", note="Well tolerated")
    report = clinic.issue(*OCTOBER)
    text = clinic.text(report)
    for words in (
        "MAIN-1",
        "Kowalska, Zo\u00eb R-77, born 4 Mar 1980",
        "LOTMAIN, exp 31 Aug 2027",
        "5 Oct 2026 12:00 +01:00",
        "Left arm (deltoid)",
        "Nora Nurse RN 12345",
        "Pernicious anaemia Consent seen",
        "DETAILS Needle 23 G. Information sheet v3. Well tolerated",
        "LATE Recorded 56 d 22 h after it was given.",
        "Aud Auditor, auditor",
    ):
        assert words in text
    assert report.row_count == 1


def test_prints_the_head_that_the_chain_had(clinic: ReportingClinic) -> None:
    clinic.give(NOON)
    head = db.session.execute(select(AuditHead.seq, AuditHead.hash)).one()
    report = clinic.issue(*OCTOBER)
    assert (report.head_seq, report.head_hash) == tuple(head)
    assert f"entry {head.seq:,}, hash {head.hash}" in clinic.text(report)


def test_void_stays_and_says_why(clinic: ReportingClinic) -> None:
    dose = clinic.give(NOON)
    void_dose(
        actor=clinic.nurse, at=RECORDED_AT, dose_id=dose.id, kind=VoidKind.DRAWN_NOT_GIVEN, reason="Fainted"
    )
    text = clinic.text(clinic.issue(*OCTOBER))
    assert "VOID Drawn, not given: the volume was wasted. Reason: Fainted. Nora Nurse, 1 Dec 2026" in text
    assert "1 entries, of which 1 void or amended" in text


def test_amendment_and_what_it_amends_name_each_other(clinic: ReportingClinic) -> None:
    dose = clinic.give(NOON)
    place = clinic.places["MAIN"]
    request = DoseRequest(
        mode=EntryMode.ALREADY_GIVEN,
        site_id=place.site_id,
        patient_id=clinic.patient_id,
        draws=draws_of(db.session(), dose.id),
        dose_ng=1_000_000,
        volume_ul=1_000,
        body_site=BodySite.RIGHT_DELTOID,
        indication="Pernicious anaemia",
        consent_seen=True,
    )
    amend_dose(
        actor=clinic.nurse, at=RECORDED_AT, dose_id=dose.id, request=request, reason="It was the right arm"
    )
    report = clinic.issue(*OCTOBER)
    text = clinic.text(report)
    assert "AMENDED by MAIN-000002. Reason: It was the right arm." in text
    assert "AMENDS MAIN-000001, which this entry corrects." in text
    assert "All administrations 1 1,000 1 1 1,000 1" in text


def test_deviation_says_which(clinic: ReportingClinic) -> None:
    clinic.give(NOON)
    clinic.give(NOON + timedelta(hours=1))
    text = clinic.text(clinic.issue(*OCTOBER))
    assert "DEVIATION SECOND-DOSE-TODAY" in text


def test_counts_what_was_not_given(clinic: ReportingClinic) -> None:
    refused = NotGivenRequest(
        site_id=clinic.places["MAIN"].site_id,
        patient_id=clinic.patient_id,
        formulation_id=clinic.formulation_id,
        reason=NotGivenReason.REFUSED,
        decided_at=NOON,
    )
    record_not_given(actor=clinic.nurse, at=RECORDED_AT, request=refused)
    assert "Not given, recorded with a reason: 1" in clinic.text(clinic.issue(*OCTOBER))


def test_empty_period_is_a_report_too(clinic: ReportingClinic) -> None:
    report = clinic.issue(date(2026, 2, 1), date(2026, 2, 28))
    assert report.row_count == 0
    assert "No administrations in this period" in clinic.text(report)


def test_month_begins_and_ends_with_the_site_s_own_days(clinic: ReportingClinic) -> None:
    clinic.give(datetime(2026, 9, 30, 23, 59, tzinfo=LONDON))
    clinic.give(datetime(2026, 10, 1, 0, 0, tzinfo=LONDON))  # still September in UTC
    clinic.give(datetime(2026, 10, 31, 23, 59, tzinfo=LONDON))
    clinic.give(datetime(2026, 11, 1, 0, 0, tzinfo=LONDON))
    assert numbers(clinic, clinic.issue(*OCTOBER)) == [("MAIN", "002"), ("MAIN", "003")]


def test_each_site_counts_its_own_days(clinic: ReportingClinic) -> None:
    clinic.open_site("AKL", "Pacific/Auckland", "LOTAKL")
    clinic.open_site("HNL", "Pacific/Honolulu", "LOTHNL")
    instant = datetime(
        2026, 10, 1, 6, 0, tzinfo=UTC
    )  # 19:00 on 1 October in Auckland, 20:00 on 30 September in Honolulu
    clinic.give(instant, "AKL")
    clinic.give(instant, "HNL")
    october = clinic.issue(*OCTOBER)
    september = clinic.issue(date(2026, 9, 30), date(2026, 9, 30))
    assert numbers(clinic, october) == [("AKL", "001")]
    assert numbers(clinic, september) == [("HNL", "001")]
    assert "days of Pacific/Auckland" in clinic.text(october)


def test_repeated_hour_keeps_its_order_and_tells_the_two_apart(clinic: ReportingClinic) -> None:
    clinic.give(datetime(2026, 10, 25, 1, 30, tzinfo=UTC))  # 01:30 again, after the clocks went back
    clinic.give(datetime(2026, 10, 25, 0, 30, tzinfo=UTC))  # 01:30 the first time
    report = clinic.issue(date(2026, 10, 25), date(2026, 10, 25))
    assert numbers(clinic, report) == [("MAIN", "002"), ("MAIN", "001")]
    text = clinic.text(report)
    assert text.index("01:30 +01:00") < text.index("01:30 +00:00")


def test_day_of_25_hours_is_shown_whole(clinic: ReportingClinic) -> None:
    clinic.give(datetime(2026, 10, 25, 0, 0, tzinfo=LONDON))
    clinic.give(datetime(2026, 10, 25, 23, 59, tzinfo=LONDON))
    assert clinic.issue(date(2026, 10, 25), date(2026, 10, 25)).row_count == 2


@pytest.mark.parametrize(
    "filters,expected",
    [
        ({"lot_number": "lot akl"}, [("AKL", "001")]),
        ({"site_code": "main"}, [("MAIN", "001"), ("MAIN", "002")]),
        ({"body_site": BodySite.RIGHT_DELTOID}, [("MAIN", "002")]),
        ({"patient_record_number": "r-88"}, [("MAIN", "002")]),
    ],
)
def test_filter_keeps_only_what_it_names(
    clinic: ReportingClinic, filters: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    clinic.open_site("AKL", "Pacific/Auckland", "LOTAKL")
    other = make_patient(record_number="R-88", at=datetime(2026, 1, 2, tzinfo=UTC))
    clinic.give(NOON)
    clinic.give(NOON, patient_id=other, body_site=BodySite.RIGHT_DELTOID)
    clinic.give(NOON + timedelta(days=1), "AKL")
    report = clinic.issue(*OCTOBER, **filters)
    assert numbers(clinic, report) == expected
    assert report.row_count == len(expected)


def test_filters_by_practitioner_and_formulation(clinic: ReportingClinic) -> None:
    clinic.give(NOON)
    clinic.give(NOON + timedelta(days=1), actor=make_actor(Role.PRACTITIONER, display_name="Other Nurse"))
    report = clinic.issue(*OCTOBER, giver_id=clinic.nurse.id, formulation_id=clinic.formulation_id)
    assert numbers(clinic, report) == [("MAIN", "001")]
    assert "Practitioner Nora Nurse" in clinic.text(report)
    assert ("Lot", "all") in report.filters


def test_names_everything_that_cannot_be(clinic: ReportingClinic) -> None:
    with pytest.raises(Refusals) as refused:
        clinic.issue(
            OCTOBER[1], OCTOBER[0], site_code="NOWHERE", patient_record_number="R-0", lot_number="NONE"
        )
    assert {(one.code, one.field) for one in refused.value.refusals} == {
        ("REPORT-PERIOD", "last_day"),
        ("REPORT-SITE", "site_code"),
        ("REPORT-PATIENT", "patient_record_number"),
        ("REPORT-LOT", "lot_number"),
    }


def test_days_to_come_are_refused_and_today_is_of_the_site_furthest_ahead(clinic: ReportingClinic) -> None:
    """At 12:30 UTC it is still 1 December in London, and 2 December in Auckland."""
    noon = RECORDED_AT.replace(hour=12, minute=30)
    first, second, third = (date(2026, 12, day) for day in (1, 2, 3))

    def issued(last_day: date) -> IssuedReport:
        asked = Asked(first, last_day)
        return services.issue_administration_report(asked=asked, actor=clinic.auditor, at=noon)

    assert issued(first).label == "MAIN-1"
    with pytest.raises(Refusals, match="REPORT-PERIOD"):
        issued(second)
    clinic.open_site("AKL", "Pacific/Auckland", "LOTAKL")
    assert issued(second).covers_all_sites
    with pytest.raises(Refusals, match="REPORT-PERIOD"):
        issued(third)


def test_report_of_all_sites_is_numbered_under_the_oldest(clinic: ReportingClinic) -> None:
    clinic.open_site("AAA", "Europe/London", "LOTAAA")
    assert [clinic.issue(*OCTOBER).label for _ in range(2)] == ["MAIN-1", "MAIN-2"]


def test_unknown_choice_is_refused(clinic: ReportingClinic) -> None:
    with pytest.raises(Refusals, match="CHOICE-INVALID"):
        clinic.issue(*OCTOBER, giver_id=uuid4())


def test_same_request_twice_is_one_report(clinic: ReportingClinic) -> None:
    first, second = (clinic.issue(*OCTOBER, request_key="the same") for _ in range(2))
    assert first.id == second.id


def test_numbers_have_no_gap(clinic: ReportingClinic) -> None:
    labels = [clinic.issue(*OCTOBER).label for _ in range(2)]
    with pytest.raises(Refusals):
        clinic.issue(OCTOBER[1], OCTOBER[0])
    assert [*labels, clinic.issue(*OCTOBER).label] == ["MAIN-1", "MAIN-2", "MAIN-3"]


def test_files_are_those_that_were_hashed(clinic: ReportingClinic) -> None:
    clinic.give(NOON)
    report = clinic.issue(*OCTOBER)
    assert {file.format for file in report.files} == {"pdf", "csv"}
    for file in report.files:
        assert hashlib.sha256(clinic.content(report, file.format)).hexdigest() == file.sha256


def test_report_stays_as_issued(clinic: ReportingClinic) -> None:
    dose = clinic.give(NOON)
    report = clinic.issue(*OCTOBER)
    before = clinic.content(report, "pdf")
    void_dose(
        actor=clinic.nurse, at=RECORDED_AT, dose_id=dose.id, kind=VoidKind.NEVER_OPENED, reason="Mistake"
    )
    assert clinic.content(report, "pdf") == before


def test_changed_file_is_not_handed_out(
    clinic: ReportingClinic, owner_connection: Any, engine_kind: str
) -> None:
    report = clinic.issue(*OCTOBER)
    db.session.rollback()
    if engine_kind == "sqlite":
        for (name,) in owner_connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'report_file'"
        ).fetchall():
            owner_connection.execute(f"DROP TRIGGER {name}")
    else:
        owner_connection.execute("ALTER TABLE report_file DISABLE TRIGGER USER")
    other = "X'6f'" if engine_kind == "sqlite" else "'other'"
    owner_connection.execute(f"UPDATE report_file SET content = {other} WHERE format = 'csv'")
    owner_connection.commit()
    with pytest.raises(Refusal, match="REPORT-CHANGED"):
        clinic.content(report, "csv")


def test_what_happens_after_the_snapshot_is_not_in_the_report(clinic: ReportingClinic) -> None:
    dose = clinic.give(NOON)
    chosen = requests.made_definite(Asked(*OCTOBER), at=RECORDED_AT).selection
    snapshot = selection.take_snapshot(chosen)
    void_dose(
        actor=clinic.nurse, at=RECORDED_AT, dose_id=dose.id, kind=VoidKind.NEVER_OPENED, reason="Mistake"
    )
    clinic.give(NOON + timedelta(days=1))
    rows = list(administration_rows(snapshot))
    assert [(row.number, row.standing.value) for row in rows] == [("MAIN-000001", "given")]


def test_batches_join_without_a_seam(clinic: ReportingClinic, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in range(5):
        clinic.give(NOON + timedelta(days=day))
    monkeypatch.setattr("inventory.reports.queries.administrations._BATCH", 2)
    assert [number for _, number in numbers(clinic, clinic.issue(*OCTOBER))] == [
        "001",
        "002",
        "003",
        "004",
        "005",
    ]


def test_issue_and_download_are_entries_of_the_trail(clinic: ReportingClinic) -> None:
    report = clinic.issue(*OCTOBER)
    clinic.content(report, "pdf")
    entries = select(AuditEntry.action).where(AuditEntry.subject_id == report.id)
    actions = list(db.session.scalars(entries.order_by(AuditEntry.id)))
    assert actions == ["reports.issue", "reports.store", "reports.download"]


def test_only_who_may_issue_does(clinic: ReportingClinic) -> None:
    manager = make_actor(Role.MANAGER)
    with pytest.raises(Refusal, match="NOT-PERMITTED"):
        services.issue_administration_report(asked=Asked(*OCTOBER), actor=manager, at=RECORDED_AT)


def test_someone_without_a_role_may_not(clinic: ReportingClinic) -> None:
    nobody = Actor(id=uuid4(), name="Nobody")
    with pytest.raises(Refusal, match="NOT-PERMITTED"):
        services.issue_administration_report(asked=Asked(*OCTOBER), actor=nobody, at=RECORDED_AT)


def test_command_line_is_named_as_who_generated_it(clinic: ReportingClinic) -> None:
    report = services.issue_administration_report(asked=Asked(*OCTOBER), actor=SYSTEM_ACTOR, at=RECORDED_AT)
    assert "system:cli, command line" in clinic.text(report)


def test_wrong_kind_of_request_leaves_the_number_free(clinic: ReportingClinic) -> None:
    asked = replace(Asked(*OCTOBER), site_code="NOWHERE")
    with pytest.raises(Refusals):
        services.issue_administration_report(asked=asked, actor=clinic.auditor, at=RECORDED_AT)
    assert clinic.issue(*OCTOBER).label == "MAIN-1"
