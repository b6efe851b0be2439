"""The laws of transfers held by the database itself: every test here goes around the application."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.kernel.db import db
from inventory.stock.ledger import Place
from inventory.stock.models import Account, AccountKind, Lot, MovementKind, TransferDifference, Vial
from tests.factories.catalogue import make_multi_dose_product
from tests.factories.stock import make_delivery, make_open_vial, make_place, movements_of
from tests.factories.transfers import make_arrival, make_transfer

Try = Callable[[str], str]


@pytest.fixture
def here(app: Flask, at: datetime) -> Place:
    return make_place()


@pytest.fixture
def there(app: Flask, at: datetime) -> Place:
    return make_place(code="NORTH", location="North fridge")


def opened(place: Place) -> tuple[Lot, Vial]:
    lot = make_delivery(place=place, product_id=make_multi_dose_product().id, containers=4)
    return lot, make_open_vial(lot, place=place)


def inserted(table: str, **changes: Any) -> str:
    """An INSERT of a row like the one that is in the table, by plain SQL."""
    columns = db.metadata.tables[table].columns.keys()
    chosen = [str(changes[name]) if name in changes else name for name in columns]
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(chosen)} FROM {table}"


def transfer_movements(lot: Lot) -> list[int]:
    return [one.id for one in movements_of(lot) if one.kind == MovementKind.TRANSFER]


def test_a_vial_changes_its_place_only_with_all_that_is_in_it(
    refused: Try, here: Place, there: Place
) -> None:
    opened(here)
    told = f"UPDATE vial SET location_id = '{there.location_id.hex}'"
    assert "law:vial_moves_whole" in refused(told)


def test_a_vial_on_its_way_is_not_closed(refused: Try, here: Place, there: Place) -> None:
    _, vial = opened(here)
    make_transfer(here, there, vials=(vial,))
    closing = "UPDATE vial SET closed_at = opened_at, closed_by_id = opened_by_id, closure = 'discarded'"
    assert "law:vial_on_its_way" in refused(closing)


def test_a_line_is_what_was_moved(refused: Try, here: Place, there: Place) -> None:
    lot, _ = opened(here)
    make_transfer(here, there, lot=lot, containers=2)
    (moved,) = transfer_movements(lot)
    opening = next(one.id for one in movements_of(lot) if one.kind == MovementKind.OPEN)
    for changes in (
        {"amount_ul": "amount_ul - 1"},
        {"containers": "1"},
        {"movement_id": opening},
        {"vial_id": "(SELECT id FROM vial)", "containers": "0"},
    ):
        line = inserted("transfer_line", **{"position": "2", "movement_id": moved, **changes})
        assert "law:transfer_is_moved" in refused(line)


def test_no_more_arrives_than_was_sent_and_less_is_explained(refused: Try, here: Place, there: Place) -> None:
    lot, _ = opened(here)
    transfer_id = make_transfer(here, there, lot=lot, containers=2)
    make_arrival(transfer_id, 2)
    second = make_transfer(here, there, lot=lot, containers=1)
    # A receipt for it stands, but no line of what arrived.
    db.session.rollback()
    columns = ("note", "received_at", "recorded_at", "actor_id")
    arrived = f"INSERT INTO transfer_receipt (transfer_id, {', '.join(columns)}) SELECT '{second.hex}', {', '.join(columns)} FROM transfer_receipt"
    with db.engine.begin() as connection:
        connection.exec_driver_sql(arrived)
    of_second = {"transfer_id": f"'{second.hex}'"}
    for changes in (
        {"containers": "2"},
        {"containers": "1", "amount_ul": f"{lot.container_volume_ul} + 1"},
        {"containers": "0", "amount_ul": "0", "movement_id": "NULL"},
    ):
        line = inserted("transfer_receipt_line", **of_second, **changes)
        assert "law:transfer_within_sent" in refused(line)
    line = inserted(
        "transfer_receipt_line", **of_second, containers="1", amount_ul=str(lot.container_volume_ul)
    )
    assert "law:transfer_is_moved" in refused(line)


@pytest.mark.parametrize(
    "came, told",
    [
        ((0, TransferDifference.LOST), "not_sent"),
        ((0, TransferDifference.NOT_SENT), "lost"),
        ((0, TransferDifference.NOT_SENT), "broken"),
        (1, "not_sent"),
        (1, "lost"),
    ],
)
def test_what_is_missing_went_where_its_reason_says(
    refused: Try, here: Place, there: Place, came: Any, told: str
) -> None:
    lot, _ = opened(here)
    make_arrival(make_transfer(here, there, lot=lot, containers=1), came)
    second = make_transfer(here, there, lot=lot, containers=1)
    db.session.rollback()
    columns = ("note", "received_at", "recorded_at", "actor_id")
    arrived = f"INSERT INTO transfer_receipt (transfer_id, {', '.join(columns)}) SELECT '{second.hex}', {', '.join(columns)} FROM transfer_receipt"
    with db.engine.begin() as connection:
        connection.exec_driver_sql(arrived)
    line = inserted(
        "transfer_receipt_line",
        transfer_id=f"'{second.hex}'",
        containers="0",
        amount_ul="0",
        movement_id="NULL",
        difference=f"'{told}'",
        difference_movement_id="coalesce(difference_movement_id, movement_id)",
    )
    assert "law:transfer_is_moved" in refused(line)


def test_an_ended_transfer_takes_no_more_lines(refused: Try, here: Place, there: Place) -> None:
    lot, _ = opened(here)
    make_arrival(make_transfer(here, there, lot=lot, containers=2), 2)
    assert "law:transfer_is_moved" in refused(inserted("transfer_line", position="2"))


def test_what_was_sent_and_received_is_not_changed(
    app: Flask, refused: Try, here: Place, there: Place
) -> None:
    lot, _ = opened(here)
    make_arrival(make_transfer(here, there, lot=lot, containers=2), 2)
    for table in ("transfer", "transfer_line", "transfer_receipt", "transfer_receipt_line"):
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {_first(table)} = {_first(table)}"):
            said = refused(statement)
            assert "law:insert_only" in said or "permission denied" in said, said


def test_transit_is_never_below_zero(refused: Try, here: Place, there: Place) -> None:
    lot, _ = opened(here)
    make_transfer(here, there, lot=lot, containers=1)
    transit = db.session.scalars(
        select(Account.id).where(Account.lot_id == lot.id, Account.kind == AccountKind.TRANSIT)
    ).one()
    (moved,) = transfer_movements(lot)
    columns = [c.name for c in db.metadata.tables["movement"].columns if c.name != "id"]
    swapped = {"from_id": str(transit), "to_id": "from_id", "amount_ul": "amount_ul * 2"}
    chosen = [swapped.get(name, name) for name in columns]
    back = f"INSERT INTO movement ({', '.join(columns)}) SELECT {', '.join(chosen)} FROM movement WHERE id = {moved}"
    assert "never_negative" in refused(back)


def _first(table: str) -> str:
    return str(next(iter(db.metadata.tables[table].columns)).name)
