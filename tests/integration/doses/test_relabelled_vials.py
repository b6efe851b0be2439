"""A vial goes on under a new label when its lot is merged: what its doses put back or still take reaches it there."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from inventory.doses.models import Dose, Incident
from inventory.doses.rules.terms import EntryMode, VoidKind
from inventory.doses.services import amend_dose, void_dose
from inventory.doses.services.dedicating import dedicate_vial
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Actor, Role
from inventory.stock import queries, services, verification
from inventory.stock.models import AccountKind, AdjustReason, Lot, Vial, WasteReason
from inventory.stock.queries.relabelled import newest, same_container
from inventory.stock.services import Why
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.doses import Bench
from tests.factories.merges import make_twins, merge
from tests.factories.patients import make_patient
from tests.factories.staff import make_actor
from tests.factories.stock import balance_ul, make_delivery, make_open_vial, make_place, movements_of
from tests.factories.transfers import make_consignment, make_transfer

HOUR = timedelta(hours=1)
LATE = EntryMode.ALREADY_GIVEN


class Scene:
    """A dose of 1 mL out of a vial of 10 mL whose lot then goes over into another."""

    def __init__(self, bench: Bench, at: datetime, *, dead_space_ul: int = 0) -> None:
        self.bench, self.at, self.manager = bench, at, make_actor(Role.MANAGER)
        self.product = make_multi_dose_product(dead_space_ul=dead_space_ul)
        self.wrong, self.right = make_twins(self.product, place=bench.place, at=at)
        self.old = make_open_vial(self.wrong, place=bench.place, at=at)

    def give(self) -> Dose:
        return self.bench.give(self.bench.request(lot=self.wrong, vial=self.old), at=self.at)

    def merge(self) -> Vial:
        merge(self.manager, self.wrong, self.right, at=self.at + HOUR)
        db.session.rollback()
        new = newest(db.session(), self.old.id)
        assert new is not None
        return new

    def void(self, dose: Dose, kind: VoidKind = VoidKind.NEVER_OPENED) -> None:
        void_dose(
            actor=self.bench.nurse, at=self.at + 3 * HOUR, dose_id=dose.id, kind=kind, reason="Not this one"
        )
        db.session.rollback()

    def amend(self, dose: Dose, volume_ul: int) -> Dose:
        request = self.bench.request(volume_ul=volume_ul, lot=self.wrong, vial=self.old, mode=LATE)
        amended = amend_dose(
            actor=self.bench.nurse,
            at=self.at + 3 * HOUR,
            dose_id=dose.id,
            request=request,
            reason="It was another volume",
        )
        db.session.rollback()
        return db.session.get_one(Dose, amended.subject_id)

    def holds(self, lot: Lot | None = None) -> tuple[int, int, int]:
        """Return what the open vials of the right lot hold, what was given of both lots, and what was wasted of both."""
        given, wasted = (
            balance_ul(self.wrong, kind) + balance_ul(lot or self.right, kind)
            for kind in (AccountKind.GIVEN, AccountKind.WASTE)
        )
        assert balance_ul(self.wrong, AccountKind.VIAL) == 0
        assert not list(verification.findings(db.session()))
        return balance_ul(lot or self.right, AccountKind.VIAL), given, wasted


@pytest.fixture
def scene(bench: Bench, at: datetime) -> Scene:
    return Scene(bench, at)


def incidents() -> int:
    return int(db.session.scalar(select(func.count()).select_from(Incident)) or 0)


def test_a_void_puts_the_volume_back_into_the_vial_under_its_new_label(scene: Scene) -> None:
    dose = scene.give()
    scene.merge()
    scene.void(dose)
    assert scene.holds() == (10_000, 0, 0)
    last = movements_of(scene.right)[-1]
    assert (last.reason, last.amount_ul) == (AdjustReason.MERGED, 1_000)


def test_what_was_drawn_and_not_given_stays_wasted(scene: Scene) -> None:
    dose = scene.give()
    scene.merge()
    scene.void(dose, VoidKind.DRAWN_NOT_GIVEN)
    assert scene.holds() == (9_000, 0, 1_000)


def test_a_dose_that_opened_its_vial_is_voided_after_the_merge(scene: Scene) -> None:
    dose = scene.bench.give(scene.bench.request(lot=scene.wrong), at=scene.at)
    scene.merge()
    scene.void(dose)
    assert scene.holds() == (20_000, 0, 0)


def test_a_void_reaches_the_vial_where_it_was_taken_and_under_its_last_label(scene: Scene) -> None:
    dose = scene.give()
    new = scene.merge()
    third = make_delivery(
        place=scene.bench.place, product_id=scene.product.id, lot_number="TRUE1", containers=1, at=scene.at
    )
    room = make_place(location="Room")
    services.move_stock(
        actor=scene.manager,
        at=scene.at + HOUR,
        consignment=make_consignment(scene.bench.place, room, vials=(new,)),
    )
    merge(scene.manager, scene.right, third, at=scene.at + 2 * HOUR)
    last = newest(db.session(), scene.old.id)
    assert last is not None
    assert same_container(db.session(), new.id) == {scene.old.id, new.id, last.id}
    scene.void(dose)
    assert scene.holds(third) == (10_000, 0, 0)
    assert queries.vial_on_hand(db.session(), last.id, on=scene.at.date()).volume_ul == 10_000
    assert last.location_id == room.location_id


def test_nothing_comes_back_while_the_vial_is_on_its_way(scene: Scene) -> None:
    dose = scene.give()
    new = scene.merge()
    make_transfer(scene.bench.place, make_place(location="Room"), at=scene.at + 2 * HOUR, vials=(new,))
    with pytest.raises(Refusal) as caught:
        scene.void(dose)
    assert caught.value.code == "VIAL-ON-ITS-WAY"


def test_what_comes_back_is_wasted_where_the_vial_is_gone(scene: Scene) -> None:
    dose = scene.give()
    new = scene.merge()
    services.discard_vial(
        actor=scene.manager, at=scene.at + 2 * HOUR, vial_id=new.id, why=Why(WasteReason.CONTAMINATED)
    )
    scene.void(dose)
    assert scene.holds() == (0, 0, 10_000)


@pytest.mark.parametrize("volume_ul, left_ul", [(1_500, 8_500), (500, 9_500)])
def test_an_amended_volume_is_drawn_from_the_vial_under_its_new_label(
    scene: Scene, volume_ul: int, left_ul: int
) -> None:
    dose = scene.give()
    scene.merge()
    amended = scene.amend(dose, volume_ul)
    assert scene.holds() == (left_ul, volume_ul, 0)
    scene.void(amended)
    assert scene.holds() == (10_000, 0, 0)
    assert not incidents()


def test_what_the_syringe_keeps_follows_too(bench: Bench, at: datetime) -> None:
    scene = Scene(bench, at, dead_space_ul=100)
    dose = scene.give()
    scene.merge()
    amended = scene.amend(dose, 1_500)
    assert scene.holds() == (8_400, 1_500, 100)
    scene.void(amended)
    assert scene.holds() == (10_000, 0, 0)


def test_a_dose_of_before_the_merge_written_down_after_it_is_missing_from_the_new_label(scene: Scene) -> None:
    scene.merge()
    bench, at = scene.bench, scene.at
    request = bench.request(lot=scene.wrong, vial=scene.old, mode=LATE, given_at=at + HOUR / 2)
    dose = bench.give(request, at=at + 2 * HOUR)
    assert scene.holds() == (9_000, 1_000, 0)
    assert not incidents()
    assert not dose.is_deviation
    scene.void(dose)
    assert scene.holds() == (10_000, 0, 0)


def test_more_than_the_new_label_holds_is_a_shortfall(scene: Scene) -> None:
    new = scene.merge()
    bench, at = scene.bench, scene.at
    for number in range(9):
        more = bench.request(lot=scene.right, vial=new, patient_id=make_patient(family_name=f"P{number}"))
        bench.give(more, at=at + HOUR + number * timedelta(minutes=1))
    request = bench.request(volume_ul=2_000, lot=scene.wrong, vial=scene.old, mode=LATE, given_at=at)
    bench.give(request, at=at + 2 * HOUR)
    assert scene.holds() == (0, 11_000, 0)
    assert incidents() == 2


def test_a_vial_that_served_others_is_kept_for_nobody_under_its_new_label(scene: Scene, at: datetime) -> None:
    scene.give()
    new = scene.merge()
    assert queries.punctures(db.session(), new.id) == 1
    other = make_patient(family_name="Zed")
    with pytest.raises(Refusal) as caught:
        dedicate_vial(actor=scene.manager, at=at + 2 * HOUR, vial_id=new.id, patient_id=other)
    assert caught.value.code == "VIAL-OF-OTHERS"


def test_who_is_given_from_it_keeps_it_under_its_new_label(scene: Scene) -> None:
    new = scene.merge()
    bench, at = scene.bench, scene.at
    request = bench.request(lot=scene.wrong, vial=scene.old, mode=LATE, given_at=at, dedicate=True)
    bench.give(request, at=at + 2 * HOUR)
    other: Actor = scene.manager
    with pytest.raises(Refusal) as caught:
        patient_id = make_patient(family_name="Zed")
        dedicate_vial(actor=other, at=at + 2 * HOUR, vial_id=new.id, patient_id=patient_id)
    assert caught.value.code == "VIAL-DEDICATED"
