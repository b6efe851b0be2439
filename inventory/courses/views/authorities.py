"""Standing orders and group directions: what lets the clinic give without a patient's own order."""

from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from inventory.catalogue.act_forms import act_page
from inventory.catalogue.queries import formulations
from inventory.courses import presenters, services
from inventory.courses.forms import AuthorityForm, ReasonForm
from inventory.courses.queries import protocols as queries
from inventory.courses.views.blueprint import bp
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.permissions import Permission
from inventory.staff.current import current_actor
from inventory.web.access import requires
from inventory.web.presenting import site_today


@bp.get("/authorities")
@requires(Permission.PATIENT_READ)
def authorities() -> str:
    """List the authorities."""
    return render_template(
        "courses/authorities.html",
        found=queries.authorities(db.session()),
        present=presenters,
        today=site_today(),
    )


@bp.route("/authorities/new", methods=["GET", "POST"])
@requires(Permission.PROTOCOL_MANAGE)
def new_authority() -> ResponseReturnValue:
    """Enter a document."""
    form = AuthorityForm(data={"valid_from": site_today()})
    form.formulation.offer((one.id, one.name) for one in formulations(db.session()) if not one.refused)
    return act_page(
        form,
        lambda: services.add_authority(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            formulation_id=UUID(str(form.formulation.data)),
            draft=form.draft(),
        ),
        template="courses/new_authority.html",
        to=lambda _outcome: url_for("courses.authorities"),
        done="The document is entered.",
        shown=lambda: {"submit_text": "Enter it", "cancel_to": url_for("courses.authorities")},
    )


@bp.route("/authorities/<uuid:authority_id>/withdraw", methods=["GET", "POST"])
@requires(Permission.PROTOCOL_MANAGE)
def withdraw_authority(authority_id: UUID) -> ResponseReturnValue:
    """Let nothing more be given under a document."""
    document, form = queries.authority_by_id(db.session(), authority_id).document, ReasonForm()
    return act_page(
        form,
        lambda: services.withdraw_authority(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            authority_id=authority_id,
            reason=str(form.reason.data),
        ),
        template="courses/withdraw.html",
        to=lambda _outcome: url_for("courses.authorities"),
        done="The document is withdrawn.",
        shown=lambda: {
            "heading": f"Withdraw {document}",
            "words": "Nothing more is given under it from now on.",
            "trail": [("Standing orders", url_for("courses.authorities"))],
            "submit_text": "Withdraw",
            "cancel_to": url_for("courses.authorities"),
        },
    )
