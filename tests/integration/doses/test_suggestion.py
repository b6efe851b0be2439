"""What is suggested to give: never another medicine or strength than the patient's own."""

from datetime import datetime, timedelta

import pytest
from flask import Flask

from inventory.clinic.models import Site
from inventory.clinic.settings import current_settings
from inventory.doses.queries.offer import Offer, offer
from inventory.kernel import clock
from inventory.kernel.db import db
from tests.factories.catalogue import make_product
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.stock import make_delivery


@pytest.fixture
def bench(app: Flask, at: datetime) -> Bench:
    return Bench()


def offered(bench: Bench, patient_id: object = None) -> Offer:
    site = db.session.get_one(Site, bench.place.site_id)
    whom = patient_id or bench.patient_id
    return offer(db.session(), whom, site=site, settings=current_settings(), at=clock.now())


def test_suggests_the_first_to_expire_of_the_product_the_patient_had(bench: Bench) -> None:
    soon = make_delivery(
        place=bench.place,
        product_id=bench.lot.product_id,
        expires_on=bench.lot.expires_on - timedelta(days=30),
    )
    other = make_product()  # alike, of another maker, and sooner to expire
    make_delivery(
        place=bench.place, product_id=other.id, expires_on=bench.lot.expires_on - timedelta(days=60)
    )
    bench.give()
    suggested = offered(bench).suggested
    assert suggested is not None
    assert suggested.lot.id == soon.id


def test_does_not_suggest_another_strength(bench: Bench) -> None:
    strong = make_product(strength_ng=5_000_000, strength_ul=1_000)
    lot = make_delivery(place=bench.place, product_id=strong.id, containers=1)
    bench.give(bench.request(lot=lot, dose_ng=5_000_000))
    assert offered(bench).suggested is None


def test_leaves_the_medicine_of_a_new_patient_to_the_person(bench: Bench) -> None:
    assert offered(bench).suggested is not None  # all that may be given is alike
    strong = make_product(strength_ng=5_000_000, strength_ul=1_000)
    make_delivery(place=bench.place, product_id=strong.id)
    assert offered(bench, make_patient()).suggested is None
