"""Makes a clinic that gives doses and issues reports, through the rooms' own services."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pypdf import PdfReader

from inventory.audit.services import log_access
from inventory.doses.models import Dose
from inventory.doses.queries.containers import DoseRequest
from inventory.doses.rules.reaction_terms import DecisionKind, ReactionOutcome, Reporter, Severity, Symptom
from inventory.doses.rules.sourcing import Draw
from inventory.doses.rules.terms import BodySite, EntryMode, NotGivenReason, VoidKind
from inventory.doses.services import (
    Told,
    amend_dose,
    decide_reaction,
    follow_up_reaction,
    record_dose,
    record_not_given,
    record_reaction,
    retract_reaction,
    void_dose,
)
from inventory.doses.services.correcting import draws_of
from inventory.doses.services.not_given import NotGivenRequest
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.permissions import Actor, Role
from inventory.reports import services
from inventory.reports.kinds import ReportKind
from inventory.reports.queries.issued import IssuedReport
from inventory.reports.queries.requests import Asked
from inventory.reports.register import FileFormat
from inventory.stock.ledger import Place
from inventory.stock.notices import read_notice
from inventory.stock.services.recalls import Notice, open_recall
from tests.factories.catalogue import make_product
from tests.factories.patients import make_patient
from tests.factories.staff import make_actor
from tests.factories.stock import make_delivery, make_place

OPENED_ON = datetime(2026, 1, 2, 8, 0, tzinfo=UTC)
RECORDED_AT = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
NOON = datetime(2026, 10, 5, 12, 0, tzinfo=ZoneInfo("Europe/London"))


@dataclass
class ReportingClinic:
    """One product and one patient, a nurse and an auditor; doses and reports in one line each."""

    nurse: Actor
    auditor: Actor
    patient_id: UUID
    product_id: UUID
    formulation_id: UUID
    places: dict[str, Place] = field(default_factory=dict)
    lots: dict[str, UUID] = field(default_factory=dict)

    def open_site(self, code: str, zone: str, lot_number: str) -> None:
        """Add a site with 25 vials of a lot of its own."""
        place = self.places[code] = make_place(code=code, zone=zone)
        lot = make_delivery(
            product_id=self.product_id,
            place=place,
            lot_number=lot_number,
            at=OPENED_ON,
            received_at=OPENED_ON,
            expires_on=date(2027, 8, 31),
        )
        self.lots[code] = lot.id

    def give(self, given_at: datetime, code: str = "MAIN", **changes: Any) -> Dose:
        """Record a dose of one vial that was given at an instant (aware)."""
        place = self.places[code]
        usual: dict[str, Any] = {
            "mode": EntryMode.ALREADY_GIVEN,
            "site_id": place.site_id,
            "patient_id": self.patient_id,
            "draws": (Draw(self.lots[code], place.location_id, None, 1_000),),
            "dose_ng": 1_000_000,
            "volume_ul": 1_000,
            "body_site": BodySite.LEFT_DELTOID,
            "indication": "Pernicious anaemia",
            "given_at": given_at,
            "consent_seen": True,
        }
        actor = changes.pop("actor", self.nurse)
        done = record_dose(actor=actor, at=RECORDED_AT, request=DoseRequest(**{**usual, **changes}))
        return db.session.get_one(Dose, done.subject_id)

    def void(self, dose_id: UUID, reason: str = "Fainted") -> None:
        """Void a dose that was drawn and not given."""
        kind = VoidKind.DRAWN_NOT_GIVEN
        void_dose(actor=self.nurse, at=RECORDED_AT, dose_id=dose_id, kind=kind, reason=reason)

    def amend(self, dose_id: UUID) -> None:
        """Amend a dose: it was given into the other arm."""
        request = DoseRequest(
            mode=EntryMode.ALREADY_GIVEN,
            site_id=self.places["MAIN"].site_id,
            patient_id=self.patient_id,
            draws=draws_of(db.session(), dose_id),
            dose_ng=1_000_000,
            volume_ul=1_000,
            body_site=BodySite.RIGHT_DELTOID,
            indication="Pernicious anaemia",
            consent_seen=True,
        )
        amend_dose(actor=self.nurse, at=RECORDED_AT, dose_id=dose_id, request=request, reason="The other arm")

    def refuse(self, decided_at: datetime) -> None:
        """Write down that the patient refused a dose."""
        told = NotGivenRequest(
            site_id=self.places["MAIN"].site_id,
            patient_id=self.patient_id,
            formulation_id=self.formulation_id,
            reason=NotGivenReason.REFUSED,
            decided_at=decided_at,
        )
        record_not_given(actor=self.nurse, at=RECORDED_AT, request=told)

    def react(self, dose_id: UUID, *, at: datetime = RECORDED_AT) -> None:
        """Record two reactions to one dose: a grave one that is followed up and decided on, and one that was none."""
        told = Told(
            Severity.SEVERE, ReactionOutcome.ONGOING, Reporter.PATIENT, (Symptom.HIVES,), onset_minutes=5
        )
        nurse, prescriber = self.nurse, make_actor(Role.PRESCRIBER)
        cases = [record_reaction(actor=nurse, at=at, dose_id=dose_id, told=told).subject_id for _ in range(2)]
        follow_up_reaction(actor=nurse, at=at, case_id=cases[0], outcome=ReactionOutcome.RECOVERED)
        decide_reaction(
            actor=prescriber,
            at=at,
            case_id=cases[0],
            seen_id=cases[0],
            kind=DecisionKind.MAY_CONTINUE,
            reason="Tested",
        )
        retract_reaction(actor=prescriber, at=at, case_id=cases[1], reason="Nettles")

    def recall(self) -> UUID:
        """Recall the lot of MAIN, at the time at which doses are recorded."""
        notice = Notice(title="Cracked vials", reference="R 1", reason="Sterility is not certain.")
        opened = open_recall(
            actor=make_actor(Role.MANAGER),
            at=RECORDED_AT,
            site_id=self.places["MAIN"].site_id,
            notice=notice,
            named=read_notice("LOTMAIN"),
        )
        return opened.subject_id

    def asked_for(self, kind: ReportKind) -> Asked:
        """What to ask of a kind for everything that happened up to when doses are recorded; a recall is opened for its report."""
        asked = Asked(date(2026, 10, 1), date(2026, 12, 1))
        about: dict[ReportKind, Callable[[], dict[str, Any]]] = {
            ReportKind.PATIENT: lambda: {"patient_record_number": "R-77"},
            ReportKind.PRACTITIONER: lambda: {"giver_id": self.nurse.id},
            ReportKind.LOT: lambda: {"lot_number": "LOTMAIN"},
            ReportKind.RECALL: lambda: {"recall_id": self.recall()},
        }
        return replace(asked, **about[kind]()) if kind in about else asked

    def issue(self, first: date, last: date, **asked: Any) -> IssuedReport:
        """Issue a report as the auditor."""
        request_key = asked.pop("request_key", None)
        return services.issue_administration_report(
            asked=Asked(first, last, **asked),
            actor=self.auditor,
            at=RECORDED_AT,
            request_key=request_key,
        )

    def content(self, report: IssuedReport, file_format: FileFormat) -> bytes:
        """The bytes of a file of a report."""
        return services.fetch_file(
            report_id=report.id, file_format=file_format, actor=self.auditor, at=RECORDED_AT
        ).content

    def text(self, report: IssuedReport) -> str:
        """The text of a report's PDF, runs of blanks made one."""
        reader = PdfReader(io.BytesIO(self.content(report, "pdf")))
        return " ".join(" ".join(page.extract_text().split()) for page in reader.pages)


