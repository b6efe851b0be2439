"""The pages of the reports room: the register, a new report, one report, its files."""

from typing import cast
from uuid import UUID

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from inventory.audit.limits import keeps_to_days
from inventory.audit.services import log_access
from inventory.clinic.current import current_site, visible_sites
from inventory.doses.queries.dedicated import owners_of
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Permission
from inventory.reports import belonging, consents, disposals, due_views, labels, services, signature_views
from inventory.reports.blueprint import bp
from inventory.reports.forms import reconciliation_form, register_filter, report_form
from inventory.reports.jobs.asking import issue_or_ask
from inventory.reports.jobs.queries import job_of, jobs_waited_for, what_became_of
from inventory.reports.jobs.views import jobs, led_to
from inventory.reports.kinds import KIND_WORDS, ReportKind, kinds_for, kinds_issued_by
from inventory.reports.manifest import in_groups
from inventory.reports.queries import issued
from inventory.reports.queries.revisions import revisions_of
from inventory.reports.register import FileFormat
from inventory.reports.reviewing import MEANING_WORDS, may_review
from inventory.reports.verification import page as verification
from inventory.web.access import requires
from inventory.web.pagination import cursor_here
from inventory.web.presenting import site_today

__all__ = ["belonging", "bp", "due_views", "signature_views"]

bp.record_once(verification.give_address)
bp.register_blueprint(jobs)

_TYPES = {"pdf": "application/pdf", "csv": "text/csv; charset=utf-8"}


@bp.get("/")
@requires(Permission.REPORT_REGISTER)
@keeps_to_days
def index() -> ResponseReturnValue:
    """The register of issued reports."""
    filters = register_filter()
    page = issued.issued_reports(
        cursor=cursor_here(),
        site_ids=visible_sites(),
        kinds=kinds_for(current_user.actor),
        sought=filters.sought if filters.validate() else None,
    )
    return render_template(
        "reports/index.html",
        page=page,
        filters=filters,
        may_issue=bool(kinds_issued_by(current_user.actor)),
        without_files=what_became_of([report.id for report in page.items if not report.files]),
        jobs=jobs_waited_for(current_user.id),
    )


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.REPORT_REGISTER)
@keeps_to_days
def new() -> ResponseReturnValue:
    """Ask first which kind of report, then what it needs, and issue it."""
    kinds = kinds_issued_by(current_user.actor)
    kind = next((kind for kind in kinds if kind == request.args.get("kind")), None)
    if kind is None:
        return render_template("reports/kinds.html", kinds=[(kind, KIND_WORDS[kind]) for kind in kinds])
    return _asked_for(kind)


@bp.get("/<uuid:report_id>")
@requires(Permission.REPORT_REGISTER)
@keeps_to_days
def show(report_id: UUID) -> ResponseReturnValue:
    """One report: what it covers, its head of the chain, its files."""
    return _report_page(_readable(report_id))


@bp.get("/<uuid:report_id>/<any(pdf, csv):file_format>")
@requires(Permission.REPORT_REGISTER)
@keeps_to_days
def download(report_id: UUID, file_format: str) -> ResponseReturnValue:
    """A file of a report, as it was issued."""
    _readable(report_id)
    return _file(report_id, file_format)


@bp.get("/labels/<uuid:vial_id>.pdf")
@requires(Permission.STOCK_READ)
def vial_label(vial_id: UUID) -> ResponseReturnValue:
    """The label of an opened vial, to be printed; `paper=a4` for a printer that has no labels."""
    actor = current_user.actor
    patient_id = owners_of(db.session(), [vial_id]).get(vial_id)
    if patient_id is not None and actor.can(Permission.PATIENT_READ):
        log_access(actor, patient_id, "label")
    label = labels.vial_label(vial_id, actor=actor, on=site_today())
    content = labels.label_pdf(label, at=now(), on_a4=request.args.get("paper") == "a4")
    response = Response(content, content_type=_TYPES["pdf"])
    response.headers.set("Content-Disposition", "inline", filename=f"{label.code}.pdf")
    return response


