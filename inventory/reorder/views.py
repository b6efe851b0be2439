"""What to order, and why."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, render_template, url_for
from flask.typing import ResponseReturnValue

from inventory.catalogue.act_forms import act_page
from inventory.clinic.current import chosen_site, current_site
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.errors import not_found
from inventory.kernel.permissions import Permission
from inventory.reorder import queries, services
from inventory.reorder.forms import LevelsForm
from inventory.staff.current import current_actor
from inventory.web.access import requires
from inventory.web.navigation import add_badge
from inventory.web.presenting import site_today

bp = Blueprint("reorder", __name__, url_prefix="/reorder")


def init_app(app: Flask) -> None:
    """Show in the menu how many products to order."""
    add_badge(app, "reorder.index", _due)


@bp.get("/")
@requires(Permission.REORDER_READ)
def index() -> str:
    """List the products with what is usable, and what to order."""
    found = queries.levels(db.session(), site_id=current_site().id, on=site_today(), at=now())
    return render_template("reorder/index.html", levels=found)


@bp.route("/products/<uuid:product_id>", methods=["GET", "POST"])
@requires(Permission.REORDER_MANAGE)
def edit(product_id: UUID) -> ResponseReturnValue:
    """Set the reorder point of a product at this site."""
    form = LevelsForm(obj=_level(product_id).rule)
    return act_page(
        form,
        lambda: services.set_levels(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            product_id=product_id,
            site_id=current_site().id,
            reorder_point=form.reorder_point.data,
            order_up_to=form.order_up_to.data,
        ),
        template="reorder/edit.html",
        to=lambda _outcome: url_for("reorder.index"),
        done="The reorder point is set.",
        shown=lambda: _shown(product_id),
    )


def _level(product_id: UUID) -> queries.Level:
    level = queries.level_of(
        db.session(), product_id=product_id, site_id=current_site().id, on=site_today(), at=now()
    )
    if level is None:
        raise not_found("product")
    return level


def _shown(product_id: UUID) -> dict[str, Any]:
    return {
        "level": _level(product_id),
        "submit_text": "Set",
        "cancel_to": url_for("reorder.index"),
    }


def _due() -> int:
    site = chosen_site()
    return queries.due_count(db.session(), site_id=site.id, on=site_today()) if site else 0
