"""The patients of the clinic: found, added, edited. The record itself, with its doses, is a page of the desk.

Law 11: a search is sent by POST, and an address carries an opaque id, never a name.
"""

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from inventory.audit.acts import Outcome
from inventory.audit.limits import keeps_to_days
from inventory.audit.services import log_list
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Actor, Permission
from inventory.patients import checklist, labs, presenters, queries, scores, services
from inventory.patients.asked import allergies_of
from inventory.patients.blueprint import bp
from inventory.patients.forms import (
    IDENTITY_FIELDS,
    AlertForm,
    AllergiesForm,
    ConsentForm,
    EditPatientForm,
    NewPatientForm,
    ResolveForm,
    SearchForm,
    StateForm,
)
from inventory.patients.models import ALLERGIES, Alert, AllergyStatus, Patient
from inventory.patients.pages import RECORD, act_of, attempt, form_page, opened, to_record
from inventory.patients.rules import record_number_key
from inventory.staff.current import address, current_actor
from inventory.staff.services import confirm_person
from inventory.web.access import requires
from inventory.web.presenting import site_today

__all__ = ["bp", "checklist", "labs", "scores"]


@bp.get("")
@requires(Permission.PATIENT_READ)
@keeps_to_days
def index() -> ResponseReturnValue:
    """Show the search and the patients by name."""
    return _list(SearchForm())


@bp.route("/search", methods=["GET", "POST"])
@requires(Permission.PATIENT_READ)
@keeps_to_days
def search() -> ResponseReturnValue:
    """Show who was searched for; straight to the record where its whole number was typed."""
    form = SearchForm()
    if request.method == "GET":
        return redirect(url_for("patients.index"))
    if form.validate_on_submit():
        only = queries.patient_numbered(db.session(), str(form.q.data))
        if only is not None:
            return _straight_to(only, str(form.q.data))
    return _list(form)


def _straight_to(patient_id: UUID, number: str) -> ResponseReturnValue:
    """Go to the record, and say so where it is not the one of the number that was typed."""
    if queries.get_patient(db.session(), patient_id).record_number_key != record_number_key(number):
        flash(f"Record {number.strip()} was merged into this one.", "info")
    return redirect(url_for(RECORD, patient_id=patient_id))


def _list(form: SearchForm) -> ResponseReturnValue:
    page = None
    if not form.errors:
        try:
            page = queries.patients_page(
                db.session(),
                text=str(form.q.data or ""),
                cursor=str(form.page.data or ""),
                with_inactive=bool(form.inactive.data),
            )
        except Refusal as refusal:
            form.apply_refusal(refusal)
    refused = page is None
    named = [patient.id for patient in page.items] if page else []
    asked = allergies_of(db.session(), page.items) if page else {}
    shown = render_template("patients/index.html", form=form, page=page, asked=asked, present=presenters)
    log_list(current_actor(), named, "list of patients")
    return shown, 422 if refused else 200


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.PATIENT_WRITE)
def new() -> ResponseReturnValue:
    """Add a patient, asking first about anybody they resemble."""
    form = NewPatientForm(data={"allergy_status": AllergyStatus.NOT_ASKED.value})
    likes: list[Patient] = []
    if form.validate_on_submit():
        try:
            return to_record(_add(form), f"{form.family_name.data} is added.")
        except (Refusal, Refusals) as refusal:
            form.apply_refusal(refusal)
            likes = _likes(form)
    cancel_to = url_for("patients.index")
    page = render_template(
        "patients/new.html",
        form=form,
        likes=likes,
        present=presenters,
        submit_text="Add the patient",
        cancel_to=cancel_to,
    )
    return page, form.status


def _add(form: NewPatientForm) -> Outcome:
    status = AllergyStatus(form.allergy_status.data or AllergyStatus.NOT_ASKED)
    was_asked = status is not AllergyStatus.NOT_ASKED
    return services.add_patient(
        identity=form.identity,
        is_another_person=bool(form.is_another_person.data),
        allergy_status=status,
        allergies_asked_on=form.allergies_asked_on.data or (site_today() if was_asked else None),
        allergies=form.named,
        **act_of(form),
    )


def _likes(form: NewPatientForm) -> list[Patient]:
    who = form.identity
    return list(queries.patients_like(db.session(), who.family_name, who.given_name, who.born_on))


@bp.route("/<uuid:patient_id>/edit", methods=["GET", "POST"])
@requires(Permission.PATIENT_WRITE)
def edit(patient_id: UUID) -> ResponseReturnValue:
    """Change who the patient is; what somebody else changed meanwhile is shown beside what was typed."""
    patient = opened(patient_id, "edit")
    form = EditPatientForm(data={name: getattr(patient, name) for name in (*IDENTITY_FIELDS, "version")})
    differences: list[presenters.Difference] = []
    if form.validate_on_submit():
        try:
            return to_record(_edit(form, patient_id), "The record is changed.", patient_id)
        except (Refusal, Refusals) as refusal:
            form.apply_refusal(refusal)
            differences = _show_meanwhile(form, patient_id, refusal)
    return form_page("patients/edit.html", form, patient_id, "Save", differences=differences)


def _edit(form: EditPatientForm, patient_id: UUID) -> Outcome:
    return services.edit_patient(
        patient_id=patient_id, version=form.seen_version, identity=form.identity, **act_of(form)
    )


