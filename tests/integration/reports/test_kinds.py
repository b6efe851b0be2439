"""Every kind of report: its rows, who may issue it, and that what was issued is read again from the record."""

import csv
import io
import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import select

from inventory.audit.models import AccessEntry
from inventory.audit.services import log_access
from inventory.doses.models import Incident
from inventory.doses.services import close_incident
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor, Role
from inventory.reports import pseudonyms
from inventory.reports.issuing import issue_report
from inventory.reports.kinds import KIND_WORDS, ReportKind
from inventory.reports.models import ReportFile
from inventory.reports.queries.issued import IssuedReport, issued_report, stored_content
from inventory.reports.queries.listings.kinds import LISTINGS
from inventory.reports.queries.requests import Asked
from inventory.reports.services import fetch_file, file_name
from inventory.reports.tables import table_of
from tests.factories.patients import make_patient
from tests.factories.reports import NOON, RECORDED_AT, ReportingClinic, make_busy_clinic
from tests.factories.staff import make_actor

PERIOD = Asked(date(2026, 10, 1), date(2026, 12, 1))
K = ReportKind


def issued(
    clinic: ReportingClinic, kind: ReportKind, actor: Actor = SYSTEM_ACTOR, **asked: Any
) -> IssuedReport:
    wanted = replace(clinic.asked_for(kind), **asked)
    return issue_report(kind=kind, asked=wanted, actor=actor, at=RECORDED_AT)


def csv_of(report: IssuedReport) -> list[dict[str, str]]:
    text = stored_content(report.id, "csv")[1].decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def pdf_text(report: IssuedReport) -> str:
    pages = PdfReader(io.BytesIO(stored_content(report.id, "pdf")[1])).pages
    return " ".join(" ".join(page.extract_text().split()) for page in pages)


def abouts(report: IssuedReport) -> list[str]:
    return [row["about"] for row in csv_of(report)]


def again(report: IssuedReport) -> list[tuple[str, ...]]:
    return list(table_of(report.kind, report.parameters, report.head_seq).rows)


@pytest.fixture
def busy(app: Flask) -> ReportingClinic:
    """A clinic of which every kind of report has something to tell."""
    return make_busy_clinic()


LISTED = {
    K.PATIENT: {"dose", "not given", "incident"},
    K.PRACTITIONER: {"dose", "not given", "void", "waste"},
    K.LOT: {"receipt", "vial", "dose", "movement"},
    K.WASTAGE: {"waste"},
    K.INCIDENTS: {"incident", "deviation"},
    K.REACTIONS: {"reaction", "news", "decision", "retraction"},
    K.CORRECTIONS: {"void", "amendment", "reversal"},
    K.COMPLETENESS: {"consent", "late"},
    K.ACCESS: {"look"},
}


@pytest.mark.parametrize("kind", LISTED)
def test_list_tells_what_happened_and_is_read_again_the_same_after_more_did(
    busy: ReportingClinic, kind: ReportKind
) -> None:
    report = issued(busy, kind)
    rows = csv_of(report)
    assert set(abouts(report)) == LISTED[kind]
    assert report.row_count == len(rows)
    assert len({row["row"] for row in rows}) == len(rows), "the first cell names a row"
    incident_id = db.session.scalars(select(Incident.id)).first()
    assert incident_id is not None
    prescriber = make_actor(Role.PRESCRIBER)
    close_incident(actor=prescriber, at=RECORDED_AT, incident_id=incident_id, outcome="Talked it over")
    busy.amend(busy.give(NOON + timedelta(days=3), consent_seen=False).id)
    busy.void(busy.give(NOON + timedelta(days=4)).id)
    busy.refuse(NOON)
    busy.react(busy.give(NOON + timedelta(days=5)).id, at=RECORDED_AT + timedelta(hours=1))
    log_access(busy.auditor, busy.patient_id, "doses", at=NOON + timedelta(hours=1))
    assert again(report) == [tuple(row.values()) for row in rows]
    assert len(again(issued(busy, kind))) > len(rows) or kind is K.INCIDENTS


@pytest.mark.parametrize("kind", LISTED)
def test_list_without_anything_says_so_and_is_a_report(clinic: ReportingClinic, kind: ReportKind) -> None:
    report = issued(clinic, kind, first_day=date(2026, 2, 1), last_day=date(2026, 2, 28))
    text = pdf_text(report)
    for section in LISTINGS[kind].layout.sections:
        assert section.title in text
    if kind is not K.LOT:
        assert report.row_count == 0
        assert LISTINGS[kind].layout.sections[0].nothing in text


