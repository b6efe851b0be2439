"""Correcting the record through its pages: void, amend, not given, the lists, the incidents."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.clinic.models import Site
from inventory.doses.models import Dose, DoseSource, DoseVoid, Incident, NotGiven
from inventory.doses.rules.terms import BodySite, EntryMode, VoidKind
from inventory.kernel.db import db, unit_of_work
from inventory.kernel.permissions import Role
from inventory.staff import queries as people
from tests.factories.catalogue import make_formulation
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.stock import balance_ul, make_delivery, movements_of
from tests.support.client import CheckingClient, pick_form

Client = Callable[..., CheckingClient]


@pytest.fixture
def bench(app: Flask, at: datetime) -> Bench:
    return Bench()


@pytest.fixture
def nurse(bench: Bench, signed_in_client: Client) -> CheckingClient:
    return signed_in_client(user=people.person(bench.nurse.id))


def amended(client: CheckingClient, dose: Dose, **typed: object) -> Any:
    path = f"/doses/{dose.id}/amend"
    form = client.form(path, having="record_number")
    checked = client.send(path, form, {"reason": "Typed wrongly", "step": "check"} | typed)
    if checked.status_code != 200:
        return checked
    return client.send(path, pick_form(checked, having="draws"), {"step": "record"})


def amendment_of(dose: Dose) -> Dose:
    return db.session.scalars(select(Dose).where(Dose.amends_id == dose.id)).one()


def test_voids_a_dose_that_was_never_opened(nurse: CheckingClient, bench: Bench) -> None:
    dose = bench.give()
    answer = nurse.submit(
        f"/doses/{dose.id}/void", {"kind": "never_opened", "reason": "Wrong row"}, having="kind"
    )
    assert answer.status_code == 302
    assert db.session.get_one(DoseVoid, dose.id).kind == VoidKind.NEVER_OPENED
    assert balance_ul(bench.lot) == 3_000
    page = nurse.get(answer.location).get_data(as_text=True)
    assert "This dose is void" in page
    assert f"/doses/{dose.id}/amend" not in page


def test_a_void_needs_an_answer_and_a_reason(nurse: CheckingClient, bench: Bench) -> None:
    dose = bench.give()
    answer = nurse.submit(f"/doses/{dose.id}/void", {"reason": ""}, having="kind")
    assert answer.status_code == 422
    assert answer.get_data(as_text=True).count("FIELD-REQUIRED") >= 2


def test_a_dose_that_was_given_leads_to_the_amendment(nurse: CheckingClient, bench: Bench) -> None:
    dose = bench.give()
    answer = nurse.submit(
        f"/doses/{dose.id}/void", {"kind": "wrong", "reason": "Other patient"}, having="kind"
    )
    assert answer.location == f"/doses/{dose.id}/amend"


def test_only_the_giver_or_a_prescriber_corrects(bench: Bench, signed_in_client: Client) -> None:
    dose = bench.give()
    other = signed_in_client(Role.PRACTITIONER)
    for page in ("void", "amend"):
        assert other.get(f"/doses/{dose.id}/{page}").status_code == 403
    prescriber = signed_in_client(Role.PRESCRIBER)
    assert prescriber.get(f"/doses/{dose.id}/void").status_code == 200


def test_amends_the_body_site_and_moves_no_stock(
    nurse: CheckingClient, bench: Bench, at: datetime, at_instant: Callable[[datetime], None]
) -> None:
    _, vial = bench.open_multi()
    at_instant(at + timedelta(minutes=5, seconds=20))
    dose = bench.give(bench.request(lot=vial.lot, vial=vial))
    at_instant(at + timedelta(minutes=9))
    moved = len(movements_of(bench.lot))
    answer = amended(nurse, dose, body_site=BodySite.RIGHT_DELTOID.value)
    assert answer.status_code == 302
    again = amendment_of(dose)
    assert (again.body_site, again.given_at, again.dose_ng) == ("RD", dose.given_at, dose.dose_ng)
    assert len(movements_of(bench.lot)) == moved
    assert "This entry is an amendment" in nurse.get(answer.location).get_data(as_text=True)
    assert "It stands now as" in nurse.get(f"/doses/{dose.id}").get_data(as_text=True)


def test_amends_the_patient_by_record_number(nurse: CheckingClient, bench: Bench) -> None:
    dose = bench.give()
    other = make_patient(family_name="Another", record_number="X-9")
    assert amended(nurse, dose, record_number=" x-9").status_code == 302
    assert amendment_of(dose).patient_id == other


def test_an_unknown_record_number_is_refused(nurse: CheckingClient, bench: Bench) -> None:
    answer = amended(nurse, bench.give(), record_number="NOBODY-1")
    assert answer.status_code == 422
    assert "PATIENT-UNKNOWN" in answer.get_data(as_text=True)


def test_amends_the_volume_of_the_same_vial(nurse: CheckingClient, bench: Bench) -> None:
    lot = make_delivery(place=bench.place, product_id=bench.lot.product_id, containers=1)
    dose = bench.give(bench.request(lot=lot))
    path = f"/doses/{dose.id}/amend"
    typed = {"reason": "Half of it", "dose_mcg": "500", "volume_ml": "0.5", "step": "check"}
    checked = nurse.send(path, nurse.form(path, having="record_number"), typed)
    page = checked.get_data(as_text=True)
    assert "STOCK-SHORT" not in page
    assert f"Lot {lot.lot_number}" in page
    nurse.send(path, pick_form(checked, having="draws"), {"step": "record"})
    again = amendment_of(dose)
    assert (again.volume_ul, again.is_deviation) == (500, False)
    assert balance_ul(lot) == 0
    assert balance_ul(bench.lot) == 3_000


def test_amends_the_lot(nurse: CheckingClient, bench: Bench) -> None:
    dose = bench.give()
    right = make_delivery(place=bench.place, product_id=bench.lot.product_id)
    key = f"lot-{right.id.hex}-{bench.place.location_id.hex}"
    assert amended(nurse, dose, source=key).status_code == 302
    assert balance_ul(bench.lot) == 3_000
    assert balance_ul(right) == 24_000


def test_an_amendment_of_nothing_is_refused(nurse: CheckingClient, bench: Bench) -> None:
    answer = amended(nurse, bench.give())
    assert answer.status_code == 422
    assert "AMEND-NOTHING" in answer.get_data(as_text=True)


def test_records_that_nothing_was_given(nurse: CheckingClient, bench: Bench) -> None:
    path = f"/give/{bench.patient_id}/not-given"
    formulation = str(make_formulation())
    answer = nurse.submit(path, {"formulation": formulation, "reason": "refused"}, having="formulation")
    assert answer.status_code == 302
    record = db.session.scalars(select(NotGiven)).one()
    assert "Patient refused" in nurse.get(answer.location).get_data(as_text=True)
    assert (
        nurse.submit(path, {"formulation": formulation, "reason": "other"}, having="formulation").status_code
        == 422
    )
    assert record.patient_id == bench.patient_id


def test_lists_doses_with_their_marks(nurse: CheckingClient, bench: Bench) -> None:
    dose = bench.give()
    amended(nurse, dose, body_site="RD")
    page = nurse.get("/doses").get_data(as_text=True)
    assert page.count("/doses/0") == 2
    assert "Void: amended" in page
    assert "Amendment" in page
    record_number = dose.patient_record_number.lower()
    for query, found in (
        (f"record_number={record_number}", 2),
        ("record_number=none", 0),
        (f"lot_number={bench.lot.lot_number}", 2),
        ("marked=void", 1),
        ("from_on=2026-03-17", 0),
        ("from_on=2026-03-16&to_on=2026-03-16", 2),
    ):
        assert nurse.get(f"/doses?{query}").get_data(as_text=True).count("/doses/0") == found, query
    assert nurse.get("/doses?from_on=2026-02-31").status_code == 422


def test_an_incident_is_closed_by_a_prescriber(
    nurse: CheckingClient, bench: Bench, signed_in_client: Client
) -> None:
    make_allergic(bench)
    bench.give(bench.request(mode=EntryMode.ALREADY_GIVEN))
    incident = db.session.scalars(select(Incident)).one()
    path = f"/incidents/{incident.id}"
    assert "ALLERGIES-NOT-ASKED" in nurse.get(path).get_data(as_text=True)
    assert incident.what[:40] in nurse.get("/incidents").get_data(as_text=True)
    prescriber = signed_in_client(Role.PRESCRIBER)
    form = prescriber.form(path, having="outcome")
    token = nurse.form("/give", having="q").fields["csrf_token"]
    assert nurse.send(path, form, {"outcome": "Closed by a nurse", "csrf_token": token[0]}).status_code == 403
    assert prescriber.submit(path, {"outcome": ""}, having="outcome").status_code == 422
    answer = prescriber.submit(path, {"outcome": "Asked the patient: none known."}, having="outcome")
    assert answer.status_code == 302
    assert "Asked the patient" in nurse.get(path).get_data(as_text=True)
    assert "Nothing to look into" in nurse.get("/incidents").get_data(as_text=True)


def make_allergic(bench: Bench) -> None:
    bench.patient_id = make_patient(none_known=False)


def test_unknown_ids_are_not_found(nurse: CheckingClient, bench: Bench) -> None:
    nobody = UUID(int=7)
    for path in ("/doses/{}/void", "/doses/{}/amend", "/incidents/{}", "/not-given/{}", "/give/{}/not-given"):
        assert nurse.get(path.format(nobody)).status_code == 404, path


def test_the_time_is_read_by_the_clock_of_the_dose(nurse: CheckingClient, bench: Bench) -> None:
    dose = bench.give()
    with unit_of_work() as session:
        session.get_one(Site, bench.place.site_id).time_zone = "America/New_York"
    page = nurse.get(f"/doses/{dose.id}/amend").get_data(as_text=True)
    assert 'value="2026-03-16T09:30"' in page
    assert "Europe/London" in page
    assert amended(nurse, dose, body_site="RD").status_code == 302
    again = amendment_of(dose)
    assert (again.given_at, again.given_zone) == (dose.given_at, "Europe/London")
    assert amended(nurse, again, given_at="2026-03-16T09:12").status_code == 302
    assert amendment_of(again).given_at == dose.given_at - timedelta(minutes=18)


def test_amends_the_volume_drawn_from_a_vial_that_is_empty_now(nurse: CheckingClient, bench: Bench) -> None:
    lot, vial = bench.open_multi()
    dose = bench.give(bench.request(lot=lot, vial=vial, volume_ul=2_000))
    for _ in range(4):
        bench.give(bench.request(lot=lot, vial=vial, volume_ul=2_000, patient_id=make_patient()))
    path = f"/doses/{dose.id}/amend"
    typed = {"reason": "Less", "dose_mcg": "1500", "volume_ml": "1.5", "step": "check"}
    checked = nurse.send(path, nurse.form(path, having="record_number"), typed)
    page = checked.get_data(as_text=True)
    assert "STOCK-SHORT" not in page
    assert "0.5 mL left in it afterwards" in page
    nurse.send(path, pick_form(checked, having="draws"), {"step": "record"})
    again = amendment_of(dose)
    assert (again.volume_ul, again.is_deviation) == (1_500, False)
    source = db.session.scalars(select(DoseSource).where(DoseSource.dose_id == again.id)).one()
    assert source.vial_id == vial.id
