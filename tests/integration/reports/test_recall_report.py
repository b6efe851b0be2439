"""The recall of 2012 as a drill: three lots of cyanocobalamin with cracked vials, from the pasted notice to the close-out.

American Regent, cyanocobalamin injection 1 mL, lots 1662, 1679 and 1683, expiry 2013-11, recalled on 2012-04-02. The lots of
the drill have an expiry that is still to come, so that doses of them can be given.
"""

import csv
import io
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import select

from inventory.clinic.models import Site
from inventory.clinic.services import edit_site
from inventory.doses.queries import recalls as received
from inventory.doses.rules.terms import ContactMeans, ContactOutcome, EntryMode, VoidKind
from inventory.doses.services import record_dose, void_dose
from inventory.doses.services.recalls import Told, record_contact
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor, Role
from inventory.patients.models import Patient
from inventory.patients.services import edit_patient
from inventory.patients.services.people import Identity
from inventory.reports.kinds import ReportKind
from inventory.reports.queries.issued import IssuedReport, stored_content
from inventory.reports.recalls import issue_recall_report, reports_of_recall
from inventory.reports.services import fetch_file
from inventory.reports.tables import table_of
from inventory.reports.verification.checks import verify_report
from inventory.reports.verification.verdict import Check
from inventory.stock.models import WasteReason
from inventory.stock.notices import read_notice
from inventory.stock.services import Why, waste_sealed
from inventory.stock.services.recalls import Notice, close_recall, open_recall
from tests.factories.catalogue import make_product
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.staff import make_actor
from tests.factories.stock import make_delivery

NUMBERS = ("1662", "1679", "1683")
PASTED = "1662, 1679\n1683\n"
NOTICE = Notice(
    title="Cyanocobalamin injection 1,000 mcg/mL, 1 mL: cracked vials",
    reference="Recall of 2 April 2012",
    reason="Vials crack: sterility is not certain, and glass particles were found.",
    is_drill=True,
)


