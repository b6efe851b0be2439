"""Keeping a vial for one patient on the pages: the tick beside the vials, the page of the vial, who sees whose it is."""

from collections.abc import Callable

from sqlalchemy import select

from inventory.audit.models import AccessEntry
from inventory.doses.models import VialDedication
from inventory.doses.services import dedicate_vial
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.permissions import Role
from inventory.patients.models import Patient
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.doses import Bench
from tests.factories.patients import BORN_ON, make_patient
from tests.factories.stock import make_delivery
from tests.integration.doses.giving_pages import checked, only_dose, recorded
from tests.support.client import CheckingClient

Client = Callable[..., CheckingClient]


def kept() -> list[VialDedication]:
    return list(db.session.scalars(select(VialDedication)))


def test_a_tick_keeps_the_vial_that_the_dose_opens(bench: Bench, nurse: CheckingClient) -> None:
    lot = make_delivery(place=bench.place, product_id=make_multi_dose_product().id)
    key = f"lot-{lot.id.hex}-{bench.place.location_id.hex}"
    answer = checked(nurse, bench, source=key, dose_mcg="1000", volume_ml="1", dedicate="y")
    assert "Kept for this patient only from now on" in answer.get_data(as_text=True)
    done = recorded(nurse, bench, answer)
    assert done.status_code == 302
    (one,) = kept()
    assert (one.patient_id, one.dedicated_at) == (bench.patient_id, only_dose().given_at)


def test_nothing_is_kept_without_the_tick(bench: Bench, nurse: CheckingClient) -> None:
    _, vial = bench.open_multi()
    key = f"vial-{vial.id.hex}-{bench.place.location_id.hex}"
    assert (
        recorded(nurse, bench, checked(nurse, bench, source=key, dose_mcg="1000", volume_ml="1")).status_code
        == 302
    )
    assert kept() == []


def test_a_vial_of_another_is_shown_as_not_to_be_given(bench: Bench, nurse: CheckingClient) -> None:
    _, vial = bench.open_multi()
    other = make_patient(family_name="Keptfor")
    dedicate_vial(actor=bench.nurse, at=clock.now(), vial_id=vial.id, patient_id=other)
    key = f"vial-{vial.id.hex}-{bench.place.location_id.hex}"
    page = nurse.get(f"/give/{bench.patient_id}?mode=about").get_data(as_text=True)
    assert key not in page
    assert "For another patient only" in page
    assert "VIAL-DEDICATED" in page
    assert "Keptfor" not in page
    own = nurse.get(f"/give/{other}?mode=about").get_data(as_text=True)
    assert key in own
    assert "For this patient only." in own
    stopped = checked(nurse, bench, source=key, dose_mcg="1000", volume_ml="1")
    assert stopped.status_code == 422
    assert "VIAL-DEDICATED" in stopped.get_data(as_text=True)


def test_a_vial_is_kept_from_its_own_page(
    bench: Bench, nurse: CheckingClient, signed_in_client: Client
) -> None:
    _, vial = bench.open_multi()
    number = db.session.get_one(Patient, bench.patient_id).record_number
    path = f"/vials/{vial.id}/keep"
    assert path in nurse.get(f"/stock/vials/{vial.id}").get_data(as_text=True)
    wrong = nurse.submit(path, {"record_number": number, "born_on": "1999-01-01"})
    assert wrong.status_code == 422
    assert "PATIENT-UNKNOWN" in wrong.get_data(as_text=True)
    typed = {"record_number": number, "born_on": BORN_ON.isoformat()}
    shown = nurse.submit(path, typed, follow_redirects=True).get_data(as_text=True)
    assert "For one patient only" in shown
    assert number in shown
    assert path not in shown
    looks = db.session.execute(select(AccessEntry.patient_id, AccessEntry.page)).all()
    assert (bench.patient_id, "vial") in [tuple(look) for look in looks]
    manager = signed_in_client(Role.MANAGER).get(f"/stock/vials/{vial.id}").get_data(as_text=True)
    assert "It is dedicated to a patient" in manager
    assert number not in manager


def test_who_gives_no_doses_keeps_no_vials(bench: Bench, signed_in_client: Client) -> None:
    _, vial = bench.open_multi()
    manager = signed_in_client(Role.MANAGER)
    assert manager.get(f"/vials/{vial.id}/keep").status_code == 403
    assert "Keep for one patient" not in manager.get(f"/stock/vials/{vial.id}").get_data(as_text=True)
