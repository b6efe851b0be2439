"""Rows and headings of invented reports, and the PDF made of them read back."""

import io
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pypdf import PdfReader

from inventory.reports.documents.administration import write_administration_report
from inventory.reports.documents.administration_row import (
    AdministrationRow,
    Practitioner,
    ReportedSite,
    ReportHeader,
    Source,
)

LONDON = ZoneInfo("Europe/London")


def make_row(**changes: Any) -> AdministrationRow:
    row = AdministrationRow(
        number="MAIN-000001",
        site_code="MAIN",
        given_at=datetime(2026, 10, 5, 9, 30, tzinfo=LONDON),
        recorded_at=datetime(2026, 10, 5, 9, 32, tzinfo=LONDON),
        patient_name="Anna Kowalska",
        patient_record="R1001",
        patient_born_on=date(1961, 4, 3),
        formulation="Cyanocobalamin",
        product="Cyanocobalamin vial",
        strength="1,000 mcg/mL",
        sources=(Source("LOT77", date(2027, 3, 31), "V12", date(2026, 11, 2), 1_000),),
        dose_ng=1_000_000,
        volume_ul=1_000,
        injection_site="Left deltoid",
        route="IM",
        giver=Practitioner("Nora Nurse", "RN 12345"),
        indication="Pernicious anaemia",
        consent="Consent seen",
    )
    return replace(row, **changes)


def make_header(**changes: Any) -> ReportHeader:
    header = ReportHeader(
        number="MAIN-12",
        clinic_name="Harbour Clinic",
        sites=(ReportedSite("MAIN", "Harbour Street", "Europe/London"),),
        first_day=date(2026, 10, 1),
        last_day=date(2026, 10, 31),
        filters=(("Practitioner", "all"), ("Lot", "LOT77")),
        generated_by="Aud Auditor",
        generated_as="auditor",
        generated_at=datetime(2026, 11, 1, 8, 0, tzinfo=UTC),
        zone="Europe/London",
        chain_sequence=4_321,
        chain_hash="ab" * 32,
    )
    return replace(header, **changes)


def write_pdf(rows: Iterable[AdministrationRow], **header: Any) -> bytes:
    out = io.BytesIO()
    write_administration_report(out, make_header(**header), rows)
    return out.getvalue()


def read_pages(pdf: bytes) -> list[str]:
    """Each page's text, its line breaks and runs of blanks made one blank."""
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages]


@pytest.fixture(scope="session")
def row() -> Callable[..., AdministrationRow]:
    return make_row


@pytest.fixture(scope="session")
def pdf() -> Callable[..., bytes]:
    return write_pdf


@pytest.fixture(scope="session")
def pages() -> Callable[..., list[str]]:
    """Write a report and read its pages."""
    return lambda rows, **header: read_pages(write_pdf(rows, **header))
