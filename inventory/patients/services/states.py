"""Says that the clinic no longer sees a patient, or again, or that they died. The history is the trail's (law 10)."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from inventory.audit.acts import Act, Outcome, perform
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Actor
from inventory.patients import rules
from inventory.patients.models import Patient, RecordState
from inventory.patients.services.record import changes, locked, record_edit

UPON_DEATH: list[Callable[[Act, UUID], None]] = []
"""What other rooms do within the act that says that the patient of a record died."""


def set_state(
    *,
    actor: Actor,
    at: datetime,
    patient_id: UUID,
    state: RecordState,
    died_on: date | None = None,
    reason: str = "",
    request_key: str | None = None,
) -> Outcome:
    """Set the state of a record that stands for its person, and the day of death with "deceased", and only there.

    Raises Refusal NOT-FOUND, MERGED-ALREADY, DIED-ON, REASON-NEEDED (unless deceased), NOTHING-CHANGED.
    """

    def write(act: Act) -> Outcome:
        patient = locked(act.session, patient_id)
        _refuse_state(patient, state, died_on, reason, at)
        before = _state_of(patient)
        patient.state, patient.died_on = state, died_on
        more = {"reason": reason.strip()} if changes(before, _state_of(patient)) else {}
        for ended in UPON_DEATH if state is RecordState.DECEASED else ():
            ended(act, patient_id)
        return record_edit(act, patient, before, _state_of(patient), "patients.set-state", more=more)

    return perform(write, actor=actor, at=at, request_key=request_key)


def _refuse_state(
    patient: Patient, state: RecordState, died_on: date | None, reason: str, at: datetime
) -> None:
    if patient.kept_id != patient.id:
        raise Refusal("MERGED-ALREADY", "This record was merged into another. Open that one.")
    if (state is RecordState.DECEASED) != (died_on is not None):
        raise Refusal("DIED-ON", "Type the day of death, and only of somebody who died.", "died_on")
    if died_on is not None and not patient.born_on <= died_on <= rules.last_day_on_earth(at):
        said = "The day of death lies between the day of birth and today."
        raise Refusal("DIED-ON", said, "died_on")
    if state is not RecordState.DECEASED and not reason.strip():
        raise Refusal("REASON-NEEDED", "Say why.", "reason")


def _state_of(patient: Patient) -> dict[str, Any]:
    return {"state": RecordState(patient.state), "died_on": patient.died_on}
