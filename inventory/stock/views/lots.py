"""A lot: its whole life on one page, and the acts on its sealed containers."""

from typing import Any
from uuid import UUID

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue

from inventory.audit.acts import Outcome
from inventory.catalogue.act_forms import act_page
from inventory.clinic.current import current_site, settings_here, visible_sites
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.permissions import Permission
from inventory.kernel.quantity import format_ml
from inventory.staff.confirmed import confirmed_by
from inventory.staff.current import current_actor
from inventory.stock import presenters, queries, services
from inventory.stock.concerns import given_for
from inventory.stock.forms import AdjustShelfForm, DifferenceForm, OpenForm, WasteSealedForm
from inventory.stock.ledger import Place
from inventory.stock.models import AdjustReason, Lot
from inventory.stock.queries import Life
from inventory.stock.queries.found_held import is_found_held
from inventory.stock.queries.recalls import recalls_of
from inventory.stock.queries.transfers import travels
from inventory.stock.services import Difference, Direction
from inventory.stock.views.blueprint import bp
from inventory.stock.views.corrected import corrections_shown
from inventory.stock.views.receiving import lot_page
from inventory.stock.views.witnessing import offer_reasons, why_of, witness_asked
from inventory.web.access import requires
from inventory.web.pagination import cursor_here
from inventory.web.presenting import site_today

FOUND_HELD = "What was found is on hold, since its lot is on hold at another location of this site."


@bp.get("/lots/<uuid:lot_id>")
@requires(Permission.STOCK_READ)
def lot(lot_id: UUID) -> ResponseReturnValue:
    """Show a lot and its whole life."""
    session = db.session()
    found = queries.lot_by_id(session, lot_id)
    life = queries.life_of(session, found, cursor=cursor_here(), site_ids=visible_sites())
    return render_template(
        "stock/lot.html",
        lot=found,
        life=life,
        events=presenters.events_of(life, given_for([told.movement.id for told in life.movements])),
        standing=_standing(found, life),
        receipts=queries.receipts_of(session, lot_id, site_ids=visible_sites()),
        recalls=recalls_of(session, lot_id),
        **corrections_shown(lot_id, life.corrections),
    )


@bp.route("/lots/<uuid:lot_id>/open", methods=["GET", "POST"])
@requires(Permission.STOCK_USE)
def open_vial(lot_id: UUID) -> ResponseReturnValue:
    """Open a multi-dose vial of the lot."""
    form = OpenForm()
    form.location.offer(_shelves(lot_id))
    return act_page(
        form,
        lambda: services.open_vial(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            lot_id=lot_id,
            site_id=current_site().id,
            location_id=UUID(str(form.location.data)),
            opened_at=form.opened_at.data,
        ),
        template="stock/open.html",
        to=lambda outcome: url_for("stock.vial", vial_id=outcome.subject_id),
        done="The vial is open. Print its label, or write it, now.",
        shown=lambda: _lot_shown(lot_id, form, "Open the vial"),
    )


@bp.route("/lots/<uuid:lot_id>/waste", methods=["GET", "POST"])
@requires(Permission.STOCK_USE)
def waste(lot_id: UUID) -> ResponseReturnValue:
    """Waste sealed containers of the lot."""
    form = WasteSealedForm()
    form.location.offer(_shelves(lot_id))
    offer_reasons(form, services.SEALED_REASONS, queries.lot_by_id(db.session(), lot_id))
    return act_page(
        form,
        lambda: services.waste_sealed(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            lot_id=lot_id,
            place=Place(current_site().id, UUID(str(form.location.data))),
            containers=form.containers.data,
            why=why_of(form),
            wasted_at=form.occurred_at.data,
        ),
        template="stock/waste.html",
        to=lot_page,
        done="The waste is recorded.",
        shown=lambda: _waste_shown(lot_id, form),
    )


@bp.route("/lots/<uuid:lot_id>/adjust", methods=["GET", "POST"])
@requires(Permission.STOCK_MANAGE)
def adjust(lot_id: UUID) -> ResponseReturnValue:
    """Record sealed containers found or missing."""
    form = AdjustShelfForm()
    form.location.offer((p.id, p.name) for p in queries.locations_of(db.session(), current_site().id))
    return act_page(
        form,
        lambda: services.adjust_shelf(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            lot_id=lot_id,
            place=Place(current_site().id, UUID(str(form.location.data))),
            containers=form.containers.data,
            difference=difference_of(form),
        ),
        template="stock/adjust.html",
        to=lambda outcome: _adjusted(outcome, form),
        done="The shelf is adjusted.",
        shown=lambda: _lot_shown(lot_id, form, "Adjust the shelf") | above_which(),
    )


def difference_of(form: DifferenceForm) -> Difference:
    """Return what a form of found or missing stock says; whoever is named as second person has to confirm."""
    direction, reason = Direction(str(form.direction.data)), AdjustReason(str(form["reason"].data))
    return Difference(
        direction, reason, str(form.note.data), confirmed_by(form, "approver", current_site().id)
    )


def above_which() -> dict[str, Any]:
    """Return how much one person adjusts alone, in words."""
    settings = settings_here()
    containers = presenters.containers_words(settings.count_approval_containers, 1)
    return {"alone": f"{containers}, or {format_ml(settings.count_approval_ul)} mL in open vials"}


def _adjusted(outcome: Outcome, form: AdjustShelfForm) -> str:
    """Say where what was found is held, and return where the lot is seen."""
    is_found = form.direction.data == Direction.FOUND and not outcome.repeated
    if is_found and is_found_held(db.session(), [outcome.subject_id], UUID(str(form.location.data))):
        flash(FOUND_HELD, "warning")
    return lot_page(outcome)


def _standing(lot: Lot, life: Life) -> presenters.Standing:
    vials = queries.vials_of(db.session(), lot.id, site_ids=visible_sites())
    return presenters.standing_of(
        queries.balances_of(db.session(), lot.id, site_ids=visible_sites()),
        vials,
        lot,
        life.holds,
        drills=life.drills,
        left_ul=queries.left_and_moved(db.session(), [lot.id])[lot.id][0],
        travels=travels(db.session(), [vial.id for vial, _, _ in vials]),
        on=site_today(),
        near_days=settings_here().near_expiry_days,
    )


def _shelves(lot_id: UUID) -> list[tuple[str, str]]:
    """The locations of this site where sealed containers of the lot lie."""
    lot = queries.lot_by_id(db.session(), lot_id)
    here = {place.id for place in queries.locations_of(db.session(), current_site().id)}
    return [
        (str(location_id), f"{name} ({presenters.containers_words(held // lot.container_volume_ul, 1)})")
        for _, name, location_id, held in queries.balances_of(db.session(), lot_id)
        if location_id in here and held
    ]


def _lot_shown(lot_id: UUID, form: Any, submit_text: str) -> dict[str, Any]:
    return {
        "lot": queries.lot_by_id(db.session(), lot_id),
        "nowhere": not form.location.offered,
        "submit_text": submit_text,
        "cancel_to": url_for("stock.lot", lot_id=lot_id),
    }


def _waste_shown(lot_id: UUID, form: Any) -> dict[str, Any]:
    shown = _lot_shown(lot_id, form, "Record the waste")
    return shown | witness_asked(shown["lot"].product)
