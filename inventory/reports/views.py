"""The pages of the reports room: the register, a new report, one report, its files."""

from typing import cast
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from inventory.kernel.clock import now
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Permission
from inventory.reports import services
from inventory.reports.forms import AdministrationReportForm
from inventory.reports.queries import issued, requests
from inventory.reports.register import FileFormat
from inventory.web.access import requires
from inventory.web.pagination import cursor_here
from inventory.web.presenting import site_today

bp = Blueprint("reports", __name__, url_prefix="/reports")

_TYPES = {"pdf": "application/pdf", "csv": "text/csv; charset=utf-8"}


@bp.get("/")
@requires(Permission.REPORT_READ)
def index() -> ResponseReturnValue:
    """The register of issued reports."""
    return render_template("reports/index.html", page=issued.issued_reports(cursor=cursor_here()))


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.REPORT_ISSUE)
def new() -> ResponseReturnValue:
    """Ask for an administration report, and issue it."""
    form = _form()
    if form.validate_on_submit():
        try:
            report = services.issue_administration_report(
                asked=form.asked(), actor=current_user.actor, at=now(), request_key=form.act_key
            )
        except (Refusal, Refusals) as refusal:
            form.apply_refusal(refusal)
        else:
            flash(f"Report {report.label} is issued.")
            return redirect(url_for("reports.show", report_id=report.id))
    return render_template("reports/new.html", form=form), form.status


@bp.get("/<uuid:report_id>")
@requires(Permission.REPORT_READ)
def show(report_id: UUID) -> ResponseReturnValue:
    """One report: what it covers, its head of the chain, its files."""
    return render_template("reports/show.html", report=issued.issued_report(report_id))


@bp.get("/<uuid:report_id>/<any(pdf, csv):file_format>")
@requires(Permission.REPORT_READ)
def download(report_id: UUID, file_format: str) -> ResponseReturnValue:
    """A file of a report, as it was issued."""
    file = services.fetch_file(
        report_id=report_id,
        file_format=cast(FileFormat, file_format),
        actor=current_user.actor,
        at=now(),
    )
    response = Response(file.content, content_type=_TYPES[file_format])
    response.headers.set("Content-Disposition", "attachment", filename=file.name)
    return response


def _form() -> AdministrationReportForm:
    today = site_today()
    form = AdministrationReportForm(first_day=today.replace(day=1), last_day=today)
    form.site_code.offer((code, f"{name} ({code})") for code, name in requests.site_codes())
    form.giver_id.offer((str(giver_id), name) for giver_id, name in requests.givers())
    form.formulation_id.offer((str(formulation_id), name) for formulation_id, name in requests.formulations())
    return form
