"""What a dose must not lose: the lot that was chosen, what stopped it before, what nobody had seen, the vial it came from."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from inventory.audit.models import AuditEntry, AuditPayload
from inventory.doses.models import Dose, DoseSource
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.permissions import Role
from inventory.patients.models import AlertKind, ConsentStatus
from inventory.patients.services import add_alert, record_consent
from inventory.stock.models import WasteReason
from inventory.stock.services import Why, discard_vial
from tests.factories.catalogue import make_formulation, make_product
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
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


def test_takes_the_rest_from_the_next_lot(nurse: CheckingClient, bench: Bench) -> None:
    sooner = make_delivery(
        place=bench.place,
        product_id=bench.lot.product_id,
        containers=1,
        expires_on=bench.lot.expires_on - timedelta(days=9),
    )
    answer = checked(nurse, bench, dose_mcg="2000", volume_ml="")
    assert f"The rest comes from lot {bench.lot.lot_number} (1 vial)" in answer.get_data(as_text=True)
    recorded(nurse, bench, answer)
    assert (balance_ul(sooner), balance_ul(bench.lot)) == (0, 2_000)


def test_a_dose_already_given_names_the_lot_that_was_chosen_though_nothing_of_it_is_left(
    nurse: CheckingClient, bench: Bench
) -> None:
    used = make_delivery(place=bench.place, product_id=bench.lot.product_id, containers=1)
    bench.give(bench.request(lot=used, patient_id=make_patient()))
    key = f"lot-{used.id.hex}-{bench.place.location_id.hex}"
    answer = checked(nurse, bench, mode="already", source=key, dose_mcg="2000", volume_ml="")
    page = answer.get_data(as_text=True)
    assert "The rest comes from" not in page
    assert "STOCK-SHORT" in page
    recorded(nurse, bench, answer)
    dose = db.session.scalars(select(Dose).where(Dose.patient_id == bench.patient_id)).one()
    sources = db.session.scalars(select(DoseSource.lot_id).where(DoseSource.dose_id == dose.id)).all()
    assert sources == [used.id, used.id]
    assert balance_ul(bench.lot) == 3_000


def test_what_was_typed_stays_when_it_turns_out_to_be_given_already(
    nurse: CheckingClient, bench: Bench
) -> None:
    form = nurse.form(f"/give/{bench.patient_id}?mode=about", having="indication")
    key = f"lot-{bench.lot.id.hex}-{bench.place.location_id.hex}"
    typed = {"source": key, "dose_mcg": "750", "volume_ml": "0.75", "note": "kept", "step": "already"}
    switched = nurse.send(f"/give/{bench.patient_id}", form, typed)
    fields = pick_form(switched, having="given_at").fields
    assert switched.status_code == 200
    assert (fields["source"], fields["dose_mcg"]) == ([key], ["750"])
    assert fields["note"][0].strip() == "kept"


def test_a_stop_leads_to_recording_that_it_is_not_given(
    nurse: CheckingClient, bench: Bench, at: datetime
) -> None:
    expired = make_delivery(place=bench.place, expires_on=at.date() - timedelta(days=1), hold_expired=True)
    page = checked(nurse, bench, source=f"lot-{expired.id.hex}-{bench.place.location_id.hex}").get_data(
        as_text=True
    )
    assert f"/give/{bench.patient_id}/not-given" in page


def test_after_a_block_it_can_be_recorded_as_it_was(
    nurse: CheckingClient, bench: Bench, at: datetime, at_instant: Callable[[datetime], None]
) -> None:
    expired = make_delivery(place=bench.place, expires_on=at.date(), lot_number="OLD2", containers=2)
    at_instant(at + timedelta(days=1))
    nurse = signed_in_again(nurse, bench)
    key = f"lot-{expired.id.hex}-{bench.place.location_id.hex}"
    stopped = checked(nurse, bench, source=key, note="kept")
    switched = nurse.send("/give", pick_form(stopped, having="draws"), {"step": "already"})
    page = switched.get_data(as_text=True)
    assert switched.status_code == 200
    assert "stopped before it was given" in page
    assert "kept" in page
    form = pick_form(switched, having="given_at")
    answer = nurse.send("/give", form, {"step": "check", "given_at": "2026-03-17T09:20"})
    assert answer.status_code == 200
    assert "Recorded as a deviation" in answer.get_data(as_text=True)
    done = recorded(nurse, bench, answer)
    dose = only_dose()
    assert dose.is_deviation
    assert dose.blocked_before == "LOT-EXPIRED"
    assert "It was stopped before it was given" in nurse.get(done.location).get_data(as_text=True)


def stopped(nurse: CheckingClient, bench: Bench, **typed: object) -> Any:
    """Try to give a dose whose consent was refused."""
    now = clock.now()
    refused = ConsentStatus.REFUSED
    record_consent(actor=bench.nurse, at=now, patient_id=bench.patient_id, status=refused, decided_at=now)
    answer = checked(nurse, bench, **typed)
    assert "CONSENT-REFUSED" in answer.get_data(as_text=True)
    return answer


def given_all_the_same(nurse: CheckingClient, bench: Bench) -> Dose:
    recorded(nurse, bench, checked(nurse, bench, mode="already"))
    return db.session.scalars(select(Dose).order_by(Dose.number.desc()).limit(1)).one()


def test_a_block_is_remembered_by_whoever_startssigned_in_again(nurse: CheckingClient, bench: Bench) -> None:
    stopped(nurse, bench)
    page = nurse.get(address(bench, "already")).get_data(as_text=True)
    assert "This dose was stopped before it was given" in page
    assert given_all_the_same(nurse, bench).blocked_before == "CONSENT-REFUSED"
    assert given_all_the_same(nurse, bench).blocked_before is None, "a dose has followed"


def test_a_block_shown_twice_is_recorded_once_and_readable(nurse: CheckingClient, bench: Bench) -> None:
    answer = stopped(nurse, bench)
    nurse.send("/give", pick_form(answer, having="draws"), {"step": "check"})
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "doses.blocked")).one()
    assert (entry.patient_id, entry.actor_id) == (bench.patient_id, bench.nurse.id)
    payload = db.session.get_one(AuditPayload, entry.id).payload
    assert json.loads(payload)["facts"] == {
        "codes": ["CONSENT-REFUSED"],
        "source": f"Lot {bench.lot.lot_number}",
    }


def test_a_block_is_forgotten_after_twelve_hours(
    nurse: CheckingClient, bench: Bench, at: datetime, at_instant: Callable[[datetime], None]
) -> None:
    stopped(nurse, bench)
    at_instant(at + timedelta(hours=12, minutes=1))
    assert given_all_the_same(signed_in_again(nurse, bench), bench).blocked_before is None


def test_a_block_of_somebody_else_is_not_mine(
    nurse: CheckingClient, bench: Bench, signed_in_client: Client
) -> None:
    stopped(signed_in_client(Role.PRESCRIBER), bench)
    assert given_all_the_same(nurse, bench).blocked_before is None


def test_a_vial_taken_meanwhile_is_refused_with_what_there_is_now(
    nurse: CheckingClient, bench: Bench
) -> None:
    last = make_delivery(
        place=bench.place,
        product_id=bench.lot.product_id,
        containers=1,
        expires_on=bench.lot.expires_on - timedelta(days=9),
    )
    key = f"lot-{last.id.hex}-{bench.place.location_id.hex}"
    answer = checked(nurse, bench, source=key)
    bench.give(bench.request(lot=last, patient_id=make_patient()))
    refused = recorded(nurse, bench, answer)
    page = refused.get_data(as_text=True)
    assert refused.status_code == 422
    assert "STOCK-SHORT" in page
    assert doses() == 1
    again = pick_form(refused, having="indication")
    assert "source" not in again.fields, "another lot is chosen, not taken"
    assert f'value="{key}"' not in page
    new = f"lot-{bench.lot.id.hex}-{bench.place.location_id.hex}"
    chosen = nurse.send(f"/give/{bench.patient_id}", again, {"source": new, "step": "check"})
    assert recorded(nurse, bench, chosen).status_code == 302
    assert balance_ul(bench.lot) == 2_000


def test_a_deviation_that_was_not_shown_is_not_recorded_before_it_is(
    nurse: CheckingClient, bench: Bench
) -> None:
    answer = checked(nurse, bench, mode="already")
    with_allergy(bench)
    refused = recorded(nurse, bench, answer)
    page = refused.get_data(as_text=True)
    assert refused.status_code == 422
    assert "FINDING-NEW" in page
    assert "It was not on the page you confirmed" in page
    assert doses() == 0
    assert recorded(nurse, bench, refused).status_code == 302
    assert only_dose().is_deviation


def test_what_must_be_seen_is_not_ticked_unseen(nurse: CheckingClient, bench: Bench) -> None:
    answer = checked(nurse, bench)
    now = clock.now()
    add_alert(actor=bench.nurse, at=now, patient_id=bench.patient_id, kind=AlertKind.BLEEDING_RISK)
    refused = recorded(nurse, bench, answer)
    assert "FINDING-NEW" in refused.get_data(as_text=True)
    again = recorded(nurse, bench, refused, **{"acknowledge-BLEEDING-RISK": "y"})
    assert (again.status_code, doses()) == (302, 1)


def test_a_forgotten_dose_names_the_vial_that_was_discarded_since(
    nurse: CheckingClient, bench: Bench, at: datetime, at_instant: Callable[[datetime], None]
) -> None:
    _, vial = bench.open_multi()
    vial_id, label = vial.id, f"Vial {vial.label_number}, lot"
    at_instant(at + timedelta(minutes=20))
    why = Why(WasteReason.CONTAMINATED)
    discard_vial(actor=bench.nurse, at=clock.now(), vial_id=vial_id, why=why)
    assert label not in nurse.get(address(bench)).get_data(as_text=True)
    page = nurse.get(address(bench, "already")).get_data(as_text=True)
    assert label in page
    key = f"vial-{vial_id.hex}-{bench.place.location_id.hex}"
    answer = checked(nurse, bench, mode="already", source=key, given_at="2026-03-16T09:40")
    assert recorded(nurse, bench, answer).status_code == 302
    assert db.session.scalars(select(DoseSource.vial_id)).all() == [vial_id]
    at_instant(at + timedelta(days=31))
    assert label not in signed_in_again(nurse, bench).get(address(bench, "already")).get_data(as_text=True)


def test_other_products_are_folded_away_beside_a_suggestion(nurse: CheckingClient, bench: Bench) -> None:
    product = make_product(name="Another product", formulation_id=make_formulation(name="Hydroxocobalamin"))
    make_delivery(place=bench.place, product_id=product.id)
    assert "Other products" not in nurse.get(address(bench)).get_data(as_text=True), "nothing is suggested"
    bench.give()
    page = nurse.get(address(bench)).get_data(as_text=True)
    assert page.index("Take this first") < page.index("Other products") < page.index("Another product")


def test_a_vial_that_is_empty_now_asks_to_be_discarded(nurse: CheckingClient, bench: Bench) -> None:
    lot, vial = bench.open_multi()
    number, path = vial.label_number, f"/vials/{vial.id}/discard"
    for _ in range(5):
        last = bench.give(bench.request(lot=lot, vial=vial, volume_ul=2_000, patient_id=make_patient()))
    page = nurse.get(f"/doses/{last.id}").get_data(as_text=True)
    assert f"Vial {number} is empty" in page
    assert path in page
