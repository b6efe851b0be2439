"""The first page: the day at this site, by what the person does in the clinic."""

from flask import render_template

from inventory.audit.limits import span_here
from inventory.audit.services import log_list
from inventory.clinic.current import chosen_site, settings_here
from inventory.desk import today_queries
from inventory.desk.blueprint import bp
from inventory.doses.presenters.due import DUE_TONES
from inventory.kernel.clock import local_day, now
from inventory.kernel.db import db
from inventory.kernel.permissions import Permission
from inventory.reports.jobs.queries import jobs_waited_for
from inventory.staff.current import current_actor
from inventory.staff.presenters import days_words
from inventory.web.access import requires


@bp.get("/")
@requires(Permission.OWN_ACCOUNT)
def today() -> str:
    """Show what there is to do today; in an empty clinic, how to begin."""
    site, at = chosen_site(), now()
    if site is None:
        return render_template("desk/no_site.html")
    if span_here():
        return render_template("desk/auditor.html", days=days_words(current_actor().days))
    told = today_queries.today(
        db.session(),
        actor=current_actor(),
        site=site,
        day=local_day(at, site.time_zone),
        at=at,
        near_days=settings_here().near_expiry_days,
    )
    shown = render_template(
        "desk/today.html",
        today=told,
        site=site,
        tones=DUE_TONES,
        to_discard=told.to_discard(settings_here()),
        jobs=jobs_waited_for(current_actor().id),
    )
    seen = [*(row.patient_id for row in told.doses), *(line.patient_id for line in told.due_lines)]
    log_list(current_actor(), seen, "today")
    return shown
