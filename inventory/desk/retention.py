"""How long records and files are kept, requests to erase a patient's data, and the erasures that two people carry out (law 10).

Law kept here: least sight (11). Whoever decides here need not see patients: they are shown by record number.
"""

from datetime import datetime, time
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from inventory.audit.models import AskedBy, Ground
from inventory.audit.services import log_access
from inventory.clinic.current import settings_here
from inventory.clinic.sight import belongs
from inventory.desk import erasure_queries as queries
from inventory.desk.blueprint import bp
from inventory.desk.erasure_forms import (
    ASKED_BY_WORDS,
    DECISION_WORDS,
    GROUND_WORDS,
    AskErasureForm,
    RefuseErasureForm,
    SecondPersonForm,
)
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Actor, Permission
from inventory.patients.queries import get_patient
from inventory.patients.services import erasure
from inventory.reports import keeping
from inventory.staff.current import address, current_actor
from inventory.staff.services import confirm_person
from inventory.web.access import requires
from inventory.web.pagination import cursor_here
from inventory.web.presenting import site_today, site_zone

# Patients are the clinic's, and so is a request about one.
belongs("erasure_request_id", "request", lambda _session, _key: [None])

WORDS = {"asked_by": ASKED_BY_WORDS, "ground": GROUND_WORDS, "decision": DECISION_WORDS}


@bp.get("/retention")
@requires(Permission.RETENTION_MANAGE)
def retention() -> str:
    """Show how long things are kept, what is past its years, and the requests."""
    session = db.session()
    return render_template(
        "desk/retention.html",
        page=queries.requests_page(session, cursor=cursor_here()),
        past=queries.patients_past_keeping(session, today=site_today()),
        old_reports=len(keeping.reports_past_keeping(session, before=_files_before())),
        settings=settings_here(),
        shown=queries.SHOWN,
        words=WORDS,
    )


@bp.route("/patients/<uuid:patient_id>/erasure", methods=["GET", "POST"])
@requires(Permission.PATIENT_READ, Permission.PATIENT_WRITE)
def ask_erasure(patient_id: UUID) -> ResponseReturnValue:
    """Write down that a patient's data are to be erased."""
    log_access(current_actor(), patient_id, "erasure")
    form = AskErasureForm(data={"asked_on": site_today()})
    back = url_for("desk.patient", patient_id=patient_id)
    if form.validate_on_submit():
        try:
            _ask(form, patient_id)
        except (Refusal, Refusals) as refusal:
            form.apply_refusal(refusal)
        else:
            flash(
                "The request is written down. A prescriber or an administrator decides about it under Retention."
            )
            return redirect(back)
    patient = get_patient(db.session(), patient_id)
    shown = {"patient": patient, "submit_text": "Write the request down", "cancel_to": back}
    return render_template("desk/ask_erasure.html", form=form, **shown), form.status


def _ask(form: AskErasureForm, patient_id: UUID) -> None:
    asked_on = form.asked_on.data
    asked = erasure.Asked(AskedBy(form.asked_by.data), asked_on, str(form.words.data))
    erasure.ask_erasure(
        actor=current_actor(), at=now(), patient_id=patient_id, asked=asked, request_key=form.act_key
    )


@bp.get("/retention/requests/<uuid:erasure_request_id>")
@requires(Permission.RETENTION_MANAGE)
def erasure_request(erasure_request_id: UUID) -> str:
    """Show a request, what stands against carrying it out, and what was decided."""
    row = queries.request_row(db.session(), erasure_request_id)
    against = queries.obstacle(db.session(), row.ErasureRequest.patient_id, today=site_today())
    return render_template("desk/erasure_request.html", row=row, against=against, words=WORDS)


