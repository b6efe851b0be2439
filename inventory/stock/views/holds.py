"""Holds: put a lot, what lies at one location, or one open vial on hold, and release it, each with a reason."""

from typing import Any
from uuid import UUID

from flask import request, url_for
from flask.typing import ResponseReturnValue

from inventory.catalogue.act_forms import act_page, already_over
from inventory.clinic.current import current_site
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.permissions import Permission
from inventory.staff.current import current_actor
from inventory.stock import presenters, queries, services, words
from inventory.stock.forms import HoldForm, ReasonForm
from inventory.stock.models import HoldKind
from inventory.stock.queries.recalls import drills_among
from inventory.stock.queries.releasing import undecided_excursion
from inventory.stock.views.blueprint import bp
from inventory.stock.views.receiving import lot_page
from inventory.web.access import requires
from inventory.web.presenting import ml


@bp.route("/lots/<uuid:lot_id>/hold", methods=["GET", "POST"])
@requires(Permission.STOCK_USE)
def hold(lot_id: UUID) -> ResponseReturnValue:
    """Put the lot, what lies at one location, or one vial, on hold; `part` names what is chosen at first."""
    form = HoldForm(part=request.args.get("part"))
    form.part.offer(_parts(lot_id))
    return act_page(
        form,
        lambda: services.hold_lot(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            lot_id=lot_id,
            kind=HoldKind(str(form.kind.data)),
            reason=str(form.reason.data),
            **_part(form),
        ),
        template="stock/hold.html",
        to=lot_page,
        done="On hold. Nothing of it may be given until the hold is released.",
        shown=lambda: _lot_shown(lot_id),
    )


@bp.route("/holds/<uuid:hold_id>/release", methods=["GET", "POST"])
@requires(Permission.STOCK_MANAGE)
def release(hold_id: UUID) -> ResponseReturnValue:
    """Release a hold, saying why; one of an excursion is released by the decision about it."""
    form = ReasonForm()
    excursion = undecided_excursion(db.session(), hold_id)
    if excursion is not None and not form.is_submitted():
        address = url_for("stock.excursion", excursion_id=excursion.id)
        return already_over("An excursion holds this until it is decided here.", to=address)
    return act_page(
        form,
        lambda: services.release_hold(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            hold_id=hold_id,
            reason=str(form.reason.data),
        ),
        template="stock/release.html",
        to=lot_page,
        done="The hold is released.",
        shown=lambda: _hold_shown(hold_id),
    )


def _parts(lot_id: UUID) -> list[tuple[str, str]]:
    """What of the lot may be held alone: what lies at a location of this site, or one of its open vials."""
    session = db.session()
    lot = queries.lot_by_id(session, lot_id)
    here = {place.id for place in queries.locations_of(session, current_site().id)}
    shelves = [
        (
            f"location:{location_id}",
            f"Only in {name} ({presenters.containers_words(held // lot.container_volume_ul, 1)})",
        )
        for _, name, location_id, held in queries.balances_of(session, lot_id)
        if location_id in here
    ]
    vials = [
        (f"vial:{vial.id}", f"Only vial {vial.label_number} ({ml(held)}, {place})")
        for vial, held, place in queries.vials_of(session, lot_id)
        if vial.closed_at is None and vial.location_id in here
    ]
    return shelves + vials


def _part(form: HoldForm) -> dict[str, UUID]:
    kind, _, part = str(form.part.data or "").partition(":")
    return {f"{kind}_id": UUID(part)} if part else {}


def _lot_shown(lot_id: UUID) -> dict[str, Any]:
    return {
        "lot": queries.lot_by_id(db.session(), lot_id),
        "submit_text": "Put on hold",
        "cancel_to": url_for("stock.lot", lot_id=lot_id),
    }


def _hold_shown(hold_id: UUID) -> dict[str, Any]:
    found = queries.open_hold(db.session(), hold_id)
    session = db.session()
    said = words.hold_words(found, drills_among(session, [found]))
    return {
        "lot": queries.lot_by_id(session, found.lot_id),
        "hold": found,
        "words": f"{said}, {queries.hold_scopes(session, [found])[found.id]}",
        "submit_text": "Release the hold",
        "cancel_to": url_for("stock.lot", lot_id=found.lot_id),
    }
