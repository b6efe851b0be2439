"""Acts of a recall: open it, add lots, record who was reached, release its holds, close it out."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from inventory.audit.acts import Outcome
from inventory.audit.services import log_access
from inventory.catalogue.act_forms import REPEATED, act_page, already_over
from inventory.clinic.current import current_site, refuse_elsewhere
from inventory.desk.blueprint import bp
from inventory.desk.recall_forms import CloseRecallForm, ContactForm, LotsForm, RecallForm
from inventory.desk.recall_preview import Preview, preview_of
from inventory.doses.queries import recalls as received
from inventory.doses.rules.terms import (
    CONTACT_MEANS_WORDS,
    CONTACT_OUTCOME_WORDS,
    ContactMeans,
    ContactOutcome,
)
from inventory.doses.services.recalls import Told, record_contact
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals, not_found
from inventory.kernel.permissions import Permission
from inventory.staff.current import current_actor
from inventory.stock.forms import ReasonForm
from inventory.stock.queries import recalls
from inventory.stock.services.recalls import (
    Notice,
    add_lots_to_recall,
    close_recall,
    open_recall,
    release_recall,
    still_to_do,
)
from inventory.web.access import requires


@bp.route("/recalls/new", methods=["GET", "POST"])
@requires(Permission.STOCK_MANAGE)
def new_recall() -> ResponseReturnValue:
    """Open a recall: its notice and lots first, then which of ours they are, then the holds."""
    form = RecallForm()
    if not form.is_submitted():
        # A lot's page leads here with its number.
        form.lots.data = request.args.get("lot", "")
    preview = _preview(form)
    if preview is not None and preview.is_confirmed and (opened := _done(form, _opened, preview)) is not None:
        return _cockpit(opened, "The recall is open. Everything of its lots is on hold, everywhere.")
    shown = {"preview": preview, "cancel_to": url_for("desk.recalls_index")}
    return render_template("desk/recall_new.html", form=form, **shown), _status(form)


@bp.route("/recalls/<uuid:recall_id>/lots", methods=["GET", "POST"])
@requires(Permission.STOCK_MANAGE)
def add_to_recall(recall_id: UUID) -> ResponseReturnValue:
    """Add lots to an open recall, after a preview."""
    form, row = LotsForm(), _row(recall_id)
    if not form.is_submitted() and not row.is_open:
        return _over(recall_id)
    preview = _preview(form)
    if preview is not None and preview.is_confirmed:
        added = _done(form, lambda form, preview: _added(form, preview, recall_id), preview)
        if added is not None:
            return _cockpit(added, "The lots are part of the recall, and on hold everywhere.")
    shown = {"row": row, "preview": preview, "cancel_to": url_for("desk.recall", recall_id=recall_id)}
    return render_template("desk/recall_lots.html", form=form, **shown), _status(form)


@bp.route("/recalls/<uuid:recall_id>/release", methods=["GET", "POST"])
@requires(Permission.STOCK_MANAGE)
def release_recalled(recall_id: UUID) -> ResponseReturnValue:
    """Release every hold of a recall, saying why."""
    _row(recall_id)
    form = ReasonForm()
    return act_page(
        form,
        lambda: release_recall(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            recall_id=recall_id,
            reason=str(form.reason.data),
        ),
        template="desk/recall_release.html",
        to=_cockpit_of,
        done="The holds of this recall are released.",
        shown=lambda: _shown(recall_id, "Release all of its holds"),
    )


@bp.route("/recalls/<uuid:recall_id>/close", methods=["GET", "POST"])
@requires(Permission.STOCK_MANAGE)
def close_out(recall_id: UUID) -> ResponseReturnValue:
    """Close a recall with what came of it."""
    form, row = CloseRecallForm(), _row(recall_id)
    if not form.is_submitted() and not row.is_open:
        return _over(recall_id)
    return act_page(
        form,
        lambda: close_recall(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            recall_id=recall_id,
            outcome=str(form.outcome.data),
            although=str(form.although.data),
        ),
        template="desk/recall_close.html",
        to=_cockpit_of,
        done="The recall is closed.",
        shown=lambda: _shown(recall_id, "Close the recall") | {"to_do": still_to_do(db.session(), recall_id)},
    )


@bp.route("/recalls/<uuid:recall_id>/patients/<uuid:patient_id>", methods=["GET", "POST"])
@requires(Permission.PATIENT_READ, Permission.PATIENT_WRITE)
def recall_contact(recall_id: UUID, patient_id: UUID) -> ResponseReturnValue:
    """Record what came of reaching one patient of a recall; what was recorded before stays beneath."""
    log_access(current_actor(), patient_id, "recall contact")
    form = ContactForm()
    return act_page(
        form,
        lambda: record_contact(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            recall_id=recall_id,
            patient_id=patient_id,
            told=_told(form),
        ),
        template="desk/recall_contact.html",
        to=lambda _: url_for("desk.recall", recall_id=recall_id),
        done="The contact is recorded.",
        shown=lambda: _shown(recall_id, "Record it") | _about(recall_id, patient_id),
    )


def _row(recall_id: UUID) -> recalls.RecallRow:
    """Return the recall for whoever runs it. Raises Refusal NOT-FOUND, SITE-NOT-YOURS."""
    row = recalls.recall_row(db.session(), recall_id)
    refuse_elsewhere(row.recall.site_id)
    return row


def _over(recall_id: UUID) -> ResponseReturnValue:
    return already_over("This recall is closed already.", to=url_for("desk.recall", recall_id=recall_id))


def _preview(form: LotsForm) -> Preview | None:
    """Return which lots the sent form names; None where it was not sent, or names none that can be read."""
    if not form.is_submitted():
        return None
    confirms = request.form.get("step") == "open"
    try:
        preview = preview_of(db.session(), form, confirms=confirms)
    except Refusal as refusal:
        form.chosen.data = []
        form.validate()
        form.apply_refusal(refusal)
        return None
    return preview if form.validate() else None


def _done(form: Any, act: Any, preview: Preview) -> Outcome | None:
    try:
        outcome: Outcome = act(form, preview)
    except (Refusal, Refusals) as refusal:
        form.apply_refusal(refusal)
        return None
    return outcome


def _opened(form: RecallForm, preview: Preview) -> Outcome:
    notice = Notice(
        title=str(form.title.data),
        reference=str(form.reference.data),
        reason=str(form.reason.data),
        is_drill=bool(form.is_drill.data),
    )
    return open_recall(
        actor=current_actor(),
        at=now(),
        request_key=form.act_key,
        site_id=current_site().id,
        notice=notice,
        named=preview.named,
        chosen=preview.chosen,
    )


def _added(form: LotsForm, preview: Preview, recall_id: UUID) -> Outcome:
    return add_lots_to_recall(
        actor=current_actor(),
        at=now(),
        request_key=form.act_key,
        recall_id=recall_id,
        named=preview.named,
        chosen=preview.chosen,
    )


def _status(form: LotsForm) -> int:
    """A preview is no refusal."""
    return 422 if form.problems() else 200


def _cockpit(outcome: Outcome, done: str) -> ResponseReturnValue:
    flash(REPEATED if outcome.repeated else done, "info" if outcome.repeated else "message")
    return redirect(_cockpit_of(outcome))


def _cockpit_of(outcome: Outcome) -> str:
    return url_for("desk.recall", recall_id=outcome.subject_id)


def _shown(recall_id: UUID, submit_text: str) -> dict[str, Any]:
    return {
        "row": recalls.recall_row(db.session(), recall_id),
        "submit_text": submit_text,
        "cancel_to": url_for("desk.recall", recall_id=recall_id),
    }


def _about(recall_id: UUID, patient_id: UUID) -> dict[str, Any]:
    session = db.session()
    found = received.recipient(session, recall_id, patient_id)
    if found is None:
        raise not_found("patient of this recall")
    patient_id, lot_ids = found.id, recalls.recalled_lot_ids(session, recall_id)
    return {
        "patient": found,
        "doses": received.doses_of(session, lot_ids, [patient_id]).get(patient_id, []),
        "contacts": received.contacts_of(session, recall_id, [patient_id]).get(patient_id, []),
        "outcomes": CONTACT_OUTCOME_WORDS,
        "means": CONTACT_MEANS_WORDS,
    }


def _told(form: ContactForm) -> Told:
    return Told(
        outcome=ContactOutcome(str(form.outcome.data)),
        means=ContactMeans(str(form.means.data)),
        note=str(form.note.data),
        contacted_at=form.contacted_at.data,
    )
