"""The shelf, and the list of every lot there ever was."""

from itertools import chain
from uuid import UUID

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from inventory.catalogue.queries import formulations
from inventory.clinic.current import current_site, settings_here
from inventory.kernel.db import db
from inventory.kernel.permissions import Permission
from inventory.stock import presenters, queries
from inventory.stock.forms import LotFilter, ShelfFilter
from inventory.stock.queries import ShelfGroup
from inventory.stock.queries.recalls import drills_among
from inventory.stock.queries.transfers import coming_to
from inventory.stock.views.blueprint import bp
from inventory.stock.views.scanning import scanned_lot_id
from inventory.web.access import requires
from inventory.web.pagination import cursor_here
from inventory.web.presenting import site_today


@bp.get("/")
@requires(Permission.STOCK_READ)
def shelf() -> ResponseReturnValue:
    """What lies at this site, by formulation, first to expire first."""
    filters = ShelfFilter()
    filters.formulation.offer((f.id, f.name) for f in formulations(db.session()))
    filters.location.offer((p.id, p.name) for p in queries.locations_of(db.session(), current_site().id))
    valid = filters.validate()
    if valid and (address := _scanned(str(filters.q.data or ""))):
        return redirect(address)
    groups = _groups(filters) if valid else []
    page = presenters.shelf_page(groups, cursor_here())
    totals = {group.formulation.id: group for group in groups}
    status = 200 if valid else 422
    coming = coming_to(db.session(), current_site().id)
    shown = {"filters": filters, "totals": totals, "page": page, "coming": coming}
    return render_template("stock/shelf.html", **shown), status


@bp.get("/lots")
@requires(Permission.STOCK_READ)
def lots() -> ResponseReturnValue:
    """Every lot, also those used up."""
    filters = LotFilter()
    valid = filters.validate()
    if valid and (address := _scanned(str(filters.q.data or ""))):
        return redirect(address)
    words = str(filters.q.data or "") if valid else ""
    page = queries.lots_page(db.session(), words=words, cursor=cursor_here())
    holds = queries.active_holds(db.session(), {lot.id for lot in page.items})
    states = presenters.states_of(
        page.items,
        queries.left_and_moved(db.session(), {lot.id for lot in page.items}),
        holds,
        drills=drills_among(db.session(), chain.from_iterable(holds.values())),
        on=site_today(),
        near_days=settings_here().near_expiry_days,
    )
    return render_template(
        "stock/lots.html", filters=filters, page=page, states=states
    ), 200 if valid else 422


def _groups(filters: ShelfFilter) -> list[ShelfGroup]:
    found = queries.shelf(
        db.session(),
        site_id=current_site().id,
        on=site_today(),
        near_days=settings_here().near_expiry_days,
        words=str(filters.q.data or ""),
        formulation_id=_id(filters.formulation.data),
        location_id=_id(filters.location.data),
    )
    return presenters.only_in_state(found, filters.state.data)


def _scanned(text: str) -> str:
    """Return where a scan leads: to the vial whose label it is, or the lot of a pack; empty where it is no scan."""
    if vial_id := queries.vial_id_by_code(db.session(), text):
        return url_for("stock.vial", vial_id=vial_id)
    lot_id = scanned_lot_id(text)
    return url_for("stock.lot", lot_id=lot_id) if lot_id else ""


def _id(text: str | None) -> UUID | None:
    return UUID(text) if text else None