@bp.get("/consent-forms/<uuid:patient_id>.pdf")
@requires(Permission.PATIENT_READ, Permission.PATIENT_WRITE)
def consent_form(patient_id: UUID) -> ResponseReturnValue:
    """The form on which a patient consents, to be filled in and signed by hand."""
    actor = current_user.actor
    log_access(actor, patient_id, "consent form")
    content = consents.consent_form_pdf(patient_id, site=current_site(), actor=actor, at=now())
    response = Response(content, content_type=_TYPES["pdf"])
    response.headers.set("Content-Disposition", "inline", filename="consent-form.pdf")
    return response


@bp.get("/disposals/<uuid:disposal_id>.pdf")
@requires(Permission.STOCK_READ)
def disposal(disposal_id: UUID) -> ResponseReturnValue:
    """The return note or the destruction record of a document, to be signed."""
    name, content = disposals.disposal_pdf(disposal_id, actor=current_user.actor, at=now())
    response = Response(content, content_type=_TYPES["pdf"])
    response.headers.set("Content-Disposition", "inline", filename=name)
    return response


@bp.get("/reconciliations")
@requires(Permission.STOCK_RECONCILE)
@keeps_to_days
def reconciliations() -> ResponseReturnValue:
    """The register of issued reconciliations."""
    page = issued.issued_reports(
        cursor=cursor_here(), site_ids=visible_sites(), kinds=[ReportKind.RECONCILIATION]
    )
    return render_template("reports/reconciliations.html", page=page)


@bp.route("/reconciliations/new", methods=["GET", "POST"])
@requires(Permission.STOCK_RECONCILE)
@keeps_to_days
def new_reconciliation() -> ResponseReturnValue:
    """Ask for a reconciliation, and issue it."""
    form = reconciliation_form()
    if form.validate_on_submit():
        try:
            made = issue_or_ask(
                kind=ReportKind.RECONCILIATION,
                asked=form.asked,
                actor=current_user.actor,
                at=now(),
                request_key=form.act_key,
            )
        except (Refusal, Refusals) as refusal:
            form.apply_refusal(refusal)
        else:
            return led_to(made, page="reports.reconciliation", called="Reconciliation")
    return render_template("reports/new_reconciliation.html", form=form), form.status


@bp.get("/reconciliations/<uuid:report_id>")
@requires(Permission.STOCK_RECONCILE)
@keeps_to_days
def reconciliation(report_id: UUID) -> ResponseReturnValue:
    """One issued reconciliation: what it covers, its head of the chain, its files."""
    report = issued.issued_report(report_id, kinds=[ReportKind.RECONCILIATION])
    return _report_page(report, download="reports.download_reconciliation")


@bp.get("/reconciliations/<uuid:report_id>/<any(pdf, csv):file_format>")
@requires(Permission.STOCK_RECONCILE)
@keeps_to_days
def download_reconciliation(report_id: UUID, file_format: str) -> ResponseReturnValue:
    """A file of a reconciliation, as it was issued."""
    issued.issued_report(report_id, kinds=[ReportKind.RECONCILIATION])
    return _file(report_id, file_format)


def _readable(report_id: UUID) -> issued.IssuedReport:
    """Return a report of a kind that the person may read. Raises Refusal NOT-FOUND."""
    return issued.issued_report(report_id, kinds=kinds_for(current_user.actor))


def _report_page(report: issued.IssuedReport, **shown: str) -> str:
    signed = {
        "revisions": revisions_of(db.session(), report.id),
        "meanings": MEANING_WORDS,
        "may_review": may_review(current_user.actor, report),
        "job": None if report.files else job_of(report.id),
    }
    return render_template("reports/show.html", report=report, in_groups=in_groups, **signed, **shown)


def _file(report_id: UUID, file_format: str) -> Response:
    file = services.fetch_file(
        report_id=report_id,
        file_format=cast(FileFormat, file_format),
        actor=current_user.actor,
        at=now(),
    )
    response = Response(file.content, content_type=_TYPES[file_format])
    response.headers.set("Content-Disposition", "attachment", filename=file.name)
    return response


def _asked_for(kind: ReportKind) -> ResponseReturnValue:
    form = report_form(kind)
    if form.validate_on_submit():
        try:
            made = issue_or_ask(
                kind=kind,
                asked=form.asked(site_today()),
                actor=current_user.actor,
                at=now(),
                request_key=form.act_key,
            )
        except (Refusal, Refusals) as refusal:
            form.apply_refusal(refusal)
        else:
            return led_to(made)
    return render_template("reports/new.html", form=form, words=KIND_WORDS[kind]), form.status
