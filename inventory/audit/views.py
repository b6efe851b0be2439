"""The trail, as an auditor reads it: what was done, whether the chain holds, and who looked at whom (laws 10 and 11)."""

from flask import Blueprint, Flask, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user

from inventory.audit import presenters, publishing, queries, upkeep, viewed
from inventory.audit.forms import AccessFilter, TrailFilter, ViewsFilter
from inventory.audit.limits import keeps_to_days
from inventory.audit.sealing import unsealed_looks
from inventory.audit.services import log_access
from inventory.kernel.db import db
from inventory.kernel.permissions import Permission
from inventory.web.access import requires
from inventory.web.pagination import cursor_here

bp = Blueprint("audit", __name__, url_prefix="/audit")


def init_app(app: Flask) -> None:
    """Log what auditors are shown, and do what is due of the trail."""
    viewed.init_app(app)
    upkeep.init_app(app)


@bp.get("")
@requires(Permission.AUDIT_READ)
@keeps_to_days
def index() -> ResponseReturnValue:
    """Show the trail, newest first, and where the chain stands."""
    session = db.session()
    filters = TrailFilter()
    filters.action.offer((action, presenters.action_words(action)) for action in queries.actions(session))
    filters.person.offer(queries.people(session))
    fine = filters.validate()
    seen = current_user.site_ids
    page = (
        queries.entries_page(session, filters.sought, cursor=cursor_here(), site_ids=seen) if fine else None
    )
    stands = {
        "head": queries.head(session),
        "held": publishing.given(session),
        "unsealed": unsealed_looks(session),
    }
    shown = render_template("audit/index.html", filters=filters, page=page, present=presenters, **stands)
    return shown, 200 if fine else 422


@bp.get("/<int:seq>")
@requires(Permission.AUDIT_READ)
@keeps_to_days
def entry(seq: int) -> str:
    """Show one entry: its facts, the rows it witnesses, and its hashes."""
    found = queries.entry_numbered(db.session(), seq)
    patient_id = found.AuditEntry.patient_id
    may_see = patient_id is None or bool(current_user.can(Permission.PATIENT_READ))
    if patient_id is not None and may_see:
        log_access(current_user.actor, patient_id, "trail")
        found = queries.entry_numbered(db.session(), seq)
    payload = queries.payload_of(found.AuditPayload.payload if found.AuditPayload else None)
    newest = queries.head(db.session()).seq
    shown = {"found": found, "payload": payload, "may_see": may_see, "newest": newest}
    return render_template("audit/entry.html", present=presenters, **shown)


@bp.get("/check")
@requires(Permission.AUDIT_READ)
def check() -> str:
    """Check the newest entries now, and say exactly what was checked."""
    checked = queries.check_newest(db.session())
    return render_template("audit/check.html", checked=checked, newest=queries.NEWEST_CHECKED)


@bp.get("/access")
@requires(Permission.AUDIT_READ)
@keeps_to_days
def access() -> ResponseReturnValue:
    """Show who looked at which patient, newest first."""
    session = db.session()
    filters = AccessFilter()
    filters.person.offer(queries.people(session))
    fine = filters.validate()
    page = queries.access_page(session, filters.sought, cursor=cursor_here()) if fine else None
    return render_template("audit/access.html", filters=filters, page=page), 200 if fine else 422


@bp.get("/auditors")
@requires(Permission.AUDIT_READ)
@keeps_to_days
def auditors() -> ResponseReturnValue:
    """Show what auditors looked at, newest first."""
    session = db.session()
    filters = ViewsFilter()
    filters.person.offer(queries.auditors(session))
    fine = filters.validate()
    page = queries.views_page(session, filters.sought, cursor=cursor_here()) if fine else None
    shown = render_template("audit/auditors.html", filters=filters, page=page, present=presenters)
    return shown, 200 if fine else 422
