"""The pages of a patient's symptom scores: the list, a visit, and what corrects or retracts one; and what they are treated for."""

from typing import Any
from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from inventory.audit.acts import Outcome
from inventory.audit.limits import keeps_to_days
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.permissions import Permission
from inventory.patients import measured_presenters, measured_queries, services
from inventory.patients.blueprint import bp
from inventory.patients.measured_forms import BackgroundForm, CorrectScoresForm, RetractForm, ScoresForm
from inventory.patients.models import SYMPTOMS
from inventory.patients.pages import act_of, attempt, form_page, opened, trail_of
from inventory.web.access import requires
from inventory.web.pagination import cursor_here

LIST = "patients.scores_list"


@bp.get("/<uuid:patient_id>/scores")
@requires(Permission.PATIENT_READ)
@keeps_to_days
def scores_list(patient_id: UUID) -> str:
    """Show all scores, what was corrected too."""
    patient = opened(patient_id, "symptom scores")
    page = measured_queries.scores_page(db.session(), patient_id, cursor=cursor_here())
    return render_template(
        "patients/scores.html",
        patient=patient,
        page=page,
        superseded=measured_queries.superseded_among(db.session(), page.items),
        measured=measured_presenters,
        trail=trail_of(patient),
    )


@bp.route("/<uuid:patient_id>/scores/new", methods=["GET", "POST"])
@requires(Permission.PATIENT_WRITE)
def record_scores(patient_id: UUID) -> ResponseReturnValue:
    """Write down how the patient feels."""
    opened(patient_id, "record scores")
    form = ScoresForm(data={"noted_at": now()})

    def write() -> Outcome:
        return services.record_scores(patient_id=patient_id, scores=form.scores, **act_of(form))

    done = attempt(form, write, patient_id, "The scores are recorded.")
    return done or form_page("patients/scores_new.html", form, patient_id, "Record the scores")


@bp.route("/<uuid:patient_id>/scores/<uuid:score_id>/correct", methods=["GET", "POST"])
@requires(Permission.PATIENT_WRITE)
def correct_scores(patient_id: UUID, score_id: UUID) -> ResponseReturnValue:
    """Write down what the scores of a visit should have been."""
    opened(patient_id, "correct scores")
    row = measured_queries.get_score(db.session(), patient_id, score_id)
    shown = {name: getattr(row, name) for name in SYMPTOMS}
    known = {name: str(value) for name, value in shown.items() if value is not None}
    form = CorrectScoresForm(data={**known, "noted_at": row.noted_at})

    def write() -> Outcome:
        said: dict[str, Any] = {"scores": form.scores, "reason": str(form.reason.data)}
        return services.correct_scores(patient_id=patient_id, score_id=score_id, **said, **act_of(form))

    done = attempt(form, write, patient_id, "The scores are corrected; the old entry stays.", to=LIST)
    return done or _about(form, "patients/scores_correct.html", patient_id, score_id, "Correct the scores")


@bp.route("/<uuid:patient_id>/scores/<uuid:score_id>/retract", methods=["GET", "POST"])
@requires(Permission.PATIENT_WRITE)
def retract_scores(patient_id: UUID, score_id: UUID) -> ResponseReturnValue:
    """Say why scores are not this patient's."""
    opened(patient_id, "retract scores")
    form = RetractForm()

    def write() -> Outcome:
        said: dict[str, Any] = {"reason": str(form.reason.data), "score_id": score_id}
        return services.retract_scores(patient_id=patient_id, **said, **act_of(form))

    done = attempt(
        form, write, patient_id, "The scores are retracted; they stay in the list, marked.", to=LIST
    )
    return done or _about(form, "patients/scores_retract.html", patient_id, score_id, "Retract the scores")


def _about(
    form: Any, template: str, patient_id: UUID, score_id: UUID, submit_text: str
) -> ResponseReturnValue:
    row = measured_queries.get_score(db.session(), patient_id, score_id)
    back = url_for(LIST, patient_id=patient_id)
    return form_page(
        template, form, patient_id, submit_text, row=row, measured=measured_presenters, cancel_to=back
    )


@bp.route("/<uuid:patient_id>/background", methods=["GET", "POST"])
@requires(Permission.PATIENT_WRITE)
def background(patient_id: UUID) -> ResponseReturnValue:
    """Write down what the patient is treated for, and the groups they belong to."""
    patient = opened(patient_id, "groups and indication")
    form = BackgroundForm(
        data={"indication": patient.indication, "groups": [group.value for group in patient.groups]}
    )

    def write() -> Outcome:
        said: dict[str, Any] = {"groups": form.chosen, "indication": str(form.indication.data)}
        return services.set_background(patient_id=patient_id, **said, **act_of(form))

    done = attempt(form, write, patient_id, "Groups and indication are noted.")
    return done or form_page("patients/background.html", form, patient_id, "Save")