def _show_meanwhile(
    form: EditPatientForm, patient_id: UUID, refusal: Refusal | Refusals
) -> list[presenters.Difference]:
    """After EDITED-MEANWHILE, show what the record says by now; sent again, the form is an edit of that."""
    if not isinstance(refusal, Refusal) or refusal.code != "EDITED-MEANWHILE":
        return []
    patient = queries.get_patient(db.session(), patient_id)
    form.version.data = str(patient.version)
    return presenters.differences(patient, {name: form[name].data for name in IDENTITY_FIELDS})


@bp.route("/<uuid:patient_id>/state", methods=["GET", "POST"])
@requires(Permission.PATIENT_WRITE)
def set_state(patient_id: UUID) -> ResponseReturnValue:
    """Say that the clinic no longer sees the patient, or again, or that they died."""
    patient = opened(patient_id, "state")
    form = StateForm(data={"state": patient.state, "died_on": patient.died_on})

    def write() -> Outcome:
        said: dict[str, Any] = {"state": form.chosen, "died_on": form.died_on.data}
        return services.set_state(patient_id=patient_id, **said, reason=str(form.reason.data), **act_of(form))

    done = attempt(form, write, patient_id, "The state of the record is changed.")
    return done or form_page("patients/state.html", form, patient_id, "Save")


@bp.route("/<uuid:patient_id>/allergies", methods=["GET", "POST"])
@requires(Permission.PATIENT_WRITE)
def allergies(patient_id: UUID) -> ResponseReturnValue:
    """Write down what the patient said when asked for allergies."""
    patient = opened(patient_id, "allergies")
    asked = patient.allergy_status != AllergyStatus.NOT_ASKED
    form = AllergiesForm(
        data={"allergy_status": patient.allergy_status if asked else None, "allergies_asked_on": site_today()}
    )

    def write() -> Outcome:
        status = form.answer
        asked_on = None if status is AllergyStatus.NOT_ASKED else form.allergies_asked_on.data
        said: dict[str, Any] = {"status": status, "asked_on": asked_on, "allergies": form.named}
        return services.set_allergies(patient_id=patient_id, **said, **act_of(form))

    done = attempt(form, write, patient_id, "Allergies are noted.")
    return done or form_page("patients/allergies.html", form, patient_id, "Save", standing=_named(patient_id))


def _named(patient_id: UUID) -> list[Alert]:
    """Return the allergies that stand on the record."""
    alerts = queries.alerts_of(db.session(), patient_id)
    return [alert for alert in alerts if alert.resolved_at is None and alert.kind in ALLERGIES]


@bp.route("/<uuid:patient_id>/alerts/new", methods=["GET", "POST"])
@requires(Permission.PATIENT_WRITE)
def add_alert(patient_id: UUID) -> ResponseReturnValue:
    """Note something to know before a dose."""
    opened(patient_id, "add alert")
    form = AlertForm()

    def write() -> Outcome:
        said: dict[str, Any] = {"kind": form.chosen, "note": str(form.note.data), "today": site_today()}
        said["decided_by"] = _decided_by(form) if form.chosen in services.NOTED_BY_PRESCRIBER else None
        return services.add_alert(patient_id=patient_id, **said, **act_of(form))

    done = attempt(form, write, patient_id, "The alert stands on the record.")
    asks = not current_actor().can(Permission.DOSE_OVERRIDE)
    return done or form_page("patients/alert.html", form, patient_id, "Add the alert", asks=asks)


@bp.route("/<uuid:patient_id>/alerts/<uuid:alert_id>/resolve", methods=["GET", "POST"])
@requires(Permission.PATIENT_WRITE)
def resolve_alert(patient_id: UUID, alert_id: UUID) -> ResponseReturnValue:
    """Say why an alert no longer holds."""
    opened(patient_id, "resolve alert")
    needed = queries.get_alert(db.session(), patient_id, alert_id).kind in services.LIFTED_BY_PRESCRIBER
    form = ResolveForm()

    def write() -> Outcome:
        said: dict[str, Any] = {"reason": str(form.reason.data)}
        said["decided_by"] = _decided_by(form) if needed else None
        return services.resolve_alert(alert_id=alert_id, **said, **act_of(form))

    done = attempt(form, write, patient_id, "The alert is resolved; it stays in the history.")
    if done:
        return done
    alert = queries.get_alert(db.session(), patient_id, alert_id)
    asks = needed and not current_actor().can(Permission.DOSE_OVERRIDE)
    return form_page("patients/resolve.html", form, patient_id, "Resolve the alert", alert=alert, asks=asks)


def _decided_by(form: AlertForm | ResolveForm) -> Actor | None:
    """Return the prescriber whose word stands beside the person's; None where nothing was typed. Raises as `confirm_person`."""
    if form.word is None:
        return None
    username, password = form.word
    return confirm_person(
        username=username, password=password, at=now(), address=address(), field="prescriber_username"
    )


@bp.route("/<uuid:patient_id>/consents/new", methods=["GET", "POST"])
@requires(Permission.PATIENT_WRITE)
def record_consent(patient_id: UUID) -> ResponseReturnValue:
    """Record what the patient decided."""
    opened(patient_id, "consent")
    form = ConsentForm(data={"decided_at": now(), "information_sheet": queries.latest_sheet(db.session())})

    def write() -> Outcome:
        said: dict[str, Any] = {
            "information_sheet": str(form.information_sheet.data),
            "note": str(form.note.data),
        }
        decided_at = form.decided_at.data
        return services.record_consent(
            patient_id=patient_id, status=form.decided, decided_at=decided_at, **said, **act_of(form)
        )

    done = attempt(form, write, patient_id, "The decision is recorded.")
    return done or form_page("patients/consent.html", form, patient_id, "Record the decision")
