"""Returns to the supplier and destructions: the list, a new document, one document, and its reversal."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from inventory.audit.acts import Outcome
from inventory.catalogue.act_forms import act_page, already_over
from inventory.catalogue.queries import suppliers
from inventory.clinic.current import current_site, settings_here
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Permission
from inventory.staff.current import current_actor
from inventory.stock import queries
from inventory.stock.forms import ReasonForm
from inventory.stock.forms.disposals import DisposalForm, DocumentFilter, StockFilter, disposal_form
from inventory.stock.models import DisposalKind, WasteReason
from inventory.stock.queries import Drawable
from inventory.stock.queries import disposals as documents
from inventory.stock.queries.lot_suppliers import only_supplier
from inventory.stock.rules import StateCode, lot_number_key
from inventory.stock.services import disposals as services
from inventory.stock.services.disposals import Document, Line, SealedLine, VialLine
from inventory.stock.views.blueprint import bp
from inventory.stock.views.witnessing import witness_id
from inventory.stock.words import WASTE
from inventory.web.access import requires
from inventory.web.pagination import cursor_here
from inventory.web.presenting import site_today

MOST_OFFERED = 100
_ACTS = {
    DisposalKind.RETURN: services.return_to_supplier,
    DisposalKind.DESTRUCTION: services.destroy,
}


@bp.get("/disposals")
@requires(Permission.STOCK_READ)
def disposals() -> ResponseReturnValue:
    """What left this site unused, the last on top."""
    filters, session = DocumentFilter(), db.session()
    valid = filters.validate()
    kind = DisposalKind(filters.kind.data) if valid and filters.kind.data else None
    page = documents.disposals_page(session, site_id=current_site().id, kind=kind, cursor=cursor_here())
    return render_template(
        "stock/disposals/index.html",
        filters=filters,
        page=page,
        sums=documents.disposal_sums(session, [one.id for one in page.items]),
        suppliers=documents.supplier_names(session, [one.supplier_id for one in page.items]),
    ), 200 if valid else 422


@bp.route("/disposals/new/<any('return', 'destruction'):kind>", methods=["GET", "POST"])
@requires(Permission.STOCK_MANAGE)
def dispose(kind: str) -> ResponseReturnValue:
    """Return stock to its supplier, or destroy it."""
    filters = StockFilter()
    offered, more = _offered(filters)
    form = disposal_form(offered)
    form.supplier.offer((one.id, one.name) for one in suppliers(db.session()))
    if not form.is_submitted() and (
        came_from := only_supplier(db.session(), [one.lot.id for one in offered])
    ):
        form.supplier.data = str(came_from)
    if form.is_submitted() and form.refuse_what_is_gone(offered):
        return render_template(
            "stock/disposals/new.html", form=form, **_shown(kind, filters, offered, more)
        ), 422
    return act_page(
        form,
        lambda: _act(DisposalKind(kind), form, offered),
        template="stock/disposals/new.html",
        to=_document_page,
        done="The document is recorded.",
        shown=lambda: _shown(kind, filters, *_offered(filters)),
    )


@bp.get("/disposals/<uuid:disposal_id>")
@requires(Permission.STOCK_READ)
def disposal(disposal_id: UUID) -> ResponseReturnValue:
    """One document."""
    return render_template("stock/disposals/document.html", **_document_shown(disposal_id))


@bp.route("/disposals/<uuid:disposal_id>/reverse", methods=["GET", "POST"])
@requires(Permission.STOCK_MANAGE)
def reverse_disposal(disposal_id: UUID) -> ResponseReturnValue:
    """Put back what a document took that was recorded wrongly."""
    form = ReasonForm()
    if not form.is_submitted() and not _document_shown(disposal_id)["can_reverse"]:
        address = url_for("stock.disposal", disposal_id=disposal_id)
        return already_over("This document cannot be reversed.", to=address)
    return act_page(
        form,
        lambda: services.reverse_disposal(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            disposal_id=disposal_id,
            reason=str(form.reason.data),
        ),
        template="stock/disposals/reverse.html",
        to=_document_page,
        done="The document is reversed. What it took lies where it lay before.",
        shown=lambda: _document_shown(disposal_id) | {"submit_text": "Reverse the document"},
    )


def _act(kind: DisposalKind, form: DisposalForm, offered: Sequence[Drawable]) -> Outcome:
    document = Document(
        site_id=current_site().id,
        number=str(form.document_number.data),
        lines=_lines(form, offered),
        supplier_id=UUID(form.supplier.data) if form.supplier.data else None,
        carrier=str(form.carrier.data),
        note=str(form.note.data),
        witness_id=witness_id(form),
        disposed_at=form.disposed_at.data,
        is_checked=bool(form.is_checked.data),
    )
    return _ACTS[kind](actor=current_actor(), at=now(), request_key=form.act_key, document=document)


def _lines(form: DisposalForm, offered: Sequence[Drawable]) -> list[Line]:
    return [_line(form, one) for one in offered if form.take_field(one).data]


def _line(form: DisposalForm, one: Drawable) -> Line:
    why = form.why_field(one)
    if not why.data:
        raise Refusal("WASTE-REASON", "Choose the reason.", why.name)
    reason = WasteReason(why.data)
    if one.vial is not None:
        return VialLine(one.vial.id, reason)
    return SealedLine(one.lot.id, one.location.id, form.take_field(one).data, reason)


def _offered(filters: StockFilter) -> tuple[list[Drawable], int]:
    """Return what may be chosen, what must not be given first, and how many more there are."""
    filters.location.offer((p.id, p.name) for p in queries.locations_of(db.session(), current_site().id))
    if not filters.validate():
        return [], 0
    found = queries.drawable(
        db.session(),
        site_id=current_site().id,
        on=site_today(),
        near_days=settings_here().near_expiry_days,
    )
    wanted = [one for one in found if _is_wanted(one, filters)]
    wanted.sort(key=lambda one: one.state.usable)
    return wanted[:MOST_OFFERED], max(0, len(wanted) - MOST_OFFERED)


def _is_wanted(one: Drawable, filters: StockFilter) -> bool:
    here = not filters.location.data or str(one.location.id) == filters.location.data
    if filters.lot.data:
        return here and one.lot.lot_number_key == lot_number_key(str(filters.lot.data))
    return here and (filters.what.data == "all" or not (one.usable or one.state.code is StateCode.DRILL))


def _shown(kind: str, filters: StockFilter, offered: Sequence[Drawable], more: int) -> dict[str, Any]:
    return {
        "kind": kind,
        "filters": filters,
        "offered": offered,
        "more": more,
        "submit_text": ("Record the return" if kind == "return" else "Record the destruction")
        if offered
        else "",
        "cancel_to": url_for("stock.disposals"),
    }


def _document_page(outcome: Outcome) -> str:
    return url_for("stock.disposal", disposal_id=outcome.subject_id)


def _document_shown(disposal_id: UUID) -> dict[str, Any]:
    found = documents.disposed(db.session(), disposal_id)
    return {
        "found": found,
        "disposal": found.disposal,
        "reasons": WASTE,
        "can_reverse": found.reversal is None and not any(one.line.vial_id for one in found.lines),
        "cancel_to": url_for("stock.disposal", disposal_id=disposal_id),
    }
