"""What waste has cost, by month and reason: a page and the same as CSV."""

from typing import Any
from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from inventory.clinic.current import settings_here, sites_here
from inventory.clinic.models import Site
from inventory.kernel.db import db
from inventory.kernel.permissions import Permission
from inventory.stock.forms.waste_cost import WasteCostFilter
from inventory.stock.presenters import waste_cost as present
from inventory.stock.queries.waste_cost import Wasted, waste_by_month
from inventory.stock.views.blueprint import bp
from inventory.web.access import requires
from inventory.web.spreadsheets import csv_answer


@bp.get("/waste-cost")
@requires(Permission.STOCK_RECONCILE)
def waste_cost() -> ResponseReturnValue:
    """Show what was wasted by month and reason, and what it had cost."""
    filters = _filters()
    return _page(filters, good=filters.validate())


@bp.get("/waste-cost.csv")
@requires(Permission.STOCK_RECONCILE)
def waste_cost_csv() -> ResponseReturnValue:
    """Return the same lines as a file; of a period that cannot be, the page that says so."""
    filters = _filters()
    if not filters.validate():
        return _page(filters, good=False)
    rows = present.csv_rows(_found(filters), _codes(), settings_here().currency)
    return csv_answer("waste-cost.csv", present.CSV_HEAD, rows)


def _page(filters: WasteCostFilter, *, good: bool) -> ResponseReturnValue:
    shown = _shown(filters) if good else {}
    chosen: dict[str, Any] = request.args.to_dict()
    address = url_for("stock.waste_cost_csv", **chosen)
    page = render_template("stock/waste_cost.html", filters=filters, csv_address=address, **shown)
    return page, 200 if good else 422


def _filters() -> WasteCostFilter:
    filters = WasteCostFilter()
    filters.site.offer((site.id, f"{site.name} ({site.code})") for site in sites_here())
    return filters


def _found(filters: WasteCostFilter) -> list[Wasted]:
    from_on, to_on = filters.period
    return waste_by_month(db.session(), _sites(filters), from_on=from_on, to_on=to_on)


def _sites(filters: WasteCostFilter) -> list[Site]:
    wanted = UUID(filters.site.data) if filters.site.data else None
    return [site for site in sites_here() if wanted in {None, site.id}]


def _codes() -> dict[UUID, str]:
    return {site.id: site.code for site in sites_here()}


def _shown(filters: WasteCostFilter) -> dict[str, Any]:
    currency, found = settings_here().currency, _found(filters)
    everything = present.total(found)
    return {
        "period": filters.period,
        "lines": present.lines(found, _codes(), currency),
        "reasons": present.by_reason(found, currency),
        "total": everything,
        "cost": present.cost_words(everything, currency),
        "containers": present.containers_worth(everything),
        "many_sites": len({one.site_id for one in found}) > 1,
    }
