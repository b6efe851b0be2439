"""When an act happened is typed to the minute, and may be typed late; it never contradicts what else happened."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask

from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.stock import services
from inventory.stock.models import WasteReason
from inventory.stock.services import Why
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.stock import make_delivery, make_open_vial, make_place, movements_of

WHY = Why(WasteReason.BROKEN)
Move = Callable[[datetime], None]


def test_a_typed_minute_sorts_after_what_came_in_that_minute(
    app: Flask, at: datetime, at_instant: Move
) -> None:
    came = at + timedelta(seconds=42)
    at_instant(came)
    lot = make_delivery(product_id=make_multi_dose_product().id)
    later = at + timedelta(minutes=5)
    at_instant(later)
    services.waste_sealed(
        actor=SYSTEM_ACTOR,
        at=later,
        lot_id=lot.id,
        place=make_place(),
        containers=1,
        why=WHY,
        wasted_at=at,
    )
    assert [m.occurred_at for m in movements_of(lot)] == [came, came]


def test_a_vial_is_not_discarded_before_its_last_use(app: Flask, at: datetime, at_instant: Move) -> None:
    at_instant(at - timedelta(hours=2))
    vial = make_open_vial(make_delivery(product_id=make_multi_dose_product().id))
    used = at - timedelta(hours=1)
    services.waste_from_vial(
        actor=SYSTEM_ACTOR, at=at, vial_id=vial.id, volume_ul=500, why=WHY, wasted_at=used
    )
    with pytest.raises(Refusal, match="VIAL-USED-LATER"):
        services.discard_vial(
            actor=SYSTEM_ACTOR,
            at=at,
            vial_id=vial.id,
            why=WHY,
            discarded_at=used - timedelta(minutes=1),
        )
    services.discard_vial(actor=SYSTEM_ACTOR, at=at, vial_id=vial.id, why=WHY, discarded_at=used)