def make_reporting_clinic() -> ReportingClinic:
    """Open a clinic in London with a lot of 25 vials."""
    with clock.frozen(OPENED_ON):
        product = make_product(name="Invented B12", maker="")
        opened = ReportingClinic(
            nurse=make_actor(Role.PRACTITIONER, display_name="Nora Nurse", licence_number="12345"),
            auditor=make_actor(Role.AUDITOR, display_name="Aud Auditor"),
            patient_id=make_patient(
                family_name="Kowalska", given_name="Zo\u00eb", record_number="R-77", at=OPENED_ON
            ),
            product_id=product.id,
            formulation_id=product.formulation_id,
        )
        opened.open_site("MAIN", "Europe/London", "LOTMAIN")
    return opened


def make_busy_clinic() -> ReportingClinic:
    """Open a clinic of which every kind of report has something to tell."""
    busy = make_reporting_clinic()
    busy.void(busy.give(NOON, note="Ask Kowalska's sister").id)
    busy.amend(busy.give(NOON + timedelta(days=1)).id)
    busy.give(NOON + timedelta(days=2), consent_seen=False)
    busy.react(busy.give(NOON + timedelta(days=2, hours=1)).id)
    busy.refuse(NOON)
    log_access(busy.auditor, busy.patient_id, "record", at=NOON)
    return busy
