"""Keeping an opened vial for one patient, and what the page of the vial says of it to whom."""

from collections.abc import Sequence
from uuid import UUID

from flask import url_for
from flask.typing import ResponseReturnValue

from inventory.audit.services import log_access
from inventory.catalogue.act_forms import act_page
from inventory.doses.forms.dedicating import DedicateForm
from inventory.doses.queries.dedicated import dedication_of, owners_of
from inventory.doses.services import dedicate_vial
from inventory.doses.views.blueprint import bp
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.permissions import Permission
from inventory.staff.current import current_actor
from inventory.stock.queries import vial_by_id
from inventory.stock.views.vials import REMARKS, Remark, vial_page
from inventory.web.access import requires


@bp.route("/vials/<uuid:vial_id>/keep", methods=["GET", "POST"])
@requires(Permission.DOSE_GIVE)
def dedicate(vial_id: UUID) -> ResponseReturnValue:
    """Keep an open vial for one patient."""
    form = DedicateForm()
    return act_page(
        form,
        lambda: dedicate_vial(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            vial_id=vial_id,
            patient_id=form.patient_id(db.session()),
        ),
        template="doses/dedicate.html",
        to=vial_page,
        done="The vial is kept for this patient only. Write it on the vial, or print its label again.",
        shown=lambda: {"vial": vial_by_id(db.session(), vial_id)},
    )


def kept_for(vial_id: UUID) -> Sequence[Remark]:
    """Say on the page of a vial that it is kept for one patient; who that is, only to those who may see patients."""
    patient_id = owners_of(db.session(), [vial_id]).get(vial_id)
    if patient_id is None:
        return []
    actor = current_actor()
    if not actor.can(Permission.PATIENT_READ):
        return [Remark("For one patient only", "It is dedicated to a patient and is given to nobody else.")]
    log_access(actor, patient_id, "vial")
    found = dedication_of(db.session(), vial_id)
    assert found is not None  # noqa: S101  it stood a moment ago
    patient = found[1]
    words = f"{patient.full_name}, {patient.record_number}"
    return [Remark("For one patient only", words, url_for("desk.patient", patient_id=patient_id))]


REMARKS.append(kept_for)
