"""A list that names patients is a look at each of those it shows."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import event, select

from inventory.audit.models import AccessEntry
from inventory.doses.rules.terms import EntryMode
from inventory.kernel.db import db
from inventory.kernel.permissions import Role
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.support.client import CheckingClient

SignIn = Callable[..., CheckingClient]


def looks() -> list[tuple[str, UUID]]:
    db.session.rollback()
    found = db.session.execute(select(AccessEntry.page, AccessEntry.patient_id).order_by(AccessEntry.id))
    return [(row.page, row.patient_id) for row in found]


@pytest.mark.parametrize(
    "path, page",
    [
        ("/patients", "list of patients"),
        ("/doses", "list of doses"),
        ("/incidents", "list of incidents"),
        ("/", "today"),
    ],
)
def test_a_list_is_a_look_at_everybody_on_its_page(
    signed_in_client: SignIn, at: datetime, at_instant: Callable[[datetime], None], path: str, page: str
) -> None:
    bench = Bench(patient_id=make_patient(none_known=False))
    bench.give(bench.request(mode=EntryMode.ALREADY_GIVEN))
    nurse = signed_in_client(Role.PRACTITIONER)
    for seconds in (0, 30, 70):
        at_instant(at + timedelta(seconds=seconds))
        assert nurse.get(path).status_code == 200
    assert looks() == [(page, bench.patient_id)] * 2


def test_a_search_is_a_look_at_whom_it_finds_and_nobody_else(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    Bench()
    found = make_patient(family_name="Seacole")
    nurse = signed_in_client(Role.PRACTITIONER)
    nurse.submit("/give", {"mode": "about", "q": "seac"}, having="q")
    nurse.submit("/give", {"mode": "about", "q": "nobody at all"}, having="q")
    assert looks() == [("search before a dose", found)]


def test_a_long_list_is_logged_by_one_statement(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    Bench()
    for number in range(20):
        make_patient(family_name=f"Person{number}")
    nurse = signed_in_client(Role.PRACTITIONER)
    sent: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *told: sent.append(told[2]))
    nurse.get("/patients")
    assert len(looks()) == 21
    assert sum("INSERT INTO access_entry" in statement for statement in sent) == 1
    assert len(sent) < 20
