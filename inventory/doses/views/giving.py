"""Give a dose: first whether it is still to be given, then for whom, then the dose, and one confirmation of everything."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from inventory.audit.acts import Outcome
from inventory.audit.services import log_access, log_list
from inventory.clinic.current import current_site, current_site_id, settings_here
from inventory.doses.forms.confirmed import acknowledged, confirmed_dose
from inventory.doses.forms.confirming import Asking, beside, confirm_form, decisions, shown_before
from inventory.doses.forms.giving import (
    MODES,
    DoseForm,
    FindForm,
    asked,
    carried,
    dose_form,
    mode_here,
    slot_here,
)
from inventory.doses.forms.identifying import OFF
from inventory.doses.presenters import confirming, giving
from inventory.doses.presenters.due import due_next
from inventory.doses.queries.assessment import Assessment, assess, limits_of
from inventory.doses.queries.beforehand import beforehand
from inventory.doses.queries.blocks import standing_blocks
from inventory.doses.queries.lists import injectable_products
from inventory.doses.queries.offer import Offer, offer
from inventory.doses.queries.used_up import used_up_vials
from inventory.doses.rules.gate import Finding, Weight, what_to_do
from inventory.doses.rules.rotation import allowed_sites
from inventory.doses.rules.terms import EntryMode
from inventory.doses.services import record_block, record_dose
from inventory.doses.services.decisions import stops
from inventory.doses.views.blueprint import bp
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Permission
from inventory.patients import presenters as patient_presenters
from inventory.patients.queries import get_patient, patients_page, records_of
from inventory.staff.current import address, current_actor
from inventory.stock.queries import locations_of
from inventory.web.access import requires
from inventory.web.forms import ClinicForm


@bp.route("/give", methods=["GET", "POST"])
@requires(Permission.DOSE_GIVE)
def give() -> ResponseReturnValue:
    """Ask first whether the dose is still to be given, then find the patient. Names are sent by POST, never in an address."""
    chosen = request.args.get("patient", "")
    if request.method == "GET" and chosen:
        return redirect(url_for("doses.give_to", patient_id=_id(chosen)))
    form, found = FindForm(), None
    if form.validate_on_submit():
        try:
            found = patients_page(db.session(), text=str(form.q.data))
        except Refusal as refusal:
            form.apply_refusal(refusal)
    status = 200 if found is not None else form.status
    named = [patient.id for patient in found.items] if found else []
    page = render_template("doses/find.html", form=form, found=found, present=patient_presenters)
    log_list(current_actor(), named, "search before a dose")
    return page, status


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Refusal("NOT-FOUND", "There is no such patient.", status=404) from None


@bp.route("/give/<uuid:patient_id>", methods=["GET", "POST"])
@requires(Permission.DOSE_GIVE)
def give_to(patient_id: UUID) -> ResponseReturnValue:
    """Enter a dose for a patient, see it judged, and record it."""
    log_access(current_actor(), patient_id, "give")
    asked = _asked_first(patient_id) if request.method == "GET" else None
    if asked is not None:
        return asked
    at = now()
    done = _confirmed(patient_id, at)
    if done is not None:
        return _to_dose(done)
    offered = _offer(patient_id, at)
    form = dose_form(offered, mode=mode_here())
    _offer_other_lots(form, offered)
    step = request.form.get("step", "")
    if request.method == "GET" or step in {"change", "already"}:
        return _dose_page(form, offered, 200)
    return _judged(form, offered, at, record=step == "record")


def _asked_first(patient_id: UUID) -> ResponseReturnValue | None:
    """Lead from a record that was merged to the one that is kept, and ask whether the dose is still to be given."""
    kept_id = records_of(patient_id)[0]
    if kept_id != patient_id:
        asked = request.query_string.decode()
        return redirect(f"{url_for('doses.give_to', patient_id=kept_id)}?{asked}")
    if request.args.get("mode") not in MODES:
        return render_template("doses/mode.html", patient=get_patient(db.session(), patient_id))
    return None


def _confirmed(patient_id: UUID, at: datetime) -> Outcome | None:
    """Record the dose that the confirmation page showed; None where a page must be shown instead.

    Nothing is read for the page first: the gate that counts asks inside the act. What it refuses is shown by the long way.
    """
    allowed = allowed_sites(limits_of(settings_here()))
    confirmed = confirmed_dose(patient_id=patient_id, site_id=current_site_id(), allowed=allowed)
    if confirmed is None:
        return None
    form, wanted = confirmed
    with suppress(Refusal, Refusals):
        return record_dose(
            actor=current_actor(),
            at=at,
            request=wanted,
            decisions=acknowledged(),
            request_key=form.act_key,
        )
    return None


def _offer(patient_id: UUID, at: datetime) -> Offer:
    return offer(
        db.session(),
        patient_id,
        site=current_site(),
        settings=settings_here(),
        at=at,
        looks_back=mode_here() == "already",
        slot_id=slot_here(),
    )


def _offer_other_lots(form: DoseForm, offered: Offer) -> None:
    session = db.session()
    form.offer_others(injectable_products(session), locations_of(session, offered.site_id))


def _dose_page(form: DoseForm, offered: Offer, status: int) -> ResponseReturnValue:
    about = form.mode.data == "about"
    return render_template(
        "doses/give.html",
        form=form,
        about=about,
        identity=settings_here().identity_check if about else OFF,
        blocked=[] if about else _standing_blocks(offered.patient.id),
        banner=giving.banner(offered.patient, offered.alerts, offered.today),
        recent=offered.recent,
        due=due_next(offered.planned, offered.today),
        shelves=giving.shelves(offered, str(form.source.data), about=about),
        unusable=giving.unusable(offered) if about else [],
        used_up=[]
        if about
        else giving.used_up(used_up_vials(db.session(), site_id=offered.site_id, at=now())),
        spots=giving.spots(offered),
        keeps=offered.has_multi_dose,
        before=beforehand(db.session(), offered.patient.id, is_first=not offered.recent),
    ), status


def _standing_blocks(patient_id: UUID) -> list[str]:
    return standing_blocks(db.session(), giver_id=current_actor().id, patient_id=patient_id, at=now())


def _judged(form: DoseForm, offered: Offer, at: datetime, *, record: bool) -> ResponseReturnValue:
    """Ask the gate; show the confirmation, or with `record` carry the dose out."""
    if not form.validate_on_submit():
        return _dose_page(form, offered, 422)
    try:
        assessment = _assessed(form, offered, at)
    except (Refusal, Refusals) as refused:
        form.apply_refusal(refused)
        return _dose_page(form, offered, 422)
    answers = confirm_form(assessment.findings, assessment.request.mode)
    if not record or not answers.validate():
        return _shown(form, offered, assessment, answers)
    try:
        return _to_dose(_recorded(assessment, answers, at))
    except (Refusal, Refusals) as refused:
        # The act has forgotten what was read before it; the stock may be another by now.
        return _refused(form, _offer(offered.patient.id, at), at, refused)


def _assessed(form: DoseForm, offered: Offer, at: datetime) -> Assessment:
    """Return the dose that was asked for, judged. Raises Refusals for what no mode and nobody lets pass."""
    wanted = asked(db.session(), form, offered)
    assessment = assess(db.session(), wanted, giver=current_actor(), recorded_at=at)
    wrong = [
        Refusal(finding.code, finding.message, finding.field)
        for finding in assessment.findings
        if finding.weight is Weight.INTEGRITY
    ]
    if wrong:
        raise Refusals(wrong)
    return assessment


def _recorded(assessment: Assessment, answers: ClinicForm, at: datetime) -> Outcome:
    actor = current_actor()
    asking = Asking(actor, at, address(), assessment.settings.override_needs_second_person)
    decided = decisions(answers, assessment, asking)
    return record_dose(
        actor=actor, at=at, request=assessment.request, decisions=decided, request_key=answers.act_key
    )


def _to_dose(outcome: Outcome) -> ResponseReturnValue:
    if outcome.repeated:
        flash("This was recorded already; nothing was written twice.", "info")
    else:
        flash("The dose is recorded.")
    return redirect(url_for("doses.dose", dose_id=outcome.subject_id))


def _refused(
    form: DoseForm, offered: Offer, at: datetime, refused: Refusal | Refusals
) -> ResponseReturnValue:
    """Show the confirmation again with what stands against the dose; where the stock has changed, with a new plan."""
    form.draws.data = ""
    try:
        assessment = _assessed(form, offered, at)
    except (Refusal, Refusals) as wrong:
        form.apply_refusal(wrong)
        return _dose_page(form, offered, 422)
    answers = confirm_form(assessment.findings, assessment.request.mode)
    answers.apply_refusal(beside(refused, assessment.findings))
    return _shown(form, offered, assessment, answers)


def _shown(
    form: DoseForm, offered: Offer, assessment: Assessment, answers: ClinicForm
) -> ResponseReturnValue:
    """Show the confirmation, or where the stock alone is short the page of the dose; what stops the dose is recorded."""
    stopping = [f for f in assessment.findings if stops(f, assessment.request.mode)]
    if [finding.code for finding in stopping] == ["STOCK-SHORT"]:
        # What there is now stands on the page of the dose; it is chosen there, never taken instead.
        form.source.errors = []
        form.add_error("source", "STOCK-SHORT", f"{stopping[0].message} {what_to_do(stopping[0].code)}")
        page = _dose_page(form, offered, 422)
    else:
        page = _confirm_page(form, offered, assessment, answers)
    if stopping:
        _record_block(form, assessment, stopping)
    return page


def _record_block(form: DoseForm, assessment: Assessment, stopping: Sequence[Finding]) -> None:
    """Write down what stopped the dose. The page is made by now: the act forgets what was read for it."""
    record_block(
        actor=current_actor(),
        at=now(),
        site_id=assessment.site.id,
        patient_id=assessment.patient.id,
        codes=[finding.code for finding in stopping],
        source=", ".join(dict.fromkeys(one.state.name for one in assessment.containers)),
        form_key=form.key,
    )


def _confirm_page(
    form: DoseForm, offered: Offer, assessment: Assessment, answers: ClinicForm
) -> ResponseReturnValue:
    mode = assessment.request.mode
    stopping = [finding.code for finding in assessment.findings if stops(finding, mode)]
    asking = Asking(current_actor(), now(), address(), assessment.settings.override_needs_second_person)
    page = render_template(
        "doses/confirm.html",
        form=form,
        answers=answers,
        asking=asking,
        about=mode is EntryMode.ABOUT_TO_GIVE,
        banner=giving.banner(offered.patient, offered.alerts, offered.today),
        glance=confirming.glance(assessment),
        findings=confirming.shown(assessment.findings, mode, shown_before()),
        stops=stopping,
        carried=carried(form, assessment.request),
    )
    return page, 422 if stopping or answers.errors or answers.form_errors else 200
