"""Records a row of a downtime sheet: an ordinary dose given already, for the slot that stood on the sheet, once (laws 5 and 7)."""

from datetime import datetime
from uuid import UUID

from inventory.audit.acts import Act, Outcome, perform
from inventory.courses.services.slots import locked_slot
from inventory.doses.queries.containers import DoseRequest
from inventory.doses.services.recording import record_dose
from inventory.kernel.permissions import Actor
from inventory.patients.services.record import locked


def record_from_sheet(
    *,
    actor: Actor,
    at: datetime,
    request: DoseRequest,
    slot_id: UUID | None,
    request_key: str | None = None,
) -> Outcome:
    """Record the dose of a row, given by `actor`. Outcome: the dose.

    Raises Refusal SLOT-DECIDED where the dose that was due is decided by now, so that a sheet which two people enter is
    recorded once; otherwise as `record_dose`.
    """

    def write(act: Act) -> Outcome:
        if slot_id is not None:
            locked(act.session, request.patient_id)
            locked_slot(act, slot_id)
        return record_dose(actor=actor, at=at, request=request, request_key=act.request_key)

    return perform(write, actor=actor, at=at, request_key=request_key)
