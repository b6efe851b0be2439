"""Transfers: what is on its way to here and from here, sending, receiving, and the story of each."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from inventory.audit.acts import Outcome
from inventory.catalogue.act_forms import act_page, already_over
from inventory.clinic.current import (
    all_sites,
    chosen_site,
    current_site,
    may_see,
    refuse_elsewhere,
    settings_here,
)
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.permissions import Permission
from inventory.staff.current import current_actor
from inventory.stock import queries, services, words
from inventory.stock.forms import ReasonForm
from inventory.stock.forms.transfers import (
    LeavingFilter,
    ReceiveTransferForm,
    SendForm,
    line_words,
    lot_field,
    receive_form,
    send_form,
    vial_words,
)
from inventory.stock.ledger import Place
from inventory.stock.models import WasteReason
from inventory.stock.queries import Drawable, transfers
from inventory.stock.queries.lots import lots_by_id
from inventory.stock.queries.transfers import Consigned, SentLine
from inventory.stock.services import witnessed_reasons
from inventory.stock.views.blueprint import bp
from inventory.stock.views.witnessing import witness_id
from inventory.web.access import requires
from inventory.web.pagination import cursor_here
from inventory.web.presenting import site_today


@bp.get("/transfers")
@requires(Permission.STOCK_READ)
def transfer_list() -> str:
    """What is on its way to this site and from it, and what has ended."""
    site = current_site()
    coming, leaving = transfers.under_way(db.session(), site.id)
    page = transfers.ended_page(db.session(), site.id, cursor=cursor_here())
    shown = {"coming": coming, "leaving": leaving, "page": page, "site": site, "at": now()}
    return render_template("stock/transfers/index.html", **shown)


@bp.route("/transfers/new", methods=["GET", "POST"])
@requires(Permission.STOCK_USE)
def send_transfer() -> ResponseReturnValue:
    """Choose where stock leaves from, then what is sent and where to."""
    leaving = LeavingFilter()
    leaving.source.offer((str(p.id), p.name) for p in queries.locations_of(db.session(), current_site().id))
    if not request.args.get("source") or not leaving.validate() or not leaving.source.data:
        return render_template("stock/transfers/leaving.html", form=leaving)
    source_id = UUID(str(leaving.source.data))
    held, targets = _held(source_id), _targets(source_id)
    form = send_form(held, vials=[request.args.get("vial", "")])
    form.target.offer((f"{p.site_id}/{p.location_id}", label) for p, label in targets)
    return act_page(
        form,
        lambda: _send(form, source_id, held),
        template="stock/transfers/send.html",
        to=_page_of,
        done="It is carried over."
        if form.is_there.data
        else "It is on its way. Whoever takes it in receives it there.",
        shown=lambda: _send_shown(source_id),
    )


@bp.get("/transfers/<uuid:transfer_id>")
@requires(Permission.STOCK_READ)
def transfer(transfer_id: UUID) -> str:
    """One transfer: what was sent, what came, and what became of the rest."""
    return render_template("stock/transfers/transfer.html", **_shown(transfer_id))


@bp.route("/transfers/<uuid:transfer_id>/receive", methods=["GET", "POST"])
@requires(Permission.STOCK_USE)
def receive_transfer(transfer_id: UUID) -> ResponseReturnValue:
    """Say what came of each line, and why not all."""
    refuse_elsewhere(transfers.transfer_by_id(db.session(), transfer_id).to_site_id)
    lines = transfers.sent_lines(db.session(), transfer_id)
    form = receive_form(lines)
    if not form.is_submitted() and transfers.receipt_of(db.session(), transfer_id):
        return _over(transfer_id)
    return act_page(
        form,
        lambda: _receive(form, transfer_id, lines),
        template="stock/transfers/receive.html",
        to=_page_of,
        done="The transfer is received.",
        shown=lambda: _shown(transfer_id) | _receive_shown(transfer_id),
    )


@bp.route("/transfers/<uuid:transfer_id>/cancel", methods=["GET", "POST"])
@requires(Permission.STOCK_USE)
def cancel_transfer(transfer_id: UUID) -> ResponseReturnValue:
    """Say that nothing of it was sent."""
    refuse_elsewhere(transfers.transfer_by_id(db.session(), transfer_id).from_site_id)
    form = ReasonForm()
    if not form.is_submitted() and transfers.receipt_of(db.session(), transfer_id):
        return _over(transfer_id)
    return act_page(
        form,
        lambda: services.cancel_transfer(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            transfer_id=transfer_id,
            reason=str(form.reason.data),
        ),
        template="stock/transfers/cancel.html",
        to=_page_of,
        done="The transfer is cancelled. Everything is where it was.",
        shown=lambda: _shown(transfer_id) | _buttons("Cancel the transfer", transfer_id),
    )


def waiting_here() -> int:
    """Return how many transfers wait to be received at the present site."""
    site = chosen_site()
    return transfers.coming_to(db.session(), site.id) if site else 0


def _over(transfer_id: UUID) -> ResponseReturnValue:
    address = url_for("stock.transfer", transfer_id=transfer_id)
    return already_over("This transfer has ended already.", to=address)


def _send(form: SendForm, source_id: UUID, held: Sequence[Drawable]) -> Outcome:
    site_id, location_id = str(form.target.data).split("/")
    lot_ids = [one.lot.id for one in held if one.vial is None]
    consignment = form.consignment(
        Place(current_site().id, source_id), Place(UUID(site_id), UUID(location_id)), lot_ids
    )
    common: dict[str, Any] = {"actor": current_actor(), "at": now(), "request_key": form.act_key}
    if form.is_there.data:
        return services.move_stock(**common, consignment=consignment, moved_at=form.sent_at.data)
    return services.send_transfer(**common, consignment=consignment, sent_at=form.sent_at.data)


def _receive(form: ReceiveTransferForm, transfer_id: UUID, lines: Sequence[SentLine]) -> Outcome:
    return services.receive_transfer(
        actor=current_actor(),
        at=now(),
        request_key=form.act_key,
        transfer_id=transfer_id,
        arrival=form.arrival(lines, witness_id(form)),
    )


def _held(source_id: UUID) -> list[Drawable]:
    """What lies at one location of this site, held or expired too: it may be moved to be set apart."""
    found = queries.drawable(
        db.session(), site_id=current_site().id, on=site_today(), near_days=settings_here().near_expiry_days
    )
    return [one for one in found if one.location.id == source_id]


def _targets(source_id: UUID) -> list[tuple[Place, str]]:
    """Every location in use of every site but the one it leaves, this site's first: stock may be sent to any of them."""
    sites = sorted(all_sites(), key=lambda site: site.id != current_site().id)
    return [
        (Place(site.id, place.id), f"{place.name}, {site.name}")
        for site in sites
        for place in queries.locations_of(db.session(), site.id)
        if place.id != source_id
    ]


