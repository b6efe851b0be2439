"""A delivery comes in; a receipt typed wrongly is reversed."""

from typing import Any
from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from inventory.audit.acts import Outcome
from inventory.catalogue.act_forms import act_page
from inventory.catalogue.gs1 import SCAN_END
from inventory.catalogue.presenters import product_line
from inventory.catalogue.queries import receivable_products, suppliers
from inventory.clinic.current import current_site, settings_here
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.money import to_minor
from inventory.kernel.permissions import Permission
from inventory.staff.current import current_actor
from inventory.stock import presenters, queries, services
from inventory.stock.forms import ReasonForm, ReceiveForm
from inventory.stock.services import Delivery
from inventory.stock.views.blueprint import bp
from inventory.stock.views.scanning import take_scan
from inventory.web.access import requires


@bp.route("/receive", methods=["GET", "POST"])
@requires(Permission.STOCK_MANAGE)
def receive() -> ResponseReturnValue:
    """Receive a delivery. What was scanned is read into the form first; what is typed into it then is received."""
    form = ReceiveForm()
    pack_sizes = _offer(form)
    if not pack_sizes and not form.scan.data:
        return render_template("stock/no_product.html", form=form)
    if form.scan.data:
        return _scanned_page(form)
    return act_page(
        form,
        lambda: services.receive_delivery(
            actor=current_actor(), at=now(), request_key=form.act_key, delivery=_delivery(form, pack_sizes)
        ),
        template="stock/receive.html",
        to=lot_page,
        done=f"Received: {presenters.containers_words(*_counted(form, pack_sizes))}.",
        shown=lambda: _shown(form),
    )


@bp.route("/receipts/<uuid:receipt_id>/reverse", methods=["GET", "POST"])
@requires(Permission.STOCK_MANAGE)
def reverse_receipt(receipt_id: UUID) -> ResponseReturnValue:
    """Undo a receipt while all of it is still sealed on its shelf."""
    form = ReasonForm()
    return act_page(
        form,
        lambda: services.reverse_receipt(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            receipt_id=receipt_id,
            reason=str(form.reason.data),
        ),
        template="stock/reverse_receipt.html",
        to=lot_page,
        done="The receipt is reversed.",
        shown=lambda: _receipt_shown(receipt_id),
    )


def lot_page(outcome: Outcome) -> str:
    """Return the address of the lot an act was about."""
    return url_for("stock.lot", lot_id=outcome.subject_id)


def _scanned_page(form: ReceiveForm) -> ResponseReturnValue:
    scan = take_scan(form)
    status = 422 if form.problems() else 200
    return render_template("stock/receive.html", form=form, scan=scan, **_shown(form)), status


def _shown(form: ReceiveForm) -> dict[str, Any]:
    kept = str(form.scans.data or "")
    return {
        "has_locations": bool(form.location.offered),
        "kept": kept.split(SCAN_END) if kept else [],
        "currency": settings_here().currency,
    }


def _offer(form: ReceiveForm) -> dict[str, int]:
    products = receivable_products(db.session())
    places = queries.locations_of(db.session(), current_site().id)
    form.product.offer((p.id, product_line(p)) for p in products)
    form.location.offer((p.id, p.name) for p in places)
    form.supplier.offer((s.id, s.name) for s in suppliers(db.session()))
    if not form.is_submitted():
        form.scan.process_formdata(request.args.getlist("scan")[:1])
        form.location.data = str(places[0].id) if len(places) == 1 else None
    return {str(p.id): p.pack_size for p in products}


def _counted(form: ReceiveForm, pack_sizes: dict[str, int]) -> tuple[int, int]:
    """Return the containers that came, and how many make a pack."""
    pack = pack_sizes.get(str(form.product.data), 1)
    typed = form.containers.data or 0
    return (typed * pack if form.unit.data == "packs" else typed), pack


def _delivery(form: ReceiveForm, pack_sizes: dict[str, int]) -> Delivery:
    return Delivery(
        product_id=UUID(str(form.product.data)),
        lot_number=str(form.lot_number.data),
        expires_on=form.expires_on.data,
        expires_month_only=form.expires_on.month_only,
        containers=_counted(form, pack_sizes)[0],
        site_id=current_site().id,
        location_id=UUID(str(form.location.data)),
        supplier_id=UUID(form.supplier.data) if form.supplier.data else None,
        new_supplier_name=str(form.new_supplier.data),
        document_number=str(form.document_number.data),
        received_at=form.received_at.data,
        hold_expired=bool(form.hold_expired.data),
        container_price_minor=_price(form),
        raw_scan=None if form.without_scan.data else form.scans.data or None,
    )


def _price(form: ReceiveForm) -> int | None:
    """Return the price of one container in the smallest unit of the clinic's currency. Raises Refusal PRICE-INVALID."""
    typed = form.price.data
    return None if typed is None else to_minor(typed, settings_here().currency, field="price")


def _receipt_shown(receipt_id: UUID) -> dict[str, Any]:
    receipt = queries.receipt_by_id(db.session(), receipt_id)
    lot = queries.lot_by_id(db.session(), receipt.lot_id)
    cancel_to = url_for("stock.lot", lot_id=lot.id)
    return {"receipt": receipt, "lot": lot, "submit_text": "Reverse the receipt", "cancel_to": cancel_to}
