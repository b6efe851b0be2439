"""Giving a dose through its pages: one form, one confirmation, one dose."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from inventory.audit.models import AccessEntry
from inventory.catalogue.models import Route
from inventory.clinic.models import Setting
from inventory.doses.models import DoseFinding
from inventory.kernel.db import db, unit_of_work
from inventory.kernel.permissions import Role
from tests.factories.catalogue import make_product
from tests.factories.doses import Bench
from tests.factories.staff import PASSWORD, make_user
from tests.factories.stock import balance_ul, make_delivery
from tests.integration.doses.giving_pages import (
    address,
    checked,
    doses,
    only_dose,
    recorded,
    signed_in_again,
    with_allergy,
)
from tests.support.client import CheckingClient, pick_form

Client = Callable[..., CheckingClient]


def test_gives_a_dose_in_two_steps(nurse: CheckingClient, bench: Bench) -> None:
    answer = checked(nurse, bench)
    assert answer.status_code == 200
    page = answer.get_data(as_text=True)
    assert "1,000 mcg = 1 mL" in page
    assert "Left arm (deltoid)" in page
    assert doses() == 0

    done = recorded(nurse, bench, answer)
    assert done.status_code == 302
    dose = only_dose()
    assert done.location == f"/doses/{dose.id}"
    assert (dose.volume_ul, dose.dose_ng, dose.body_site, dose.giver_name) == (
        1_000,
        1_000_000,
        "LD",
        "Nora Nurse",
    )
    assert balance_ul(bench.lot) == 2_000
    shown = nurse.get(done.location).get_data(as_text=True)
    assert bench.lot.lot_number in shown
    assert "Nora Nurse" in shown


def test_a_page_sent_twice_is_one_dose(nurse: CheckingClient, bench: Bench) -> None:
    answer = checked(nurse, bench)
    first = recorded(nurse, bench, answer)
    again = recorded(nurse, bench, answer)
    assert again.location == first.location
    assert doses() == 1
    assert "nothing was written twice" in nurse.get(again.location).get_data(as_text=True)


def test_a_page_sent_again_with_another_dose_says_that_nothing_more_was_written(
    nurse: CheckingClient, bench: Bench
) -> None:
    answer = checked(nurse, bench)
    recorded(nurse, bench, answer)
    again = recorded(nurse, bench, answer, note="Another dose")
    assert again.status_code == 422
    assert "REQUEST-CHANGED" in again.get_data(as_text=True)
    assert doses() == 1


def test_asks_first_whether_the_dose_is_still_to_be_given(nurse: CheckingClient, bench: Bench) -> None:
    page = nurse.get(f"/give/{bench.patient_id}").get_data(as_text=True)
    assert "About to give" in page
    assert "Already given, at" in page


def test_finds_the_patient_by_name(nurse: CheckingClient, bench: Bench) -> None:
    answer = nurse.submit("/give", {"mode": "already", "q": "invented"}, having="q")
    assert answer.status_code == 200
    assert f"/give/{bench.patient_id}?mode=already" in answer.get_data(as_text=True)


def test_computes_the_volume_from_the_dose_alone(nurse: CheckingClient, bench: Bench) -> None:
    recorded(nurse, bench, checked(nurse, bench, dose_mcg="500", volume_ml=""))
    dose = only_dose()
    assert (dose.dose_ng, dose.volume_ul) == (500_000, 500)
    assert "0.5 mL, remainder" in nurse.get(f"/doses/{dose.id}").get_data(as_text=True)


def test_refuses_dose_and_volume_that_disagree(nurse: CheckingClient, bench: Bench) -> None:
    answer = checked(nurse, bench, dose_mcg="1000", volume_ml="0.5", note="kept")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "DOSE-VOLUME-DISAGREE" in page
    assert 'value="0.5"' in page
    assert "kept" in page


def test_takes_two_containers_for_one_dose(nurse: CheckingClient, bench: Bench) -> None:
    answer = checked(nurse, bench, dose_mcg="1500", volume_ml="")
    assert "2 vials opened" in answer.get_data(as_text=True)
    recorded(nurse, bench, answer)
    assert balance_ul(bench.lot) == 1_000


def test_an_expired_lot_is_shown_and_cannot_be_chosen(
    nurse: CheckingClient, bench: Bench, at: datetime, at_instant: Callable[[datetime], None]
) -> None:
    soon = make_delivery(place=bench.place, expires_on=at.date(), lot_number="OLD1", containers=2)
    form = nurse.form(address(bench), having="indication")
    key = f"lot-{soon.id.hex}-{bench.place.location_id.hex}"
    assert form.fields["source"] == [key], "the first to expire is chosen"

    at_instant(at + timedelta(days=1))
    nurse = signed_in_again(nurse, bench)
    page = nurse.get(address(bench)).get_data(as_text=True)
    assert "LOT-EXPIRED" in page
    assert f'value="{key}"' not in page

    form = nurse.form(address(bench), having="indication")
    stale = nurse.send(
        address(bench),
        form,
        {"source": key, "indication": "B12", "consent_seen": "y", "identity_ticked": "y", "step": "check"},
    )
    assert stale.status_code == 422
    assert "LOT-EXPIRED" in stale.get_data(as_text=True)
    assert pick_form(stale, having="draws").buttons["step"] == ["change", "already"]


def test_a_dose_given_earlier_is_recorded_at_its_time(nurse: CheckingClient, bench: Bench) -> None:
    answer = checked(nurse, bench, mode="already", given_at="2026-03-16T09:28")
    assert "16 Mar 2026, 09:28" in answer.get_data(as_text=True)
    recorded(nurse, bench, answer)
    dose = only_dose()
    assert dose.given_at.minute == 28
    assert not dose.is_late


def test_suggests_nothing_of_a_dose_that_was_given_already(nurse: CheckingClient, bench: Bench) -> None:
    bench.give()
    form = nurse.form(f"/give/{bench.patient_id}?mode=already", having="indication")
    told = ("source", "body_site", "dose_mcg", "volume_ml", "given_at")
    assert not any("".join(form.fields.get(name, [])) for name in told), form.fields
    page = nurse.get(f"/give/{bench.patient_id}?mode=already").get_data(as_text=True)
    assert "Take this first" not in page


def test_a_lot_that_was_never_received_is_recorded_after_the_fact(
    nurse: CheckingClient, bench: Bench
) -> None:
    answer = checked(
        nurse,
        bench,
        mode="already",
        source="other",
        other_product=str(bench.lot.product_id),
        other_lot_number="NEVER1",
        other_expires_on="2027-05",
        other_location=str(bench.place.location_id),
    )
    assert answer.status_code == 200
    assert "LOT-UNKNOWN" in answer.get_data(as_text=True)
    recorded(nurse, bench, answer)
    assert only_dose().is_deviation


def test_another_lot_needs_all_that_stands_on_the_vial(nurse: CheckingClient, bench: Bench) -> None:
    answer = checked(nurse, bench, mode="already", source="other")
    assert answer.status_code == 422
    assert "OTHER-LOT-NEEDED" in answer.get_data(as_text=True)


def test_consent_that_is_not_recorded_must_be_seen(nurse: CheckingClient, bench: Bench) -> None:
    answer = checked(nurse, bench, consent_seen=None)
    refused = recorded(nurse, bench, answer)
    assert refused.status_code == 422
    assert doses() == 0
    recorded(nurse, bench, answer, **{"acknowledge-CONSENT-NOT-RECORDED": "y"})
    assert doses() == 1


def test_an_override_needs_a_prescriber_beside_a_nurse(nurse: CheckingClient, bench: Bench) -> None:
    make_user(roles=Role.PRESCRIBER, username="pia", display_name="Pia Prescriber", password=PASSWORD)
    with_allergy(bench)
    answer = checked(nurse, bench)
    override = {"override-ALLERGY-COBALAMIN": "tolerated_before", "note-ALLERGY-COBALAMIN": "twice before"}

    nobody = recorded(nurse, bench, answer)
    assert nobody.status_code == 422
    unnamed = recorded(nurse, bench, answer, **override)
    assert "CONFIRM-NEEDED" in unnamed.get_data(as_text=True)
    wrong = recorded(nurse, bench, answer, **override, prescriber_username="pia", prescriber_password="no")
    page = wrong.get_data(as_text=True)
    assert "CONFIRM-WRONG" in page
    assert "twice before" in page
    herself = recorded(
        nurse, bench, answer, **override, prescriber_username="nora", prescriber_password=PASSWORD
    )
    assert herself.status_code == 422
    assert doses() == 0

    done = recorded(nurse, bench, wrong, **override, prescriber_username="pia", prescriber_password=PASSWORD)
    assert done.status_code == 302
    assert PASSWORD not in page
    found = db.session.scalars(select(DoseFinding).where(DoseFinding.code == "ALLERGY-COBALAMIN")).one()
    assert (found.disposition, found.reason, found.note) == ("overridden", "tolerated_before", "twice before")
    assert "By Pia Prescriber" in nurse.get(done.location).get_data(as_text=True)


def test_unknown_patients_and_doses_are_not_found(nurse: CheckingClient, bench: Bench) -> None:
    nobody = UUID(int=7)
    assert nurse.get(f"/give/{nobody}?mode=about").status_code == 404
    assert nurse.get(f"/doses/{nobody}").status_code == 404
    assert nurse.get("/give?patient=x").status_code == 404


def test_the_auditor_reads_and_does_not_give(signed_in_client: Client, bench: Bench) -> None:
    dose = bench.give()
    auditor = signed_in_client(Role.AUDITOR)
    assert auditor.get(f"/doses/{dose.id}").status_code == 200
    assert auditor.get("/give").status_code == 403


def test_long_and_unseen_text_is_kept_and_refused(nurse: CheckingClient, bench: Bench) -> None:
    answer = checked(nurse, bench, note="x" * 10_000, indication="B12\x00 deficiency\u202e")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "TEXT-TOO-LONG" in page
    assert "TEXT-CONTROL" in page
    assert "x" * 10_000 in page
    assert "\x00" not in page


@pytest.mark.parametrize("amount", ["0", "-1", "1e3", "999999999999", "abc", "0.0001"])
def test_amounts_that_cannot_be_are_refused(nurse: CheckingClient, bench: Bench, amount: str) -> None:
    assert checked(nurse, bench, dose_mcg=amount, volume_ml="").status_code == 422
    assert checked(nurse, bench, dose_mcg="", volume_ml=amount).status_code == 422
    assert doses() == 0


def test_an_hour_that_came_twice_is_asked_about(
    nurse: CheckingClient, bench: Bench, at_instant: Callable[[datetime], None]
) -> None:
    at_instant(datetime(2026, 10, 25, 9, 0, tzinfo=UTC))
    nurse = signed_in_again(nurse, bench)
    asked = checked(nurse, bench, mode="already", given_at="2026-10-25T01:30")
    assert asked.status_code == 422
    assert "TIME-AMBIGUOUS" in asked.get_data(as_text=True)
    form = pick_form(asked, having="given_at")
    answer = nurse.send("/give", form, {"given_at-which": "1", "step": "check"})
    assert answer.status_code == 200
    recorded(nurse, bench, answer)
    assert only_dose().given_at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_a_dose_of_nothing_is_refused(nurse: CheckingClient, bench: Bench) -> None:
    assert "DOSE-ZERO" in checked(nurse, bench, dose_mcg="0", volume_ml="").get_data(as_text=True)


def test_a_form_without_its_token_is_refused(nurse: CheckingClient, bench: Bench) -> None:
    answer = checked(nurse, bench)
    stale = recorded(nurse, bench, answer, csrf_token="stale")
    assert stale.status_code == 400
    assert "CSRF-STALE" in stale.get_data(as_text=True)
    assert doses() == 0


def test_damaged_draws_are_planned_anew(nurse: CheckingClient, bench: Bench) -> None:
    answer = checked(nurse, bench)
    assert recorded(nurse, bench, answer, draws="nonsense").status_code == 302
    assert only_dose().volume_ul == 1_000


def test_every_look_is_logged(nurse: CheckingClient, bench: Bench) -> None:
    answer = checked(nurse, bench)
    done = recorded(nurse, bench, answer)
    nurse.get(done.location)
    looks = db.session.scalars(
        select(AccessEntry.page).where(AccessEntry.patient_id == bench.patient_id)
    ).all()
    assert {"give", "dose"} <= set(looks)


def test_a_second_person_stands_beside_a_prescriber_where_the_clinic_asks(
    bench: Bench, signed_in_client: Client
) -> None:
    with unit_of_work() as session:
        session.add(Setting(key="override_needs_second_person", value="true"))
    prescriber = signed_in_client(Role.PRESCRIBER)
    make_user(username="zoe", password=PASSWORD)
    with_allergy(bench)
    answer = checked(prescriber, bench)
    override = {"override-ALLERGY-COBALAMIN": "tolerated_before"}
    alone = recorded(prescriber, bench, answer, **override)
    assert "CONFIRM-NEEDED" in alone.get_data(as_text=True)
    done = recorded(prescriber, bench, answer, **override, second_username="zoe", second_password=PASSWORD)
    assert done.status_code == 302


def test_the_kit_for_a_vein_is_never_offered(nurse: CheckingClient, bench: Bench) -> None:
    kit = make_product(name="Kit for a vein", routes=frozenset({Route.IV}))
    lot = make_delivery(place=bench.place, product_id=kit.id)
    assert "Kit for a vein" not in nurse.get(address(bench)).get_data(as_text=True)
    forged = checked(nurse, bench, source=f"lot-{lot.id.hex}-{bench.place.location_id.hex}")
    assert forged.status_code == 422
    assert "ROUTE-NOT-ON-LABEL" in forged.get_data(as_text=True)
