"""The pages of temperatures: typing one, a logger's file from choice to confirmation, an excursion to its decision."""

from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.stock.exposure import Limits, Reading
from inventory.stock.models import Hold, TemperatureExcursion, TemperatureReading, WasteReason
from inventory.stock.presenters.temperatures import chart_of, days_of, degrees, limits_words
from inventory.stock.services import Why, waste_sealed
from inventory.stock.services.temperatures import record_temperature
from tests.factories.catalogue import make_product
from tests.factories.stock import make_delivery, make_place
from tests.integration.stock.test_temperatures import cold_lot, fridge, read
from tests.support.client import CheckingClient, pick_form

SignIn = Callable[..., CheckingClient]
LOGGED = "date;time;temperature\n16.03.2026;08:00;5,1\n16.03.2026;08:10;9,4\n16.03.2026;08:20;---\n"


def readings() -> int:
    db.session.rollback()
    return int(db.session.scalar(select(func.count(TemperatureReading.id))) or 0)


def choose(client: CheckingClient, content: str | bytes, **typed: Any) -> Any:
    """Choose a file on the form's page and send it, as a browser does."""
    path = f"/stock/temperatures/{fridge().id}/file"
    raw = content.encode() if isinstance(content, str) else content
    fields = {name: values[0] for name, values in client.form(path).fields.items() if name != "file"}
    chosen = FileStorage(BytesIO(raw), filename="C:\\loggers\\march.csv", name="file")
    boundary, body = encode_multipart({**fields, **typed, "file": chosen})
    return client.post(path, data=body, content_type=f'multipart/form-data; boundary="{boundary}"')