def _send_shown(source_id: UUID) -> dict[str, Any]:
    # Read again: a refused act forgets what was read before it.
    held = _held(source_id)
    return {
        "source": queries.location_names(db.session(), [source_id])[source_id],
        "site": current_site(),
        "sealed": [(lot_field(one.lot.id), one) for one in held if one.vial is None],
        "vials": [(vial_words(one), one) for one in held if one.vial is not None],
        "submit_text": "Send",
        "cancel_to": url_for("stock.transfer_list"),
    }


def _shown(transfer_id: UUID) -> dict[str, Any]:
    session = db.session()
    found = transfers.consigned(session, transfer_id)
    people = {found.transfer.actor_id} | ({found.receipt.actor_id} if found.receipt else set())
    return {
        "found": found,
        "lines": transfers.sent_lines(session, transfer_id),
        "line_words": line_words,
        "names": queries.names_of(session, people),
        "differences": words.DIFFERENCES,
        "at": now(),
        **_may(found),
    }


def _may(found: Consigned) -> dict[str, bool]:
    is_open = found.receipt is None and current_actor().can(Permission.STOCK_USE)
    return {
        "may_receive": is_open and may_see(found.transfer.to_site_id),
        "may_cancel": is_open and may_see(found.transfer.from_site_id),
    }


def _receive_shown(transfer_id: UUID) -> dict[str, Any]:
    lots = {line.lot_id for line in transfers.lines_of(db.session(), transfer_id)}
    products = [lot.product for lot in lots_by_id(db.session(), lots)]
    asked = set().union(*(witnessed_reasons(product, settings_here()) for product in products))
    on_the_way = (WasteReason.BROKEN, WasteReason.LOST)
    reasons = [words.WASTE[reason] for reason in on_the_way if reason in asked]
    return {"witness_reasons": reasons, **_buttons("Receive", transfer_id)}


def _buttons(submit_text: str, transfer_id: UUID) -> dict[str, str]:
    return {"submit_text": submit_text, "cancel_to": url_for("stock.transfer", transfer_id=transfer_id)}


def _page_of(outcome: Outcome) -> str:
    return url_for("stock.transfer", transfer_id=outcome.subject_id)
