"""People work at their sites: what belongs to another is not shown, not offered, and not written."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from inventory.audit.models import AuditEntry, AuditLink
from inventory.doses.models import Incident
from inventory.doses.rules.terms import EntryMode, NotGivenReason
from inventory.doses.services import NotGivenRequest, record_not_given
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor, Role
from inventory.reports.queries.requests import Asked
from inventory.reports.services import issue_administration_report
from inventory.staff import queries as people
from inventory.staff.models import User, UserSession
from inventory.staff.services import set_sites
from inventory.stock import services
from inventory.stock.ledger import Place
from inventory.stock.models import Hold, HoldKind, Movement, Receipt, WasteReason
from inventory.stock.queries import lot_by_id
from inventory.stock.services import Why
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.doses import Bench
from tests.factories.staff import make_user
from tests.factories.stock import make_delivery, make_open_vial, make_place
from tests.factories.transfers import make_transfer
from tests.support.client import CheckingClient

SignIn = Callable[..., CheckingClient]
EVERY_ROLE = (Role.PRACTITIONER, Role.PRESCRIBER, Role.MANAGER, Role.ADMIN)


@pytest.fixture
def here(app: Flask, at: datetime) -> Place:
    return make_place()


@pytest.fixture
def there(here: Place) -> Place:
    return make_place(code="NORTH", location="North fridge")


def limited_to(*places: Place, roles: tuple[Role, ...] = EVERY_ROLE) -> User:
    """A person who works at these places' sites only."""
    user = make_user(roles=roles)
    set_sites(
        actor=SYSTEM_ACTOR,
        at=user.created_at,
        user_id=user.id,
        site_ids=[place.site_id for place in places],
    )
    return people.person(user.id)


def as_actor(user: User) -> Actor:
    return people.actor_of(people.person(user.id))


def test_a_person_is_offered_their_sites_only(here: Place, there: Place, signed_in_client: SignIn) -> None:
    client = signed_in_client(user=limited_to(there))
    page = client.get("/site").get_data(as_text=True)
    assert "North Street" in page
    assert "Main Street" not in page
    assert client.submit("/site", {"site": str(here.site_id)}).status_code == 422


def test_a_session_at_a_site_that_was_taken_away_goes_on_at_another(
    here: Place, there: Place, signed_in_client: SignIn
) -> None:
    user = make_user(roles=(Role.MANAGER,))
    client = signed_in_client(user=user)
    lot = make_delivery(place=here, lot_number="ATMAIN")
    assert client.submit("/site", {"site": str(here.site_id)}).status_code == 302
    assert lot.lot_number in client.get("/stock/").get_data(as_text=True)
    set_sites(actor=SYSTEM_ACTOR, at=user.created_at, user_id=user.id, site_ids=[there.site_id])
    assert db.session.scalar(select(UserSession.site_id)) == here.site_id
    assert lot.lot_number not in client.get("/stock/").get_data(as_text=True)


def test_refuses_an_act_at_another_site_and_writes_nothing(here: Place, there: Place, at: datetime) -> None:
    lot = make_delivery(place=here)
    actor = as_actor(limited_to(there))
    before = db.session.scalar(select(func.count(Movement.id)))
    with pytest.raises(Refusal, match="SITE-NOT-YOURS") as caught:
        services.waste_sealed(
            actor=actor, at=at, lot_id=lot.id, place=here, containers=1, why=Why(WasteReason.BROKEN)
        )
    assert caught.value.status == 403
    assert db.session.scalar(select(func.count(Movement.id))) == before


def test_refuses_a_hold_at_another_site_but_not_one_on_the_whole_lot(
    here: Place, there: Place, at: datetime
) -> None:
    lot = make_delivery(place=here)
    held = {"actor": as_actor(limited_to(there)), "at": at, "lot_id": lot.id, "reason": "Doubtful"}
    with pytest.raises(Refusal, match="SITE-NOT-YOURS"):
        services.hold_lot(**held, kind=HoldKind.HOLD, location_id=here.location_id)
    services.hold_lot(**held, kind=HoldKind.HOLD)


