"""The laws of stock held by the database itself: every test here goes around the application, as its role and as the owner."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from inventory.clinic.models import CounterKind
from inventory.clinic.numbers import next_number
from inventory.kernel import clock
from inventory.kernel.db import db, unit_of_work
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.stock import services
from inventory.stock.models import Account, AccountKind, Lot, Movement, WasteReason
from inventory.stock.services import Why
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.stock import balance_ul, make_delivery, make_open_vial, make_place, movements_of

Try = Callable[[str], str]


def kind_of(app: Flask) -> str:
    with app.app_context():
        return db.engine.dialect.name


def account(lot: Lot, kind: AccountKind) -> Account:
    return db.session.scalars(select(Account).where(Account.lot_id == lot.id, Account.kind == kind)).one()


def movement_sql(like: Movement, **changes: Any) -> str:
    """An INSERT of a movement like another, by plain SQL."""
    columns = [c.name for c in Movement.__table__.columns if c.name != "id"]
    chosen = [str(changes[name]) if name in changes else name for name in columns]
    return f"INSERT INTO movement ({', '.join(columns)}) SELECT {', '.join(chosen)} FROM movement WHERE id = {like.id}"


def test_a_balance_is_written_by_movements_alone(refused: Try, at: datetime) -> None:
    lot = make_delivery()
    shelf = account(lot, AccountKind.SHELF)
    for change in (
        "balance_ul = balance_ul + 1000",
        "balance_ul = 0, last_movement_id = last_movement_id + 1",
        "last_movement_id = 0",
        "kind = 'waste', location_id = NULL",
    ):
        assert "law:balance_is_ledger" in refused(f"UPDATE account SET {change} WHERE id = {shelf.id}")
    assert balance_ul(lot) == 25_000


def test_nothing_of_the_ledger_is_erased(app: Flask, refused: Try, at: datetime) -> None:
    lot = make_delivery()
    rude = (
        "TRUNCATE {} CASCADE"
        if kind_of(app) == "postgresql"
        else "INSERT OR REPLACE INTO {0} SELECT * FROM {0}"
    )
    statements = ("DELETE FROM {}", "UPDATE {} SET id = id", rude)
    for statement, table in product(statements, ("movement", "receipt", "lot")):
        said = refused(statement.format(table))
        laws = ("law:insert_only", "law:lot_by_correction", "permission denied")
        assert any(law in said for law in laws), said
    assert len(movements_of(lot)) == 1


def test_what_stock_stands_on_is_not_deleted(refused: Try, at: datetime) -> None:
    make_open_vial(make_delivery(product_id=make_multi_dose_product().id))
    make_delivery(expires_on=at.date() - timedelta(1), hold_expired=True)
    for table in ("account", "vial", "hold", "counter", "product", "site", "location"):
        said = refused(f"DELETE FROM {table}")
        assert "law:undeletable" in said or "permission denied" in said, said


def test_only_whole_positive_amounts_move(app: Flask, refused: Try, at: datetime) -> None:
    lot = make_delivery()
    # PostgreSQL rounds 0.4 to a whole number, which is 0 and refused as well.
    for amount in ("0.5" if kind_of(app) == "sqlite" else "0.4", "'abc'", "0", "-1000", "NULL"):
        refused(movement_sql(movements_of(lot)[0], amount_ul=amount))
    assert [m.amount_ul for m in movements_of(lot)] == [25_000]


def test_no_shelf_falls_below_zero_now(refused: Try, at: datetime) -> None:
    lot = make_delivery()
    shelf, waste = account(lot, AccountKind.SHELF), account(lot, AccountKind.WASTE)
    said = refused(
        movement_sql(movements_of(lot)[0], from_id=shelf.id, to_id=waste.id, amount_ul=26_000, kind="'waste'")
    )
    assert "never_negative" in said


def test_no_shelf_falls_below_zero_in_the_past(app: Flask, refused: Try, at: datetime) -> None:
    lot = make_delivery(containers=1, received_at=at - timedelta(days=2))
    services.waste_sealed(
        actor=SYSTEM_ACTOR,
        at=at,
        lot_id=lot.id,
        place=make_place(),
        containers=1,
        why=Why(WasteReason.BROKEN),
        wasted_at=at - timedelta(days=1),
    )
    make_delivery(product_id=lot.product_id, lot_number=lot.lot_number, containers=1)
    first, second, _ = movements_of(lot)
    between = "'2026-03-15 12:00:00.000000'" if kind_of(app) == "sqlite" else "'2026-03-15 12:00:00+00'"
    back_dated = movement_sql(second, occurred_at=between)
    assert "law:never_negative_past" in refused(back_dated)
    assert first.id < second.id


def test_a_reversal_is_exact(refused: Try, at: datetime) -> None:
    lot = make_delivery(received_at=at - timedelta(days=1))
    one = movements_of(lot)[0]
    exact = {
        "kind": "'reverse'",
        "reverses_id": one.id,
        "from_id": one.to_id,
        "to_id": one.from_id,
        "occurred_at": "recorded_at",
    }
    for change in (
        {"amount_ul": "1000"},
        {"from_id": "from_id", "to_id": "to_id"},
        {"occurred_at": "occurred_at"},
    ):
        assert "law:exact_reversal" in refused(movement_sql(one, **{**exact, **change}))


def test_a_movement_stays_within_its_lot(refused: Try, at: datetime) -> None:
    one, other = make_delivery(), make_delivery()
    foreign = account(other, AccountKind.SHELF)
    said = refused(movement_sql(movements_of(one)[0], to_id=foreign.id)).lower()
    assert "foreign key" in said or "law:" in said


def test_numbers_leave_no_gap(app: Flask, refused: Try, at: datetime) -> None:
    site = make_place().site_id
    with unit_of_work() as session:
        taken = [next_number(session, site, CounterKind.VIAL) for _ in range(2)]
    with pytest.raises(ZeroDivisionError), unit_of_work() as session:
        next_number(session, site, CounterKind.VIAL)
        raise ZeroDivisionError
    with unit_of_work() as session:
        taken.append(next_number(session, site, CounterKind.VIAL))
    assert taken == [1, 2, 3]
    assert "law:gapless" in refused("UPDATE counter SET value = value + 2")
    assert "law:gapless" in refused("UPDATE counter SET value = 0 WHERE value > 0")


def test_a_product_is_frozen_by_its_first_lot(refused: Try, at: datetime) -> None:
    make_delivery()
    for change in ("strength_ng = 1", "container_volume_ul = 1", "container_type = 'multi_dose'"):
        assert "law:product_frozen" in refused(f"UPDATE product SET {change}")


def test_a_vial_that_holds_something_is_not_closed(refused: Try, at: datetime) -> None:
    place = make_place()
    lot = make_delivery(product_id=make_multi_dose_product().id)
    services.open_vial(
        actor=SYSTEM_ACTOR, at=at, lot_id=lot.id, site_id=place.site_id, location_id=place.location_id
    )
    said = refused(
        "UPDATE vial SET closed_at = opened_at, closed_by_id = opened_by_id, closure = 'discarded'"
    )
    assert "law:closed_vial_is_empty" in said
    assert "law:finished_once" in refused("UPDATE vial SET use_by_on = '2030-01-01'")


def test_two_at_once_for_the_last_container_are_one_waste_and_one_refusal(app: Flask) -> None:
    place = make_place()
    lot_id = make_delivery(containers=1).id
    db.session.rollback()
    start = threading.Barrier(2)
    ends: list[str] = []

    def draw() -> None:
        with app.app_context():
            start.wait(timeout=10)
            try:
                services.waste_sealed(
                    actor=SYSTEM_ACTOR,
                    at=clock.now(),
                    lot_id=lot_id,
                    place=place,
                    containers=1,
                    why=Why(WasteReason.BROKEN),
                )
                ends.append("done")
            except Refusal as refusal:
                ends.append(refusal.code)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=draw) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert sorted(ends) == ["STOCK-SHORT", "done"]


def test_the_triggers_stand_after_upgrading(app: Flask) -> None:
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if kind_of(app) == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'"
    )
    names = set(db.session.scalars(text(query)))
    assert {"movement_check", "movement_apply", "account_guard", "counter_guard", "product_frozen"} <= names
    assert any(
        name.startswith("movement_") and ("no_update" in name or "insert_only" in name) for name in names
    )
