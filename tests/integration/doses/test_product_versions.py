"""A product's own change is a new version: lots and doses keep the one they had, only the newest is received."""

from collections.abc import Callable
from datetime import datetime

from inventory.catalogue.services import add_product, new_product_version
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from tests.factories.catalogue import draft_of, make_formulation
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.stock import make_delivery
from tests.support.client import CheckingClient


def test_lots_and_doses_keep_the_version_they_had(
    bench: Bench, nurse: CheckingClient, signed_in_client: Callable[..., CheckingClient], at: datetime
) -> None:
    manager = signed_in_client(Role.MANAGER)
    old_id, lot_number = bench.lot.product_id, bench.lot.lot_number
    dose = bench.give()
    typed = {"strength": "500", "default_dose": "500", "notes": "The maker halved it"}
    made = manager.submit(f"/catalogue/products/{old_id}/new-version", typed)
    newer = manager.get(made.location).text
    for words in (
        "Version 2",
        "Version 1",
        "Strength: 1,000 mcg/mL became 500 mcg/mL",
        "Usual dose: 1,000 mcg became 500 mcg",
        "Notes: — became The maker halved it",
        "Received now",
        "No longer received",
    ):
        assert words in newer, words
    assert "Maker:" not in newer
    older = manager.get(f"/catalogue/products/{old_id}").text
    assert "Strength: 1,000 mcg/mL became 500 mcg/mL" in older
    offered = manager.get("/stock/receive").text
    new_id = made.location.rpartition("/")[2]
    assert (f'value="{new_id}"' in offered, f'value="{old_id}"' in offered) == (True, False)
    lot = manager.get(f"/stock/lots/{bench.lot.id}").text
    assert (lot_number in lot, "1,000 mcg/mL" in lot, "500 mcg/mL" in lot) == (True, True, False)
    later = bench.give(bench.request(patient_id=make_patient()))
    for one in (dose, later):
        record = nurse.get(f"/doses/{one.id}").text
        assert ("1,000 mcg/mL" in record, "version 2" in record) == (True, False)


def test_a_dose_of_a_later_version_says_so(bench: Bench, nurse: CheckingClient, at: datetime) -> None:
    draft = draft_of(make_formulation(), name="Halved", strength_ng=500_000, default_dose_ng=500_000)
    first = add_product(actor=SYSTEM_ACTOR, at=at, draft=draft).subject_id
    second = new_product_version(actor=SYSTEM_ACTOR, at=at, product_id=first, draft=draft).subject_id
    lot = make_delivery(place=bench.place, product_id=second)
    dose = bench.give(bench.request(lot=lot, dose_ng=500_000))
    assert ", version 2" in nurse.get(f"/doses/{dose.id}").text


def test_a_product_that_never_changed_shows_no_versions(
    bench: Bench, signed_in_client: Callable[..., CheckingClient]
) -> None:
    page = signed_in_client(Role.MANAGER).get(f"/catalogue/products/{bench.lot.product_id}").text
    assert "Versions" not in page
