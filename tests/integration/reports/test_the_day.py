"""A day of the stock room, from the delivery to the recall: its reconciliation closes to 0, and `flask stock verify` agrees."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from inventory.clinic.settings import Settings
from inventory.kernel.db import db
from inventory.kernel.permissions import Actor, Role
from inventory.reports.recalls import issue_recall_report
from inventory.reports.reconciliations import issue_reconciliation
from inventory.stock import queries, services
from inventory.stock.models import AdjustReason, Lot, Vial, WasteReason
from inventory.stock.notices import NamedLot
from inventory.stock.queries.reconciled import Reconciliation, reconciliation_of
from inventory.stock.queries.scopes import Wanted, worded_scope
from inventory.stock.reconciling import Column, Topic
from inventory.stock.services import Delivery, Explanation, Tally, Why
from inventory.stock.services.recalls import Notice, open_recall
from tests.conftest import AT
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.staff import make_actor

GTIN, LOT_NUMBER = "00301439620105", "AB-123"
SCAN = f"]d201{GTIN}1728053110{LOT_NUMBER}"
TODAY = AT.date()
DEAD_SPACE_UL = 20


class Day:
    """One manager, one nurse and one witness at work, each act some minutes after the one before."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.now = AT
        self.manager = make_actor(Role.MANAGER, display_name="Mona Manager")
        self.witness = make_actor(Role.MANAGER, display_name="Wilma Witness")

    def by(self, actor: Actor | None = None) -> dict[str, Any]:
        self.now += timedelta(minutes=3, seconds=7)
        return {"actor": actor or self.manager, "at": self.now}

    def receives_by_scan(self) -> Lot:
        product = make_multi_dose_product(name="Ten", gtin=GTIN, dead_space_ul=DEAD_SPACE_UL)
        delivery = Delivery(
            product_id=product.id,
            lot_number=LOT_NUMBER,
            expires_on=date(2028, 5, 31),
            containers=5,
            site_id=self.bench.place.site_id,
            location_id=self.bench.place.location_id,
            raw_scan=SCAN,
        )
        made = services.receive_delivery(**self.by(), delivery=delivery)
        return queries.lot_by_id(db.session(), made.subject_id)

    def opens(self, lot: Lot) -> Vial:
        place = self.bench.place
        where = {"lot_id": lot.id, "site_id": place.site_id, "location_id": place.location_id}
        made = services.open_vial(**self.by(self.bench.nurse), **where)
        return queries.vial_by_id(db.session(), made.subject_id)

    def gives(self, lot: Lot, vial: Vial) -> None:
        request = self.bench.request(lot=lot, vial=vial, patient_id=make_patient())
        when = self.by(self.bench.nurse)["at"]
        self.bench.give(request, at=when)

    def wastes_the_rest(self, vial: Vial) -> None:
        why = Why(WasteReason.CONTAMINATED, witness_id=self.witness.id)
        services.discard_vial(**self.by(), vial_id=vial.id, why=why)

    def counts_one_short(self, lot: Lot) -> None:
        place = self.bench.place
        count = services.start_count(
            **self.by(), site_id=place.site_id, location_id=place.location_id
        ).subject_id
        tally = Tally({lot.id: 3, self.bench.lot.id: 3})
        services.hand_in_count(**self.by(), count_id=count, tally=tally)
        lines = queries.counts.lines_of(db.session(), queries.counts.count_by_id(db.session(), count))
        (short,) = [line for line in lines if line.difference_ul]
        why = {short.line.position: Explanation(AdjustReason.MISSING, "Nowhere to be found")}
        services.post_count(**self.by(self.witness), count_id=count, explanations=why)

    def counts_again(self, lot: Lot) -> None:
        place = self.bench.place
        count = services.start_count(
            **self.by(), site_id=place.site_id, location_id=place.location_id
        ).subject_id
        services.hand_in_count(**self.by(), count_id=count, tally=Tally({lot.id: 3, self.bench.lot.id: 3}))

    def recalls(self) -> UUID:
        notice = Notice(title="Particles in the vial", reason="The maker says so", is_drill=True)
        return open_recall(
            **self.by(), site_id=self.bench.place.site_id, notice=notice, named=[NamedLot(LOT_NUMBER)]
        ).subject_id

    def reconciled(self, **asked: Any) -> Reconciliation:
        db.session.rollback()
        scope = worded_scope(db.session(), Wanted(TODAY, TODAY, **asked), at=self.now).scope
        settings = Settings(waste_witness_reasons=("contaminated",))
        return reconciliation_of(db.session(), scope, settings=settings, at=self.now)


@pytest.fixture
def day(app: Flask, at: datetime) -> Day:
    return Day()


def test_day_of_the_stock_room_closes_to_nothing(day: Day, cli: Any, tmp_path: Any) -> None:
    lot = day.receives_by_scan()
    vial = day.opens(lot)
    for _ in range(3):
        day.gives(lot, vial)
    day.wastes_the_rest(vial)
    day.counts_one_short(lot)
    day.counts_again(lot)
    recall = day.recalls()

    found = day.reconciled(lot_number="ab-123")
    (row,) = found.rows
    assert found.agrees
    assert (row.sums.opening_ul, row.sums.closing_ul) == (0, 30_000)
    assert dict(+row.sums.moved) == {
        Column.RECEIVED: 50_000,
        Column.GIVEN: 3_000,
        Column.WASTED: 7_000,
        Column.LOST: 10_000,
    }
    assert row.sums.reasons(Column.WASTED) == [("contaminated", 6_940), ("dead_space", 60)]
    sealed, opened = row.parts
    assert (sealed.sums.closing_ul, opened.sums.closing_ul) == (30_000, 0)
    assert sealed.sums.moved[Column.OPENED] == -opened.sums.moved[Column.OPENED] == -10_000
    assert (found.whole.unexplained, found.whole.unexplained_lost_ul) == (1, 10_000)
    assert [(last.location, last.days) for last in found.last_counts] == [("Cabinet", 0)]
    topics = [Topic.UNEXPLAINED, Topic.COUNTED, Topic.HELD, Topic.WITNESSED]
    assert [one.topic for one in found.noted] == topics

    assert all(not row.sums.difference_ul for row in day.reconciled().rows)
    verified = cli.invoke(args=["stock", "verify"])
    assert verified.exit_code == 0, verified.output
    wanted = Wanted(TODAY, TODAY)
    assert issue_reconciliation(wanted=wanted, by_part=True, **day.by()).row_count == 2
    auditor = make_actor(Role.AUDITOR)
    assert issue_recall_report(recall_id=recall, **day.by(auditor)).row_count == 3


def test_next_day_begins_with_what_was_left(day: Day) -> None:
    lot = day.receives_by_scan()
    day.gives(lot, day.opens(lot))
    day.now += timedelta(days=1)
    found = day.reconciled(lot_number=LOT_NUMBER)
    tomorrow = Wanted(TODAY + timedelta(days=1), TODAY + timedelta(days=1), lot_number=LOT_NUMBER)
    scope = worded_scope(db.session(), tomorrow, at=day.now).scope
    later = reconciliation_of(db.session(), scope, settings=Settings(), at=day.now)
    assert later.whole.opening_ul == found.whole.closing_ul == 50_000 - 1_000 - DEAD_SPACE_UL
    assert later.whole.net_ul == 0
