"""What a confirmation page showed is recorded from its own form: no page is read that will not be shown, no check is left out."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.doses.models import Dose, DoseFinding
from inventory.doses.views import giving
from inventory.kernel.db import db
from inventory.patients.models import AlertKind
from inventory.patients.services import add_alert
from inventory.staff import queries as people
from tests.factories.doses import Bench
from tests.factories.staff import make_user
from tests.support.client import CheckingClient, pick_form

Client = Callable[..., CheckingClient]


@pytest.fixture
def bench(app: Flask, at: datetime) -> Bench:
    return Bench(nurse=people.actor_of(people.person(make_user(display_name="Nora Nurse").id)))


@pytest.fixture
def nurse(bench: Bench, signed_in_client: Client) -> CheckingClient:
    return signed_in_client(user=people.person(bench.nurse.id))


@pytest.fixture
def nothing_offered(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Calling it makes every later look at what could be offered fail."""

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("the page was read anew")

    return lambda: monkeypatch.setattr(giving, "offer", refuse)


def confirmation(nurse: CheckingClient, bench: Bench) -> Any:
    path = f"/give/{bench.patient_id}"
    typed = {"indication": "B12 deficiency", "consent_seen": "y", "identity_ticked": "y", "step": "check"}
    page = nurse.send(path, nurse.form(f"{path}?mode=about", having="indication"), typed)
    return pick_form(page, having="draws")


def test_is_recorded_without_reading_the_page_anew(
    nurse: CheckingClient, bench: Bench, nothing_offered: Callable[[], None]
) -> None:
    form = confirmation(nurse, bench)
    nothing_offered()
    done = nurse.send(f"/give/{bench.patient_id}", form, {"step": "record"})
    dose = db.session.scalars(select(Dose)).one()
    assert done.location == f"/doses/{dose.id}"
    again = nurse.send(f"/give/{bench.patient_id}", form, {"step": "record"})
    assert again.location == done.location
    assert len(db.session.scalars(select(Dose)).all()) == 1


def test_keeps_what_was_ticked(
    nurse: CheckingClient, bench: Bench, at: datetime, nothing_offered: Callable[[], None]
) -> None:
    add_alert(actor=bench.nurse, at=at, patient_id=bench.patient_id, kind=AlertKind.BLEEDING_RISK)
    form = confirmation(nurse, bench)
    unticked = nurse.send(f"/give/{bench.patient_id}", form, {"step": "record"})
    assert unticked.status_code == 422
    assert db.session.scalars(select(Dose)).all() == []
    (tick,) = (name for name in form.names if name.startswith("acknowledge-"))
    nothing_offered()
    done = nurse.send(f"/give/{bench.patient_id}", form, {"step": "record", tick: "y"})
    assert done.status_code == 302
    kept = db.session.scalars(select(DoseFinding)).all()
    assert [one.disposition for one in kept if f"acknowledge-{one.code}" == tick] == ["acknowledged"]
