"""Incidents: opened by what a dose shows, followed up step by step, closed once by somebody who looked into it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome, perform
from inventory.clinic.models import CounterKind, Site
from inventory.clinic.numbers import next_number
from inventory.doses.models import Dose, Incident, IncidentNote
from inventory.doses.rules.terms import IncidentKind
from inventory.kernel.clock import local_day
from inventory.kernel.errors import Refusal, Refusals, not_found
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import Actor, Role
from inventory.staff.queries import active_people, actor_of, person


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


@dataclass(frozen=True, slots=True)
class NextStep:
    """What is to be done about an incident, by whom, and until which day at its site."""

    action: str
    due_on: date
    assigned_to_id: UUID


def note_incident(
    *,
    actor: Actor,
    at: datetime,
    incident_id: UUID,
    found: str,
    next_step: NextStep | None = None,
    request_key: str | None = None,
) -> Outcome:
    """Add a follow-up to an open incident: what was found, and what is to be done next. Outcome: the incident.

    Raises Refusal NOT-FOUND, ALREADY-DONE; Refusals FOUND-NEEDED, STEP-NEEDED, DUE-PAST, PERSON-ELSEWHERE.
    """

    def write(act: Act) -> Outcome:
        incident = _locked_open(act, incident_id)
        _refuse_if(_wrong(act, incident, found, next_step))
        last = select(func.max(IncidentNote.number)).where(IncidentNote.incident_id == incident_id)
        row = {
            "id": uuid7(),
            "incident_id": incident_id,
            "number": (act.session.scalar(last) or 0) + 1,
            "noted_at": act.recorded_at,
            "actor_id": act.actor.id,
            "found": found.strip(),
            "action": next_step.action.strip() if next_step else None,
            "due_on": next_step.due_on if next_step else None,
            "assigned_to_id": next_step.assigned_to_id if next_step else None,
        }
        act.insert(IncidentNote, row)
        facts = {"incident": incident.number, **_told(row)}
        return _recorded(act, "doses.follow-up-incident", incident, facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def _told(row: dict[str, Any]) -> dict[str, Any]:
    told = {name: row[name] for name in ("number", "found", "action", "due_on") if row[name] is not None}
    assigned = row["assigned_to_id"]
    return {**told, "assigned_to": person(assigned).display_name} if assigned else told


def _wrong(act: Act, incident: Incident, found: str, step: NextStep | None) -> list[Refusal]:
    refused = []
    if not found.strip():
        refused.append(Refusal("FOUND-NEEDED", "Say what was found so far.", "found"))
    if step is None:
        return refused
    if not step.action.strip():
        refused.append(Refusal("STEP-NEEDED", "Say what is to be done.", "action"))
    zone = act.session.get_one(Site, incident.site_id).time_zone
    if step.due_on < local_day(act.recorded_at, zone):
        refused.append(Refusal("DUE-PAST", "This day has passed. Choose today or a later one.", "due_on"))
    if not _may_look_into(step.assigned_to_id, incident.site_id):
        said = "Choose somebody who gives doses at this site."
        refused.append(Refusal("PERSON-ELSEWHERE", said, "assigned_to"))
    return refused


def may_look_into(site_id: UUID) -> list[tuple[UUID, str]]:
    """Return (id, name) of the people who can be asked to look into an incident of the site: whoever gives doses there."""
    people = active_people(Role.PRACTITIONER, Role.PRESCRIBER)
    return [(one.id, one.display_name) for one in people if actor_of(person(one.id)).works_at(site_id)]


def _may_look_into(user_id: UUID, site_id: UUID) -> bool:
    return any(one_id == user_id for one_id, _ in may_look_into(site_id))


def _refuse_if(refusals: list[Refusal]) -> None:
    if refusals:
        raise Refusals(refusals)


def close_incident(
    *, actor: Actor, at: datetime, incident_id: UUID, outcome: str, request_key: str | None = None
) -> Outcome:
    """Close an incident with what was found and done.

    Raises Refusal NOT-FOUND, ALREADY-DONE, OUTCOME-NEEDED; INCIDENT-OWN for a deviation in a dose of one's own, unless no
    other active prescriber could close it.
    """

    def write(act: Act) -> Outcome:
        incident = _locked_open(act, incident_id)
        _refuse_own(act, incident)
        if not outcome.strip():
            raise Refusal("OUTCOME-NEEDED", "Say what was found and what was done.", "outcome")
        incident.closed_at, incident.closed_by_id, incident.outcome = (
            act.recorded_at,
            actor.id,
            outcome.strip(),
        )
        facts = {"number": incident.number, "outcome": incident.outcome}
        return _recorded(act, "doses.close-incident", incident, facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def _locked_open(act: Act, incident_id: UUID) -> Incident:
    incident = act.session.get(Incident, incident_id, with_for_update=True)
    if incident is None:
        raise not_found("incident")
    if incident.closed_at is not None:
        raise Refusal("ALREADY-DONE", "This incident is closed already.")
    return incident


def _recorded(act: Act, action: str, incident: Incident, facts: dict[str, Any]) -> Outcome:
    # Its words may be about the patient: an erasure finds the entry by them.
    patient_id = act.session.scalar(select(Dose.patient_id).where(Dose.id == incident.dose_id))
    return act.record(
        action, "incident", incident.id, site_id=incident.site_id, patient_id=patient_id, facts=facts
    )


def _refuse_own(act: Act, incident: Incident) -> None:
    if incident.kind != IncidentKind.DEVIATION:
        return
    giver_id = act.session.scalar(select(Dose.giver_id).where(Dose.id == incident.dose_id))
    others = [person for person in active_people(Role.PRESCRIBER) if person.id != act.actor.id]
    if giver_id == act.actor.id and others:
        said = "This is about a dose of your own. Another prescriber looks into it and closes it."
        raise Refusal("INCIDENT-OWN", said)
