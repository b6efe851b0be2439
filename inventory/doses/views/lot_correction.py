"""A lot's number or expiry is corrected; what that means for its doses is shown. Whose doses they were is not told here."""

from typing import Any
from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from inventory.audit.acts import Outcome
from inventory.catalogue.act_forms import act_page
from inventory.clinic.current import visible_sites
from inventory.doses import services
from inventory.doses.forms.lot_correction import (
    CorrectLotForm,
    correction_form,
    correction_of,
    offer_merge,
)
from inventory.doses.presenters.past_expiry import formerly_past_concern, past_expiry_concern
from inventory.doses.queries.past_expiry import formerly_past, past_expiry
from inventory.doses.views.blueprint import bp
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Permission
from inventory.staff.current import address, current_actor
from inventory.stock import queries
from inventory.stock.concerns import Concern, concerns_about
from inventory.stock.models import Lot, Vial
from inventory.stock.presenters.corrections import correction_details, correction_title
from inventory.stock.queries import corrections
from inventory.stock.services.correcting import may_approve
from inventory.stock.services.lots import refuse_merged
from inventory.web.access import requires
from inventory.web.presenting import site_today


@bp.route("/stock/lots/<uuid:lot_id>/correct", methods=["GET", "POST"])
@requires(Permission.STOCK_USE)
def correct_lot(lot_id: UUID) -> ResponseReturnValue:
    """Correct a lot's number or expiry; a number that another lot has asks first whether they are one."""
    lot = queries.lot_by_id(db.session(), lot_id)
    form = correction_form(lot, seen=corrections.corrected_times(db.session(), lot_id))
    if not form.is_submitted():
        refuse_merged(db.session(), lot, field=None)
    other = _other(form, lot)
    if other is not None:
        offer_merge(form, other)
    return act_page(
        form,
        lambda: _correct(form, lot, other),
        template="doses/correct_lot.html",
        to=_corrected_page,
        done="The lot is corrected.",
        shown=lambda: _shown(form, lot_id, other.id if other else None),
    )


@bp.get("/stock/lots/<uuid:lot_id>/corrected")
@requires(Permission.STOCK_READ)
def lot_corrected(lot_id: UUID) -> str:
    """Show what the newest correction of a lot changed, what went over, and the doses it makes late."""
    session = db.session()
    lot = queries.lot_by_id(session, lot_id)
    merge = corrections.merge_of(session, lot_id)
    now_lot = queries.lot_by_id(session, corrections.became(session, lot_id))
    told = [said for said in corrections.corrections_of(session, lot_id) if said.lot_id == lot_id]
    return render_template(
        "doses/lot_corrected.html",
        lot=lot,
        now_lot=now_lot,
        said=told[-1] if told else None,
        title=correction_title(told[-1], lot_id) if told else "",
        details=correction_details(told[-1]) if told else (),
        vials=corrections.went_over(session, merge) if merge else [],
        concerns=concerns_about(lot_id),
        use_bys=corrections.use_bys_apart(session, now_lot),
        to_discard=_opened(now_lot) if now_lot.expires_on < site_today() else [],
    )


def _opened(lot: Lot) -> list[Vial]:
    """Return the lot's vials that are open, at the sites where the reader works."""
    vials = queries.vials_of(db.session(), lot.id, site_ids=visible_sites())
    return [vial for vial, _, _ in vials if vial.closed_at is None]


def past_expiry_of(lot_id: UUID) -> Concern | None:
    """Return what is said of doses given after the corrected expiry, with their addresses for who may read doses."""
    may_read = current_actor().can(Permission.DOSE_READ)
    return past_expiry_concern(
        past_expiry(db.session(), lot_id),
        address=lambda dose_id: url_for("doses.dose", dose_id=dose_id) if may_read else "",
    )


def formerly_past_of(lot_id: UUID) -> Concern | None:
    """Return what is said of doses that are deviations only by the expiry that was thought right."""
    return formerly_past_concern(formerly_past(db.session(), lot_id))


def _correct(form: CorrectLotForm, lot: Lot, other: Lot | None) -> Outcome:
    actor, at = current_actor(), now()
    return services.correct_lot(
        actor=actor,
        at=at,
        request_key=form.act_key,
        correction=correction_of(form, lot, other, actor=actor, at=at, address=address()),
    )


def _other(form: CorrectLotForm, lot: Lot) -> Lot | None:
    """Return the other lot of the product that has the typed number; None where none has, or it cannot be read."""
    if not form.is_submitted() or not form.lot_number.data:
        return None
    try:
        found = queries.lot_by_number(
            db.session(), product_id=lot.product_id, lot_number=str(form.lot_number.data)
        )
    except Refusal:
        return None
    return None if found is None or found.id == lot.id else found


def _corrected_page(outcome: Outcome) -> str:
    return url_for("doses.lot_corrected", lot_id=outcome.subject_id)


def _shown(form: CorrectLotForm, lot_id: UUID, other_id: UUID | None) -> dict[str, Any]:
    session = db.session()
    lot = queries.lot_by_id(session, lot_id)
    other = queries.lot_by_id(session, other_id) if other_id else None
    form.shown.data = str(other_id or "")
    return {
        "lot": lot,
        "other": other,
        "twins": [(one, *corrections.sealed_and_open(session, one)) for one in (lot, other) if one],
        "asks_approver": not may_approve(current_actor()),
        "submit_text": "Merge the two lots" if other else "Correct the lot",
        "cancel_to": url_for("stock.lot", lot_id=lot_id),
    }
