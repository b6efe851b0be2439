"""How much one person may bring the ledger to alone: as much as they may post of a count, and no more."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Actor, Role
from inventory.stock import services
from inventory.stock.models import AdjustReason, Lot, Movement, MovementKind
from inventory.stock.services import Difference, Direction
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.staff import make_actor
from tests.factories.stock import make_delivery, make_open_vial, make_place


@pytest.fixture
def manager(app: Flask) -> Actor:
    return make_actor(Role.MANAGER)


def found(approved_by: Actor | None = None) -> Difference:
    return Difference(Direction.FOUND, AdjustReason.FOUND, "Behind the drawer", approved_by)


def missing(approved_by: Actor | None = None) -> Difference:
    return Difference(Direction.MISSING, AdjustReason.MISSING, "Not in the drawer", approved_by)


def shelf(actor: Actor, at: datetime, lot: Lot, containers: int, difference: Difference) -> None:
    done: dict[str, Any] = {"lot_id": lot.id, "place": make_place(), "difference": difference}
    services.adjust_shelf(actor=actor, at=at, containers=containers, **done)


def adjustments() -> list[Movement]:
    db.session.rollback()
    return list(db.session.scalars(select(Movement).where(Movement.kind == MovementKind.ADJUST)))


@pytest.mark.parametrize("difference", [found, missing])
def test_more_than_one_container_needs_a_second_person(manager: Actor, at: datetime, difference: Any) -> None:
    lot, second = make_delivery(containers=5), make_actor(Role.MANAGER)
    shelf(manager, at, lot, 1, difference())
    tries = {
        None: "COUNT-APPROVAL",
        manager: "COUNT-APPROVER",
        make_actor(Role.PRACTITIONER): "COUNT-APPROVER",
    }
    for approver, code in tries.items():
        with pytest.raises(Refusal) as caught:
            shelf(manager, at, lot, 2, difference(approver))
        assert (caught.value.code, caught.value.field) == (code, "approver_username")
    shelf(manager, at, lot, 2, difference(second))
    assert [one.witness_id for one in adjustments()] == [None, second.id]


def test_what_one_person_adjusted_alone_in_the_week_before_counts_too(manager: Actor, at: datetime) -> None:
    lot = make_delivery(containers=5)
    shelf(manager, at, lot, 1, missing())
    with pytest.raises(Refusal) as caught:
        shelf(manager, at + timedelta(days=6), lot, 1, missing())
    assert caught.value.code == "COUNT-APPROVAL"
    shelf(make_actor(Role.MANAGER), at + timedelta(days=6), lot, 1, missing())
    shelf(manager, at + timedelta(days=8), lot, 1, missing())


def test_more_than_a_millilitre_of_a_vial_needs_a_second_person(manager: Actor, at: datetime) -> None:
    lot = make_delivery(product_id=make_multi_dose_product().id)
    vial, second = make_open_vial(lot, place=make_place()), make_actor(Role.MANAGER)

    def adjust(volume_ul: int, difference: Difference) -> None:
        services.adjust_vial(
            actor=manager, at=at, vial_id=vial.id, volume_ul=volume_ul, difference=difference
        )

    adjust(1_000, missing())
    with pytest.raises(Refusal) as caught:
        adjust(1_001, missing())
    assert caught.value.code == "COUNT-APPROVAL"
    adjust(1_001, missing(second))
    assert [one.witness_id for one in adjustments()] == [None, second.id]
