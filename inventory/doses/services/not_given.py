"""A dose that was not given, and why. It takes no stock; what was drawn for it is wasted in the stock room."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from inventory.audit.acts import Act, Outcome, perform
from inventory.catalogue.models import Formulation
from inventory.clinic.models import CounterKind, Site
from inventory.clinic.numbers import next_number
from inventory.doses.models import NotGiven
from inventory.doses.rules.terms import NotGivenReason
from inventory.kernel.clock import local_day
from inventory.kernel.errors import Refusal, not_found
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import Actor
from inventory.patients.queries import patient_facts


@dataclass(frozen=True, slots=True)
class NotGivenRequest:
    """What was not given, to whom, and why. `decided_at` None is now."""

    site_id: UUID
    patient_id: UUID
    formulation_id: UUID
    reason: NotGivenReason
    note: str = ""
    decided_at: datetime | None = None


def record_not_given(
    *, actor: Actor, at: datetime, request: NotGivenRequest, request_key: str | None = None
) -> Outcome:
    """Record that a dose was not given. Outcome: the record. Raises Refusal NOT-FOUND, TIME-FUTURE, NOTE-NEEDED."""

    def write(act: Act) -> Outcome:
        row, formulation = _row(act, request)
        act.insert(NotGiven, row)
        facts = {
            **{name: row[name] for name in ("number", "reason", "note")},
            "formulation": formulation.name,
        }
        return act.record(
            "doses.not-given",
            "not-given",
            row["id"],
            site_id=row["site_id"],
            patient_id=row["patient_id"],
            facts=facts,
        )

    return perform(write, actor=actor, at=at, request_key=request_key)


def _row(act: Act, request: NotGivenRequest) -> tuple[dict[str, Any], Formulation]:
    decided_at = request.decided_at or act.recorded_at
    if decided_at > act.recorded_at:
        raise Refusal("TIME-FUTURE", "This time is still to come.", "decided_at")
    if request.reason is NotGivenReason.OTHER and not request.note.strip():
        raise Refusal("NOTE-NEEDED", "Say which other reason.", "note")
    patient = patient_facts(act.session, request.patient_id, at=decided_at, lock=True)
    site = _found(act, Site, request.site_id, "site")
    formulation = _found(act, Formulation, request.formulation_id, "formulation")
    row = {
        "id": uuid7(),
        "number": next_number(act.session, site.id, CounterKind.NOT_GIVEN),
        "site_id": site.id,
        "patient_id": patient.id,
        "patient_name": patient.name,
        "patient_record_number": patient.record_number,
        "product_id": None,
        "formulation_id": formulation.id,
        "reason": request.reason,
        "note": request.note.strip() or None,
        "decided_at": decided_at,
        "decided_zone": site.time_zone,
        "decided_on": local_day(decided_at, site.time_zone),
        "recorded_at": act.recorded_at,
        "actor_id": act.actor.id,
        "actor_name": act.actor.name,
    }
    return row, formulation


def _found(act: Act, model: type[Any], row_id: UUID, what: str) -> Any:
    found = act.session.get(model, row_id)
    if found is None:
        raise not_found(what)
    return found
