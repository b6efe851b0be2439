"""Doses from a vial that was taken elsewhere: given before, written down late, amended and voided, wherever the vial is now."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from inventory.doses.models import Dose, Incident
from inventory.doses.rules.terms import EntryMode, IncidentKind, VoidKind
from inventory.doses.services import amend_dose, draws_of, void_dose
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.stock import ledger, queries, verification
from inventory.stock.ledger import Place
from inventory.stock.models import Account, Lot, Movement, Vial
from inventory.stock.services import cancel_transfer
from tests.factories.doses import Bench
from tests.factories.stock import make_place
from tests.factories.transfers import make_arrival, make_transfer

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def bench(app: Flask, at: datetime) -> Bench:
    return Bench()


@pytest.fixture(params=["another location", "another site"])
def there(request: pytest.FixtureRequest, bench: Bench) -> Place:
    if request.param == "another site":
        return make_place(code="NORTH", location="North fridge")
    return make_place(location="Fridge")


def in_vial(vial: Vial) -> int:
    db.session.rollback()
    found = queries.vial_by_id(db.session(), vial.id)
    return db.session.get_one(Account, ledger.vial_account(db.session(), found)).balance_ul


def give_one(bench: Bench, at: datetime) -> tuple[Lot, Vial, Dose]:
    """A dose of 1 mL from a 10 mL vial."""
    lot, vial = bench.open_multi(at=at)
    return lot, vial, bench.give(bench.request(lot=lot, vial=vial), at=at + MINUTE)


def carry(bench: Bench, vial: Vial, there: Place, at: datetime) -> None:
    make_arrival(make_transfer(bench.place, there, vials=(vial,), at=at), 1, at=at)


def amended(bench: Bench, dose: Dose, *, at: datetime, **changes: Any) -> Dose:
    volume_ul = changes.get("volume_ul", dose.volume_ul)
    draws = tuple(replace(draw, volume_ul=volume_ul) for draw in draws_of(db.session(), dose.id))
    request = bench.request(draws=draws, **changes)
    outcome = amend_dose(actor=bench.nurse, at=at, dose_id=dose.id, request=request, reason="Typed wrongly")
    return db.session.get_one(Dose, outcome.subject_id)


def is_well() -> bool:
    db.session.rollback()
    return list(verification.findings(db.session())) == []


def test_what_a_void_brings_back_goes_on_to_where_the_vial_is(
    bench: Bench, there: Place, at: datetime
) -> None:
    _, vial, dose = give_one(bench, at)
    carry(bench, vial, there, at + HOUR)
    assert in_vial(vial) == 9_000
    void_dose(
        actor=bench.nurse, at=at + 2 * HOUR, dose_id=dose.id, kind=VoidKind.NEVER_OPENED, reason="Not drawn"
    )
    assert in_vial(vial) == 10_000
    assert is_well()


def test_what_was_drawn_and_not_given_is_wasted_where_it_was_drawn(
    bench: Bench, there: Place, at: datetime
) -> None:
    _, vial, dose = give_one(bench, at)
    carry(bench, vial, there, at + HOUR)
    void_dose(
        actor=bench.nurse, at=at + 2 * HOUR, dose_id=dose.id, kind=VoidKind.DRAWN_NOT_GIVEN, reason="Dropped"
    )
    assert in_vial(vial) == 9_000
    assert is_well()


def test_words_are_amended_wherever_the_vial_is(bench: Bench, there: Place, at: datetime) -> None:
    _, vial, dose = give_one(bench, at)
    transfer_id = make_transfer(bench.place, there, vials=(vial,), at=at + HOUR)
    on_its_way = amended(bench, dose, at=at + HOUR + MINUTE, note="On its way")
    make_arrival(transfer_id, 1, at=at + 2 * HOUR)
    amended(bench, on_its_way, at=at + 3 * HOUR, note="There")
    assert in_vial(vial) == 9_000
    assert is_well()


def test_words_that_were_amended_on_a_page_of_before_the_move_move_nothing(
    bench: Bench, there: Place, at: datetime
) -> None:
    _, vial, dose = give_one(bench, at)
    seen = draws_of(db.session(), dose.id)
    carry(bench, vial, there, at + HOUR)
    before = db.session.scalar(select(func.count(Movement.id)))
    request = bench.request(draws=seen, note="Typed before it was moved")
    amend_dose(actor=bench.nurse, at=at + 2 * HOUR, dose_id=dose.id, request=request, reason="Typed wrongly")
    assert db.session.scalar(select(func.count(Movement.id))) == before
    assert is_well()


@pytest.mark.parametrize("volume_ul", [500, 1_500])
def test_a_volume_is_amended_from_where_the_vial_is(
    bench: Bench, there: Place, at: datetime, volume_ul: int
) -> None:
    _, vial, dose = give_one(bench, at)
    carry(bench, vial, there, at + HOUR)
    again = amended(bench, dose, at=at + 2 * HOUR, volume_ul=volume_ul)
    assert in_vial(vial) == 10_000 - volume_ul
    assert is_well()
    void_dose(
        actor=bench.nurse, at=at + 3 * HOUR, dose_id=again.id, kind=VoidKind.NEVER_OPENED, reason="Not drawn"
    )
    assert in_vial(vial) == 10_000
    assert is_well()


def test_nothing_comes_back_into_a_vial_on_its_way(bench: Bench, there: Place, at: datetime) -> None:
    _, vial, dose = give_one(bench, at)
    transfer_id = make_transfer(bench.place, there, vials=(vial,), at=at + HOUR)
    later = at + 2 * HOUR
    with pytest.raises(Refusal, match="VIAL-ON-ITS-WAY"):
        void_dose(
            actor=bench.nurse, at=later, dose_id=dose.id, kind=VoidKind.NEVER_OPENED, reason="Not drawn"
        )
    with pytest.raises(Refusal, match="VIAL-ON-ITS-WAY"):
        amended(bench, dose, at=later, volume_ul=500)
    assert is_well()
    cancel_transfer(actor=bench.nurse, at=later, transfer_id=transfer_id, reason="Stays here")
    void_dose(
        actor=bench.nurse,
        at=later + MINUTE,
        dose_id=dose.id,
        kind=VoidKind.NEVER_OPENED,
        reason="Not drawn",
    )
    assert in_vial(vial) == 10_000


def test_a_dose_of_before_the_move_is_written_down_late_and_leaves_the_vial_where_it_is(
    bench: Bench, there: Place, at: datetime
) -> None:
    lot, vial = bench.open_multi(at=at)
    carry(bench, vial, there, at + HOUR)
    late = bench.request(
        lot=lot, vial=vial, mode=EntryMode.ALREADY_GIVEN, given_at=at + timedelta(minutes=30, seconds=1)
    )
    dose = bench.give(late, at=at + 2 * HOUR)
    assert in_vial(vial) == 9_000
    assert dose.site_id == bench.place.site_id
    kinds = db.session.scalars(select(Incident.kind).where(Incident.dose_id == dose.id)).all()
    assert IncidentKind.STOCK_DISCREPANCY not in kinds
    assert is_well()


def test_a_dose_from_a_vial_on_its_way_is_written_down_as_a_shortfall(
    bench: Bench, there: Place, at: datetime
) -> None:
    lot, vial = bench.open_multi(at=at)
    transfer_id = make_transfer(bench.place, there, vials=(vial,), at=at + HOUR)
    late = bench.request(
        lot=lot, vial=vial, mode=EntryMode.ALREADY_GIVEN, given_at=at + timedelta(minutes=30, seconds=1)
    )
    dose = bench.give(late, at=at + 2 * HOUR)
    kinds = db.session.scalars(select(Incident.kind).where(Incident.dose_id == dose.id)).all()
    assert IncidentKind.STOCK_DISCREPANCY in kinds
    said = select(Incident.what).where(Incident.kind == IncidentKind.STOCK_DISCREPANCY)
    assert "Once it has arrived, take off it as missing what was given: 1 mL." in db.session.scalar(said)
    make_arrival(transfer_id, 1, at=at + 3 * HOUR)
    assert in_vial(vial) == 10_000
    assert is_well()


def test_nothing_is_given_from_a_vial_on_its_way(bench: Bench, there: Place, at: datetime) -> None:
    lot, vial = bench.open_multi(at=at)
    make_transfer(bench.place, there, vials=(vial,), at=at + HOUR)
    with pytest.raises(Refusals, match=r"VIAL-ON-ITS-WAY: Vial 1, lot .* is on its way to"):
        bench.give(bench.request(lot=lot, vial=vial), at=at + 2 * HOUR)
    assert is_well()


def test_a_vial_that_was_moved_since_the_page_was_shown_is_drawn_from_where_it_is(
    bench: Bench, at: datetime
) -> None:
    lot, vial = bench.open_multi(at=at)
    seen = bench.request(lot=lot, vial=vial)
    carry(bench, vial, make_place(location="Fridge"), at + HOUR)
    bench.give(seen, at=at + 2 * HOUR)
    assert in_vial(vial) == 9_000
    assert is_well()


def test_a_vial_at_another_site_is_not_given_here(bench: Bench, at: datetime) -> None:
    lot, vial = bench.open_multi(at=at)
    carry(bench, vial, make_place(code="NORTH", location="North fridge"), at + HOUR)
    with pytest.raises(Refusal, match="NOT-FOUND"):
        bench.give(bench.request(lot=lot, vial=vial), at=at + 2 * HOUR)


def test_a_vial_that_never_was_here_is_not_written_down_here(bench: Bench, at: datetime) -> None:
    north = Bench(place=make_place(code="NORTH", location="North fridge"))
    lot, vial = north.open_multi(at=at)
    late = bench.request(
        lot=lot, vial=vial, mode=EntryMode.ALREADY_GIVEN, given_at=at + timedelta(seconds=30)
    )
    with pytest.raises(Refusal, match="NOT-FOUND"):
        bench.give(late, at=at + HOUR)
