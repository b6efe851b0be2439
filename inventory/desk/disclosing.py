"""Give somebody everything that is recorded about one patient: as JSON, or as a report of the register."""

from uuid import UUID

from flask import Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from inventory.audit.services import log_access
from inventory.desk.blueprint import bp
from inventory.desk.erasure_queries import first_day_on_record
from inventory.interop.services.disclosing import (
    Disclosure,
    disclose_as_json,
    note_disclosure,
    refuse_unsaid,
)
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Permission
from inventory.patients import presenters
from inventory.patients.queries import get_patient, records_of
from inventory.reports.issuing import issue_report
from inventory.reports.kinds import ReportKind
from inventory.reports.queries.requests import Asked
from inventory.staff.current import current_actor
from inventory.web.access import requires
from inventory.web.fields import LongTextField, RadioChoiceField, Required, TextField
from inventory.web.forms import ClinicForm
from inventory.web.presenting import site_today

JSON, PDF = "json", "pdf"


class DisclosureForm(ClinicForm):
    """To whom everything about a patient is given, why, and as what."""

    recipient = TextField("Given to", [Required("Say to whom everything is given.")], limit=200)
    purpose = LongTextField("Why", [Required("Say why it is given.")], limit=1_000)
    file_format = RadioChoiceField(
        "As",
        [Required("Choose the kind of file.")],
        choices=[
            (PDF, "Report of one patient, to read (PDF, in the register)"),
            (JSON, "Every row that is recorded, for a program (JSON)"),
        ],
    )


@bp.route("/patients/<uuid:patient_id>/export", methods=["GET", "POST"])
@requires(Permission.PATIENT_READ, Permission.PATIENT_DISCLOSE)
def export_patient(patient_id: UUID) -> ResponseReturnValue:
    """Give everything about a patient, under every record of theirs, and note to whom."""
    kept_id = records_of(patient_id)[0]
    log_access(current_actor(), kept_id, "export")
    form = DisclosureForm(data={"file_format": PDF})
    if form.validate_on_submit():
        try:
            return _given(form, kept_id)
        except (Refusal, Refusals) as refusal:
            form.apply_refusal(refusal)
    page = render_template(
        "desk/export_patient.html",
        form=form,
        patient=get_patient(db.session(), kept_id),
        present=presenters,
        submit_text="Make the file",
        cancel_to=url_for("desk.patient", patient_id=kept_id),
    )
    return page, form.status


def _given(form: DisclosureForm, patient_id: UUID) -> ResponseReturnValue:
    disclosure = Disclosure(str(form.recipient.data), str(form.purpose.data))
    refuse_unsaid(disclosure)
    number = get_patient(db.session(), patient_id).record_number
    if form.file_format.data == PDF:
        return _issued(form, patient_id, number, disclosure)
    content = disclose_as_json(actor=current_actor(), at=now(), patient_id=patient_id, disclosure=disclosure)
    response = Response(content, content_type="application/json; charset=utf-8")
    response.headers.set("Content-Disposition", "attachment", filename="patient.json")
    return response


def _issued(
    form: DisclosureForm, patient_id: UUID, number: str, disclosure: Disclosure
) -> ResponseReturnValue:
    today = site_today()
    asked = Asked(first_day_on_record(db.session(), patient_id, today), today, patient_record_number=number)
    report = issue_report(
        kind=ReportKind.PATIENT, asked=asked, actor=current_actor(), at=now(), request_key=form.act_key
    )
    note_disclosure(
        actor=current_actor(),
        at=now(),
        patient_id=patient_id,
        disclosure=disclosure,
        report=str(report.id),
        request_key=None,
    )
    flash("The report is issued, and it is noted to whom it is given.")
    return redirect(url_for("reports.show", report_id=report.id))
