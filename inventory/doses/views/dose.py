"""One dose's record: everything that was written then, what was found, what became of it."""

from uuid import UUID

from flask import render_template

from inventory.audit.services import log_access
from inventory.doses.presenters import dose as words
from inventory.doses.queries.story import get_dose, story_of
from inventory.doses.views.blueprint import bp
from inventory.kernel.db import db
from inventory.kernel.permissions import Permission
from inventory.staff.current import current_actor
from inventory.web.access import requires


@bp.get("/doses/<uuid:dose_id>")
@requires(Permission.DOSE_READ)
def dose(dose_id: UUID) -> str:
    """Show one dose's record."""
    actor = current_actor()
    log_access(actor, get_dose(db.session(), dose_id).patient_id, "dose")
    story = story_of(db.session(), dose_id)
    return render_template(
        "doses/dose.html",
        story=story,
        dose=story.dose,
        words=words,
        may_correct=story.void is None and words.may_correct(actor, story.dose),
    )
