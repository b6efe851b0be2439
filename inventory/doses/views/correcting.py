"""Correct the record: void a dose, amend it, or write down that none was given. What stood there stays readable (law 4)."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from inventory.audit.acts import Outcome
from inventory.audit.limits import keeps_to_days
from inventory.audit.services import log_access
from inventory.clinic.current import current_site, settings_here
from inventory.clinic.models import Site
from inventory.doses.forms.confirming import Asking, beside, confirm_form, decisions, shown_before
from inventory.doses.forms.correcting import (
    SAME,
    WRONG,
    AmendForm,
    NotGivenForm,
    VoidForm,
    amend_form,
    amended,
    sought_patient,
)
from inventory.doses.forms.giving import carried
from inventory.doses.models import Dose
from inventory.doses.presenters import confirming, giving
from inventory.doses.presenters import dose as words
from inventory.doses.queries.assessment import Assessment
from inventory.doses.queries.lists import formulations, injectable_products
from inventory.doses.queries.offer import Offer, offer
from inventory.doses.queries.story import get_dose, not_given_by_id, not_given_story, story_of
from inventory.doses.queries.used_up import used_up_vials
from inventory.doses.rules.gate import Weight
from inventory.doses.rules.terms import NOT_GIVEN_WORDS, EntryMode, NotGivenReason, VoidKind
from inventory.doses.services import (
    NotGivenRequest,
    amend_dose,
    assess_amendment,
    record_not_given,
    void_dose,
)
from inventory.doses.views.blueprint import bp
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Permission
from inventory.patients.queries import get_patient
from inventory.staff.current import address, current_actor
from inventory.stock.queries import locations_of
from inventory.web.access import requires
from inventory.web.forms import ClinicForm

REPEATED = "This was recorded already; nothing was written twice."


@bp.route("/doses/<uuid:dose_id>/void", methods=["GET", "POST"])
@requires(Permission.DOSE_GIVE)
def void(dose_id: UUID) -> ResponseReturnValue:
    """Void a dose: nothing was opened, or it was drawn and not given. A dose that was given otherwise is amended."""
    _opened(dose_id, "void")
    form = VoidForm()
    if form.validate_on_submit():
        if form.kind.data == WRONG:
            return redirect(url_for("doses.amend", dose_id=dose_id))
        try:
            return _done(_voided(form, dose_id), "The dose is void.")
        except (Refusal, Refusals) as refused:
            form.apply_refusal(refused)
    dose = get_dose(db.session(), dose_id)
    return render_template("doses/void.html", form=form, dose=dose, words=words), form.status


def _opened(dose_id: UUID, page: str) -> None:
    """Log the look. Raises Refusal NOT-FOUND, VOID-NOT-YOURS, ALREADY-VOID before anything is typed in vain."""
    actor = current_actor()
    dose = get_dose(db.session(), dose_id)
    if not words.may_correct(actor, dose):
        raise Refusal(
            "VOID-NOT-YOURS", "Only who gave this dose, or a prescriber, may correct it.", status=403
        )
    log_access(actor, dose.patient_id, page)
    if request.method == "GET" and story_of(db.session(), dose_id).void:
        raise Refusal("ALREADY-VOID", "This dose is void already.", status=409)


def _voided(form: VoidForm, dose_id: UUID) -> Outcome:
    return void_dose(
        actor=current_actor(),
        at=now(),
        dose_id=dose_id,
        kind=VoidKind(str(form.kind.data)),
        reason=str(form.reason.data),
        request_key=form.act_key,
    )


def _done(outcome: Outcome, said: str) -> ResponseReturnValue:
    flash(*((REPEATED, "info") if outcome.repeated else (said, "message")))
    return redirect(url_for("doses.dose", dose_id=outcome.subject_id))


@bp.route("/doses/<uuid:dose_id>/amend", methods=["GET", "POST"])
@requires(Permission.DOSE_GIVE)
def amend(dose_id: UUID) -> ResponseReturnValue:
    """Record a dose anew as it really was; the old entry becomes void and stays readable."""
    _opened(dose_id, "amend")
    at = now()
    dose, form, offered = _amending(dose_id, at)
    step = request.form.get("step", "")
    if request.method == "GET" or step == "change":
        return _amend_page(form, dose, offered, 200)
    if not form.validate_on_submit():
        return _amend_page(form, dose, offered, 422)
    return _judged(form, dose, offered, at, record=step == "record")


def _amending(dose_id: UUID, at: datetime) -> tuple[Dose, AmendForm, Offer]:
    session = db.session()
    dose = get_dose(session, dose_id)
    site = session.get_one(Site, dose.site_id)
    patient_id = sought_patient(session, dose)
    if patient_id != dose.patient_id:
        log_access(current_actor(), patient_id, "amend")
    offered = offer(session, patient_id, site=site, settings=settings_here(), at=at, looks_back=True)
    form = amend_form(dose, offered)
    form.offer_others(injectable_products(session), locations_of(session, site.id))
    return dose, form, offered


def _amend_page(form: AmendForm, dose: Dose, offered: Offer, status: int) -> ResponseReturnValue:
    story = story_of(db.session(), dose.id)
    return render_template(
        "doses/amend.html",
        form=form,
        dose=dose,
        banner=giving.banner(offered.patient, offered.alerts, offered.today),
        shelves=giving.shelves(offered, str(form.source.data), about=False),
        used_up=giving.used_up(used_up_vials(db.session(), site_id=offered.site_id, at=now())),
        spots=giving.spots(offered),
        as_recorded="As recorded: "
        + "; ".join(
            f"lot {one.lot_number}, {f'{one.vial}, ' if one.vial else ''}{one.words}"
            for one in words.sources(story)
        ),
    ), status


def _judged(
    form: AmendForm, dose: Dose, offered: Offer, at: datetime, *, record: bool
) -> ResponseReturnValue:
    dose_id = dose.id
    try:
        assessment = _assessed(form, dose, offered, at)
    except (Refusal, Refusals) as refused:
        form.apply_refusal(refused)
        dose, _, offered = _amending(dose_id, at)
        return _amend_page(form, dose, offered, 422)
    answers = confirm_form(assessment.findings, EntryMode.ALREADY_GIVEN)
    if record and answers.validate():
        try:
            return _done(_amended(form, dose_id, assessment, answers, at), "The amendment is recorded.")
        except (Refusal, Refusals) as refused:
            answers.apply_refusal(beside(refused, assessment.findings))
    # An act, and an assessment as well, forgets what was read before it.
    dose, _, offered = _amending(dose_id, at)
    return _confirm_page(form, dose, offered, assessment, answers)


def _assessed(form: AmendForm, dose: Dose, offered: Offer, at: datetime) -> Assessment:
    """Judge the dose as amended, after what the old entry took has been taken back."""
    wanted = amended(db.session(), form, dose, offered)
    assessment = assess_amendment(actor=current_actor(), at=at, dose_id=dose.id, request=wanted)
    wrong = [f for f in assessment.findings if f.weight is Weight.INTEGRITY]
    if wrong:
        raise Refusals([Refusal(f.code, f.message, f.field) for f in wrong])
    # A lot that was never received has no row but in the act: what is carried on is what was asked for.
    return replace(assessment, request=wanted)


def _takes_over(form: AmendForm, dose: Dose, volume_ul: int) -> bool:
    return bool(form.source.data == SAME and volume_ul == dose.volume_ul)


def _amended(
    form: AmendForm, dose_id: UUID, assessment: Assessment, answers: ClinicForm, at: datetime
) -> Outcome:
    actor = current_actor()
    asking = Asking(actor, at, address(), assessment.settings.override_needs_second_person)
    return amend_dose(
        actor=actor,
        at=at,
        dose_id=dose_id,
        request=assessment.request,
        reason=str(form.reason.data),
        decisions=decisions(answers, assessment, asking),
        request_key=answers.act_key,
    )


def _confirm_page(
    form: AmendForm, dose: Dose, offered: Offer, assessment: Assessment, answers: ClinicForm
) -> ResponseReturnValue:
    page = render_template(
        "doses/confirm.html",
        form=form,
        answers=answers,
        asking=Asking(current_actor(), now(), address(), assessment.settings.override_needs_second_person),
        about=False,
        banner=giving.banner(offered.patient, offered.alerts, offered.today),
        glance=confirming.glance(
            assessment, takes_over=_takes_over(form, dose, assessment.request.volume_ul)
        ),
        findings=confirming.shown(assessment.findings, EntryMode.ALREADY_GIVEN, shown_before()),
        stops=[],
        carried=carried(form, assessment.request),
        action=url_for("doses.amend", dose_id=dose.id),
        giver=", ".join(part for part in (dose.giver_name, dose.giver_credential) if part),
        reason=form.reason.data,
        confirm_title="Check and record the amendment",
        record_text="Record the amendment",
    )
    return page, 422 if answers.errors or answers.form_errors else 200


@bp.route("/give/<uuid:patient_id>/not-given", methods=["GET", "POST"])
@requires(Permission.DOSE_GIVE)
def not_given(patient_id: UUID) -> ResponseReturnValue:
    """Write down that a dose was not given, and why."""
    log_access(current_actor(), patient_id, "not-given")
    form = NotGivenForm(data={"decided_at": now()})
    form.formulation.offer((row.id, row.name) for row in formulations(db.session()))
    if form.validate_on_submit():
        try:
            outcome = _not_given(form, patient_id)
        except (Refusal, Refusals) as refused:
            form.apply_refusal(refused)
        else:
            flash(
                *(
                    (REPEATED, "info")
                    if outcome.repeated
                    else ("It is recorded that no dose was given.", "message")
                )
            )
            return redirect(url_for("doses.not_given_record", record_id=outcome.subject_id))
    return render_template(
        "doses/not_given.html", form=form, patient=get_patient(db.session(), patient_id)
    ), form.status


def _not_given(form: NotGivenForm, patient_id: UUID) -> Outcome:
    wanted = NotGivenRequest(
        site_id=current_site().id,
        patient_id=patient_id,
        formulation_id=UUID(str(form.formulation.data)),
        reason=NotGivenReason(str(form.reason.data)),
        note=str(form.note.data),
        decided_at=form.decided_at.data if isinstance(form.decided_at.data, datetime) else None,
    )
    return record_not_given(actor=current_actor(), at=now(), request=wanted, request_key=form.act_key)


@bp.get("/not-given/<uuid:record_id>")
@requires(Permission.DOSE_READ)
@keeps_to_days
def not_given_record(record_id: UUID) -> str:
    """Show the record of a dose that was not given."""
    log_access(current_actor(), not_given_by_id(db.session(), record_id).patient_id, "not-given")
    record, formulation, site = not_given_story(db.session(), record_id)
    reason = NOT_GIVEN_WORDS[NotGivenReason(record.reason)]
    return render_template(
        "doses/not_given_record.html", record=record, formulation=formulation, site=site, reason=reason
    )
