"""Sites, storage locations and rules: changed by administrators, told in the trail, and in force from the next request."""

import json
from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask

from inventory.clinic import queries, services
from inventory.clinic.models import LocationKind
from inventory.clinic.settings import current_settings
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from tests.factories.clinic import locations_of, make_site, site_by_code
from tests.factories.stock import balance_ul, make_delivery, make_place
from tests.support.client import CheckingClient
from tests.support.databases import OwnerConnection

SignIn = Callable[..., CheckingClient]


@pytest.fixture
def admin(app: Flask, at: datetime, signed_in_client: SignIn) -> CheckingClient:
    """An administrator at a browser, in a clinic of one site."""
    make_site("MAIN", name="Main Street", locations=("Cabinet", "Fridge 1"))
    return signed_in_client(Role.ADMIN)


def last_facts(owner_connection: OwnerConnection) -> dict:
    rows = owner_connection.execute(
        "SELECT payload FROM audit_payload JOIN audit_entry ON id = entry_id ORDER BY recorded_at, id"
    )
    return json.loads(rows.fetchall()[-1][0])["facts"]


def test_adds_a_site_and_a_place_for_its_vials(admin: CheckingClient) -> None:
    typed = {"name": "Harbour", "code": "harb", "time_zone": "America/New_York", "address": "2 Pier\nHarbour"}
    page = admin.submit("/settings/sites/new", typed).headers["Location"]
    assert admin.submit(f"{page}/locations/new", {"name": "Fridge 1", "kind": "fridge"}).status_code == 302
    site = site_by_code("HARB")
    assert [(one.name, one.kind) for one in locations_of(site)] == [("Fridge 1", LocationKind.FRIDGE)]
    assert "Fridge 1" in admin.get(page).get_data(as_text=True)


@pytest.mark.parametrize(
    "typed, code",
    [
        ({"code": "main"}, "SITE-CODE-TAKEN"),
        ({"code": "A B"}, "SITE-CODE"),
        ({"name": " "}, "FIELD-REQUIRED"),
        ({"time_zone": "Mars/Base"}, "CHOICE-INVALID"),
        ({"address": "x" * 10_000}, "TEXT-TOO-LONG"),
    ],
)
def test_refuses_site(admin: CheckingClient, typed: dict, code: str) -> None:
    good = {"name": "Harbour", "code": "HARB", "time_zone": "UTC", "address": "Typed with care"}
    answer = admin.submit("/settings/sites/new", good | typed)
    assert answer.status_code == 422
    assert code in answer.get_data(as_text=True)
    assert len(queries.sites()) == 1


def test_edit_of_a_site_says_what_was_and_refuses_the_slower_of_two(
    admin: CheckingClient, owner_connection: OwnerConnection
) -> None:
    page = f"/settings/sites/{site_by_code('MAIN').id}/edit"
    old = admin.form(page)
    assert admin.submit(page, {"time_zone": "Europe/Dublin"}).status_code == 302
    assert last_facts(owner_connection) == {
        "before": {"time_zone": "Europe/London"},
        "after": {"time_zone": "Europe/Dublin"},
    }
    answer = admin.send(page, old, {"name": "Another name"})
    assert (answer.status_code, "EDITED-MEANWHILE" in answer.get_data(as_text=True)) == (422, True)


def test_location_is_renamed_closed_and_opened_again(admin: CheckingClient) -> None:
    site = site_by_code("MAIN")
    cabinet = locations_of(site)[0]
    page, own = f"/settings/sites/{site.id}", f"/settings/locations/{cabinet.id}"
    admin.submit(f"{own}/edit", {"name": "Cabinet A"})
    admin.submit(page, action=f"{own}/close")
    db.session.rollback()
    assert [one.name for one in queries.locations(site.id)] == ["Fridge 1"]
    assert [one.name for one in queries.locations(site.id, with_closed=True)] == ["Fridge 1", "Cabinet A"]
    admin.submit(page, action=f"{own}/reopen")
    assert len(queries.locations(site.id)) == 2


