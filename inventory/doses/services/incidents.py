"""Incidents: opened by what a dose shows, closed once by somebody who looked into it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome, perform
from inventory.clinic.models import CounterKind
from inventory.clinic.numbers import next_number
from inventory.doses.models import Dose, Incident
from inventory.doses.rules.terms import IncidentKind
from inventory.kernel.errors import Refusal, not_found
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import Actor, Role
from inventory.staff.queries import active_people


def open_incident(act: Act, site_id: UUID, dose_id: UUID, kind: IncidentKind, what: str) -> None:
    """Inside an act: open an incident about a dose."""
    act.session.add(
        Incident(
            id=uuid7(),
            number=next_number(act.session, site_id, CounterKind.INCIDENT),
            site_id=site_id,
            dose_id=dose_id,
            kind=kind,
            what=what,
            opened_at=act.recorded_at,
            opened_by_id=act.actor.id,
        )
    )


def is_looked_into(session: Session, amended_id: UUID | None) -> bool:
    """Tell whether a deviation of the entry that is amended is still open: its amendment is then the same incident."""
    if amended_id is None:
        return False
    still_open = select(Incident.id).where(
        Incident.dose_id == amended_id, Incident.kind == IncidentKind.DEVIATION, Incident.closed_at.is_(None)
    )
    return session.scalar(still_open.limit(1)) is not None


def close_incident(
    *, actor: Actor, at: datetime, incident_id: UUID, outcome: str, request_key: str | None = None
) -> Outcome:
    """Close an incident with what was found and done.

    Raises Refusal NOT-FOUND, ALREADY-DONE, OUTCOME-NEEDED; INCIDENT-OWN for a deviation in a dose of one's own, unless no
    other active prescriber could close it.
    """

    def write(act: Act) -> Outcome:
        incident = act.session.get(Incident, incident_id, with_for_update=True)
        if incident is None:
            raise not_found("incident")
        if incident.closed_at is not None:
            raise Refusal("ALREADY-DONE", "This incident is closed already.")
        _refuse_own(act, incident)
        if not outcome.strip():
            raise Refusal("OUTCOME-NEEDED", "Say what was found and what was done.", "outcome")
        incident.closed_at, incident.closed_by_id, incident.outcome = (
            act.recorded_at,
            actor.id,
            outcome.strip(),
        )
        facts = {"number": incident.number, "outcome": incident.outcome}
        return act.record(
            "doses.close-incident", "incident", incident.id, site_id=incident.site_id, facts=facts
        )

    return perform(write, actor=actor, at=at, request_key=request_key)


def _refuse_own(act: Act, incident: Incident) -> None:
    if incident.kind != IncidentKind.DEVIATION:
        return
    giver_id = act.session.scalar(select(Dose.giver_id).where(Dose.id == incident.dose_id))
    others = [person for person in active_people(Role.PRESCRIBER) if person.id != act.actor.id]
    if giver_id == act.actor.id and others:
        said = "This is about a dose of your own. Another prescriber looks into it and closes it."
        raise Refusal("INCIDENT-OWN", said)
