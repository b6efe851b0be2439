"""The exports: which tables somebody may take along, and each as a file."""

from flask import Response, render_template
from flask.typing import ResponseReturnValue

from inventory.audit.limits import keeps_to_days
from inventory.interop import feed_views
from inventory.interop.blueprint import bp
from inventory.interop.exports import export_named, exports_for
from inventory.interop.services.exporting import export as take
from inventory.kernel.clock import now
from inventory.kernel.permissions import Permission
from inventory.staff.current import current_actor
from inventory.staff.presenters import days_words
from inventory.web.access import requires

__all__ = ["bp", "feed_views"]


@bp.get("")
@requires(Permission.AUDIT_READ)
@keeps_to_days
def exports() -> str:
    """Show the tables that the person may take along, with what stands in each column."""
    actor = current_actor()
    days = days_words(actor.days) if actor.days else ""
    return render_template("interop/exports.html", tables=exports_for(actor), days=days)


@bp.get("/<table_name>.csv")
@requires(Permission.AUDIT_READ)
@keeps_to_days
def export(table_name: str) -> ResponseReturnValue:
    """Send one table as a file."""
    actor = current_actor()
    table = export_named(table_name, actor)
    taken = take(table=table, actor=actor, at=now())
    response = Response(taken.pieces(), content_type="text/csv; charset=utf-8")
    response.headers.set("Content-Disposition", "attachment", filename=f"{table.name}.csv")
    return response
