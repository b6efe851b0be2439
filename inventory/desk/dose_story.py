"""A dose's whole story on one page, to be read and printed: recorded, changed, looked at; who, when, old and new side by side."""

from typing import Any
from uuid import UUID

from flask import render_template

from inventory.audit import presenters
from inventory.audit.limits import keeps_to_days
from inventory.audit.queries import payload_of
from inventory.audit.services import log_access
from inventory.desk import dose_story_queries, dose_story_words
from inventory.desk.blueprint import bp
from inventory.doses.presenters import dose as words
from inventory.doses.queries.story import get_dose, story_of
from inventory.kernel.db import db
from inventory.kernel.permissions import Permission
from inventory.staff.current import current_actor
from inventory.web.access import requires


@bp.get("/doses/<uuid:dose_id>/story")
@requires(Permission.DOSE_READ, Permission.PATIENT_READ, Permission.AUDIT_READ)
@keeps_to_days
def story(dose_id: UUID) -> str:
    """Show everything that was done to one dose."""
    log_access(current_actor(), get_dose(db.session(), dose_id).patient_id, "dose story")
    return render_template("desk/dose_story.html", present=presenters, words=words, **_told(dose_id))


def _told(dose_id: UUID) -> dict[str, Any]:
    session = db.session()
    story = story_of(session, dose_id)
    versions = dose_story_queries.versions_of(session, dose_id)
    entries = dose_story_queries.entries_of(session, versions)
    return {
        "story": story,
        "dose": story.dose,
        "versions": versions,
        "changes": dose_story_words.changes_of(versions),
        "entries": [(entry, payload_of(entry.payload).get("facts", {})) for entry in entries],
        "movements": dose_story_queries.movements_of(session, versions),
        "looks": dose_story_queries.looks_of(session, versions),
        "reports": dose_story_queries.reports_over(session, story.dose),
        "newest": dose_story_queries.NEWEST,
    }
