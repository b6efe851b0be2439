"""Readings, the excursions they open, what these hold, and the decision."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import func, select, text

from inventory.clinic.models import Location
from inventory.clinic.services import close_location
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.stock import services
from inventory.stock.exposure import Reading
from inventory.stock.models import (
    ExcursionDecision,
    Hold,
    HoldKind,
    Lot,
    TemperatureExcursion,
    TemperatureReading,
    WasteReason,
)
from inventory.stock.queries import temperatures
from inventory.stock.services.temperatures import (
    LoggerFile,
    decide_excursion,
    record_logger_file,
    record_temperature,
)
from tests.factories.catalogue import make_multi_dose_product, make_product
from tests.factories.staff import make_actor
from tests.factories.stock import make_delivery, make_open_vial, make_place
from tests.factories.transfers import make_arrival, make_transfer

COLD: dict[str, Any] = {"storage_min_decicelsius": 20, "storage_max_decicelsius": 80}
FILE = LoggerFile("logger.csv", "0" * 64)
Move = Callable[[datetime], None]


def fridge(name: str = "Fridge 1") -> Location:
    return db.session.get_one(Location, make_place(location=name).location_id)


def cold_lot(place: str = "Fridge 1", **more: Any) -> Lot:
    return make_delivery(product_id=make_product(**COLD).id, place=make_place(location=place), **more)


def read(decicelsius: int, *, at: datetime, where: Location | None = None, **more: Any) -> None:
    record_temperature(actor=SYSTEM_ACTOR, at=at, location=where or fridge(), decicelsius=decicelsius, **more)


def excursions() -> list[TemperatureExcursion]:
    db.session.rollback()
    return list(db.session.scalars(select(TemperatureExcursion).order_by(TemperatureExcursion.number)))


def standing() -> list[tuple[str, str]]:
    """What is held now: the lot, and where or which vial."""
    rows = db.session.execute(
        select(Lot.lot_number, Location.name, Hold.vial_id)
        .join(Lot, Lot.id == Hold.lot_id)
        .outerjoin(Location, Location.id == Hold.location_id)
        .where(Hold.released_at.is_(None), Hold.kind == "temperature")
        .order_by(Lot.lot_number, Hold.id)
    )
    return [(number, place or "vial") for number, place, _ in rows]


def decide(decision: ExcursionDecision, *, at: datetime, role: Role = Role.MANAGER) -> None:
    decide_excursion(
        actor=make_actor(role),
        at=at,
        excursion_id=excursions()[-1].id,
        decision=decision,
        note="The maker allows it",
    )


def test_a_reading_within_the_limits_holds_nothing(app: Flask, at: datetime) -> None:
    cold_lot()
    make_delivery(place=make_place(location="Fridge 1"))
    read(80, at=at)
    read(20, at=at, read_at=at - timedelta(minutes=30))
    read(95, at=at, where=fridge("Fridge 2"))
    assert excursions() == []
    assert db.session.scalar(select(func.count(TemperatureReading.id))) == 3


def test_a_reading_outside_holds_exactly_what_lies_there(
    app: Flask, at: datetime, cli: FlaskCliRunner
) -> None:
    cold_lot(lot_number="COLD")
    make_delivery(lot_number="ANY", place=make_place(location="Fridge 1"))
    cold_lot("Fridge 2", lot_number="ELSEWHERE")
    read(81, at=at, note="Door was open")
    (found,) = excursions()
    assert (found.number, found.lowest_decicelsius, found.highest_decicelsius) == (1, 81, 81)
    assert standing() == [("COLD", "Fridge 1")]
    db.session.rollback()
    assert cli.invoke(args=["stock", "verify"]).exit_code == 0
    assert cli.invoke(args=["audit", "verify"]).exit_code == 0


def test_what_is_held_is_not_opened(app: Flask, at: datetime) -> None:
    place = make_place(location="Fridge 1")
    lot = make_delivery(product_id=make_multi_dose_product(**COLD).id, place=place)
    read(90, at=at)
    with pytest.raises(Refusal) as caught:
        make_open_vial(lot, place=place)
    assert caught.value.code == "LOT-HELD"


def test_a_further_reading_extends_the_open_excursion(app: Flask, at: datetime, at_instant: Move) -> None:
    cold_lot(lot_number="FIRST", at=at - timedelta(days=1))
    read(90, at=at)
    later = at + timedelta(hours=1)
    at_instant(later)
    cold_lot(lot_number="SECOND")
    read(120, at=later)
    read(15, at=later, read_at=at - timedelta(hours=1))
    read(50, at=later, read_at=later - timedelta(minutes=1))
    (found,) = excursions()
    assert (found.lowest_decicelsius, found.highest_decicelsius) == (15, 120)
    assert (found.began_at, found.last_read_at) == (at - timedelta(hours=1), later)
    assert standing() == [("FIRST", "Fridge 1"), ("SECOND", "Fridge 1")]


def test_a_reading_typed_late_holds_what_lay_there_then(app: Flask, at: datetime) -> None:
    place = make_place(location="Fridge 1")
    days_ago = at - timedelta(days=3)
    gone = cold_lot(lot_number="GONE", containers=1, at=days_ago)
    cold_lot(lot_number="STILL", at=days_ago)
    cold_lot(lot_number="NEWER", at=at - timedelta(hours=1))
    services.waste_sealed(
        actor=SYSTEM_ACTOR,
        at=at,
        lot_id=gone.id,
        place=place,
        containers=1,
        why=services.Why(WasteReason.BROKEN),
    )
    read(90, at=at, read_at=at - timedelta(days=2))
    assert len(excursions()) == 1
    assert standing() == [("GONE", "Fridge 1"), ("STILL", "Fridge 1")], "what is gone may come back"


def test_released_stock_may_be_used_again_and_its_history_stays(
    app: Flask, at: datetime, cli: FlaskCliRunner
) -> None:
    lot = cold_lot()
    services.hold_lot(actor=SYSTEM_ACTOR, at=at, lot_id=lot.id, kind=HoldKind.HOLD, reason="Another matter")
    read(90, at=at)
    decide(ExcursionDecision.RELEASE, at=at, role=Role.PRESCRIBER)
    holds = {hold.kind: hold for hold in db.session.scalars(select(Hold))}
    assert holds[HoldKind.TEMPERATURE].release_reason == "Excursion 1: The maker allows it"
    assert holds[HoldKind.HOLD].released_at is None
    (found,) = excursions()
    assert (found.decision, found.decision_note) == ("release", "The maker allows it")
    read(95, at=at + timedelta(minutes=5))
    assert [one.number for one in excursions()] == [1, 2]
    db.session.rollback()
    assert cli.invoke(args=["stock", "verify"]).exit_code == 0


def test_condemned_stock_stays_held_and_is_not_asked_about_again(app: Flask, at: datetime) -> None:
    cold_lot(lot_number="SPOILT")
    read(90, at=at)
    decide(ExcursionDecision.CONDEMN, at=at)
    assert standing() == [("SPOILT", "Fridge 1")]
    read(99, at=at + timedelta(minutes=5))
    assert len(excursions()) == 1


def test_only_a_prescriber_or_manager_decides_and_once(app: Flask, at: datetime) -> None:
    cold_lot()
    read(90, at=at)
    codes = []
    tries = [
        (Role.PRACTITIONER, "Fine"),
        (Role.MANAGER, " "),
        (Role.MANAGER, "Fine"),
        (Role.PRESCRIBER, "No"),
    ]
    for role, note in tries:
        try:
            decide_excursion(
                actor=make_actor(role),
                at=at,
                excursion_id=excursions()[0].id,
                decision=ExcursionDecision.RELEASE,
                note=note,
            )
        except Refusal as refusal:
            codes.append(refusal.code)
    assert codes == ["NOT-PERMITTED", "NOTE-NEEDED", "EXCURSION-DECIDED"]


@pytest.mark.parametrize(
    "decicelsius, minutes, code",
    [
        (1_001, 0, "TEMPERATURE-RANGE"),
        (-1_001, 0, "TEMPERATURE-RANGE"),
        (50, 5, "TIME-FUTURE"),
        (50, -60 * 24 * 400, "TIME-TOO-EARLY"),
        (50, -30, "READING-TWICE"),
    ],
)
def test_a_reading_that_cannot_be_is_refused(
    app: Flask, at: datetime, decicelsius: int, minutes: int, code: str
) -> None:
    read(40, at=at, read_at=at - timedelta(minutes=30))
    with pytest.raises(Refusal) as caught:
        read(decicelsius, at=at, read_at=at + timedelta(minutes=minutes))
    assert caught.value.code == code
    assert db.session.scalar(select(func.count(TemperatureReading.id))) == 1


def test_a_closed_location_takes_no_reading(app: Flask, at: datetime) -> None:
    where = fridge()
    close_location(actor=SYSTEM_ACTOR, at=at, location_id=where.id)
    with pytest.raises(Refusal) as caught:
        read(50, at=at, where=where)
    assert caught.value.code == "LOCATION-ELSEWHERE"


def logged(at: datetime, *values: int) -> list[Reading]:
    return [Reading(at - timedelta(minutes=10 * number), value) for number, value in enumerate(values)]


def test_a_loggers_file_is_one_act_and_skips_what_is_known(
    app: Flask, at: datetime, cli: FlaskCliRunner
) -> None:
    cold_lot(at=at - timedelta(days=1))
    read(50, at=at, read_at=at - timedelta(minutes=10))
    readings = logged(at, 50, 91, 92, 10, 50)
    record_logger_file(actor=SYSTEM_ACTOR, at=at, location=fridge(), readings=readings, file=FILE)
    (found,) = excursions()
    assert (found.lowest_decicelsius, found.highest_decicelsius) == (10, 92)
    assert (found.began_at, found.last_read_at) == (at - timedelta(minutes=30), at - timedelta(minutes=20))
    assert db.session.scalar(select(func.count(TemperatureReading.id))) == 5
    assert db.session.scalar(select(func.count(TemperatureReading.act_id.distinct()))) == 2
    with pytest.raises(Refusal) as caught:
        record_logger_file(actor=SYSTEM_ACTOR, at=at, location=fridge(), readings=readings, file=FILE)
    assert caught.value.code == "READINGS-KNOWN"
    db.session.rollback()
    assert cli.invoke(args=["audit", "verify"]).exit_code == 0


def test_the_ranges_and_limits_of_each_location_are_told(app: Flask, at: datetime) -> None:
    cold_lot(at=at - timedelta(days=40))
    make_place(location="Cabinet")
    read(75, at=at)
    read(25, at=at, read_at=at - timedelta(days=10))
    read(79, at=at, read_at=at - timedelta(days=35))
    found = temperatures.watched(db.session(), site_id=make_place().site_id, at=at)
    assert [one.location.name for one in found] == ["Fridge 1", "Cabinet"]
    first, second = found
    assert first.last is not None
    assert first.last.decicelsius == 75
    assert (first.day.lowest, first.day.highest, first.day.count) == (75, 75, 1)
    assert (first.month.lowest, first.month.highest, first.month.count) == (25, 75, 2)
    assert (first.limits.least, first.limits.most) == (20, 80)
    assert (second.last, second.day.count, second.limits.least) == (None, 0, None)


def test_a_fridge_that_was_read_before_is_missed_today(app: Flask, at: datetime) -> None:
    site = make_place().site_id
    fridge("Fridge 2")
    read(50, at=at, read_at=at - timedelta(days=1))

    def missed() -> list[str]:
        found = temperatures.fridges_without_reading(
            db.session(), site_id=site, day=at.date(), zone="Europe/London"
        )
        return [one.name for one in found]

    assert missed() == ["Fridge 1"]
    read(50, at=at)
    assert missed() == []


def test_the_database_keeps_readings_and_decisions(app: Flask, at: datetime) -> None:
    cold_lot()
    read(90, at=at)
    decide(ExcursionDecision.CONDEMN, at=at)
    for statement, law in (
        ("UPDATE temperature_reading SET decicelsius = 50", "insert_only"),
        ("DELETE FROM temperature_reading", "insert_only"),
        ("DELETE FROM excursion_hold", "insert_only"),
        ("UPDATE temperature_excursion SET decision = 'release'", "finished_once"),
        ("UPDATE temperature_excursion SET highest_decicelsius = 50", "finished_once"),
        ("DELETE FROM temperature_excursion", "undeletable"),
    ):
        db.session.rollback()
        with (
            pytest.raises(Exception, match=rf"law:{law}|permission denied"),
            db.engine.begin() as connection,
        ):
            connection.execute(text(statement))


def test_an_open_excursion_keeps_its_place_and_number(app: Flask, at: datetime) -> None:
    cold_lot()
    read(90, at=at)
    for change in ("number = 7", "opened_at = began_at, opened_by_id = id", "location_id = id"):
        db.session.rollback()
        with pytest.raises(Exception, match="law:finished_once"), db.engine.begin() as connection:
            connection.execute(text(f"UPDATE temperature_excursion SET {change}"))


def test_verify_finds_a_released_excursion_whose_hold_stands(
    app: Flask, at: datetime, cli: FlaskCliRunner
) -> None:
    cold_lot()
    read(90, at=at)
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE temperature_excursion SET decision = 'release', decided_at = opened_at,"
                " decided_by_id = opened_by_id"
            )
        )
    found = cli.invoke(args=["stock", "verify"])
    assert found.exit_code == 1
    assert "was decided as released" in found.output


def test_what_was_exposed_is_held_where_it_has_been_taken_since(app: Flask, at: datetime) -> None:
    source, cabinet = make_place(location="Fridge 1"), make_place(location="Cabinet")
    lot = make_delivery(
        product_id=make_multi_dose_product(**COLD).id,
        place=source,
        at=at - timedelta(days=3),
        containers=3,
        lot_number="MOVED",
    )
    vial = make_open_vial(lot, place=source, at=at - timedelta(days=2))
    an_hour_ago = at - timedelta(hours=1)
    first = make_transfer(source, cabinet, lot=lot, containers=2, at=an_hour_ago)
    make_arrival(first, 2, at=an_hour_ago)
    second = make_transfer(source, make_place(location="Drawer"), vials=(vial,), at=an_hour_ago)
    make_arrival(second, 1, at=an_hour_ago)
    read(95, at=at, read_at=at - timedelta(hours=2))
    assert standing() == [("MOVED", "Fridge 1"), ("MOVED", "Cabinet"), ("MOVED", "vial")]
    decide(ExcursionDecision.RELEASE, at=at)
    assert standing() == []


def test_a_decision_reaches_what_was_taken_elsewhere_under_its_hold(app: Flask, at: datetime) -> None:
    source, cabinet = make_place(location="Fridge 1"), make_place(location="Cabinet")
    lot = cold_lot(lot_number="MOVED", at=at - timedelta(days=1))
    read(95, at=at)
    transfer = make_transfer(source, cabinet, lot=lot, containers=5, at=at)
    make_arrival(transfer, 5, at=at)
    assert standing() == [("MOVED", "Fridge 1"), ("MOVED", "Cabinet")]
    decide(ExcursionDecision.RELEASE, at=at)
    assert standing() == []


def test_two_readings_at_once_open_one_excursion(app: Flask) -> None:
    cold_lot(at=clock.now() - timedelta(days=1))
    where, at = fridge(), clock.now()
    db.session.expunge_all()
    db.session.rollback()
    start = threading.Barrier(4)
    failed: list[str] = []

    def read_there(number: int) -> None:
        with app.app_context():
            start.wait(timeout=10)
            try:
                read(95, at=at, where=where, read_at=at - timedelta(minutes=10 * number, seconds=1))
            except Exception as error:  # noqa: BLE001  whatever it is, the test tells
                failed.append(repr(error))
            finally:
                db.session.remove()

    threads = [threading.Thread(target=read_there, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert failed == []
    (found,) = excursions()
    assert found.began_at == at - timedelta(minutes=30, seconds=1)
    assert len(standing()) == 1
