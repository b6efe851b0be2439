"""Merge two records of one person after comparing them side by side, and undo it (law 11: both looks are logged)."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from inventory.audit.acts import Outcome
from inventory.audit.services import log_access
from inventory.clinic.sight import belongs
from inventory.desk.blueprint import bp
from inventory.desk.merging_forms import OTHER, MergeForm, OtherRecordForm, UndoMergeForm
from inventory.desk.merging_queries import Merged, merge_of, side_of
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Permission
from inventory.patients import presenters
from inventory.patients.queries import get_patient, namesakes_of, patient_numbered, records_of
from inventory.patients.rules import record_number_key
from inventory.patients.services import merge_records, undo_merge
from inventory.staff.current import current_actor
from inventory.web.access import requires

# Patients are the clinic's, and so is which records are theirs.
belongs("merge_id", "merge", lambda _session, _key: [None])


@bp.route("/patients/<uuid:patient_id>/merge", methods=["GET", "POST"])
@requires(Permission.PATIENT_READ, Permission.PATIENT_MERGE)
def merge(patient_id: UUID) -> ResponseReturnValue:
    """Ask for the other record of the same person, show both side by side, and merge them."""
    kept_id = records_of(patient_id)[0]
    if kept_id != patient_id:
        return redirect(url_for("desk.merge", patient_id=kept_id))
    log_access(current_actor(), patient_id, "merge")
    form = OtherRecordForm()
    if not form.validate_on_submit():
        return _ask(form, patient_id)
    try:
        other_id = _other(str(form.record_number.data), patient_id)
    except Refusal as refusal:
        form.apply_refusal(refusal)
        return _ask(form, patient_id)
    log_access(current_actor(), other_id, "merge")
    return _compared(patient_id, other_id)


def _compared(patient_id: UUID, other_id: UUID) -> ResponseReturnValue:
    form = MergeForm()
    if request.form.get("step") != "merge":
        return _compare(MergeForm(formdata=None, data=_kept(form)), patient_id, other_id, 200)
    if form.validate_on_submit():
        try:
            return _done(_merge(form, patient_id, other_id), "The records are merged.")
        except (Refusal, Refusals) as refusal:
            form.apply_refusal(refusal)
    return _compare(form, patient_id, other_id, form.status)


def _kept(form: MergeForm) -> dict[str, str]:
    """Return what the comparison is shown with first: the number that was typed."""
    return {"record_number": str(form.record_number.data), "kept": "this"}


def _other(typed: str, patient_id: UUID) -> UUID:
    """Return the record of this number. Raises Refusal PATIENT-UNKNOWN, MERGE-ITSELF, MERGE-ONE-PERSON."""
    other_id = patient_numbered(db.session(), typed)
    if other_id is None:
        raise Refusal("PATIENT-UNKNOWN", "No patient has this record number.", "record_number")
    if other_id != patient_id:
        return other_id
    own = get_patient(db.session(), patient_id).record_number_key
    if record_number_key(typed) == own:
        said = "A record cannot be merged with itself. Type the number of the other record."
        raise Refusal("MERGE-ITSELF", said, "record_number")
    raise Refusal("MERGE-ONE-PERSON", "These are records of one person already.", "record_number")


def _merge(form: MergeForm, patient_id: UUID, other_id: UUID) -> Outcome:
    kept_id, merged_id = (other_id, patient_id) if form.kept.data == OTHER else (patient_id, other_id)
    return merge_records(
        actor=current_actor(),
        at=now(),
        kept_id=kept_id,
        merged_id=merged_id,
        reason=str(form.reason.data),
        although_born_differently=bool(form.although_born_differently.data),
        request_key=form.act_key,
    )


def _ask(form: OtherRecordForm, patient_id: UUID) -> ResponseReturnValue:
    page = render_template(
        "desk/merge.html",
        form=form,
        patient=get_patient(db.session(), patient_id),
        likes=namesakes_of(db.session(), patient_id),
        present=presenters,
        cancel_to=url_for("desk.patient", patient_id=patient_id),
    )
    return page, form.status


def _compare(form: MergeForm, patient_id: UUID, other_id: UUID, status: int) -> ResponseReturnValue:
    session = db.session()
    left, right = side_of(session, patient_id), side_of(session, other_id)
    page = render_template(
        "desk/merge_compare.html",
        form=form,
        left=left,
        right=right,
        born_differently=left.patient.born_on != right.patient.born_on,
        present=presenters,
        cancel_to=url_for("desk.patient", patient_id=patient_id),
    )
    return page, status


@bp.route("/patients/<uuid:patient_id>/merges/<uuid:merge_id>/undo", methods=["GET", "POST"])
@requires(Permission.PATIENT_READ, Permission.PATIENT_MERGE)
def undo_merging(patient_id: UUID, merge_id: UUID) -> ResponseReturnValue:
    """Say that two merged records are two people's after all."""
    log_access(current_actor(), patient_id, "undo merge")
    form = UndoMergeForm()
    if form.validate_on_submit():
        try:
            return _done(_undo(form, merge_id), "The records stand apart again.", patient_id)
        except (Refusal, Refusals) as refusal:
            form.apply_refusal(refusal)
    found: Merged = merge_of(db.session(), patient_id, merge_id)
    page = render_template(
        "desk/merge_undo.html",
        form=form,
        found=found,
        present=presenters,
        submit_text="Undo the merge",
        cancel_to=url_for("desk.patient", patient_id=patient_id),
    )
    return page, form.status


def _undo(form: UndoMergeForm, merge_id: UUID) -> Outcome:
    return undo_merge(
        actor=current_actor(),
        at=now(),
        merge_id=merge_id,
        reason=str(form.reason.data),
        request_key=form.act_key,
    )


def _done(outcome: Outcome, words: str, patient_id: UUID | None = None) -> ResponseReturnValue:
    repeated = "This was recorded already; nothing was written twice."
    flash(*((repeated, "info") if outcome.repeated else (words, "message")))
    return redirect(url_for("desk.patient", patient_id=patient_id or request.view_args["patient_id"]))  # type: ignore[index]