def test_location_that_holds_something_stays_open(
    admin: CheckingClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = site_by_code("MAIN")
    own = f"/settings/locations/{locations_of(site)[0].id}"
    monkeypatch.setattr(services, "location_guards", [lambda _session, _id: "It holds 3 vials."])
    answer = admin.submit(f"/settings/sites/{site.id}", action=f"{own}/close")
    assert answer.status_code == 422
    assert "It holds 3 vials. <code" in answer.get_data(as_text=True)
    assert len(queries.locations(site.id)) == 2


def test_two_places_of_a_site_have_two_names(admin: CheckingClient) -> None:
    site = site_by_code("MAIN")
    answer = admin.submit(f"/settings/sites/{site.id}/locations/new", {"name": "Cabinet", "kind": "room"})
    assert (answer.status_code, "LOCATION-TAKEN" in answer.get_data(as_text=True)) == (422, True)


def test_rules_change_and_the_trail_tells_what(
    admin: CheckingClient, owner_connection: OwnerConnection
) -> None:
    typed = {
        "clinic_name": "Riverside",
        "thigh_inform_ul": "2.5",
        "hip_enabled": "y",
        "waste_witness_reasons": ["lost", "broken"],
        "count_approval_containers": "1",
    }
    assert admin.submit("/settings/rules", typed).status_code == 302
    settings = current_settings()
    assert (settings.clinic_name, settings.thigh_inform_ul, settings.hip_enabled) == (
        "Riverside",
        2_500,
        True,
    )
    assert set(settings.waste_witness_reasons) == {"lost", "broken"}
    facts = last_facts(owner_connection)
    assert facts["before"]["thigh_inform_ul"] == 3_000
    assert "idle_minutes" not in facts["after"]
    page = admin.get("/settings").get_data(as_text=True)
    assert "2.5 mL" in page
    assert "1 container<" in page
    assert "Settings · Riverside" in page


@pytest.mark.parametrize(
    "typed, code",
    [
        ({"thigh_inform_ul": "6"}, "LIMITS-ORDER"),
        ({"deltoid_override_ul": "0,5"}, "AMOUNT-INVALID"),
        ({"idle_minutes": "0"}, "VALUE-RANGE"),
        ({"idle_minutes": "ten"}, "NUMBER-INVALID"),
        ({"clinic_name": ""}, "FIELD-REQUIRED"),
        ({"waste_witness_reasons": ["dead_space"]}, "CHOICE-INVALID"),
        ({"version": "stale"}, "EDITED-MEANWHILE"),
    ],
)
def test_refuses_rule_and_writes_nothing(admin: CheckingClient, typed: dict, code: str) -> None:
    answer = admin.submit("/settings/rules", {"clinic_name": "Riverside", "near_expiry_days": "44"} | typed)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert code in page
    assert 'value="44"' in page
    assert current_settings().near_expiry_days == 30


def test_shorter_password_rule_counts_at_once(admin: CheckingClient, at: datetime) -> None:
    values = {"clinic_name": "Riverside", "min_password_length": 20}
    services.change_settings(actor=SYSTEM_ACTOR, at=at, values=values)
    assert "At least 20 characters" in admin.get("/account/password").get_data(as_text=True)


def test_person_works_at_the_site_they_chose(
    admin: CheckingClient, at: datetime, signed_in_client: SignIn
) -> None:
    harbour = make_site("HARB", name="Harbour", time_zone="America/New_York")
    nurse = signed_in_client(Role.PRACTITIONER)
    assert "Main Street" in nurse.get("/account").get_data(as_text=True)
    answer = nurse.submit("/site?next=/account", {"site": str(harbour.id)})
    assert answer.headers["Location"] == "/account"
    page = nurse.get("/account").get_data(as_text=True)
    assert "Harbour" in page
    assert "16 Mar 2026, 05:30" in page  # the clock of New York
    assert "Main Street" in admin.get("/account").get_data(as_text=True)


def test_refuses_site_that_is_none_of_ours(admin: CheckingClient) -> None:
    answer = admin.submit("/site", {"site": "00000000-0000-0000-0000-000000000000"})
    assert (answer.status_code, "CHOICE-INVALID" in answer.get_data(as_text=True)) == (422, True)


def test_settings_reach_the_database_only_when_they_may_stand(app: Flask, at: datetime) -> None:
    with pytest.raises(Refusals, match="VALUE-RANGE"):
        services.change_settings(actor=SYSTEM_ACTOR, at=at, values={"clinic_name": "R", "idle_minutes": 0})
    with pytest.raises(Refusal, match="NOT-FOUND"):
        services.close_location(actor=SYSTEM_ACTOR, at=at, location_id=SYSTEM_ACTOR.id)


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMIN}))
def test_only_administrators_change_settings_and_people(
    admin: CheckingClient, signed_in_client: SignIn, role: Role
) -> None:
    client = signed_in_client(role)
    form = admin.form("/settings/sites/new")
    for path in ("/settings", "/settings/rules", "/staff", "/staff/new"):
        assert client.get(path).status_code == 403
    data = {"csrf_token": client.form("/account").fields["csrf_token"][0], "name": "Mine"}
    assert client.post("/settings/sites/new", data={**form.fields, **data}).status_code == 403


def test_cabinet_with_vials_in_it_stays_open(app: Flask, at: datetime) -> None:
    place = make_place()
    lot = make_delivery(place=place)
    assert balance_ul(lot) > 0
    with pytest.raises(Refusal, match="LOCATION-IN-USE"):
        services.close_location(actor=SYSTEM_ACTOR, at=at, location_id=place.location_id)
