"""A patient's courses: started by a prescriber, and each with its slots, past and to come. Every look is logged (law 11)."""

from typing import Any
from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from inventory.audit.acts import Outcome
from inventory.audit.services import log_access
from inventory.catalogue.act_forms import act_page
from inventory.catalogue.queries import formulations
from inventory.clinic.current import current_site
from inventory.courses import presenters, services
from inventory.courses.forms import StartForm
from inventory.courses.queries import courses as queries
from inventory.courses.queries.protocols import protocols, published
from inventory.courses.views.blueprint import bp
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.permissions import Permission
from inventory.patients import presenters as of_patients
from inventory.patients.queries import get_patient
from inventory.staff.current import current_actor
from inventory.web.access import requires
from inventory.web.presenting import site_today

RECORD = "desk.patient"


@bp.get("/courses/<uuid:course_id>")
@requires(Permission.PATIENT_READ)
def course(course_id: UUID) -> str:
    """Show a course."""
    view = queries.course_view(db.session(), course_id)
    log_access(current_actor(), view.course.patient_id, "course")
    return render_template(
        "courses/course.html",
        view=view,
        ahead=view.ahead(),
        decisions=presenters.decisions(view, queries.deciders(db.session(), view)),
        today=site_today(),
        **about(view.course.patient_id),
    )


@bp.route("/patients/<uuid:patient_id>/courses/new", methods=["GET", "POST"])
@requires(Permission.COURSE_PRESCRIBE)
def start(patient_id: UUID) -> ResponseReturnValue:
    """Order a course."""
    log_access(current_actor(), patient_id, "start course")
    form = StartForm(data={"starts_on": site_today(), "route": "IM", "doses_a_day": 1})
    form.protocol.offer((one.version.id, one.protocol.name) for one in protocols(db.session(), in_use=True))
    form.formulation.offer((one.id, one.name) for one in formulations(db.session()))
    return act_page(
        form,
        lambda: _start(form, patient_id),
        template="courses/start.html",
        to=page_of,
        done="The course is ordered.",
        shown=lambda: {
            "submit_text": "Order the course",
            "cancel_to": url_for(RECORD, patient_id=patient_id),
            **about(patient_id),
        },
    )


def _start(form: StartForm, patient_id: UUID) -> Outcome:
    version_id = UUID(str(form.protocol.data))
    return services.start_course(
        actor=current_actor(),
        at=now(),
        request_key=form.act_key,
        patient_id=patient_id,
        site_id=current_site().id,
        version_id=version_id,
        formulation_id=UUID(str(form.formulation.data)),
        order=form.order(published(db.session(), version_id).draft),
    )


def page_of(outcome: Outcome) -> str:
    """Return the address of the course that an act was about."""
    return url_for("courses.course", course_id=outcome.subject_id)


def about(patient_id: UUID) -> dict[str, Any]:
    """Return what every page of a patient's course shows of the patient."""
    patient = get_patient(db.session(), patient_id)
    record = url_for(RECORD, patient_id=patient_id)
    return {
        "patient": patient,
        "present": presenters,
        "of_patients": of_patients,
        "trail": [("Patients", url_for("patients.index")), (patient.full_name, record)],
    }
