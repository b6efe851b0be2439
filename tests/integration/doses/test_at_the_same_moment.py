"""Two who write the same thing at one moment: the second is tried again and finds what the first wrote, never an error."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from flask import Flask

from inventory.doses.queries.containers import DoseRequest, UnknownLot
from inventory.doses.rules.terms import EntryMode
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.stock import services, verification
from inventory.stock.models import AdjustReason
from inventory.stock.services import Explanation, Tally
from tests.factories.catalogue import make_product
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.staff import make_actor
from tests.factories.stock import EXPIRES_ON, balance_ul, make_delivery, make_place
from tests.factories.transfers import make_arrival, make_transfer
from tests.support.at_once import at_once

HOUR = timedelta(hours=1)


def test_stock_arrives_and_is_found_on_a_new_shelf_at_once(app: Flask, bench: Bench, at: datetime) -> None:
    manager = make_actor(Role.MANAGER)
    for number in range(4):
        place = make_place(location=f"New {number}")
        lot = make_delivery(place=bench.place, containers=9)
        transfer_id = make_transfer(bench.place, place, at=at, lot=lot, containers=2)
        counted = services.start_count(
            actor=SYSTEM_ACTOR, at=at, site_id=place.site_id, location_id=place.location_id
        )
        services.hand_in_count(
            actor=SYSTEM_ACTOR, at=at, count_id=counted.subject_id, tally=Tally({lot.id: 1})
        )

        def arrive(transfer_id: UUID = transfer_id) -> None:
            make_arrival(transfer_id, 2, at=at + HOUR)

        def found(count_id: UUID = counted.subject_id) -> None:
            services.post_count(
                actor=manager,
                at=at + HOUR,
                count_id=count_id,
                explanations={1: Explanation(AdjustReason.FOUND)},
            )

        at_once(app, [arrive, found])
        assert balance_ul(lot) == 10 * lot.container_volume_ul
    assert list(verification.findings(db.session())) == []


def test_four_write_down_the_same_unknown_lot_at_once(app: Flask, bench: Bench, at: datetime) -> None:
    unknown = UnknownLot(make_product().id, "UNK1", EXPIRES_ON, bench.place.location_id)

    def asked() -> DoseRequest:
        late = bench.request(patient_id=make_patient(), mode=EntryMode.ALREADY_GIVEN, given_at=at)
        return replace(late, draws=(), unknown_lot=unknown)

    doses = [(asked(), make_actor(Role.PRACTITIONER)) for _ in range(4)]
    acts = [lambda one=one, who=who: bench.give(one, at=at + HOUR, actor=who).id for one, who in doses]
    assert len(set(at_once(app, acts))) == 4
    assert list(verification.findings(db.session())) == []
