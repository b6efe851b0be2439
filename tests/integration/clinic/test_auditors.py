"""An auditor is let in for a while, to some sites, and to some days of the records; the clinic reads what they looked at."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import DatabaseError

from inventory.audit.models import ViewEntry
from inventory.doses.rules.terms import EntryMode
from inventory.kernel.db import db, unit_of_work
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.reports.queries.requests import Asked
from inventory.reports.services import issue_administration_report
from inventory.staff import queries as people
from inventory.staff import services
from inventory.staff.models import User
from inventory.staff.services import Bounds, set_access, set_sites
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.staff import make_user
from tests.factories.stock import make_place
from tests.support.client import CheckingClient

SignIn = Callable[..., CheckingClient]
LATER = timedelta(days=2)


def bounded(*roles: Role, **bounds: datetime | date) -> User:
    """A person whose account has these bounds."""
    user = make_user(roles=roles or (Role.AUDITOR,))
    set_bounds(user, **bounds)
    return people.person(user.id)


def set_bounds(user: User, **bounds: datetime | date) -> None:
    set_access(
        actor=SYSTEM_ACTOR,
        at=user.created_at,
        user_id=user.id,
        version=people.person(user.id).version,
        bounds=Bounds(**bounds),  # type: ignore[arg-type]
    )


def test_a_session_ends_at_the_instant_the_access_ends(
    app: Flask, at: datetime, at_instant: Callable[[datetime], None], signed_in_client: SignIn
) -> None:
    make_place()
    client = signed_in_client(user=bounded(access_until=at + timedelta(minutes=10)))
    at_instant(at + timedelta(minutes=9, seconds=59))
    page = client.get("/audit")
    assert page.status_code == 200
    assert "Your access ends soon" in page.get_data(as_text=True)
    at_instant(at + timedelta(minutes=10))
    assert client.get("/audit").headers["Location"].startswith("/sign-in")


@pytest.mark.parametrize(
    "bounds, code, words",
    [
        ({"access_from": timedelta(hours=1)}, "ACCESS-NOT-YET", "begins"),
        ({"access_until": timedelta(0)}, "ACCESS-ENDED", "ended"),
    ],
)
def test_nobody_signs_in_outside_their_access_and_is_told_why(
    app: Flask, at: datetime, bounds: dict[str, timedelta], code: str, words: str
) -> None:
    make_place()
    user = bounded(**{name: at + after for name, after in bounds.items()})
    services.set_password(actor=SYSTEM_ACTOR, at=at, user_id=user.id, password="a long and dull sentence")
    known = {"username": user.username, "at": at, "address": "127.0.0.1", "user_agent": ""}
    with pytest.raises(Refusal, match=code) as caught:
        services.sign_in(password="a long and dull sentence", **known)  # type: ignore[arg-type]
    assert words in caught.value.message
    with pytest.raises(Refusal, match="SIGN-IN-WRONG"):
        services.sign_in(password="not the sentence at all", **known)  # type: ignore[arg-type]
    with pytest.raises(Refusal, match="CONFIRM-WRONG"):
        services.confirm_person(
            username=user.username, password="a long and dull sentence", at=at, address="127.0.0.1"
        )
    assert people.actor_named(user.username, at=at) is None


@pytest.mark.parametrize(
    "roles, bounds, code",
    [
        (
            (Role.AUDITOR,),
            {"records_from": date(2026, 3, 2), "records_until": date(2026, 3, 1)},
            "DAYS-ORDER",
        ),
        ((Role.MANAGER,), {"records_from": date(2026, 3, 2)}, "DAYS-AUDITOR"),
        ((Role.AUDITOR,), {"access_from": 2, "access_until": 1}, "ACCESS-ORDER"),
        ((Role.ADMIN,), {"access_until": 1}, "LAST-ADMIN"),
    ],
)
def test_refuses_bounds_that_cannot_be(
    app: Flask, at: datetime, roles: tuple[Role, ...], bounds: dict[str, date | int], code: str
) -> None:
    given = {k: at + timedelta(days=v) if isinstance(v, int) else v for k, v in bounds.items()}
    with pytest.raises((Refusal, Refusals), match=code):
        bounded(*roles, **given)


def test_an_admin_whose_account_ends_is_no_administrator_to_rely_on(app: Flask, at: datetime) -> None:
    first = make_user(roles=(Role.ADMIN,))
    bounded_admin = make_user(roles=(Role.ADMIN,))
    set_bounds(bounded_admin, access_until=at + LATER)
    with pytest.raises(Refusal, match="LAST-ADMIN"):
        services.deactivate_person(actor=SYSTEM_ACTOR, at=at, user_id=first.id)


def test_an_administrator_sets_the_access_and_sees_it(
    app: Flask, at: datetime, signed_in_client: SignIn
) -> None:
    make_place()
    admin, user = signed_in_client(Role.ADMIN), make_user(roles=(Role.AUDITOR,))
    typed = {"access_until": "2026-03-20T17:00", "records_from": "2026-03-01", "records_until": "2026-03-10"}
    assert admin.submit(f"/staff/{user.id}/access", typed).status_code == 302
    assert people.person(user.id).records_until == date(2026, 3, 10)
    page = admin.get(f"/staff/{user.id}").get_data(as_text=True)
    assert "sees the records of from 1" not in page
    assert "10 Mar 2026" in page
    assert "Access ends within a week" in admin.get("/staff").get_data(as_text=True)
    wrong = admin.submit(f"/staff/{user.id}/access", {"records_from": "2026-03-12"})
    assert wrong.status_code == 422


@pytest.fixture
def days(app: Flask, at: datetime) -> dict[str, dict[str, UUID | str]]:
    """A dose with its papers on each of two days: `early` ten days before `late`, which is today."""
    place = make_place()
    found: dict[str, dict[str, UUID | str]] = {}
    for name, before in (("early", 10), ("late", 0)):
        bench = Bench(place=place, patient_id=make_patient(family_name=f"Family{name}"))
        moment = at - timedelta(days=before)
        request = replace(bench.request(), mode=EntryMode.ALREADY_GIVEN, given_at=moment, consent_seen=False)
        dose = bench.give(request)
        report = issue_administration_report(
            asked=Asked(moment.date(), moment.date(), "MAIN"), actor=bench.nurse, at=at
        )
        found[name] = {
            "dose": dose.id,
            "patient": bench.patient_id,
            "report": report.id,
            "label": report.label,
            "number": dose.patient_record_number,
        }
    return found


def test_an_auditor_of_some_days_sees_those_and_no_others(
    days: dict[str, dict[str, UUID | str]], at: datetime, signed_in_client: SignIn
) -> None:
    today = at.date()
    client = signed_in_client(user=bounded(records_from=today, records_until=today))
    for path in ("/doses/{dose}", "/patients/{patient}", "/reports/{report}", "/reports/{report}/pdf"):
        assert client.get(path.format(**days["late"])).status_code == 200, path
        assert client.get(path.format(**days["early"])).status_code == 404, path
    for path in ("/doses", "/patients", "/audit/access", "/reports/", "/exports/doses.csv"):
        page = client.get(path).get_data(as_text=True)
        mark = "label" if path == "/reports/" else "number"
        assert str(days["late"][mark]) in page, path
        assert str(days["early"][mark]) not in page, path


def test_refuses_a_report_over_days_that_its_reader_may_not_see(
    days: dict[str, dict[str, UUID | str]], at: datetime
) -> None:
    today = at.date()
    actor = people.actor_of(bounded(records_from=today, records_until=today))
    with pytest.raises(Refusal, match="REPORT-DAYS"):
        issue_administration_report(asked=Asked(today - LATER, today, "MAIN"), actor=actor, at=at)
    report = issue_administration_report(asked=Asked(today, today, "MAIN"), actor=actor, at=at)
    assert report.row_count == 1


def test_a_limited_auditor_of_another_site_sees_no_patient_of_this_one(
    days: dict[str, dict[str, UUID | str]], at: datetime, signed_in_client: SignIn
) -> None:
    there = make_place(code="NORTH", location="North fridge")
    user = make_user(roles=(Role.AUDITOR,))
    set_sites(actor=SYSTEM_ACTOR, at=at, user_id=user.id, site_ids=[there.site_id])
    client = signed_in_client(user=user)
    assert client.get(f"/patients/{days['late']['patient']}").status_code == 404
    assert str(days["late"]["number"]) not in client.get("/patients").get_data(as_text=True)
    assert str(days["late"]["number"]) not in client.get("/audit/access").get_data(as_text=True)


def test_the_clinic_reads_what_an_auditor_looked_at_and_nobody_elses(
    days: dict[str, dict[str, UUID | str]], signed_in_client: SignIn
) -> None:
    auditor, nurse, admin = (signed_in_client(role) for role in (Role.AUDITOR, Role.PRACTITIONER, Role.ADMIN))
    late = days["late"]
    for client in (auditor, nurse):
        client.get(f"/doses/{late['dose']}")
        client.get(f"/reports/{late['report']}/csv")
        client.get("/no-such-page")
    db.session.rollback()
    views = db.session.execute(select(ViewEntry.actor_id, ViewEntry.page, ViewEntry.subject)).all()
    assert {view.actor_id for view in views} == {auditor.actor.id}
    assert [view.page for view in views] == ["doses.dose", "reports.download"]
    assert views[0].subject == "Dose MAIN-000002; 1 patient"
    assert f"Report {late['label']}" in views[1].subject
    assert "File administrations" in views[1].subject
    page = admin.get("/audit/auditors").get_data(as_text=True)
    assert "Dose MAIN-000002; 1 patient" in page
    assert "Familylate" not in page


def test_what_auditors_looked_at_is_never_changed(app: Flask, at: datetime, signed_in_client: SignIn) -> None:
    make_place()
    signed_in_client(Role.AUDITOR).get("/audit")
    table = ViewEntry.__table__
    for statement in (table.update().values(subject="nothing"), table.delete()):
        with pytest.raises(DatabaseError), unit_of_work() as session:
            session.execute(statement)
