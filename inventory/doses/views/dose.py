"""One dose's record: everything that was written then, what was found, what became of it."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from flask import render_template, url_for

from inventory.audit.limits import keeps_to_days
from inventory.audit.services import log_access
from inventory.doses.presenters import dose as words
from inventory.doses.queries.dedicated import owners_of
from inventory.doses.queries.ordered import given_under
from inventory.doses.queries.story import get_dose, numbers_of_movements, story_of
from inventory.doses.views.blueprint import bp
from inventory.kernel.db import db
from inventory.kernel.permissions import Permission
from inventory.staff.current import current_actor
from inventory.stock.concerns import GIVEN, Link
from inventory.web.access import requires


@bp.get("/doses/<uuid:dose_id>")
@requires(Permission.DOSE_READ)
@keeps_to_days
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
        under=given_under(db.session(), dose_id),
        owners=owners_of(db.session(), [source.vial_id for source in story.sources]),
        may_correct=story.void is None and words.may_correct(actor, story.dose),
    )


def dose_links(movement_ids: Collection[int]) -> Mapping[int, Sequence[Link]]:
    """Return by movement the doses it was posted for, as links; nothing for whoever may not read doses. Names nobody."""
    if not current_actor().can(Permission.DOSE_READ):
        return {}
    found = numbers_of_movements(db.session(), movement_ids)
    return {
        movement_id: [(said, url_for("doses.dose", dose_id=dose_id)) for dose_id, said in doses]
        for movement_id, doses in found.items()
    }


GIVEN.append(dose_links)
