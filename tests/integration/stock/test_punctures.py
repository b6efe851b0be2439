"""How often a needle went into a vial: derived from what stands in the ledger."""

from datetime import datetime

import pytest
from flask import Flask

from inventory.doses.rules.terms import VoidKind
from inventory.doses.services import void_dose
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.stock.models import WasteReason
from inventory.stock.queries import punctures
from inventory.stock.services import Why, discard_vial, waste_from_vial
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.stock import make_delivery, make_open_vial


@pytest.fixture
def bench(app: Flask, at: datetime) -> Bench:
    return Bench()


def test_counts_what_was_drawn_and_stands(bench: Bench) -> None:
    product = make_multi_dose_product(dead_space_ul=50)
    lot = make_delivery(place=bench.place, product_id=product.id)
    vial = make_open_vial(lot, place=bench.place)

    def waste(reason: WasteReason) -> None:
        why = Why(reason)
        waste_from_vial(actor=bench.nurse, at=clock.now(), vial_id=vial.id, volume_ul=100, why=why)

    def void(kind: VoidKind) -> None:
        dose = bench.give(bench.request(lot=lot, vial=vial, patient_id=make_patient()))
        void_dose(actor=bench.nurse, at=clock.now(), dose_id=dose.id, kind=kind, reason="Wrong day")

    assert punctures(db.session(), vial.id) == 0
    bench.give(bench.request(lot=lot, vial=vial))
    assert punctures(db.session(), vial.id) == 1
    waste(WasteReason.SAMPLE)
    assert punctures(db.session(), vial.id) == 2
    waste(WasteReason.DEAD_SPACE)
    waste(WasteReason.BROKEN)
    assert punctures(db.session(), vial.id) == 2
    void(VoidKind.NEVER_OPENED)
    assert punctures(db.session(), vial.id) == 2
    void(VoidKind.DRAWN_NOT_GIVEN)
    assert punctures(db.session(), vial.id) == 3
    why = Why(WasteReason.CONTAMINATED)
    discard_vial(actor=bench.nurse, at=clock.now(), vial_id=vial.id, why=why)
    assert punctures(db.session(), vial.id) == 3