@pytest.mark.parametrize("kind", LISTED)
def test_what_the_columns_of_a_format_are_is_pinned(kind: ReportKind) -> None:
    listing = LISTINGS[kind]
    assert (listing.format, len(listing.layout.columns)) == {
        K.PATIENT: ("patient/1", 24),
        K.PRACTITIONER: ("practitioner/1", 22),
        K.LOT: ("lot/1", 24),
        K.WASTAGE: ("wastage/1", 22),
        K.INCIDENTS: ("incidents/1", 22),
        K.REACTIONS: ("reactions/1", 19),
        K.CORRECTIONS: ("corrections/1", 14),
        K.COMPLETENESS: ("completeness/1", 14),
        K.ACCESS: ("access/1", 9),
    }[kind]


def test_amendment_shows_old_and_new_side_by_side(busy: ReportingClinic) -> None:
    found = next(row for row in csv_of(issued(busy, K.CORRECTIONS)) if row["about"] == "amendment")
    assert "Injection site: Left arm (deltoid)" in found["before"]
    assert "Injection site: Right arm (deltoid)" in found["after"]
    assert "Product" not in found["before"]
    assert found["reason"] == "The other arm"


def test_pseudonymised_report_names_nobody_in_file_or_name(busy: ReportingClinic) -> None:
    report = issued(busy, K.PSEUDONYMISED)
    pdf, text = stored_content(report.id, "pdf")[1], stored_content(report.id, "csv")[1].decode("utf-8-sig")
    reader = PdfReader(io.BytesIO(pdf))
    printed = pdf_text(report) + str(reader.metadata) + str(reader.outline) + file_name(report, "pdf")
    for secret in ("Kowalska", "Zo\u00eb", "R-77", "1980", "Nora", "12345", "sister", "Fainted", "MAIN-0000"):
        assert secret not in text
        assert secret not in printed
        assert secret.encode() not in pdf
    rows = csv_of(report)
    assert {row["patient_age"] for row in rows} == {"40 to 49"}
    assert len({row["patient"] for row in rows}) == 1
    assert re.fullmatch(r"P-[A-Z2-7]{10}", rows[0]["patient"])
    assert again(report) == [tuple(row.values()) for row in rows]


def test_pseudonym_is_stable_resolved_by_the_clinic_and_by_no_other_key(
    busy: ReportingClinic, cli: Any
) -> None:
    first, second = (csv_of(issued(busy, K.PSEUDONYMISED))[0]["patient"] for _ in range(2))
    assert first == second == pseudonyms.pseudonym(pseudonyms.key(), "P", busy.patient_id)
    assert pseudonyms.pseudonym(b"another", "P", busy.patient_id) != first
    done = cli.invoke(args=["report", "pseudonym", first.lower()])
    assert done.output == f"{first}: record number R-77\n"
    assert "pseudonym" in set(db.session.scalars(select(AccessEntry.page)))
    assert cli.invoke(args=["report", "pseudonym", "P-AAAAAAAAAA"]).exit_code == 1


def test_pseudonymised_manifest_keeps_its_salt_with_the_clinic(busy: ReportingClinic) -> None:
    issued(busy, K.PSEUDONYMISED)
    assert all(len(salt or "") == 64 for salt in db.session.scalars(select(ReportFile.manifest_salt)))


