"""Incidents: followed up step by step, and closed by somebody who did not give the dose, where there is somebody."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.doses.models import Incident, IncidentNote
from inventory.doses.queries.lists import incidents_page, notes_of
from inventory.doses.rules.terms import EntryMode
from inventory.doses.services import NextStep, close_incident, note_incident
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor, Role
from inventory.staff import queries as people
from inventory.staff.services import set_sites
from tests.factories.clinic import make_site
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.staff import make_actor
from tests.support.client import CheckingClient
from tests.support.databases import OwnerConnection


@pytest.fixture
def prescriber(app: Flask, at: datetime) -> Actor:
    return make_actor(Role.PRESCRIBER)


def deviation_of(giver: Actor) -> UUID:
    bench = Bench(nurse=giver, patient_id=make_patient(none_known=False))
    bench.give(bench.request(mode=EntryMode.ALREADY_GIVEN))
    return db.session.scalars(select(Incident)).one().id


def test_a_deviation_of_ones_own_is_left_to_another_prescriber(prescriber: Actor, at: datetime) -> None:
    other = make_actor(Role.PRESCRIBER)
    incident_id = deviation_of(prescriber)
    with pytest.raises(Refusal, match="INCIDENT-OWN"):
        close_incident(actor=prescriber, at=at, incident_id=incident_id, outcome="It was fine.")
    close_incident(actor=other, at=at, incident_id=incident_id, outcome="Talked it through.")
    assert db.session.get_one(Incident, incident_id).closed_by_id == other.id


def test_a_prescriber_alone_closes_their_own(prescriber: Actor, at: datetime) -> None:
    incident_id = deviation_of(prescriber)
    close_incident(actor=prescriber, at=at, incident_id=incident_id, outcome="Nobody else is here.")
    assert db.session.get_one(Incident, incident_id).closed_by_id == prescriber.id


# Follow-up to closure ----------------------------------------------------------------------------------------------


def step(person: Actor, *, action: str = "Count the fridge.", on: date) -> NextStep:
    return NextStep(action, on, person.id)


def notes() -> list[IncidentNote]:
    return list(db.session.scalars(select(IncidentNote).order_by(IncidentNote.number)))


def test_follow_ups_are_numbered_and_the_newest_says_what_is_due(prescriber: Actor, at: datetime) -> None:
    nurse = make_actor(Role.PRACTITIONER)
    incident_id = deviation_of(nurse)
    note_incident(
        actor=nurse,
        at=at,
        incident_id=incident_id,
        found=" The vial was mislaid. ",
        next_step=step(prescriber, on=at.date()),
    )
    site_id = db.session.get_one(Incident, incident_id).site_id
    page = incidents_page(db.session(), site_id=site_id, today=at.date(), state="due")
    assert [(row.due_on, row.assigned_to) for row in page.items] == [(at.date(), prescriber.name)]
    later = at + timedelta(days=3)
    note_incident(actor=prescriber, at=later, incident_id=incident_id, found="It was found.")
    assert [(note.number, note.found) for note in notes()] == [
        (1, "The vial was mislaid."),
        (2, "It was found."),
    ]
    assert incidents_page(db.session(), site_id=site_id, today=later.date(), state="due").items == []
    said = [(row.noted_by, row.assigned_to) for row in notes_of(db.session(), incident_id)]
    assert said == [(nurse.name, prescriber.name), (prescriber.name, None)]


def test_a_step_that_lies_ahead_is_not_due(prescriber: Actor, at: datetime) -> None:
    incident_id = deviation_of(make_actor(Role.PRACTITIONER))
    ahead = step(prescriber, on=at.date() + timedelta(days=1))
    note_incident(actor=prescriber, at=at, incident_id=incident_id, found="Asked.", next_step=ahead)
    site_id = db.session.get_one(Incident, incident_id).site_id
    assert incidents_page(db.session(), site_id=site_id, today=at.date(), state="due").items == []
    assert len(incidents_page(db.session(), site_id=site_id, today=at.date()).items) == 1


@pytest.mark.parametrize(
    "found, changes, code",
    [
        (" ", {}, "FOUND-NEEDED"),
        ("Seen.", {"action": " "}, "STEP-NEEDED"),
        ("Seen.", {"due_on": date(2026, 3, 15)}, "DUE-PAST"),
    ],
)
def test_a_follow_up_is_whole_or_refused(
    prescriber: Actor, at: datetime, found: str, changes: dict[str, Any], code: str
) -> None:
    incident_id = deviation_of(make_actor(Role.PRACTITIONER))
    asked = replace(step(prescriber, on=at.date()), **changes)
    with pytest.raises(Refusals, match=code):
        note_incident(actor=prescriber, at=at, incident_id=incident_id, found=found, next_step=asked)
    assert notes() == []


def test_nobody_who_gives_no_doses_here_is_asked(prescriber: Actor, at: datetime) -> None:
    incident_id = deviation_of(make_actor(Role.PRACTITIONER))
    elsewhere = make_actor(Role.PRACTITIONER)
    harbour = make_site("HARB", name="Harbour", time_zone="Europe/London")
    set_sites(actor=SYSTEM_ACTOR, at=at, user_id=elsewhere.id, site_ids=[harbour.id])
    for person in (make_actor(Role.MANAGER), elsewhere):
        with pytest.raises(Refusals, match="PERSON-ELSEWHERE"):
            note_incident(
                actor=prescriber,
                at=at,
                incident_id=incident_id,
                found="Seen.",
                next_step=step(person, on=at.date()),
            )


def test_a_closed_incident_takes_no_follow_up(
    prescriber: Actor, at: datetime, owner_connection: OwnerConnection
) -> None:
    incident_id = deviation_of(make_actor(Role.PRACTITIONER))
    note_incident(actor=prescriber, at=at, incident_id=incident_id, found="Seen.")
    close_incident(actor=prescriber, at=at, incident_id=incident_id, outcome="Talked it through.")
    with pytest.raises(Refusal, match="ALREADY-DONE"):
        note_incident(actor=prescriber, at=at, incident_id=incident_id, found="Once more.")
    db.session.rollback()
    with pytest.raises(Exception, match="law:incident_open"):
        owner_connection.execute(copied(number=2))
    owner_connection.rollback()


def copied(columns: str = "", values: str = "", *, number: int) -> str:
    """Return the statement that adds another note beside the only one."""
    return (
        f"INSERT INTO incident_note (id, incident_id, number, noted_at, actor_id, found{columns})"
        f" SELECT actor_id, incident_id, {number}, noted_at, actor_id, 'More.'{values} FROM incident_note"
    )


@pytest.mark.parametrize(
    "statement, law",
    [
        ("UPDATE incident_note SET found = 'Nothing.'", "law:insert_only"),
        ("DELETE FROM incident_note", "law:insert_only"),
        (copied(", due_on", ", '2026-04-01'", number=2), "next_step"),
        (copied(number=1), "insert_only|uq_incident_note"),
    ],
)
def test_a_follow_up_stays_as_it_was_written(
    prescriber: Actor, at: datetime, owner_connection: OwnerConnection, statement: str, law: str
) -> None:
    incident_id = deviation_of(make_actor(Role.PRACTITIONER))
    note_incident(actor=prescriber, at=at, incident_id=incident_id, found="Seen.")
    db.session.rollback()
    with pytest.raises(Exception, match=law):
        owner_connection.execute(statement)
    owner_connection.rollback()


def test_the_pages_follow_an_incident_to_its_end(
    prescriber: Actor, at: datetime, signed_in_client: Callable[..., CheckingClient]
) -> None:
    incident_id = deviation_of(make_actor(Role.PRACTITIONER))
    client = signed_in_client(user=people.person(prescriber.id))
    own = f"/incidents/{incident_id}"
    half = client.submit(f"{own}/follow-up", {"found": "Seen.", "action": "Count."})
    assert (half.status_code, "STEP-NEEDED" in half.get_data(as_text=True)) == (422, True)
    whole = {"action": "Count.", "due_on": "2026-03-18", "assigned_to": str(prescriber.id)}
    assert client.submit(f"{own}/follow-up", {"found": "Seen."} | whole).status_code == 302
    page = client.get(own).get_data(as_text=True)
    assert "Found: Seen." in page
    assert "Until 18 Mar 2026" in page
    listed = client.get("/incidents").get_data(as_text=True)
    assert "Due 18 Mar 2026" in listed
    client.submit(own, {"outcome": "Counted."}, having="outcome")
    closed = client.get(own).get_data(as_text=True)
    assert "Add a follow-up" not in closed


def test_an_auditor_reads_follow_ups_and_writes_none(
    prescriber: Actor, at: datetime, signed_in_client: Callable[..., CheckingClient]
) -> None:
    incident_id = deviation_of(make_actor(Role.PRACTITIONER))
    note_incident(actor=prescriber, at=at, incident_id=incident_id, found="Seen.")
    auditor = signed_in_client(Role.AUDITOR)
    page = auditor.get(f"/incidents/{incident_id}").get_data(as_text=True)
    assert "Found: Seen." in page
    assert "Add a follow-up" not in page
    assert auditor.get(f"/incidents/{incident_id}/follow-up").status_code == 403