def test_whoever_works_at_a_site_acts_there(here: Place, there: Place, at: datetime) -> None:
    lot = make_delivery(place=here)
    services.waste_sealed(
        actor=as_actor(limited_to(here, there)),
        at=at,
        lot_id=lot.id,
        place=here,
        containers=1,
        why=Why(WasteReason.BROKEN),
    )


def test_stock_is_sent_to_any_site_and_received_by_whoever_works_there(
    here: Place, there: Place, at: datetime
) -> None:
    lot = make_delivery(place=here)
    sender, receiver = as_actor(limited_to(here)), as_actor(limited_to(there))
    transfer_id = make_transfer(here, there, lot=lot, actor=sender)
    arrival = services.Arrival((services.Arrived(1, 1),))
    with pytest.raises(Refusal, match="SITE-NOT-YOURS"):
        services.receive_transfer(actor=sender, at=at, transfer_id=transfer_id, arrival=arrival)
    with pytest.raises(Refusal, match="SITE-NOT-YOURS"):
        services.cancel_transfer(actor=receiver, at=at, transfer_id=transfer_id, reason="Not mine")
    services.receive_transfer(actor=receiver, at=at, transfer_id=transfer_id, arrival=arrival)


@pytest.fixture
def papers(here: Place, at: datetime) -> dict[str, UUID]:
    """Something of each kind that belongs to the first site, by the kind of its page."""
    bench = Bench(place=here)
    dose = bench.give()
    bench.give(
        replace(
            bench.request(lot=make_delivery(place=here, expires_on=date(2026, 3, 20))),
            mode=EntryMode.ALREADY_GIVEN,
            given_at=at,
            consent_seen=False,
        )
    )
    missed = record_not_given(
        actor=bench.nurse,
        at=at,
        request=NotGivenRequest(
            site_id=here.site_id,
            patient_id=bench.patient_id,
            formulation_id=lot_by_id(db.session(), bench.lot.id).product.formulation_id,
            reason=NotGivenReason.UNWELL,
        ),
    )
    vial = make_open_vial(make_delivery(place=here, product_id=make_multi_dose_product().id), place=here)
    services.hold_lot(
        actor=SYSTEM_ACTOR,
        at=at,
        lot_id=bench.lot.id,
        kind=HoldKind.HOLD,
        reason="Doubtful",
        location_id=here.location_id,
    )
    report = issue_administration_report(
        asked=Asked(date(2026, 3, 1), date(2026, 3, 16), "MAIN"), actor=bench.nurse, at=at
    )
    return {
        "doses/{}": dose.id,
        "doses/{}/void": dose.id,
        "not-given/{}": missed.subject_id,
        "incidents/{}": db.session.scalars(select(Incident.id)).all()[0],
        "stock/vials/{}": vial.id,
        "stock/vials/{}/discard": vial.id,
        "stock/receipts/{}/reverse": db.session.scalars(select(Receipt.id)).all()[0],
        "stock/holds/{}/release": db.session.scalars(select(Hold.id)).all()[0],
        "reports/{}": report.id,
        "reports/{}/pdf": report.id,
        "settings/sites/{}": here.site_id,
        "settings/locations/{}/edit": here.location_id,
    }


def test_pages_of_another_sites_papers_do_not_exist_for_whoever_does_not_work_there(
    papers: dict[str, UUID], there: Place, signed_in_client: SignIn
) -> None:
    assert len(papers) == 12
    elsewhere, everywhere = signed_in_client(user=limited_to(there)), signed_in_client(*EVERY_ROLE)
    for path, key in papers.items():
        assert everywhere.get("/" + path.format(key)).status_code == 200, path
        assert elsewhere.get("/" + path.format(key)).status_code == 404, path


def test_whoever_works_there_opens_them(
    papers: dict[str, UUID], here: Place, signed_in_client: SignIn
) -> None:
    client = signed_in_client(user=limited_to(here))
    assert len(papers) == 12
    for path, key in papers.items():
        assert client.get("/" + path.format(key)).status_code == 200, path


