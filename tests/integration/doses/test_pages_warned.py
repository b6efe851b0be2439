"""What the pages of a dose say of what must not be missed: who is easily taken for the patient, what was overridden."""

from collections.abc import Callable
from datetime import date, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.audit.models import AccessEntry
from inventory.kernel.db import db
from inventory.staff import queries as people
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.staff import make_user
from tests.support.client import CheckingClient

Client = Callable[..., CheckingClient]


@pytest.fixture
def bench(app: Flask, at: datetime) -> Bench:
    return Bench(
        nurse=people.actor_of(people.person(make_user(username="nora", display_name="Nora Nurse").id))
    )


@pytest.fixture
def nurse(bench: Bench, signed_in_client: Client) -> CheckingClient:
    return signed_in_client(user=people.person(bench.nurse.id))


def test_both_pages_show_who_is_easily_taken_for_the_patient(nurse: CheckingClient, bench: Bench) -> None:
    bench.patient_id = make_patient(family_name="Silva", given_name="Ana", born_on=date(1971, 2, 3))
    make_patient(family_name="Silva", given_name="Ana", born_on=date(1988, 5, 6), record_number="N-1")
    make_patient(family_name="Ana", given_name="Silva", born_on=date(1971, 2, 3), record_number="N-2")
    make_patient(family_name="Silva", given_name="Rui", born_on=date(1971, 2, 3), record_number="N-3")
    make_patient(family_name="Silva", given_name="Rui", born_on=date(1990, 2, 3), record_number="N-4")
    path = f"/give/{bench.patient_id}?mode=about"
    entered = nurse.get(path).get_data(as_text=True)
    form = nurse.form(path, having="indication")
    typed = {"indication": "B12 deficiency", "consent_seen": "y", "step": "check"}
    confirmed = nurse.send(path, form, typed).get_data(as_text=True)
    for page in (entered, confirmed):
        assert "Silva, Ana, record N-1, born 6 May 1988: same name<" in page
        assert "Ana, Silva, record N-2, born 3 Feb 1971: same name and birth date<" in page
        assert "Silva, Rui, record N-3, born 3 Feb 1971: same family name and birth date<" in page
        assert "N-4" not in page
    db.session.rollback()
    assert set(db.session.scalars(select(AccessEntry.patient_id))) == {bench.patient_id}
