"""Entering a downtime sheet: row by row, through the gate, each once, with what is wrong kept in its row."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from uuid import UUID

from flask import Flask
from sqlalchemy import select

from inventory.courses.rules.terms import SlotState
from inventory.doses.models import Dose, Incident
from inventory.doses.services import dedicate_vial
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.permissions import Role
from inventory.staff.queries import person
from tests.factories.doses import Bench
from tests.factories.due import make_due, slot
from tests.factories.patients import make_patient
from tests.support.client import CheckingClient, pick_form

Client = Callable[..., CheckingClient]
TODAY = date(2026, 3, 16)
PATH = "/give/sheet"


def key(bench: Bench) -> str:
    return f"lot-{bench.lot.id.hex}-{bench.place.location_id.hex}"


def row(slot_id: object, bench: Bench, **typed: str) -> dict[str, str]:
    """What is typed into the row of a slot."""
    usual = {"given_at": "09:00", "source": key(bench), "body_site": "LD", "consent_seen": "y"}
    return {f"slot-{slot_id.hex}-{name}": value for name, value in {**usual, **typed}.items()}  # type: ignore[attr-defined]


def doses() -> list[Dose]:
    return list(db.session.scalars(select(Dose).order_by(Dose.number)))


def sheet_of(app: Flask, sign_in: Client, patients: int = 2) -> tuple[Bench, CheckingClient, list[object]]:
    """A clinic whose stock came, and whose courses were ordered, the day before the sheet."""
    with clock.frozen(clock.now() - timedelta(days=1)):
        bench = Bench()
        names = [f"Row{'abc'[number]}" for number in range(patients)]
        slots: list[object] = [ordered(bench, make_patient(family_name=name)) for name in names]
    return bench, sign_in(user=person(bench.nurse.id)), slots


def ordered(bench: Bench, patient_id: UUID) -> UUID:
    return make_due(patient_id, site_id=bench.place.site_id, due_on=TODAY)


def test_records_each_row_as_given_already_for_its_slot(
    app: Flask, at: datetime, signed_in_client: Client
) -> None:
    bench, nurse, slots = sheet_of(app, signed_in_client, 3)
    typed = row(slots[0], bench) | row(
        slots[1], bench, given_at="09:10", body_site="RD", note="By torchlight"
    )
    answer = nurse.submit(PATH, typed, having="slots", follow_redirects=True)
    assert "2 doses recorded." in answer.get_data(as_text=True)
    first, second = doses()
    assert (first.body_site, first.mode, first.dose_ng) == ("LD", "already_given", 1_000_000)
    assert first.given_at == at.replace(hour=9, minute=0)
    assert (second.note, second.giver_id) == ("By torchlight", bench.nurse.id)
    assert [slot(one).state for one in slots] == [SlotState.GIVEN, SlotState.GIVEN, SlotState.OPEN]  # type: ignore[arg-type]


def test_a_row_that_is_wrong_keeps_what_was_typed_and_the_others_are_recorded(
    app: Flask, at: datetime, signed_in_client: Client
) -> None:
    bench, nurse, slots = sheet_of(app, signed_in_client)
    typed = row(slots[0], bench) | row(slots[1], bench, given_at="25:00")
    form = nurse.form(PATH, having="slots")
    answer = nurse.send(PATH, form, typed)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert len(doses()) == 1
    assert "Rowb, Ada: 25:00 is not a time of day." in page
    assert 'value="25:00"' in page
    assert f"/doses/{doses()[0].id}" in page
    again = pick_form(answer, having="slots")
    mended = {f"slot-{slots[1].hex}-given_at": "09:05"}  # type: ignore[attr-defined]
    assert nurse.send(PATH, again, mended).status_code == 302
    assert len(doses()) == 2


def test_a_vial_that_is_kept_for_one_patient_says_for_whom(
    app: Flask, at: datetime, signed_in_client: Client
) -> None:
    bench, nurse, _ = sheet_of(app, signed_in_client, 1)
    owner = make_patient(record_number="KEPT-7")
    with clock.frozen(clock.now() - timedelta(hours=3)):
        lot, vial = bench.open_multi()
        dedicate_vial(actor=bench.nurse, at=clock.now(), vial_id=vial.id, patient_id=owner)
    page = nurse.get(PATH).get_data(as_text=True)
    [kept] = set(re.findall(r">(Vial [^<]*KEPT-7[^<]*)<", page))
    assert kept.startswith(f"Vial {vial.label_number}, lot {lot.lot_number}")
    assert kept.endswith("kept for KEPT-7")


def test_a_sheet_sent_twice_is_recorded_once(app: Flask, at: datetime, signed_in_client: Client) -> None:
    bench, nurse, slots = sheet_of(app, signed_in_client)
    other = make_patient(record_number="X-1")
    spare = {
        "spare-0-record_number": "X-1",
        "spare-0-given_at": "08:30",
        "spare-0-source": key(bench),
        "spare-0-dose_mcg": "1000",
        "spare-0-body_site": "LD",
        "spare-0-indication": "B12 deficiency",
    }
    form = nurse.form(PATH, having="slots")
    for _ in range(2):
        assert nurse.send(PATH, form, row(slots[0], bench) | spare).status_code == 302
    assert [dose.patient_id for dose in doses()].count(other) == 1
    assert len(doses()) == 2


def test_two_who_enter_the_same_sheet_record_it_once(
    app: Flask, at: datetime, signed_in_client: Client
) -> None:
    bench, nurse, slots = sheet_of(app, signed_in_client)
    other = signed_in_client(Role.PRACTITIONER)
    forms = [(client, client.form(PATH, having="slots")) for client in (nurse, other)]
    answers = [client.send(PATH, form, row(slots[0], bench)) for client, form in forms]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert len(doses()) == 1
    assert "Nothing was typed" in other.get(PATH).get_data(as_text=True)


def test_what_would_have_stopped_the_dose_is_recorded_as_a_deviation(
    app: Flask, at: datetime, signed_in_client: Client
) -> None:
    bench, nurse, _ = sheet_of(app, signed_in_client, 0)
    with clock.frozen(at - timedelta(hours=2)):
        late = ordered(bench, make_patient(family_name="Unasked", none_known=False))
    page = nurse.submit(PATH, row(late, bench), having="slots", follow_redirects=True).get_data(as_text=True)
    assert "1 deviation" in page
    assert db.session.scalars(select(Incident)).one().dose_id == doses()[0].id


def test_a_dose_to_come_an_unknown_patient_and_a_day_to_come_are_refused(
    app: Flask, at: datetime, signed_in_client: Client
) -> None:
    bench, nurse, slots = sheet_of(app, signed_in_client)
    spare = {"spare-0-record_number": "NOBODY", "spare-0-given_at": "08:30"}
    spare |= {"spare-0-source": key(bench), "spare-0-dose_mcg": "1000", "spare-0-body_site": "LD"}
    typed = row(slots[0], bench, given_at="23:00") | spare | {"spare-0-indication": "B12 deficiency"}
    answer = nurse.submit(PATH, typed, having="slots")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "PATIENT-UNKNOWN" in page
    assert "IN-FUTURE" in page or "FUTURE" in page
    assert doses() == []
    assert nurse.get(f"{PATH}?on=2026-03-17").status_code == 422


def test_yesterdays_sheet_reads_its_times_on_yesterday(
    app: Flask, at: datetime, at_instant: Callable[[datetime], None], signed_in_client: Client
) -> None:
    bench, _, slots = sheet_of(app, signed_in_client)
    at_instant(at + timedelta(days=1))
    nurse = signed_in_client(user=person(bench.nurse.id))
    path = f"{PATH}?on=2026-03-16"
    assert nurse.submit(path, row(slots[0], bench, given_at="14:15"), having="slots").status_code == 302
    [dose] = doses()
    assert (dose.given_on, dose.is_late) == (TODAY, True)
    assert dose.given_at == at.replace(hour=14, minute=15)


def test_only_who_gives_doses_enters_a_sheet(app: Flask, at: datetime, signed_in_client: Client) -> None:
    Bench()
    assert signed_in_client(Role.AUDITOR).get(PATH).status_code == 403
    assert signed_in_client(Role.MANAGER).get(PATH).status_code == 403
