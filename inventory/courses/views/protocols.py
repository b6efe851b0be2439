"""The protocols of the clinic: looked at by who may see patients, written by a prescriber."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from inventory.audit.acts import Outcome
from inventory.catalogue.act_forms import act_page
from inventory.courses import presenters, services
from inventory.courses.forms import STEPS, ProtocolForm, ReasonForm, VersionForm, typed_of
from inventory.courses.queries import protocols as queries
from inventory.courses.views.blueprint import bp
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Permission
from inventory.staff.current import current_actor
from inventory.web.access import requires


@bp.get("/protocols")
@requires(Permission.PATIENT_READ)
def protocols() -> str:
    """List the protocols."""
    return render_template(
        "courses/protocols.html", found=queries.protocols(db.session()), present=presenters
    )


@bp.get("/protocols/<uuid:protocol_id>")
@requires(Permission.PATIENT_READ)
def protocol(protocol_id: UUID) -> str:
    """Show a protocol with its versions."""
    versions = queries.versions_of(db.session(), protocol_id)
    return render_template("courses/protocol.html", versions=versions, present=presenters)


@bp.post("/protocols/shipped")
@requires(Permission.PROTOCOL_MANAGE)
def add_shipped() -> ResponseReturnValue:
    """Add the schedules that come with the software."""
    try:
        services.add_shipped(actor=current_actor(), at=now())
    except Refusal as refusal:
        flash(refusal.message, "info")
    else:
        flash("The schedules are added. A prescriber looks at each before it is used.")
    return redirect(url_for("courses.protocols"))


@bp.route("/protocols/new", methods=["GET", "POST"])
@requires(Permission.PROTOCOL_MANAGE)
def new_protocol() -> ResponseReturnValue:
    """Write a protocol."""
    form = ProtocolForm()
    return act_page(
        form,
        lambda: services.add_protocol(name=str(form.name.data), draft=form.draft(), **_act(form)),
        template="courses/edit_protocol.html",
        to=_page_of,
        done="The protocol is published.",
        shown=lambda: _editing("New protocol", url_for("courses.protocols")),
    )


@bp.route("/protocols/<uuid:protocol_id>/new-version", methods=["GET", "POST"])
@requires(Permission.PROTOCOL_MANAGE)
def new_version(protocol_id: UUID) -> ResponseReturnValue:
    """Publish a further version of a protocol."""
    newest = queries.versions_of(db.session(), protocol_id)[0]
    name, form = newest.protocol.name, VersionForm(data=typed_of(newest))
    return act_page(
        form,
        lambda: services.new_version(protocol_id=protocol_id, draft=form.draft(), **_act(form)),
        template="courses/edit_protocol.html",
        to=_page_of,
        done="The new version is published. Courses that run stay on theirs.",
        shown=lambda: _editing(
            f"New version of {name}", url_for("courses.protocol", protocol_id=protocol_id)
        ),
    )


@bp.route("/protocols/<uuid:protocol_id>/withdraw", methods=["GET", "POST"])
@requires(Permission.PROTOCOL_MANAGE)
def withdraw_protocol(protocol_id: UUID) -> ResponseReturnValue:
    """Let no further course start on a protocol."""
    name, form = queries.versions_of(db.session(), protocol_id)[0].protocol.name, ReasonForm()
    return act_page(
        form,
        lambda: services.withdraw_protocol(
            protocol_id=protocol_id, reason=str(form.reason.data), **_act(form)
        ),
        template="courses/withdraw.html",
        to=_page_of,
        done="The protocol is withdrawn. Courses that run on it go on.",
        shown=lambda: {
            "heading": f"Withdraw {name}",
            "words": "No further course can start on it. Those that run on it go on.",
            "trail": [("Protocols", url_for("courses.protocols"))],
            "submit_text": "Withdraw",
            "cancel_to": url_for("courses.protocol", protocol_id=protocol_id),
        },
    )


def _page_of(outcome: Outcome) -> str:
    return url_for("courses.protocol", protocol_id=outcome.subject_id)


def _act(form: Any) -> dict[str, Any]:
    return {"actor": current_actor(), "at": now(), "request_key": form.act_key}


def _editing(heading: str, cancel_to: str) -> dict[str, Any]:
    return {
        "heading": heading,
        "steps": STEPS,
        "further": "step4_dose",
        "submit_text": "Publish",
        "cancel_to": cancel_to,
    }
