"""Makes the form on which a patient consents: nothing is kept of it, since nothing is decided yet."""

import io
from datetime import datetime
from uuid import UUID

from inventory.clinic.models import Site
from inventory.clinic.settings import current_settings
from inventory.kernel.db import db
from inventory.kernel.permissions import Actor
from inventory.patients.queries import get_patient, latest_sheet, records_of
from inventory.reports.documents.consent_form import ConsentForm, write_consent_form


def consent_form_pdf(patient_id: UUID, *, site: Site, actor: Actor, at: datetime) -> bytes:
    """Return the form for a patient, with the information sheet that was named last. Raises Refusal NOT-FOUND."""
    settings, patient = current_settings(), get_patient(db.session(), records_of(patient_id)[0])
    form = ConsentForm(
        clinic_name=settings.clinic_name,
        site_name=site.name,
        site_address=site.address,
        patient_name=patient.full_name,
        born_on=patient.born_on,
        record_number=patient.record_number,
        information_sheet=latest_sheet(db.session()),
        printed_by=actor.name,
        printed_at=at,
        zone=site.time_zone,
        is_demo=settings.is_demo,
    )
    out = io.BytesIO()
    write_consent_form(out, form)
    return out.getvalue()
