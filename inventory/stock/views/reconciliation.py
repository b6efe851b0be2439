"""The reconciliation: what came, went and is left over a period, and of one lot each movement."""

from dataclasses import replace
from uuid import UUID

from flask import render_template
from flask.typing import ResponseReturnValue

from inventory.catalogue.queries import formulations
from inventory.clinic.current import current_site, settings_here, sites_here
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.errors import Refusals
from inventory.kernel.permissions import Permission
from inventory.stock import queries
from inventory.stock.forms.reconciliation import ReconciliationFilter
from inventory.stock.presenters import reconciliation as words
from inventory.stock.queries.exceptions import movements_page
from inventory.stock.queries.reconciled import Reconciliation, reconciliation_of
from inventory.stock.queries.reconciliation import Scope
from inventory.stock.queries.scopes import worded_scope
from inventory.stock.views.blueprint import bp
from inventory.web.access import requires
from inventory.web.pagination import cursor_here
from inventory.web.presenting import site_today
from inventory.web.spreadsheets import csv_answer


@bp.get("/reconciliation")
@requires(Permission.STOCK_RECONCILE)
def reconciliation() -> ResponseReturnValue:
    """What came, went and is left, over a period of each site's own days."""
    filters = _filters()
    return _page(filters, _scope(filters))


@bp.get("/reconciliation/exceptions.csv")
@requires(Permission.STOCK_RECONCILE)
def reconciliation_exceptions() -> ResponseReturnValue:
    """What stands out of the period, as a file; of a period that cannot be, the page that says so."""
    filters = _filters()
    scope = _scope(filters)
    if scope is None:
        return _page(filters, None)
    name = f"reconciliation-exceptions-{scope.first_day}-{scope.last_day}.csv"
    return csv_answer(name, words.EXCEPTIONS_HEAD, words.exception_rows(_found(scope).noted))


def _page(filters: ReconciliationFilter, scope: Scope | None) -> ResponseReturnValue:
    found = _found(scope) if scope else None
    status = 200 if scope else 422
    return render_template("stock/reconciliation.html", filters=filters, found=found, words=words), status


@bp.get("/reconciliation/lots/<uuid:lot_id>")
@requires(Permission.STOCK_RECONCILE)
def reconciled_lot(lot_id: UUID) -> ResponseReturnValue:
    """One lot over the period: its parts, and every movement."""
    lot = queries.lot_by_id(db.session(), lot_id)
    filters = _filters()
    scope = _scope(filters)
    of_lot = replace(scope, lot_ids=(lot_id,)) if scope else None
    return render_template(
        "stock/reconciled_lot.html",
        lot=lot,
        filters=filters,
        found=_found(of_lot) if of_lot else None,
        moved=movements_page(db.session(), of_lot, cursor=cursor_here()) if of_lot else None,
        words=words,
    ), 200 if of_lot else 422


def _filters() -> ReconciliationFilter:
    filters = ReconciliationFilter(site_code=current_site().code, today=site_today())
    filters.site_code.offer((site.code, f"{site.name} ({site.code})") for site in sites_here())
    filters.formulation_id.offer((f.id, f.name) for f in formulations(db.session()))
    return filters


def _scope(filters: ReconciliationFilter) -> Scope | None:
    """Return what is asked for, or None where it cannot be, which the filters then say."""
    if not filters.validate():
        return None
    try:
        visible = {site.id for site in sites_here()}
        return worded_scope(db.session(), filters.wanted, at=now(), visible=visible).scope
    except Refusals as refusals:
        filters.apply_refusal(refusals)
        return None


def _found(scope: Scope) -> Reconciliation:
    return reconciliation_of(db.session(), scope, settings=settings_here(), at=now())
