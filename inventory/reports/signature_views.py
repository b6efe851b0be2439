"""The pages of signatures: a reviewer's on a report, earlier revisions, and the keys that sign for the clinic."""

from uuid import UUID

from flask import Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from inventory.audit.limits import keeps_to_days
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals, not_found
from inventory.kernel.permissions import Permission
from inventory.reports import services
from inventory.reports.blueprint import bp
from inventory.reports.forms import ReviewForm
from inventory.reports.kinds import kinds_for
from inventory.reports.manifest import in_groups
from inventory.reports.models import Meaning
from inventory.reports.queries.issued import IssuedReport, issued_report
from inventory.reports.queries.revisions import newest_sha256
from inventory.reports.reviewing import Review, may_review, review_report
from inventory.reports.signing.known import known_keys, signing_now
from inventory.staff.current import address, current_actor, signed_in
from inventory.staff.services import confirm_person
from inventory.web.access import requires


@bp.route("/<uuid:report_id>/review", methods=["GET", "POST"])
@requires(Permission.REPORT_SIGN)
@keeps_to_days
def review(report_id: UUID) -> ResponseReturnValue:
    """Sign a report: that it was reviewed, or approved."""
    report = issued_report(report_id, kinds=kinds_for(current_actor()))
    if not may_review(current_actor(), report):
        raise not_found("report that can be signed")
    form = ReviewForm(data={"seen_sha256": newest_sha256(db.session(), report_id)})
    back = url_for("reports.show", report_id=report_id)
    if form.validate_on_submit():
        try:
            _sign(form, report)
        except (Refusal, Refusals) as refusal:
            form.apply_refusal(refusal)
        else:
            flash("The report is signed. What is downloaded from now on carries your signature.")
            return redirect(back)
    page = render_template(
        "reports/review.html", form=form, report=report, submit_text="Sign", cancel_to=back
    )
    return page, form.status


def _sign(form: ReviewForm, report: IssuedReport) -> None:
    at = now()
    person = confirm_person(
        username=signed_in().username,
        password=str(form.password.data or ""),
        at=at,
        address=address(),
        field="username",
    )
    said = Review(Meaning(form.meaning.data), str(form.note.data or ""), str(form.seen_sha256.data or ""))
    review_report(actor=person, at=at, report_id=report.id, review=said, request_key=form.act_key)


@bp.get("/<uuid:report_id>/revisions/<int:number>.pdf")
@requires(Permission.REPORT_REGISTER)
@keeps_to_days
def revision(report_id: UUID, number: int) -> ResponseReturnValue:
    """A report's PDF as it was before later signatures; 1 is the one that was issued."""
    report = issued_report(report_id, kinds=kinds_for(current_actor()))
    file = services.fetch_file(
        report_id=report.id, file_format="pdf", actor=current_actor(), at=now(), revision=number
    )
    response = Response(file.content, content_type="application/pdf")
    name = file.name.removesuffix(".pdf") + f"-revision-{number}.pdf"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


@bp.get("/keys")
@requires(Permission.REPORT_REGISTER)
@keeps_to_days
def keys() -> str:
    """The keys that sign for the clinic, with the fingerprints that an auditor asks for."""
    return render_template(
        "reports/keys.html", keys=known_keys(db.session()), present=signing_now(), in_groups=in_groups
    )


@bp.get("/keys/<fingerprint>.pem")
@requires(Permission.REPORT_REGISTER)
@keeps_to_days
def certificate(fingerprint: str) -> ResponseReturnValue:
    """The certificate of one key."""
    found = next((key for key in known_keys(db.session()) if key.fingerprint == fingerprint), None)
    if found is None:
        raise not_found("key")
    response = Response(found.certificate, content_type="application/x-pem-file")
    response.headers.set("Content-Disposition", "attachment", filename=f"clinic-{fingerprint[:16]}.pem")
    return response