class Drill:
    """The clinic of the drill, with what it received and gave."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.bench = Bench()
        self.manager = make_actor(Role.MANAGER, display_name="Mara Manager")
        self.auditor = make_actor(Role.AUDITOR, display_name="Aud Auditor")
        product = make_product(
            name="Cyanocobalamin injection",
            maker="American Regent",
            gtin="00305170031251",
            ndc10="0517-0031-25",
        )
        usable = {"product_id": product.id, "expires_on": date(2027, 11, 30), "place": self.bench.place}
        self.lots = [make_delivery(lot_number=number, containers=3, **usable) for number in NUMBERS]
        self.people = [
            make_patient(family_name=name, record_number=f"R-{name}")
            for name in ("Ames", "Bly", "Curie", "Dix")
        ]
        given = [
            self.give(patient, lot)
            for patient, lot in zip(self.people, [*self.lots, self.lots[0]], strict=True)
        ]
        self.void(given[3])
        self.recall_id = self.open()

    def give(self, patient_id: Any, lot: Any) -> Any:
        request = self.bench.request(patient_id=patient_id, lot=lot, mode=EntryMode.ALREADY_GIVEN)
        return record_dose(actor=self.bench.nurse, at=self.at, request=request).subject_id

    def void(self, dose_id: Any) -> None:
        why = {"kind": VoidKind.NEVER_OPENED, "reason": "Another patient"}
        void_dose(actor=self.bench.nurse, at=self.at, dose_id=dose_id, **why)

    def open(self) -> Any:
        named = read_notice(PASTED)
        site_id = self.bench.place.site_id
        return open_recall(
            actor=self.manager, at=self.at, site_id=site_id, notice=NOTICE, named=named
        ).subject_id

    def tell(self, patient_id: Any, outcome: ContactOutcome, *, minutes: int, note: str = "") -> None:
        record_contact(
            actor=self.bench.nurse,
            at=self.at + timedelta(minutes=minutes),
            recall_id=self.recall_id,
            patient_id=patient_id,
            told=Told(outcome=outcome, means=ContactMeans.PHONE, note=note),
        )

    def waste_all(self) -> None:
        for lot, left in zip(self.lots, (2, 2, 2), strict=True):
            waste_sealed(
                actor=self.manager,
                at=self.at + timedelta(hours=1),
                lot_id=lot.id,
                place=self.bench.place,
                containers=left,
                why=Why(WasteReason.RECALL),
            )

    def close(self) -> None:
        close_recall(
            actor=self.manager,
            at=self.at + timedelta(hours=2),
            recall_id=self.recall_id,
            outcome="Everybody told within two hours.",
        )

    def issue(self, *, actor: Actor | None = None, at: datetime | None = None) -> IssuedReport:
        return issue_recall_report(
            recall_id=self.recall_id, actor=actor or self.auditor, at=at or self.at + timedelta(hours=3)
        )

    def content(self, report: IssuedReport, file_format: Any) -> bytes:
        return fetch_file(
            report_id=report.id, file_format=file_format, actor=self.auditor, at=self.at + timedelta(hours=4)
        ).content

    def text(self, report: IssuedReport) -> str:
        reader = PdfReader(io.BytesIO(self.content(report, "pdf")))
        return " ".join(" ".join(page.extract_text().split()) for page in reader.pages)


@pytest.fixture
def drill(app: Flask, at: datetime) -> Drill:
    return Drill(at)


def test_the_real_recall_as_a_drill(drill: Drill) -> None:
    assert received.progress(db.session(), drill.recall_id).patients == 3
    with pytest.raises(Refusal, match="RECALL-UNFINISHED"):
        drill.close()
    drill.tell(drill.people[0], ContactOutcome.NOT_REACHED, minutes=5)
    for minutes, patient_id in enumerate(drill.people[:3]):
        drill.tell(patient_id, ContactOutcome.TOLD, minutes=10 + minutes, note="Feels well")
    drill.waste_all()
    drill.close()
    report = drill.issue()
    assert (report.kind, report.counted, report.title) == (ReportKind.RECALL, "3 patients", "Recall report")
    said = drill.text(report)
    for words in (
        "DRILL: an exercise, not a real recall",
        "MAIN-R001: Cyanocobalamin injection 1,000 mcg/mL, 1 mL: cracked vials",
        "Recall of 2 April 2012",
        "glass particles were found",
        "Patients 3: 3 told",
        "Outcome Everybody told within two hours.",
        "All lots 9 3 3 3 6 0 0 0 0",
        "Nothing of these lots is left.",
        "R-Ames, born 4 Mar 1980",
        "Not reached (phone)",
        "Void entries only",
        "VOID, not given: MAIN-000004",
        "Lots held everywhere: 1662, 1679, 1683",
        "Recall closed",
        f"hash {report.head_hash}",
    ):
        assert words in said, words
    assert reports_of_recall(drill.recall_id) == [report.id]


def test_a_recall_keeps_its_reports_when_its_site_gets_another_code(drill: Drill) -> None:
    report = drill.issue()
    site = db.session.scalars(select(Site)).one()
    edit_site(
        actor=SYSTEM_ACTOR,
        at=drill.at + timedelta(hours=4),
        site_id=site.id,
        version=site.version,
        code="OTHER",
        name=site.name,
        time_zone=site.time_zone,
    )
    db.session.expire_all()
    assert reports_of_recall(drill.recall_id) == [report.id]


def test_the_report_of_an_open_recall_shows_how_it_stands(drill: Drill) -> None:
    said = drill.text(drill.issue())
    assert "Not closed: this report shows how it stands" in said
    assert "3: 3 not tried" in said
    assert "2 sealed containers 2" in said
    assert "Still on hold" in said


def test_its_csv_has_a_line_a_dose_and_runs_no_formula(drill: Drill) -> None:
    drill.tell(drill.people[0], ContactOutcome.MESSAGE_LEFT, minutes=5, note="=1+1")
    text = drill.content(drill.issue(), "csv").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["patient_record"], row["lot"], row["is_void"], row["is_drill"]) for row in rows] == [
        ("R-Ames", "1662", "no", "yes"),
        ("R-Bly", "1679", "no", "yes"),
        ("R-Curie", "1683", "no", "yes"),
        ("R-Dix", "1662", "yes", "yes"),
    ]
    assert rows[0]["contact_note"] == "'=1+1"
    assert rows[0]["contact_outcome"] == "Message left, or letter sent"


def test_the_same_state_gives_the_same_bytes(drill: Drill) -> None:
    one, other = drill.issue(), drill.issue()
    assert other.label != one.label
    assert drill.content(one, "csv") == drill.content(other, "csv")


@pytest.mark.parametrize("role", [Role.MANAGER, Role.ADMIN])
def test_who_may_not_see_patients_issues_no_report(drill: Drill, role: Role) -> None:
    with pytest.raises(Refusal, match="NOT-PERMITTED"):
        drill.issue(actor=make_actor(role))


def test_rows_are_read_again_as_of_the_head_whatever_is_recorded_later(
    drill: Drill, behind: Callable[[str], None]
) -> None:
    drill.tell(drill.people[1], ContactOutcome.TOLD, minutes=5, note="Spoke to her")
    report = drill.issue()
    text = stored_content(report.id, "csv")[1].decode("utf-8-sig")
    printed = [tuple(row) for row in csv.reader(io.StringIO(text, newline=""))]
    drill.tell(drill.people[0], ContactOutcome.TOLD, minutes=6)
    drill.tell(drill.people[1], ContactOutcome.NOT_REACHED, minutes=7)
    drill.void(drill.give(drill.people[2], drill.lots[0]))
    renamed = Identity("Zuse", date(1980, 3, 4), given_name="Kim", record_number="R-New")
    version = db.session.get_one(Patient, drill.people[2]).version
    edit_patient(
        actor=SYSTEM_ACTOR, at=drill.at, patient_id=drill.people[2], version=version, identity=renamed
    )
    table = table_of(report.kind, report.parameters, report.head_seq)
    assert [table.columns, *table.rows] == printed
    assert len(list(table_of(report.kind, report.parameters, 10**9).rows)) == len(printed)
    pdf = stored_content(report.id, "pdf")[1]
    assert verify_report(pdf, actor=SYSTEM_ACTOR).conclusion.startswith("This file is proven")
    behind("UPDATE recall_contact SET note = 'Nobody' WHERE note = 'Spoke to her'")
    said = [line.words for line in verify_report(pdf, actor=SYSTEM_ACTOR).lines if line.check is Check.ROWS]
    assert said == ["MAIN-000002 1679 (contact_note): not as printed any more."]
