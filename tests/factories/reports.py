"""Makes a clinic that gives doses and issues reports, through the rooms' own services."""

import io
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from pypdf import PdfReader

from inventory.doses.models import Dose
from inventory.doses.queries.containers import DoseRequest
from inventory.doses.rules.sourcing import Draw
from inventory.doses.rules.terms import BodySite, EntryMode
from inventory.doses.services import record_dose
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.permissions import Actor, Role
from inventory.reports import services
from inventory.reports.queries.issued import IssuedReport
from inventory.reports.queries.requests import Asked
from inventory.reports.register import FileFormat
from inventory.stock.ledger import Place
from tests.factories.catalogue import make_product
from tests.factories.patients import make_patient
from tests.factories.staff import make_actor
from tests.factories.stock import make_delivery, make_place

OPENED_ON = datetime(2026, 1, 2, 8, 0, tzinfo=UTC)
RECORDED_AT = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


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
