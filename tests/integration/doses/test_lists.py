"""Lists of doses are narrowed by what stands on the dose, also where its lot was corrected since."""

from datetime import datetime

import pytest

from inventory.doses.queries.lists import doses_page
from inventory.doses.services import correct_lot
from inventory.kernel.db import db
from inventory.kernel.permissions import Role
from inventory.stock.services.correcting import Correction
from tests.factories.doses import Bench
from tests.factories.staff import make_actor
from tests.factories.stock import make_delivery


@pytest.mark.parametrize("number, count", [("typ0-1", 1), ("TYPO-1", 0), ("OTHER", 0), ("?", 0)])
def test_finds_a_dose_by_the_lot_number_it_was_given_under(
    bench: Bench, at: datetime, number: str, count: int
) -> None:
    lot = make_delivery(place=bench.place, lot_number="TYP0-1", containers=2)
    bench.give(bench.request(lot=lot))
    manager = make_actor(Role.MANAGER)
    correction = Correction(
        lot_id=lot.id,
        lot_number="TYPO-1",
        expires_on=lot.expires_on,
        reason="Read wrongly",
        approved_by=manager,
    )
    correct_lot(actor=manager, at=at, correction=correction)
    page = doses_page(db.session(), site_id=bench.place.site_id, lot_number=number)
    assert len(page.items) == count
