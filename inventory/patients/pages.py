"""What the pages that write about a patient share: the act, the way back, and the form again where it was refused."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from inventory.audit.acts import Outcome
from inventory.audit.services import log_access
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.patients import presenters, queries
from inventory.patients.models import Patient
from inventory.staff.current import current_actor
from inventory.web.access import safe_next_path
from inventory.web.forms import ClinicForm

RECORD = "desk.patient"
REPEATED = "This was recorded already; nothing was written twice."


def act_of(form: ClinicForm) -> dict[str, Any]:
    """Return in whose name, when, and by which request an act is done."""
    return {"actor": current_actor(), "at": now(), "request_key": form.act_key}


def attempt(
    form: ClinicForm, write: Callable[[], Outcome], patient_id: UUID, words: str, *, to: str = RECORD
) -> ResponseReturnValue | None:
    """Do what a valid form asks for and go on `to` a page; None where the form is to be shown, with what is wrong."""
    if not form.validate_on_submit():
        return None
    try:
        return to_record(write(), words, patient_id, to=to)
    except (Refusal, Refusals) as refusal:
        if isinstance(refusal, Refusal) and refusal.status == 404:
            raise
        form.apply_refusal(refusal)
        return None


def opened(patient_id: UUID, page: str) -> Patient:
    """Log the look, and return the patient."""
    log_access(current_actor(), patient_id, page)
    return queries.get_patient(db.session(), patient_id)


def to_record(
    outcome: Outcome, words: str, patient_id: UUID | None = None, *, to: str = RECORD
) -> ResponseReturnValue:
    """Say what was done, and go back: to the record, or to where the person came from."""
    flash(*((REPEATED, "info") if outcome.repeated else (words, "message")))
    return redirect(way_back(patient_id or outcome.subject_id, to=to))


def way_back(patient_id: UUID, *, to: str = RECORD) -> str:
    """Return where the person came from, such as the page of a dose (`next`), else a page of the patient's."""
    return safe_next_path(request.args.get("next"), url_for(to, patient_id=patient_id))


def trail_of(patient: Patient) -> list[tuple[str, str]]:
    """Return the way to a page beneath the patient's record."""
    record = url_for(RECORD, patient_id=patient.id)
    return [("Patients", url_for("patients.index")), (patient.full_name, record)]


def form_page(
    template: str, form: Any, patient_id: UUID, submit_text: str, **more: Any
) -> ResponseReturnValue:
    """Show the page of a form about a patient."""
    # Read again: a refused act forgot what was read before it.
    patient = queries.get_patient(db.session(), patient_id)
    shown = {"cancel_to": way_back(patient_id), "submit_text": submit_text, **more}
    page = render_template(
        template, form=form, patient=patient, present=presenters, trail=trail_of(patient), **shown
    )
    return page, form.status
