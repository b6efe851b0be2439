"""The signals: reactions by lot, formulation and body site against the rest, as a page and as a file. Names no patient."""

from datetime import timedelta
from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue

from inventory.audit.limits import keeps_to_days
from inventory.doses.forms.reactions import SignalsFilter
from inventory.doses.presenters import signals as words
from inventory.doses.queries.signals import Named, signals_between
from inventory.doses.views.blueprint import bp
from inventory.kernel.db import db
from inventory.kernel.permissions import Permission
from inventory.web.access import requires
from inventory.web.presenting import site_today
from inventory.web.spreadsheets import csv_answer

USUAL = timedelta(days=90)
"""How far back it looks where nobody says: a long period costs as much time as it has doses."""


@bp.get("/reactions/signals")
@requires(Permission.DOSE_READ)
@keeps_to_days
def reaction_signals() -> ResponseReturnValue:
    """Show which lot, formulation or body site has more reactions than the rest, the most unusual first."""
    filters = SignalsFilter()
    shown = _asked(filters)
    page = render_template("doses/reaction_signals.html", filters=filters, words=words, **shown)
    return page, 200 if shown["named"] else 422


@bp.get("/reactions/signals.csv")
@requires(Permission.DOSE_READ)
@keeps_to_days
def reaction_signals_file() -> ResponseReturnValue:
    """Return every comparison as a file."""
    shown = _asked(SignalsFilter())
    rows = words.csv_rows(shown["named"]) if shown["named"] else ()
    answer = csv_answer("reaction-signals.csv", words.CSV_HEAD, rows)
    answer.status_code = 200 if shown["named"] else 422
    return answer


def _asked(filters: SignalsFilter) -> dict[str, Any]:
    """Return the signals that are asked for, with their days; none where the filter is wrong."""
    today = site_today()
    named: Named | None = None
    from_on, to_on = today - USUAL, today
    if filters.validate():
        from_on, to_on = filters.days(today, from_on)
        grave_only = filters.which.data == "grave"
        named = signals_between(db.session(), from_on, to_on, grave_only=grave_only)
    return {"named": named, "from_on": from_on, "to_on": to_on}
