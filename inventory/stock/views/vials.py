"""An open vial: its label, what is left in it, and the acts on it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from inventory.audit.acts import Outcome
from inventory.catalogue.act_forms import act_page, already_over
from inventory.clinic.current import all_sites, settings_here
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.numbering import vial_code
from inventory.kernel.permissions import Permission
from inventory.staff.current import current_actor
from inventory.stock import presenters, queries, services, words
from inventory.stock.concerns import given_for
from inventory.stock.forms import AdjustVialForm, DiscardForm, ReasonForm, WasteVialForm
from inventory.stock.models import Hold, WasteReason
from inventory.stock.queries import Drawable
from inventory.stock.queries.recalls import drills_among
from inventory.stock.queries.transfers import travels
from inventory.stock.views.blueprint import bp
from inventory.stock.views.lots import above_which, difference_of
from inventory.stock.views.witnessing import offer_reasons, why_of, witness_asked
from inventory.web.access import requires, safe_next_path
from inventory.web.forms import ClinicForm
from inventory.web.presenting import site_today

_OVERFILL = {"direction": "found", "reason": "overfill"}


@dataclass(frozen=True, slots=True)
class Remark:
    """What a room above says of a vial on its page: a term, words, and where they lead."""

    term: str
    words: str
    href: str = ""


REMARKS: list[Callable[[UUID], Sequence[Remark]]] = []
"""What rooms above add to the page of a vial. They are asked before it is read."""


@bp.get("/vials/<uuid:vial_id>")
@requires(Permission.STOCK_READ)
def vial(vial_id: UUID) -> ResponseReturnValue:
    """Show an opened vial."""
    remarks = [said for remark in REMARKS for said in remark(vial_id)]
    return render_template("stock/vial.html", remarks=remarks, **_vial_shown(vial_id), **_history(vial_id))


@bp.route("/vials/<uuid:vial_id>/waste", methods=["GET", "POST"])
@requires(Permission.STOCK_USE)
def waste_vial(vial_id: UUID) -> ResponseReturnValue:
    """Waste part of what is in the vial."""
    form = WasteVialForm()
    if _is_over(form, vial_id):
        return _over(vial_id)
    _offer(form, services.OPEN_REASONS, vial_id)
    return act_page(
        form,
        lambda: services.waste_from_vial(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            vial_id=vial_id,
            volume_ul=form.volume.data,
            why=why_of(form),
            wasted_at=form.occurred_at.data,
        ),
        template="stock/waste_vial.html",
        to=vial_page,
        done="The waste is recorded.",
        shown=lambda: _waste_shown(vial_id, "Record the waste"),
    )


@bp.route("/vials/<uuid:vial_id>/discard", methods=["GET", "POST"])
@requires(Permission.STOCK_USE)
def discard(vial_id: UUID) -> ResponseReturnValue:
    """Waste the rest of the vial and close it; `next` leads back to where it was asked."""
    back = safe_next_path(request.args.get("next"), default="")
    form = DiscardForm(reason=presenters.likely_reason(_held(vial_id)))
    if _is_over(form, vial_id):
        return _over(vial_id)
    _offer(form, services.DISCARD_REASONS, vial_id)
    return act_page(
        form,
        lambda: services.discard_vial(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            vial_id=vial_id,
            why=why_of(form),
            discarded_at=form.occurred_at.data,
        ),
        template="stock/discard.html",
        to=lambda outcome: back or vial_page(outcome),
        done="The vial is discarded.",
        shown=lambda: _waste_shown(vial_id, "Discard the vial"),
    )


@bp.route("/vials/<uuid:vial_id>/adjust", methods=["GET", "POST"])
@requires(Permission.STOCK_MANAGE)
def adjust_vial(vial_id: UUID) -> ResponseReturnValue:
    """Record what was found in the vial, or is missing from it; `found=overfill` fills that in."""
    form = AdjustVialForm(**(_OVERFILL if request.args.get("found") == "overfill" else {}))
    if _is_over(form, vial_id):
        return _over(vial_id)
    return act_page(
        form,
        lambda: services.adjust_vial(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            vial_id=vial_id,
            volume_ul=form.volume.data,
            difference=difference_of(form),
        ),
        template="stock/adjust_vial.html",
        to=vial_page,
        done="The vial is adjusted.",
        shown=lambda: _vial_shown(vial_id, "Adjust the vial") | above_which(),
    )


@bp.route("/vials/<uuid:vial_id>/undo-opening", methods=["GET", "POST"])
@requires(Permission.STOCK_USE)
def undo_opening(vial_id: UUID) -> ResponseReturnValue:
    """Put a vial back that was never really opened: by who opened it, or who manages stock."""
    form = ReasonForm()
    if _is_over(form, vial_id):
        return _over(vial_id)
    return act_page(
        form,
        lambda: services.undo_opening(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            vial_id=vial_id,
            reason=str(form.reason.data),
        ),
        template="stock/undo_opening.html",
        to=vial_page,
        done="The vial is back on its shelf, sealed.",
        shown=lambda: _vial_shown(vial_id, "Put it back, sealed"),
    )


def vial_page(outcome: Outcome) -> str:
    """Return the address of the vial an act was about."""
    return url_for("stock.vial", vial_id=outcome.subject_id)


def _is_over(form: ClinicForm, vial_id: UUID) -> bool:
    """Tell whether a form is asked for that could only be refused: the vial is closed. One that was sent goes to its act."""
    return not form.is_submitted() and queries.vial_by_id(db.session(), vial_id).closed_at is not None


def _offer(form: WasteVialForm | DiscardForm, reasons: Collection[WasteReason], vial_id: UUID) -> None:
    vial = queries.vial_by_id(db.session(), vial_id)
    offer_reasons(form, reasons, vial.lot, vial)


def _over(vial_id: UUID) -> ResponseReturnValue:
    return already_over("This vial was closed already.", to=url_for("stock.vial", vial_id=vial_id))


def _vial_shown(vial_id: UUID, submit_text: str = "") -> dict[str, Any]:
    found = _held(vial_id)
    return {
        "vial": found.vial,
        "lot": found.lot,
        "held": found,
        "at_once": presenters.at_once(found, settings_here()),
        "code": _code(found),
        "submit_text": submit_text,
        "cancel_to": url_for("stock.vial", vial_id=vial_id),
    }


def _code(found: Drawable) -> str:
    """What the barcode on its label says; a single-dose container has none."""
    vial = found.vial
    if vial is None or vial.label_number is None:
        return ""
    opened_at = next(site.code for site in all_sites() if site.id == vial.site_id)
    return vial_code(opened_at, vial.label_number)


def _held(vial_id: UUID) -> Drawable:
    near_days = settings_here().near_expiry_days
    return queries.vial_on_hand(db.session(), vial_id, on=site_today(), near_days=near_days)


def _waste_shown(vial_id: UUID, submit_text: str) -> dict[str, Any]:
    shown = _vial_shown(vial_id, submit_text)
    return shown | witness_asked(shown["lot"].product)


def _history(vial_id: UUID) -> dict[str, Any]:
    life = queries.vial_life(db.session(), vial_id)
    vial = queries.vial_by_id(db.session(), vial_id)
    # Only a vial of which nothing but its opening is recorded can still go back, sealed (services.undo_opening).
    is_untouched = len(life.movements) == 1
    events = presenters.events_of(life, given_for([told.movement.id for told in life.movements]))
    return {
        "events": events,
        "closures": words.CLOSURES,
        "life": life,
        "is_untouched": is_untouched,
        "may_undo_opening": is_untouched and services.may_undo_opening(current_actor(), vial),
        "travel": travels(db.session(), [vial_id]).get(vial_id),
        "covering": _covering(vial_id),
        "punctures": queries.punctures(db.session(), vial_id),
    }


def _covering(vial_id: UUID) -> list[tuple[Hold, str]]:
    """Return the holds that stand over a vial, each in words: on its lot, on what lies where it is, or on it alone."""
    session = db.session()
    vial = queries.vial_by_id(session, vial_id)
    holds = [
        hold
        for hold in queries.active_holds(session, {vial.lot_id})[vial.lot_id]
        if hold.location_id in (None, vial.location_id) and hold.vial_id in (None, vial_id)
    ]
    scopes = queries.hold_scopes(session, holds)
    drills = drills_among(session, holds)
    return [(hold, f"{words.hold_words(hold, drills)}, {scopes[hold.id]}") for hold in holds]
