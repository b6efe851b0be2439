"""The first page says who is overdue and due today, to those who may see patients."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from flask import Flask
from sqlalchemy import select

from inventory.audit.models import AccessEntry
from inventory.kernel.db import db
from inventory.kernel.permissions import Role
from tests.factories.doses import Bench
from tests.factories.due import make_due
from tests.factories.patients import make_patient
from tests.support.client import CheckingClient

Client = Callable[..., CheckingClient]
TODAY = date(2026, 3, 16)


def test_the_first_page_says_who_is_due(app: Flask, at: datetime, signed_in_client: Client) -> None:
    bench = Bench()
    due = make_patient(family_name="Duenow")
    make_due(due, site_id=bench.place.site_id, due_on=TODAY)
    make_due(
        make_patient(family_name="Soonest"), site_id=bench.place.site_id, due_on=TODAY + timedelta(days=2)
    )
    page = signed_in_client(Role.PRACTITIONER).get("/").get_data(as_text=True)
    assert "Duenow, Ada" in page
    assert "Soonest" not in page
    assert "0 overdue, 1 today, 1 in the next 14 days" in page
    assert f"/give/{due}?mode=about" in page
    assert due in set(db.session.scalars(select(AccessEntry.patient_id).where(AccessEntry.page == "today")))


def test_who_may_not_see_patients_sees_nobody_on_it(
    app: Flask, at: datetime, signed_in_client: Client
) -> None:
    bench = Bench()
    make_due(make_patient(family_name="Duenow"), site_id=bench.place.site_id, due_on=TODAY)
    page = signed_in_client(Role.MANAGER).get("/").get_data(as_text=True)
    assert "Duenow" not in page
    assert "in the next 14 days" not in page


def test_a_clinic_without_courses_says_nothing_of_them(
    app: Flask, at: datetime, signed_in_client: Client
) -> None:
    Bench()
    assert 'id="due"' not in signed_in_client(Role.PRACTITIONER).get("/").get_data(as_text=True)
