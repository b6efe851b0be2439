"""The pages of a patient's laboratory results: the list, several at once, and what corrects or retracts one."""

from typing import Any
from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from inventory.audit.acts import Outcome
from inventory.audit.limits import keeps_to_days
from inventory.kernel.db import db
from inventory.kernel.permissions import Permission
from inventory.patients import measured_presenters, measured_queries, services
from inventory.patients.blueprint import bp
from inventory.patients.laboratory import Analyte
from inventory.patients.measured_forms import LabsForm, RetractForm, correct_lab_form
from inventory.patients.pages import act_of, attempt, form_page, opened, trail_of
from inventory.web.access import requires
from inventory.web.pagination import cursor_here

LIST = "patients.labs_list"


@bp.get("/<uuid:patient_id>/labs")
@requires(Permission.PATIENT_READ)
@keeps_to_days
def labs_list(patient_id: UUID) -> str:
    """Show all results, what was corrected too."""
    patient = opened(patient_id, "laboratory")
    page = measured_queries.labs_page(db.session(), patient_id, cursor=cursor_here())
    return render_template(
        "patients/labs.html",
        patient=patient,
        page=page,
        superseded=measured_queries.superseded_among(db.session(), page.items),
        measured=measured_presenters,
        trail=trail_of(patient),
    )


@bp.route("/<uuid:patient_id>/labs/new", methods=["GET", "POST"])
@requires(Permission.PATIENT_WRITE)
def record_labs(patient_id: UUID) -> ResponseReturnValue:
    """Type the results of one sample."""
    opened(patient_id, "record results")
    form = LabsForm(data=_likely())

    def write() -> Outcome:
        said: dict[str, Any] = {"sample": form.sample, "readings": form.readings}
        return services.record_labs(patient_id=patient_id, **said, **act_of(form))

    done = attempt(form, write, patient_id, "The results are recorded.", to=LIST)
    return done or form_page("patients/labs_new.html", form, patient_id, "Record the results")


def _likely() -> dict[str, Any]:
    """Return what the next report likely has: the laboratory and units of the last one, and no time, which must be read off."""
    units = measured_queries.last_units(db.session())
    laboratory = measured_queries.last_laboratory(db.session())
    return {"laboratory": laboratory, **{f"{analyte}_unit": unit for analyte, unit in units.items()}}


@bp.route("/<uuid:patient_id>/labs/<uuid:result_id>/correct", methods=["GET", "POST"])
@requires(Permission.PATIENT_WRITE)
def correct_lab(patient_id: UUID, result_id: UUID) -> ResponseReturnValue:
    """Type what a result should have been."""
    opened(patient_id, "correct a result")
    row = measured_queries.get_lab(db.session(), patient_id, result_id)
    form, analyte = correct_lab_form(row), Analyte(row.analyte)

    def write() -> Outcome:
        said: dict[str, Any] = {"sample": form.sample, "reading": form.reading(analyte)}
        said["reason"] = str(form.reason.data)
        return services.correct_lab(patient_id=patient_id, result_id=result_id, **said, **act_of(form))

    done = attempt(form, write, patient_id, "The result is corrected; the old entry stays.", to=LIST)
    return done or _about(form, "patients/lab_correct.html", patient_id, result_id, "Correct the result")


@bp.route("/<uuid:patient_id>/labs/<uuid:result_id>/retract", methods=["GET", "POST"])
@requires(Permission.PATIENT_WRITE)
def retract_lab(patient_id: UUID, result_id: UUID) -> ResponseReturnValue:
    """Say why a result is not this patient's."""
    opened(patient_id, "retract a result")
    form = RetractForm()

    def write() -> Outcome:
        said: dict[str, Any] = {"reason": str(form.reason.data), "result_id": result_id}
        return services.retract_lab(patient_id=patient_id, **said, **act_of(form))

    done = attempt(form, write, patient_id, "The result is retracted; it stays in the list, marked.", to=LIST)
    return done or _about(form, "patients/lab_retract.html", patient_id, result_id, "Retract the result")


def _about(
    form: Any, template: str, patient_id: UUID, result_id: UUID, submit_text: str
) -> ResponseReturnValue:
    row = measured_queries.get_lab(db.session(), patient_id, result_id)
    back = url_for(LIST, patient_id=patient_id)
    return form_page(
        template, form, patient_id, submit_text, row=row, measured=measured_presenters, cancel_to=back
    )
