"""The first page: what each person finds there, and how an empty clinic begins."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from inventory.kernel.db import db
from inventory.kernel.permissions import Role
from inventory.stock.models import HoldKind, Vial
from inventory.stock.services import hold_lot
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.clinic import make_site
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.staff import make_user
from tests.factories.stock import make_delivery, make_open_vial, make_place, movements_of
from tests.support.client import CheckingClient

Client = Callable[..., CheckingClient]


def text(client: CheckingClient) -> str:
    answer = client.get("/")
    assert answer.status_code == 200
    return " ".join(answer.get_data(as_text=True).split())


def test_a_clinic_without_a_site_says_so(app: Flask, at: datetime, signed_in_client: Client) -> None:
    assert "no site yet" in text(signed_in_client(Role.ADMIN))


def test_an_empty_clinic_says_how_to_begin(app: Flask, at: datetime, signed_in_client: Client) -> None:
    make_site()
    manager = text(signed_in_client(Role.MANAGER))
    assert "Add a product" in manager
    assert "Receive a delivery" in manager
    assert "Add a patient" not in manager
    nurse = text(signed_in_client(Role.PRACTITIONER))
    assert "Add a patient" in nurse
    assert "Add a product" not in nurse
    assert "No dose yet today" in nurse


def test_the_nurse_sees_doses_and_vials_of_today(app: Flask, at: datetime, signed_in_client: Client) -> None:
    bench = Bench()
    bench.open_multi()
    dose = bench.give()
    page = text(signed_in_client(Role.PRACTITIONER))
    assert f"/doses/{dose.id}" in page
    assert "MAIN-000001" in page
    assert "Vial 1" in page
    assert "To begin" not in page


def test_yesterdays_dose_is_not_of_today(
    app: Flask, at: datetime, at_instant: Callable[[datetime], None], signed_in_client: Client
) -> None:
    bench = Bench()
    at_instant(at.replace(hour=23, minute=30))
    dose = bench.give()
    assert f"/doses/{dose.id}" in text(signed_in_client(Role.PRACTITIONER))
    at_instant(at.replace(hour=0, minute=30) + timedelta(days=1))
    assert f"/doses/{dose.id}" not in text(signed_in_client(Role.PRACTITIONER))


def test_the_manager_sees_what_runs_out_and_no_patient(
    app: Flask, at: datetime, at_instant: Callable[[datetime], None], signed_in_client: Client
) -> None:
    bench = Bench()
    bench.give()
    make_delivery(place=bench.place, lot_number="SOON1", expires_on=at.date() + timedelta(days=9))
    make_delivery(place=bench.place, lot_number="GONE1", expires_on=at.date())
    at_instant(at + timedelta(days=1))
    page = text(signed_in_client(Role.MANAGER))
    assert "SOON1" in page
    assert "Expired yesterday" in page
    assert "Invented" not in page.split("Open vials")[0].split("What to order")[0]


def test_the_auditor_sees_the_head_and_the_admin_the_licences(
    app: Flask, at: datetime, signed_in_client: Client
) -> None:
    make_site()
    make_user(display_name="Lena Late", licence_expires_on=date(2026, 3, 20))
    auditor = text(signed_in_client(Role.AUDITOR))
    assert "The trail" in auditor
    assert "Lena Late" not in auditor
    admin = text(signed_in_client(Role.ADMIN))
    assert "Lena Late" in admin
    assert "Expires in 4 days" in admin


@pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
def test_asks_the_same_number_of_statements_whatever_there_is(
    app: Flask, at: datetime, signed_in_client: Client
) -> None:
    bench = Bench()
    bench.give(bench.request(patient_id=make_patient(family_name="First")))
    nurse = signed_in_client(Role.PRACTITIONER)
    nurse.get("/")
    few = counted(nurse, "/")
    form = counted(nurse, f"/give/{bench.patient_id}?mode=about")
    for number in range(2):
        make_delivery(place=bench.place, containers=2)
        bench.give(bench.request(patient_id=make_patient(family_name=f"Many{'abcdef'[number]}")))
    nurse.get("/")  # the looks at those who came are logged once
    assert counted(nurse, "/") == few
    assert counted(nurse, f"/give/{bench.patient_id}?mode=about") <= form


def counted(client: CheckingClient, path: str) -> int:
    statements: list[Any] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    client.get(path)
    event.remove(db.engine, "before_cursor_execute", note)
    return len(statements)


def to_discard(page: str) -> str:
    found = re.search(r'id="discard".*?</section>', page)
    return re.sub(r"<[^>]+>", " ", found.group()) if found else ""


def test_a_vial_past_its_use_by_is_discarded_from_here_by_one_click(
    app: Flask, at: datetime, at_instant: Callable[[datetime], None], signed_in_client: Client
) -> None:
    lot, vial = Bench().open_multi()
    nurse = signed_in_client(Role.PRACTITIONER)
    assert to_discard(text(nurse)) == ""
    at_instant(at + timedelta(days=28))
    nurse = signed_in_client(Role.PRACTITIONER)
    assert "Use or discard by the end of today" in to_discard(text(nurse))
    at_instant(at + timedelta(days=29))
    nurse = signed_in_client(Role.PRACTITIONER)
    assert "Discard it" in to_discard(text(nurse))
    done = nurse.submit("/", {}, having="reason", follow_redirects=True)
    assert done.request.path == "/"
    assert "The vial is discarded." in done.get_data(as_text=True)
    assert to_discard(text(nurse)) == ""
    assert [(m.reason, m.amount_ul) for m in movements_of(lot)][-1] == ("past_use_by", 10_000)
    assert db.session.get_one(Vial, vial.id).closure == "discarded"


def test_where_a_witness_is_asked_the_page_of_the_discard_follows(
    app: Flask, at: datetime, at_instant: Callable[[datetime], None], signed_in_client: Client
) -> None:
    product = make_multi_dose_product(waste_witness_reasons=frozenset({"past_use_by"}))
    place = make_place()
    vial = make_open_vial(make_delivery(product_id=product.id, place=place), place=place)
    at_instant(at + timedelta(days=29))
    nurse = signed_in_client(Role.PRACTITIONER)
    page = text(nurse)
    assert "Discard it" in to_discard(page)
    assert 'name="reason"' not in page
    asked = nurse.get(f"/stock/vials/{vial.id}/discard").get_data(as_text=True)
    assert "a witness is needed for: Past its use-by." in asked
    assert re.search(r'value="past_use_by"[^>]* selected|selected[^>]* value="past_use_by"', asked)


def test_a_vial_of_a_held_lot_is_put_aside(app: Flask, at: datetime, signed_in_client: Client) -> None:
    bench = Bench()
    lot, _ = bench.open_multi()
    for kind, words in (
        (HoldKind.HOLD, "Put it aside until the hold"),
        (HoldKind.RECALL, "as the recall says"),
    ):
        hold_lot(actor=bench.nurse, at=at, lot_id=lot.id, kind=kind, reason="Told so", location_id=None)
        assert words in to_discard(text(signed_in_client(Role.MANAGER)))


def test_a_hold_does_not_hide_that_a_vial_is_past_its_use_by(
    app: Flask, at: datetime, at_instant: Callable[[datetime], None], signed_in_client: Client
) -> None:
    bench = Bench()
    lot, vial = bench.open_multi()
    hold_lot(
        actor=bench.nurse, at=at, lot_id=lot.id, kind=HoldKind.TEMPERATURE, reason="Warm", location_id=None
    )
    at_instant(at + timedelta(days=29))
    nurse = signed_in_client(Role.PRACTITIONER)
    told = to_discard(text(nurse))
    assert "Past its use-by yesterday; on hold: temperature" in told
    assert "Discard it: it is too late" in told
    page = nurse.get(f"/stock/vials/{vial.id}").get_data(as_text=True)
    assert "Past its use-by yesterday" in page
    assert "To discard" in page


def test_who_may_not_use_stock_sees_no_button(
    app: Flask, at: datetime, at_instant: Callable[[datetime], None], signed_in_client: Client
) -> None:
    Bench().open_multi()
    at_instant(at + timedelta(days=29))
    page = text(signed_in_client(Role.AUDITOR))
    assert "Discard it" in to_discard(page)
    assert 'name="reason"' not in page