def test_a_nurse_types_a_temperature_and_sees_what_it_held(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    lot = cold_lot(lot_number="COLD1")
    nurse = signed_in_client(Role.PRACTITIONER)
    path = f"/stock/temperatures/{fridge().id}/new"
    assert "from 2.0 °C to 8.0 °C" in nurse.get(path).get_data(as_text=True)
    page = nurse.submit(path, {"temperature": "12.5", "note": "Door open"}, follow_redirects=True).get_data(
        as_text=True
    )
    assert "The temperature is recorded." in page
    assert "12.5 °C" in page
    assert "Excursion 1" in page
    assert "Door open" in page
    overview = nurse.get("/stock/temperatures").get_data(as_text=True)
    assert overview.index("Waiting for a decision") < overview.index("Locations")
    assert "On hold: temperature" in nurse.get(f"/stock/lots/{lot.id}").get_data(as_text=True)


@pytest.mark.parametrize(
    "typed, code",
    [
        ({"temperature": ""}, "FIELD-REQUIRED"),
        ({"temperature": "5.25"}, "AMOUNT-INVALID"),
        ({"temperature": "5,2"}, "AMOUNT-INVALID"),
        ({"temperature": "warm"}, "AMOUNT-INVALID"),
        ({"temperature": "100.1"}, "VALUE-RANGE"),
        ({"temperature": "-100.1"}, "VALUE-RANGE"),
        ({"temperature": "5", "read_at": "2026-03-16T10:00"}, "TIME-FUTURE"),
        ({"temperature": "5", "read_at": "2026-03-16T09:00"}, "READING-TWICE"),
    ],
)
def test_a_bad_temperature_is_refused_beside_its_field(
    app: Flask, signed_in_client: SignIn, at: datetime, typed: dict[str, str], code: str
) -> None:
    read(50, at=at, read_at=at - timedelta(minutes=30))
    nurse = signed_in_client(Role.PRACTITIONER)
    answer = nurse.submit(f"/stock/temperatures/{fridge().id}/new", {**typed, "note": "Kept note"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert code in page
    assert "Kept note" in page
    assert readings() == 1


def test_a_loggers_file_is_shown_first_and_written_when_confirmed(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    cold_lot(lot_number="COLD1", at=at - timedelta(days=1))
    nurse = signed_in_client(Role.PRACTITIONER)
    shown = choose(nurse, LOGGED)
    page = shown.get_data(as_text=True)
    assert shown.status_code == 200
    assert "Record 2 readings and leave out 1 line" in page
    assert "march.csv" in page
    assert "“---” is not a temperature." in page
    assert "1 reading at 9.4 °C, " in page
    assert "lot COLD1" in page
    assert readings() == 0
    form = pick_form(shown)
    path = shown.request.path
    done = nurse.send(path, form, follow_redirects=True).get_data(as_text=True)
    assert "The readings are recorded." in done
    assert "Excursion 1" in done
    assert readings() == 2
    again = nurse.send(path, form, follow_redirects=True).get_data(as_text=True)
    assert "recorded already" in again
    twice = choose(nurse, LOGGED).get_data(as_text=True)
    assert "Every reading of this file is recorded already." in twice
    assert readings() == 2


def test_what_has_no_limits_is_said_not_to_be_watched(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    cold_lot(lot_number="COLD1", at=at - timedelta(days=1))
    nurse = signed_in_client(Role.PRACTITIONER)
    page = f"/stock/temperatures/{fridge().id}"
    for shown in (nurse.get(page), choose(nurse, LOGGED)):
        assert "Not watched" not in shown.get_data(as_text=True)
    bare = make_product(storage_min_decicelsius=None, storage_max_decicelsius=None)
    where = make_place(location="Fridge 1")
    lot = make_delivery(product_id=bare.id, lot_number="BARE1", place=where, at=at - timedelta(days=1))
    for shown in (nurse.get(page), choose(nurse, LOGGED)):
        told = shown.get_data(as_text=True)
        assert "Not watched: no limits recorded" in told
        assert "BARE1" in told
    gone = Why(WasteReason.BROKEN)
    waste_sealed(actor=SYSTEM_ACTOR, at=at, lot_id=lot.id, place=where, containers=25, why=gone)
    assert "Not watched" not in nurse.get(page).get_data(as_text=True)
    assert "BARE1" in choose(nurse, LOGGED).get_data(as_text=True)


def test_what_lay_there_is_read_in_one_statement(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    nurse = signed_in_client(Role.PRACTITIONER)
    cold_lot(lot_number="COLD1", at=at - timedelta(days=1))
    choose(nurse, LOGGED)
    sent: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *told: sent.append(told[2]))
    choose(nurse, LOGGED)
    few = len(sent)
    cold_lot(lot_number="COLD2", at=at - timedelta(days=1))
    cold_lot(lot_number="COLD3", at=at - timedelta(days=1))
    sent.clear()
    assert "lot COLD3" in choose(nurse, LOGGED).get_data(as_text=True)
    assert len(sent) <= few


def test_fahrenheit_and_the_order_of_dates_are_asked(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    nurse = signed_in_client(Role.PRACTITIONER)
    american = "Date/Time,Temp (°F)\n03/02/2026 08:00,41.0\n"
    assert "LOGGER-UNIT" in choose(nurse, american).get_data(as_text=True)
    page = choose(nurse, american, unit="fahrenheit", day_order="month-first").get_data(as_text=True)
    assert "5.0 °C" in page
    assert "2 Mar 2026, 08:00" in page


@pytest.mark.parametrize(
    "content, code",
    [
        ("", "LOGGER-EMPTY"),
        ("name;phone\nAda;1\n", "LOGGER-COLUMNS"),
        (b"PK\x03\x04", "LOGGER-NOT-TEXT"),
        (b"x" * (5 * 1024 * 1024 + 10), "LOGGER-TOO-LARGE"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(
    app: Flask, signed_in_client: SignIn, at: datetime, content: str | bytes, code: str
) -> None:
    answer = choose(signed_in_client(Role.PRACTITIONER), content)
    assert answer.status_code == 422
    assert code in answer.get_data(as_text=True)


def test_a_form_without_a_file_is_refused(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    nurse = signed_in_client(Role.PRACTITIONER)
    path = f"/stock/temperatures/{fridge().id}/file"
    fields = {name: values[0] for name, values in nurse.form(path).fields.items() if name != "file"}
    for kind in ("multipart/form-data", "application/x-www-form-urlencoded"):
        answer = nurse.post(path, data={**fields, "file": "typed"}, content_type=kind)
        assert answer.status_code == 422
        assert "FIELD-REQUIRED" in answer.get_data(as_text=True)


def test_a_draft_that_was_changed_is_not_recorded(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    nurse = signed_in_client(Role.PRACTITIONER)
    shown = choose(nurse, LOGGED)
    form = pick_form(shown)
    draft = form.fields["draft"][0]
    answer = nurse.send(shown.request.path, form, {"draft": draft[:-3] + "abc"})
    assert answer.status_code == 422
    assert "LOGGER-STALE" in answer.get_data(as_text=True)
    other = make_place(location="Fridge 2").location_id
    form.action = f"/stock/temperatures/{other}/file/record"
    assert "LOGGER-STALE" in nurse.send(shown.request.path, form).get_data(as_text=True)
    assert readings() == 0


def test_a_manager_releases_what_an_excursion_holds(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    cold_lot(lot_number="COLD1")
    read(95, at=at)
    excursion = db.session.scalars(select(TemperatureExcursion)).one()
    page = f"/stock/excursions/{excursion.id}"
    nurse = signed_in_client(Role.PRACTITIONER)
    assert "A prescriber or a manager decides" in nurse.get(page).get_data(as_text=True)
    answer = nurse.submit(f"{page}/decide", {"decision": "release", "note": "Fine"})
    assert "NOT-PERMITTED" in answer.get_data(as_text=True)
    manager = signed_in_client(Role.MANAGER)
    assert "FIELD-REQUIRED" in manager.submit(f"{page}/decide", {"decision": "release"}).get_data(
        as_text=True
    )
    done = manager.submit(
        f"{page}/decide", {"decision": "release", "note": "Two hours at 9.5"}, follow_redirects=True
    ).get_data(as_text=True)
    assert "The decision is recorded." in done
    assert "Two hours at 9.5" in done
    db.session.rollback()
    assert db.session.scalars(select(Hold.released_at)).one() is not None


def test_what_is_condemned_may_be_returned_or_destroyed(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    cold_lot(lot_number="COLD1")
    read(95, at=at)
    excursion = db.session.scalars(select(TemperatureExcursion)).one()
    manager = signed_in_client(Role.MANAGER)
    path = f"/stock/excursions/{excursion.id}/decide"
    done = manager.submit(path, {"decision": "condemn", "note": "Too warm"}, follow_redirects=True)
    page = done.get_data(as_text=True)
    assert f"/stock/disposals/new/destruction?location={fridge().id}" in page
    offered = manager.get(f"/stock/disposals/new/destruction?location={fridge().id}").get_data(as_text=True)
    assert "COLD1" in offered
    assert 'selected value="temperature"' in offered


def test_a_fridge_of_another_site_is_not_there(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    make_place()
    other = make_place(code="NORTH", location="Fridge N")
    nurse = signed_in_client(Role.PRACTITIONER)
    for path in ("", "/new", "/file"):
        assert nurse.get(f"/stock/temperatures/{other.location_id}{path}").status_code == 404


def test_today_tells_of_excursions_and_of_fridges_that_were_not_read(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    fridge("Fridge 2")
    cold_lot(at=at - timedelta(days=1))
    record_temperature(
        actor=SYSTEM_ACTOR,
        at=at,
        location=fridge(),
        decicelsius=95,
        read_at=at - timedelta(hours=1),
    )
    record_temperature(
        actor=SYSTEM_ACTOR,
        at=at,
        location=fridge("Fridge 2"),
        decicelsius=50,
        read_at=at - timedelta(days=1),
    )
    page = signed_in_client(Role.PRACTITIONER).get("/").get_data(as_text=True)
    assert "Excursion 1" in page
    assert f"/stock/temperatures/{fridge('Fridge 2').id}/new" in page
    assert f"/stock/temperatures/{fridge().id}/new" not in page


def test_degrees_and_limits_in_words() -> None:
    assert [degrees(value) for value in (52, 0, -5, -180, None)] == [
        "5.2 °C", "0.0 °C", "-0.5 °C", "-18.0 °C", "—",
    ]  # fmt: skip
    assert limits_words(Limits(20, 80)) == "from 2.0 °C to 8.0 °C"
    assert limits_words(Limits(None, 250)) == "up to 25.0 °C"
    assert limits_words(Limits(None, None)) == "none set"


def test_the_line_keeps_every_peak(app: Flask, at: datetime) -> None:
    first = at - timedelta(days=30)
    values = [50 + number % 3 for number in range(4_000)]
    values[1_234], values[3_210] = 131, -17
    many = [Reading(first + timedelta(minutes=10 * n), value) for n, value in enumerate(values)]
    chart = chart_of(many, Limits(20, 80), first=first, last=at)
    assert chart is not None
    assert len(chart.line.split()) <= 2 * 161
    assert chart.words.startswith("4,000 readings between -1.7 °C and 13.1 °C.")
    heights = [float(point.split(",")[1]) for point in chart.line.split()]
    assert max(heights) - min(heights) > 120
    assert (min(one.lowest for one in days_of(many)), max(one.highest for one in days_of(many))) == (-17, 131)
    steady = chart_of([Reading(at, 350)], Limits(20, 80), first=first, last=at)
    assert steady is not None
    assert steady.words.startswith("1 reading at 35.0 °C.")
    assert chart_of([], Limits(None, None), first=first, last=at) is None


def test_what_has_no_limits_is_said_not_to_be_judged_by_an_excursion(
    app: Flask, signed_in_client: SignIn, at: datetime
) -> None:
    cold_lot(lot_number="COLD1", at=at - timedelta(days=1))
    bare = make_product(storage_min_decicelsius=None, storage_max_decicelsius=None)
    where = make_place(location="Fridge 1")
    make_delivery(product_id=bare.id, lot_number="BARE1", place=where, at=at - timedelta(days=1))
    record_temperature(actor=SYSTEM_ACTOR, at=at, location=fridge(), decicelsius=112)
    found = db.session.scalars(select(TemperatureExcursion)).one()
    client = signed_in_client(Role.MANAGER)
    for address in (f"/stock/excursions/{found.id}", f"/stock/excursions/{found.id}/decide"):
        told = client.get(address).get_data(as_text=True)
        assert "Not judged: no storage limits recorded" in told
        assert "BARE1" in told
    there = client.get(f"/stock/temperatures/{fridge().id}").get_data(as_text=True)
    assert "What was exposed and has limits recorded is on hold; the rest is not judged." in there
    assert "What was exposed is on hold." not in there
