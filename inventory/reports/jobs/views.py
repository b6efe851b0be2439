"""The page of a report in the making: how far it is, how to cancel it, and where it is when it is ready.

Law kept here: least sight (11). A job is seen by whoever asked for it and by administrators; to others it does not exist.
"""

from uuid import UUID

from flask import Blueprint, flash, jsonify, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from inventory.audit.acts import Outcome
from inventory.kernel.clock import now
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Permission
from inventory.reports.jobs import queries, services
from inventory.reports.kinds import kinds_for
from inventory.reports.queries.issued import issued_report
from inventory.web.access import requires
from inventory.web.forms import ClinicForm

jobs = Blueprint("jobs", __name__, url_prefix="/jobs")


@jobs.get("/<uuid:job_id>")
@requires(Permission.OWN_ACCOUNT)
def show(job_id: UUID) -> ResponseReturnValue:
    """A report in the making, or what became of it."""
    job = queries.job_for(current_user.actor, job_id)
    services.mark_seen(job_id=job_id, actor=current_user.actor, at=now())
    may_read = job.kind in kinds_for(current_user.actor)
    return render_template("reports/job.html", job=job, may_read=may_read)


@jobs.get("/<uuid:job_id>/progress")
@requires(Permission.OWN_ACCOUNT)
def progress(job_id: UUID) -> ResponseReturnValue:
    """How far it is, for the script of its page."""
    job = queries.job_for(current_user.actor, job_id)
    return jsonify(state=job.state, done=job.rows_done, of=job.rows_of, words=job.words)


@jobs.post("/<uuid:job_id>/cancel")
@requires(Permission.OWN_ACCOUNT)
def cancel(job_id: UUID) -> ResponseReturnValue:
    """Cancel it."""
    form = ClinicForm()
    if form.validate_on_submit():
        try:
            services.cancel(job_id=job_id, actor=current_user.actor, at=now(), request_key=form.act_key)
        except Refusal as refusal:
            if refusal.status != 409:
                raise
            flash(refusal.message, "warning")
    return redirect(url_for("reports.jobs.show", job_id=job_id))


def led_to(made: Outcome, *, page: str = "reports.show", called: str = "Report") -> ResponseReturnValue:
    """Go on to the report that was issued, or to the page of its job."""
    if made.subject_type == services.SUBJECT:
        return redirect(url_for("reports.jobs.show", job_id=made.subject_id))
    flash(f"{called} {issued_report(made.subject_id).label} is issued.")
    return redirect(url_for(page, report_id=made.subject_id))