def test_a_lots_page_leaves_out_what_lies_at_other_sites(
    here: Place, there: Place, signed_in_client: SignIn
) -> None:
    lot = make_delivery(place=here, product_id=make_multi_dose_product().id)
    make_delivery(
        place=there, product_id=lot.product_id, lot_number=lot.lot_number, expires_on=lot.expires_on
    )
    make_open_vial(lot, place=here)
    seen = signed_in_client(Role.MANAGER).get(f"/stock/lots/{lot.id}").get_data(as_text=True)
    page = (
        signed_in_client(user=limited_to(there, roles=(Role.MANAGER,)))
        .get(f"/stock/lots/{lot.id}")
        .get_data(as_text=True)
    )
    for words in ("Cabinet", "Opened vial 1"):
        assert words in seen
        assert words not in page
    assert "North fridge" in page


def test_an_auditor_of_one_site_reads_the_trail_of_it_and_of_the_clinic(
    here: Place, there: Place, signed_in_client: SignIn
) -> None:
    make_delivery(place=here, lot_number="ATMAIN")
    client = signed_in_client(user=limited_to(there, roles=(Role.AUDITOR,)))
    page = client.get("/audit").get_data(as_text=True)
    of_main = db.session.scalars(
        select(AuditLink.seq)
        .join(AuditEntry, AuditEntry.id == AuditLink.entry_id)
        .where(AuditEntry.site_id == here.site_id)
    ).all()
    assert of_main
    for seq in of_main:
        assert f'"/audit/{seq}"' not in page
        assert client.get(f"/audit/{seq}").status_code == 404
    assert client.get("/audit/1").status_code in {200, 404}
    assert client.get("/audit/check").status_code == 200


def test_a_report_covers_one_of_the_persons_sites(here: Place, there: Place, at: datetime) -> None:
    days = {"first_day": date(2026, 3, 1), "last_day": date(2026, 3, 16)}
    one, two = as_actor(limited_to(there)), as_actor(limited_to(here, there))
    report = issue_administration_report(asked=Asked(**days), actor=one, at=at)
    assert (report.site_name, report.covers_all_sites) == ("North Street", False)
    for actor, code in ((one, "MAIN"), (two, "")):
        with pytest.raises(Refusals, match="REPORT-SITE"):
            issue_administration_report(asked=Asked(**days, site_code=code), actor=actor, at=at)


def test_a_report_over_all_sites_is_for_those_who_work_at_all(
    here: Place, there: Place, at: datetime, signed_in_client: SignIn
) -> None:
    everywhere = as_actor(make_user(roles=(Role.PRACTITIONER,)))
    report = issue_administration_report(
        asked=Asked(date(2026, 3, 1), date(2026, 3, 16)), actor=everywhere, at=at
    )
    client = signed_in_client(user=limited_to(here, there))
    assert client.get(f"/reports/{report.id}").status_code == 404
    assert report.label not in client.get("/reports/").get_data(as_text=True)


def test_an_administrator_sets_where_a_person_works(
    here: Place, there: Place, signed_in_client: SignIn
) -> None:
    admin, user = signed_in_client(Role.ADMIN), make_user(roles=(Role.MANAGER,))
    path = f"/staff/{user.id}/sites"
    assert admin.submit(path, {"sites": [str(there.site_id)]}).status_code == 302
    assert people.sites_of(people.person(user.id)) == {there.site_id}
    page = admin.get(f"/staff/{user.id}").get_data(as_text=True)
    assert "1 site" in page
    client = signed_in_client(user=user)
    assert "Main Street" not in client.get("/site").get_data(as_text=True)
    assert admin.submit(path, {"sites": []}).status_code == 302
    assert people.sites_of(people.person(user.id)) is None
    assert "Main Street" in client.get("/site").get_data(as_text=True)


def test_refuses_a_site_that_does_not_exist(here: Place, signed_in_client: SignIn) -> None:
    admin, user = signed_in_client(Role.ADMIN), make_user(roles=(Role.MANAGER,))
    form = admin.form(f"/staff/{user.id}/sites")
    assert admin.send(f"/staff/{user.id}/sites", form, {"sites": [str(user.id)]}).status_code == 422