@bp.route("/retention/requests/<uuid:erasure_request_id>/refuse", methods=["GET", "POST"])
@requires(Permission.RETENTION_MANAGE)
def refuse_erasure(erasure_request_id: UUID) -> ResponseReturnValue:
    """Refuse a request on a legal ground."""
    form = RefuseErasureForm()
    if form.validate_on_submit():
        try:
            _refuse(form, erasure_request_id)
        except (Refusal, Refusals) as refusal:
            form.apply_refusal(refusal)
        else:
            return _decided(erasure_request_id, "The request is refused. Tell the patient why.")
    return _decision_page("desk/refuse_erasure.html", form, erasure_request_id, "Refuse the request")


def _refuse(form: RefuseErasureForm, request_id: UUID) -> None:
    erasure.refuse_erasure(
        actor=current_actor(),
        at=now(),
        request_id=request_id,
        ground=Ground(form.ground.data),
        because=str(form.because.data),
        request_key=form.act_key,
    )


@bp.route("/retention/requests/<uuid:erasure_request_id>/carry-out", methods=["GET", "POST"])
@requires(Permission.RETENTION_MANAGE)
def carry_out_erasure(erasure_request_id: UUID) -> ResponseReturnValue:
    """Erase a patient's data, with a second person."""
    form = SecondPersonForm()
    if form.validate_on_submit():
        try:
            _carry_out(form, erasure_request_id)
        except (Refusal, Refusals) as refusal:
            form.apply_refusal(refusal)
        else:
            return _decided(erasure_request_id, "The patient's data are erased.")
    return _decision_page("desk/carry_out_erasure.html", form, erasure_request_id, "")


def _carry_out(form: SecondPersonForm, request_id: UUID) -> None:
    today = site_today()
    erasure.carry_out_erasure(
        actor=current_actor(),
        at=now(),
        request_id=request_id,
        second=_second(form),
        obstacle=lambda session, patient_id: queries.obstacle(session, patient_id, today=today),
        request_key=form.act_key,
    )


@bp.route("/retention/report-files", methods=["GET", "POST"])
@requires(Permission.RETENTION_MANAGE)
def erase_report_files() -> ResponseReturnValue:
    """Erase the files of reports that are past their years, with a second person."""
    form, back = SecondPersonForm(), url_for("desk.retention")
    if form.validate_on_submit():
        try:
            keeping.erase_old_files(
                actor=current_actor(),
                at=now(),
                second=_second(form),
                before=_files_before(),
                request_key=form.act_key,
            )
        except (Refusal, Refusals) as refusal:
            form.apply_refusal(refusal)
        else:
            flash("The files are erased. The register keeps number, hash and chain head of each report.")
            return redirect(back)
    old = len(keeping.reports_past_keeping(db.session(), before=_files_before()))
    shown: dict[str, Any] = {"old_reports": old, "submit_text": "Erase the files for good" if old else ""}
    page = render_template("desk/erase_report_files.html", form=form, cancel_to=back, **shown)
    return page, form.status


def _second(form: SecondPersonForm) -> Actor:
    return confirm_person(
        username=str(form.second_username.data or ""),
        password=str(form.second_password.data or ""),
        at=now(),
        address=address(),
        field="second_username",
    )


def _files_before() -> datetime:
    """Return the instant before which a report's files are past their years: a midnight of this site."""
    first_kept = queries.kept_from(site_today(), settings_here().report_files_kept_years)
    return datetime.combine(first_kept, time(), tzinfo=site_zone())


def _decided(request_id: UUID, said: str) -> ResponseReturnValue:
    flash(said)
    return redirect(url_for("desk.erasure_request", erasure_request_id=request_id))


def _decision_page(
    template: str, form: RefuseErasureForm | SecondPersonForm, request_id: UUID, submit_text: str
) -> ResponseReturnValue:
    row = queries.request_row(db.session(), request_id)
    against = queries.obstacle(db.session(), row.ErasureRequest.patient_id, today=site_today())
    back = url_for("desk.erasure_request", erasure_request_id=request_id)
    shown: dict[str, Any] = {"row": row, "against": against, "cancel_to": back, "words": WORDS}
    return render_template(template, form=form, submit_text=submit_text, **shown), form.status
