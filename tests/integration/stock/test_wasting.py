"""Waste happens where the stock is: at a location of the site it is recorded for."""

from datetime import datetime

import pytest
from flask import Flask

from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.stock.ledger import Place
from inventory.stock.models import WasteReason
from inventory.stock.services import Why, waste_sealed
from tests.factories.stock import balance_ul, make_delivery, make_place


def test_nothing_is_wasted_under_the_name_of_another_site(app: Flask, at: datetime) -> None:
    here, there = make_place(), make_place(code="NORTH", location="North cabinet")
    lot = make_delivery(place=here, containers=3)
    with pytest.raises(Refusal, match="LOCATION-ELSEWHERE"):
        waste_sealed(
            actor=SYSTEM_ACTOR,
            at=at,
            lot_id=lot.id,
            place=Place(there.site_id, here.location_id),
            containers=1,
            why=Why(WasteReason.BROKEN),
        )
    assert balance_ul(lot) == 3_000
