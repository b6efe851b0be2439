"""The pages of reactions: recorded at the dose, the emergency note first, decided by a prescriber, listed and counted."""

import csv
import io
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from inventory.doses.models import Dose
from inventory.doses.reaction_models import Reaction
from inventory.doses.rules.reaction_terms import ReactionOutcome, Severity, Symptom
from inventory.kernel.db import db
from inventory.kernel.permissions import Role
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.stock import make_delivery
from tests.support.client import CheckingClient, pick_form

Client = Callable[..., CheckingClient]
MILD: dict[str, Any] = {"severity": Severity.MILD, "symptoms": (Symptom.PAIN_AT_SITE,)}
NOTE = "Call the emergency number now."


@pytest.fixture
def dose(bench: Bench, nurse: CheckingClient, at_instant: Callable[[datetime], None]) -> Dose:
    """A dose of twenty minutes ago."""
    given = bench.give()
    at_instant(given.given_at + timedelta(minutes=20))
    return given


@pytest.fixture
def prescriber(bench: Bench, signed_in_client: Client) -> CheckingClient:
    return signed_in_client(Role.PRESCRIBER)


def text(client: CheckingClient, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, f"{path} answered {response.status_code}"
    return response.get_data(as_text=True)


def test_a_reaction_is_recorded_at_its_dose_and_shows_the_note_first(
    nurse: CheckingClient, dose: Dose
) -> None:
    path = f"/doses/{dose.id}/reaction"
    assert path in text(nurse, f"/doses/{dose.id}")
    typed = {"emergencies": ["hives"], "severity": "severe", "onset_minutes": "10"}
    done = nurse.submit(path, typed, follow_redirects=True)
    page = done.get_data(as_text=True)
    row = db.session.scalars(select(Reaction)).one()
    assert (row.symptoms, row.severity, row.onset_at) == (
        "hives",
        "severe",
        dose.given_at + timedelta(minutes=10),
    )
    assert (row.outcome, row.reporter) == ("ongoing", "patient")
    assert page.index(NOTE) < page.index("<h1")
    assert "The next dose is blocked until a prescriber decides" in page
    for shown in (f"/doses/{dose.id}", f"/patients/{dose.patient_id}", "/reactions"):
        assert f"/reactions/{row.id}" in text(nurse, shown)


def test_the_note_stands_on_the_form_before_anything_is_chosen(nurse: CheckingClient, dose: Dose) -> None:
    page = text(nurse, f"/doses/{dose.id}/reaction")
    assert page.index(NOTE) < page.index("Swelling of face") < page.index("Pain at the site")


def test_the_note_is_the_clinics_own(nurse: CheckingClient, dose: Dose, signed_in_client: Client) -> None:
    admin = signed_in_client(Role.ADMIN)
    named = {"clinic_name": "Riverside Clinic"}
    refused = admin.submit("/settings/rules", {**named, "emergency_note": "Call"})
    assert "NOTE-LENGTH" in refused.get_data(as_text=True)
    done = admin.submit("/settings/rules", {**named, "emergency_note": "Ring 0123 and shout."})
    assert done.status_code == 302
    assert "Ring 0123 and shout." in text(nurse, f"/doses/{dose.id}/reaction")


@pytest.mark.parametrize(
    "code, typed",
    [
        ("ONSET-NEEDED", {"mild": ["pain_at_site"], "severity": "mild"}),
        ("TIME-FUTURE", {"mild": ["pain_at_site"], "severity": "mild", "onset_minutes": "9999"}),
        ("SYMPTOM-NEEDED", {"severity": "mild", "onset_minutes": "0"}),
        (
            "ONSET-BEFORE-DOSE",
            {"mild": ["pain_at_site"], "severity": "mild", "onset_at": "2026-01-01T10:00"},
        ),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    nurse: CheckingClient, dose: Dose, code: str, typed: dict[str, Any]
) -> None:
    answer = nurse.submit(f"/doses/{dose.id}/reaction", {**typed, "note": "Cold packs helped"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert code in page
    assert "Cold packs helped" in page
    assert re.search(r'<input[^>]*checked[^>]*name="severity"[^>]*value="mild"', page)
    assert db.session.scalars(select(Reaction)).all() == []


def test_a_prescriber_decides_and_the_note_goes(
    bench: Bench, dose: Dose, nurse: CheckingClient, prescriber: CheckingClient
) -> None:
    case_id = bench.react(dose)
    assert nurse.get(f"/reactions/{case_id}/decide").status_code == 403
    typed = {"kind": "may_continue", "reason": "Tested, no allergy"}
    page = prescriber.submit(f"/reactions/{case_id}/decide", typed, follow_redirects=True)
    shown = page.get_data(as_text=True)
    assert "Tested, no allergy" in shown
    assert NOTE not in shown


def test_potassium_is_asked_for_what_calls_for_it(bench: Bench, dose: Dose, nurse: CheckingClient) -> None:
    cramps = bench.react(dose, severity=Severity.MODERATE, symptoms=(Symptom.MUSCLE_CRAMPS,))
    assert "Check potassium" in text(nurse, f"/reactions/{cramps}")
    assert "Check potassium" not in text(nurse, f"/reactions/{bench.react(dose, **MILD)}")


def test_news_a_correction_and_a_retraction_stay_readable(
    bench: Bench, dose: Dose, nurse: CheckingClient
) -> None:
    case_id = bench.react(dose, note="Small red patch", **MILD)
    nurse.submit(f"/reactions/{case_id}/follow-up", {"outcome": "recovered", "note": "Gone by evening"})
    corrected = {"mild": ["itch_at_site"], "reason": "Misheard", "note": ""}
    nurse.submit(f"/reactions/{case_id}/correct", corrected)
    page = text(nurse, f"/reactions/{case_id}")
    for words in ("Gone by evening", "Misheard", "Itch at the site", "Small red patch"):
        assert words in page
    nurse.submit(f"/reactions/{case_id}/retract", {"reason": "Another dose"})
    assert "Retracted: recorded by mistake" in text(nurse, f"/reactions/{case_id}")
    assert f"/reactions/{case_id}" not in text(nurse, "/reactions?state=all")


def test_the_list_is_narrowed(bench: Bench, dose: Dose, nurse: CheckingClient) -> None:
    grave = bench.react(dose, outcome=ReactionOutcome.RECOVERED)
    mild = bench.react(dose, **MILD)
    over = bench.react(dose, outcome=ReactionOutcome.RECOVERED, **MILD)

    def listed(query: str) -> set[str]:
        page = text(nurse, f"/reactions{query}")
        return {str(one) for one in (grave, mild, over) if f"/reactions/{one}" in page}

    assert listed("") == {str(grave), str(mild)}
    assert listed("?state=undecided") == {str(grave)}
    assert listed("?state=all") == {str(grave), str(mild), str(over)}
    assert listed("?state=all&severity=mild") == {str(mild), str(over)}
    assert listed(f"?state=all&site={bench.place.site_id}") == {str(grave), str(mild), str(over)}
    assert listed("?state=all&to_on=2020-01-01") == set()
    assert nurse.get("/reactions?site=nowhere").status_code == 422


def test_a_reaction_to_a_void_entry_is_led_to_the_one_that_stands(dose: Dose, nurse: CheckingClient) -> None:
    form = {"indication": "Pernicious anaemia", "reason": "Wrong indication"}
    preview = nurse.submit(f"/doses/{dose.id}/amend", form, having="record_number")
    nurse.send(f"/doses/{dose.id}/amend", pick_form(preview, having="step"), {"step": "record"})
    answer = nurse.get(f"/doses/{dose.id}/reaction")
    newest = db.session.scalars(select(Dose).where(Dose.amends_id == dose.id)).one()
    assert answer.location == f"/doses/{newest.id}/reaction"


def test_a_bad_lot_stands_first_and_in_the_file(bench: Bench, nurse: CheckingClient) -> None:
    bad = make_delivery(place=bench.place, lot_number="BAD-1", containers=5, product_id=bench.lot.product_id)
    for _ in range(4):
        one = bench.give(bench.request(lot=bad, patient_id=make_patient()))
        bench.react(one, onset_minutes=0, **MILD)
        bench.react(one, onset_minutes=0, **MILD)
    for _ in range(3):
        bench.give(bench.request(patient_id=make_patient()))
    page = text(nurse, "/reactions/signals")
    assert page.index("BAD-1") < page.index(bench.lot.lot_number)
    assert "May be chance" in page
    rows = list(csv.DictReader(io.StringIO(text(nurse, "/reactions/signals.csv").lstrip("\ufeff"))))
    first = rows[0]
    assert (first["compared"], first["doses"], first["reactions"], first["rest_doses"]) == (
        "Lot",
        "4",
        "4",
        "3",
    )
    assert float(first["fisher_p"]) == pytest.approx(1 / 35, rel=1e-4)
    assert "No dose in these days" in text(nurse, "/reactions/signals?to_on=2020-01-01&from_on=2019-01-01")
    only_grave = text(nurse, "/reactions/signals?which=grave")
    assert "May be chance" not in only_grave
