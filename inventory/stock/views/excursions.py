"""A time outside the limits: what was held for it, and what becomes of that."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from inventory.catalogue.act_forms import act_page
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.permissions import Permission
from inventory.staff.current import current_actor
from inventory.stock.exposure import Limits
from inventory.stock.forms.temperatures import DecisionForm
from inventory.stock.models import ExcursionDecision
from inventory.stock.presenters import temperatures as presenters
from inventory.stock.queries import temperatures as queries
from inventory.stock.queries.unwatched import unwatched_lots
from inventory.stock.services import temperatures as services
from inventory.stock.views.blueprint import bp
from inventory.web.access import requires

AROUND = timedelta(hours=12)
"""How much of the time before and after is drawn with an excursion."""


@bp.get("/excursions/<uuid:excursion_id>")
@requires(Permission.STOCK_READ)
def excursion(excursion_id: UUID) -> ResponseReturnValue:
    """Show an excursion, what it holds, and what was decided."""
    return render_template("stock/temperatures/excursion.html", **_shown(excursion_id))


@bp.route("/excursions/<uuid:excursion_id>/decide", methods=["GET", "POST"])
@requires(Permission.STOCK_USE)
def decide_excursion(excursion_id: UUID) -> ResponseReturnValue:
    """Release what the excursion holds, or condemn it. A prescriber or manager decides."""
    form = DecisionForm()
    return act_page(
        form,
        lambda: services.decide_excursion(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            excursion_id=excursion_id,
            decision=ExcursionDecision(str(form.decision.data)),
            note=str(form.note.data),
        ),
        template="stock/temperatures/decide.html",
        to=lambda outcome: url_for("stock.excursion", excursion_id=outcome.subject_id),
        done="The decision is recorded.",
        shown=lambda: _shown(excursion_id) | {"submit_text": "Record the decision"},
    )


def _shown(excursion_id: UUID) -> dict[str, Any]:
    session = db.session()
    found = queries.excursion(session, excursion_id)
    one = found.excursion
    first, last = one.began_at - AROUND, min(one.last_read_at + AROUND, now())
    readings = queries.readings_between(session, one.location_id, first=first, last=last)
    limits = queries.limits_at(session, [one.location_id]).get(one.location_id, Limits(None, None))
    return {
        "found": found,
        "excursion": one,
        "unwatched": unwatched_lots(session, one.location_id, since=one.began_at),
        "chart": presenters.chart_of(readings, limits, first=first, last=last),
        "may_decide": services.may_decide(current_actor()) and one.decided_at is None,
        "cancel_to": url_for("stock.excursion", excursion_id=excursion_id),
    }
