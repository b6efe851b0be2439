"""Closing incidents: somebody looks into a deviation who did not give the dose, where there is somebody."""

from datetime import datetime
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.doses.models import Incident
from inventory.doses.rules.terms import EntryMode
from inventory.doses.services import close_incident
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Actor, Role
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.staff import make_actor


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
