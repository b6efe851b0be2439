"""How much is used: what was given here in the last 90 days and stands. It decides how long the stock lasts."""

from datetime import datetime, timedelta

from flask import Flask

from inventory.doses.models import Dose
from inventory.doses.rules.terms import VoidKind
from inventory.doses.services import void_dose
from inventory.kernel.db import db
from inventory.reorder import queries
from inventory.reorder.queries import USE_DAYS, Level
from inventory.stock.ledger import Place
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.stock import make_place


def used(place: Place, at: datetime) -> tuple[int, int]:
    found: list[Level] = queries.levels(db.session(), site_id=place.site_id, on=at.date(), at=at)
    return sum(level.used_ul for level in found), sum(level.used_containers for level in found)


def void(bench: Bench, dose: Dose, at: datetime) -> None:
    void_dose(actor=bench.nurse, at=at, dose_id=dose.id, kind=VoidKind.NEVER_OPENED, reason="Not given")


def test_counts_what_was_given_and_stands(app: Flask, at: datetime) -> None:
    bench = Bench()
    bench.give()
    mistaken = bench.give(bench.request(patient_id=make_patient()))
    assert used(bench.place, at) == (2_000, 2)
    void(bench, mistaken, at)
    assert used(bench.place, at) == (1_000, 1)


def test_what_is_long_past_does_not_count(app: Flask, at: datetime) -> None:
    bench = Bench()
    bench.give()
    assert used(bench.place, at + timedelta(days=USE_DAYS + 1)) == (0, 0)


def test_counts_what_was_given_at_this_site_alone(app: Flask, at: datetime) -> None:
    bench = Bench()
    mistaken, other = bench.give(), make_place(code="NORTH")
    assert used(bench.place, at) == (1_000, 1)
    assert used(other, at) == (0, 0)
    void(bench, mistaken, at)
    assert used(bench.place, at) == used(other, at) == (0, 0)
