"""The consent form: whose it is and which sheet, one page, nothing decided, the look logged."""

import io
from collections.abc import Callable
from datetime import date, datetime

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import select

from inventory.audit.models import AccessEntry
from inventory.clinic.models import Site
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.patients.models import Consent, ConsentStatus
from inventory.patients.services import merge_records, record_consent
from inventory.reports.consents import consent_form_pdf
from tests.factories.patients import make_patient
from tests.factories.staff import make_actor
from tests.factories.stock import make_place
from tests.support.client import CheckingClient

SignIn = Callable[..., CheckingClient]
SHEET = "B12 injections, version 3"


@pytest.fixture
def site(app: Flask, at: datetime) -> Site:
    return db.session.get_one(Site, make_place().site_id)


def text_of(content: bytes) -> str:
    pages = PdfReader(io.BytesIO(content)).pages
    assert len(pages) == 1
    return pages[0].extract_text()


def test_names_the_patient_the_sheet_and_who_signs(site: Site, at: datetime) -> None:
    given = make_patient(family_name="Ferrer")
    record_consent(
        actor=SYSTEM_ACTOR,
        at=at,
        patient_id=given,
        status=ConsentStatus.GIVEN,
        decided_at=at,
        information_sheet=SHEET,
    )
    patient_id = make_patient(family_name="Ōta & <Söhne>", born_on=date(1975, 2, 9), record_number="T-1")
    actor = make_actor(Role.PRACTITIONER)
    content = consent_form_pdf(patient_id, site=site, actor=actor, at=at)
    told = text_of(content)
    for words in (
        "Ōta & <Söhne>, Ada",
        "9 Feb 1975",
        "T-1",
        SHEET,
        site.name,
        actor.name,
        "Patient, or who decides",
        "Date and time",
    ):
        assert words in told
    assert content == consent_form_pdf(patient_id, site=site, actor=actor, at=at)
    assert "Ōta" not in str(PdfReader(io.BytesIO(content)).metadata)


def test_a_clinic_without_a_sheet_gets_a_line_for_it(site: Site, at: datetime) -> None:
    told = text_of(consent_form_pdf(make_patient(), site=site, actor=SYSTEM_ACTOR, at=at))
    assert "____" in told.split("Information sheet")[1].split("Treatment")[0]


def test_the_form_of_a_merged_record_names_the_one_that_is_kept(site: Site, at: datetime) -> None:
    kept, merged = make_patient(record_number="K-1"), make_patient(record_number="K-2")
    merge_records(actor=SYSTEM_ACTOR, at=at, kept_id=kept, merged_id=merged, reason="Same")
    told = text_of(consent_form_pdf(merged, site=site, actor=SYSTEM_ACTOR, at=at))
    assert "K-1" in told
    assert "K-2" not in told


def test_it_is_printed_from_the_record_and_decides_nothing(site: Site, signed_in_client: SignIn) -> None:
    patient_id = make_patient()
    nurse = signed_in_client(Role.PRACTITIONER)
    link = f"/reports/consent-forms/{patient_id}.pdf"
    assert link in nurse.get(f"/patients/{patient_id}").get_data(as_text=True)
    answer = nurse.get(link)
    assert answer.content_type == "application/pdf"
    assert db.session.scalars(select(Consent)).all() == []
    pages = db.session.scalars(select(AccessEntry.page).where(AccessEntry.patient_id == patient_id)).all()
    assert "consent form" in pages
    assert signed_in_client(Role.AUDITOR).get(link).status_code == 403