def test_other_secret_makes_a_pseudonymised_report_not_recheckable(
    busy: ReportingClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = issued(busy, K.PSEUDONYMISED)
    monkeypatch.setattr(pseudonyms, "key", lambda: b"another")
    with pytest.raises(Refusal, match="REPORT-NOT-RECHECKABLE"):
        again(report)


@pytest.mark.parametrize(
    "age,said", [(0, "0 to 9"), (39, "30 to 39"), (40, "40 to 49"), (97, "90 and older")]
)
def test_age_is_a_band_of_ten_years(age: int, said: str) -> None:
    assert pseudonyms.age_band(date(2026 - age, 10, 5), date(2026, 10, 5)) == said


@pytest.mark.parametrize("kind", [K.PATIENT, K.PRACTITIONER, K.LOT, K.RECALL])
def test_report_about_one_says_which_is_lacking(clinic: ReportingClinic, kind: ReportKind) -> None:
    with pytest.raises(Refusals, match="REPORT-NEEDS") as refused:
        issue_report(kind=kind, asked=PERIOD, actor=SYSTEM_ACTOR, at=RECORDED_AT)
    assert refused.value.refusals[0].field == KIND_WORDS[kind].needs


@pytest.mark.parametrize("kind", [K.WASTAGE, K.INCIDENTS, K.PATIENT, K.ACCESS])
def test_end_before_its_start_is_refused(clinic: ReportingClinic, kind: ReportKind) -> None:
    with pytest.raises(Refusals, match="REPORT-PERIOD"):
        issued(clinic, kind, first_day=date(2026, 10, 2), last_day=date(2026, 10, 1))


ISSUES = {
    Role.PRACTITIONER: set(K) - {K.ACCESS, K.WASTAGE, K.RECONCILIATION},
    Role.PRESCRIBER: set(K) - {K.ACCESS},
    Role.MANAGER: {K.WASTAGE, K.RECONCILIATION},
    Role.AUDITOR: set(K),
    Role.ADMIN: {K.ACCESS},
}


@pytest.mark.parametrize("role", Role)
def test_role_issues_the_kinds_it_may_see_and_no_other(clinic: ReportingClinic, role: Role) -> None:
    actor = make_actor(role)
    permitted = {
        kind for kind in ReportKind if what_became(clinic, kind, actor) in {"issued", "REPORT-NEEDS"}
    }
    assert permitted == ISSUES[role]


def what_became(clinic: ReportingClinic, kind: ReportKind, actor: Actor) -> str:
    try:
        issued(clinic, kind, actor)
    except Refusal as refusal:
        return refusal.code
    except Refusals as refusals:
        return refusals.refusals[0].code
    return "issued"


@pytest.mark.parametrize("kind", [K.WASTAGE, K.CORRECTIONS, K.COMPLETENESS, K.LOT, K.PATIENT])
def test_who_works_at_one_site_sees_that_site_and_may_not_ask_for_another(
    busy: ReportingClinic, kind: ReportKind
) -> None:
    busy.open_site("AKL", "Pacific/Auckland", "LOTAKL")
    elsewhere = make_actor(Role.PRESCRIBER)
    limited = replace(elsewhere, site_ids=frozenset({busy.places["AKL"].site_id}))
    assert issued(busy, kind, limited).row_count == 0
    with pytest.raises(Refusals, match="REPORT-SITE"):
        issued(busy, kind, limited, site_code="MAIN")


def test_looks_are_those_of_the_whole_clinic_and_none_for_somebody_of_one_site(
    clinic: ReportingClinic,
) -> None:
    limited = replace(clinic.auditor, site_ids=frozenset({clinic.places["MAIN"].site_id}))
    with pytest.raises(Refusal, match="NOT-PERMITTED"):
        issued(clinic, K.ACCESS, limited)


def test_report_about_one_patient_is_a_look_at_them(clinic: ReportingClinic) -> None:
    report = issued(clinic, K.PATIENT, clinic.auditor)
    fetch_file(report_id=report.id, file_format="pdf", actor=clinic.nurse, at=RECORDED_AT)
    looks = db.session.execute(select(AccessEntry.actor_id, AccessEntry.page)).all()
    assert {tuple(look) for look in looks} == {(clinic.auditor.id, "report"), (clinic.nurse.id, "report")}


def test_other_patients_are_in_no_report_of_one(busy: ReportingClinic) -> None:
    other = make_patient(record_number="R-88", family_name="Other", at=NOON - timedelta(days=90))
    busy.give(NOON + timedelta(days=5), patient_id=other)
    assert "R-88" not in stored_content(issued(busy, K.PATIENT).id, "csv")[1].decode()


def test_later_report_of_the_same_supersedes_and_changes_nothing(busy: ReportingClinic) -> None:
    first = issued(busy, K.COMPLETENESS)
    before = stored_content(first.id, "pdf")
    other = issued(busy, K.COMPLETENESS, last_day=date(2026, 11, 30))
    assert issued_report(first.id).superseded_by == ""
    busy.give(NOON + timedelta(days=6), consent_seen=False)
    second = issued(busy, K.COMPLETENESS)
    third = issued(busy, K.COMPLETENESS)
    assert issued_report(first.id).superseded_by == issued_report(second.id).superseded_by == third.label
    assert issued_report(third.id).superseded_by == issued_report(other.id).superseded_by == ""
    assert stored_content(first.id, "pdf") == before
    assert file_name(issued_report(first.id), "pdf").endswith(f"-superseded-by-{third.label}.pdf")


def test_cost_is_told_where_a_price_is_known_and_left_out_where_not(busy: ReportingClinic) -> None:
    rows = csv_of(issued(busy, K.WASTAGE))
    assert [(row["volume_ul"], row["containers"], row["cost"]) for row in rows] == [("1000", "1", "")]
