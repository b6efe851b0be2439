"""Where the clinic asks for a witness, waste is seen by another person, who says so with their own password."""

from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask

from inventory.clinic.models import Setting
from inventory.clinic.settings import encode
from inventory.kernel.db import unit_of_work
from inventory.kernel.permissions import Role
from inventory.stock.models import MovementKind, WasteReason
from inventory.stock.services import witness_needed
from tests.factories.catalogue import make_product
from tests.factories.staff import PASSWORD, make_user
from tests.factories.stock import make_delivery, make_place, movements_of
from tests.support.client import CheckingClient

SignIn = Callable[..., CheckingClient]


def test_a_witness_is_another_person_who_confirms(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    with unit_of_work() as session:
        session.add(Setting(key="waste_witness_reasons", value=encode(["broken"])))
    place, lot = make_place(), make_delivery()
    own = make_user(roles=Role.PRACTITIONER, username="nurse", password=PASSWORD)
    seen_by = make_user(roles=Role.MANAGER, username="manager", password=PASSWORD)
    nurse = signed_in_client(user=own)
    typed = {"location": str(place.location_id), "containers": "1", "reason": "broken"}
    path = f"/stock/lots/{lot.id}/waste"
    for witness, code in (
        ({}, "WITNESS-NEEDED"),
        ({"witness_username": "nurse", "witness_password": PASSWORD}, "WITNESS-SAME"),
        ({"witness_username": "manager", "witness_password": "not theirs"}, "CONFIRM-WRONG"),
    ):
        answer = nurse.submit(path, {**typed, **witness})
        assert answer.status_code == 422
        assert code in answer.get_data(as_text=True)
        if code == "CONFIRM-WRONG":
            assert 'id="witness_password-error"' in answer.get_data(as_text=True)
    nurse.submit(path, {**typed, "reason": "contaminated"})
    nurse.submit(path, {**typed, "witness_username": "manager", "witness_password": PASSWORD})
    wasted = [m for m in movements_of(lot) if m.kind == MovementKind.WASTE]
    assert [(m.reason, m.witness_id) for m in wasted] == [("contaminated", None), ("broken", seen_by.id)]
    assert "Witness: Manager" in nurse.get(f"/stock/lots/{lot.id}").get_data(as_text=True)


@pytest.mark.parametrize(
    "own,asked",
    [
        (None, {"broken"}),
        (frozenset({"sample"}), {"sample"}),
        (frozenset(), set()),
    ],
)
def test_the_rule_of_the_product_counts_before_the_clinics(
    app: Flask, at: datetime, own: frozenset[str] | None, asked: set[str]
) -> None:
    with unit_of_work() as session:
        session.add(Setting(key="waste_witness_reasons", value=encode(["broken"])))
    product = make_product(waste_witness_reasons=own)
    assert {reason for reason in WasteReason if witness_needed(reason, product)} == asked


def test_a_remainder_and_dead_space_never_need_one(app: Flask, at: datetime) -> None:
    with unit_of_work() as session:
        session.add(Setting(key="waste_witness_reasons", value=encode(["remainder", "dead_space"])))
    product = make_product()
    assert not [reason for reason in WasteReason if witness_needed(reason, product)]


def test_asks_for_what_the_product_needs(app: Flask, signed_in_client: SignIn, at: datetime) -> None:
    place = make_place()
    lot = make_delivery(product_id=make_product(waste_witness_reasons=frozenset({"sample"})).id)
    nurse = signed_in_client(Role.PRACTITIONER)
    path = f"/stock/lots/{lot.id}/waste"
    typed = {"location": str(place.location_id), "containers": "1"}
    answer = nurse.submit(path, {**typed, "reason": "sample"})
    assert answer.status_code == 422
    assert "WITNESS-NEEDED" in answer.get_data(as_text=True)
    assert "a witness is needed for: Taken as a sample." in answer.get_data(as_text=True)
    nurse.submit(path, {**typed, "reason": "broken"})
    assert [m.reason for m in movements_of(lot) if m.kind == MovementKind.WASTE] == ["broken"]
