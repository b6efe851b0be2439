"""Returns to the supplier and destructions: what they take, what they close, what they refuse, and how one is reversed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select, text

from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import Actor, Role
from inventory.stock import services
from inventory.stock.models import (
    AccountKind,
    Disposal,
    DisposalLine,
    HoldKind,
    Lot,
    Movement,
    Vial,
    VialClosure,
    WasteReason,
)
from inventory.stock.queries.disposals import disposed
from inventory.stock.services.disposals import (
    Document,
    SealedLine,
    VialLine,
    destroy,
    return_to_supplier,
    reverse_disposal,
)
from tests.factories.catalogue import make_multi_dose_product, make_supplier
from tests.factories.staff import make_actor
from tests.factories.stock import balance_ul, make_delivery, make_open_vial, make_place
from tests.support.databases import OwnerConnection

Line = SealedLine | VialLine


def sealed(lot: Lot, containers: int = 3, reason: WasteReason = WasteReason.EXPIRED) -> SealedLine:
    return SealedLine(lot.id, make_place().location_id, containers, reason)


def document(*lines: Line, number: str = "RN 17", **more: Any) -> Document:
    return Document(make_place().site_id, number, lines, **more)


def two_people() -> tuple[Actor, Actor]:
    return make_actor(Role.MANAGER), make_actor(Role.PRACTITIONER)


def code_of(caught: pytest.ExceptionInfo[Refusal] | pytest.ExceptionInfo[Refusals]) -> Sequence[str]:
    refused = caught.value
    return [one.code for one in refused.refusals] if isinstance(refused, Refusals) else [refused.code]


def test_a_return_takes_sealed_and_opened_stock_on_one_document(app: Flask, at: datetime) -> None:
    manager, _ = two_people()
    lot = make_delivery(product_id=make_multi_dose_product().id, containers=5)
    vial = make_open_vial(lot)
    services.hold_lot(actor=manager, at=at, lot_id=lot.id, kind=HoldKind.RECALL, reason="Maker's letter")
    paper = document(
        sealed(lot, 3, WasteReason.RECALL),
        VialLine(vial.id, WasteReason.RECALL),
        supplier_id=make_supplier(),
        carrier="Invented Couriers",
    )
    made = return_to_supplier(actor=manager, at=at, document=paper)
    found = disposed(db.session(), made.subject_id)
    assert (found.disposal.number, found.disposal.kind, found.supplier) == (1, "return", "Invented Wholesale")
    assert [(one.line.containers, one.line.amount_ul) for one in found.lines] == [(3, 30_000), (0, 10_000)]
    assert balance_ul(lot) == 10_000
    assert balance_ul(lot, AccountKind.RETURNED) == 40_000
    closed = db.session.get_one(Vial, vial.id, populate_existing=True)
    assert closed.closure == VialClosure.RETURNED


def test_a_destruction_is_waste_before_a_witness(app: Flask, at: datetime, cli: FlaskCliRunner) -> None:
    manager, nurse = two_people()
    lot = make_delivery(product_id=make_multi_dose_product().id, containers=2)
    vial = make_open_vial(lot)
    paper = document(
        sealed(lot, 1),
        VialLine(vial.id, WasteReason.PAST_USE_BY),
        witness_id=nurse.id,
        disposed_at=at,
    )
    made = destroy(actor=manager, at=at, document=paper, request_key="once")
    again = destroy(actor=manager, at=at, document=paper, request_key="once")
    assert (again.subject_id, again.repeated) == (made.subject_id, True)
    movements = db.session.scalars(select(Movement).where(Movement.kind == "waste")).all()
    assert {m.witness_id for m in movements} == {nurse.id}
    assert balance_ul(lot, AccountKind.WASTE) == 20_000
    assert db.session.get_one(Vial, vial.id, populate_existing=True).closure == VialClosure.DISCARDED
    db.session.rollback()
    assert cli.invoke(args=["stock", "verify"]).exit_code == 0
    assert cli.invoke(args=["audit", "verify"]).exit_code == 0


def test_a_document_names_everything_it_lacks(app: Flask, at: datetime) -> None:
    manager, _ = two_people()
    with pytest.raises(Refusals) as caught:
        return_to_supplier(actor=manager, at=at, document=document(number=" "))
    assert code_of(caught) == ["DISPOSAL-DOCUMENT", "DISPOSAL-EMPTY", "DISPOSAL-SUPPLIER"]


@pytest.mark.parametrize("witness, code", [("none", "WITNESS-NEEDED"), ("self", "WITNESS-SAME")])
def test_a_destruction_without_another_person_is_refused(
    app: Flask, at: datetime, witness: str, code: str
) -> None:
    manager, _ = two_people()
    lot = make_delivery()
    paper = document(sealed(lot), witness_id=manager.id if witness == "self" else None)
    with pytest.raises(Refusals) as caught:
        destroy(actor=manager, at=at, document=paper)
    assert code_of(caught) == [code]
    assert balance_ul(lot) == 25_000


@pytest.mark.parametrize(
    "containers, reason, code",
    [
        (26, WasteReason.EXPIRED, "STOCK-SHORT"),
        (0, WasteReason.EXPIRED, "COUNT-RANGE"),
        (1, WasteReason.REMAINDER, "WASTE-REASON"),
        (1, WasteReason.OTHER, "NOTE-NEEDED"),
    ],
)
def test_a_line_that_cannot_be_is_refused(
    app: Flask, at: datetime, containers: int, reason: WasteReason, code: str
) -> None:
    manager, nurse = two_people()
    good, lot = make_delivery(), make_delivery()
    paper = document(sealed(good), sealed(lot, containers, reason), witness_id=nurse.id)
    with pytest.raises(Refusals) as caught:
        destroy(actor=manager, at=at, document=paper)
    assert code_of(caught) == [code]
    assert balance_ul(good) == 25_000
    assert db.session.scalars(select(Disposal)).all() == []


def test_the_same_stock_twice_is_refused(app: Flask, at: datetime) -> None:
    manager, nurse = two_people()
    lot = make_delivery()
    with pytest.raises(Refusals) as caught:
        destroy(actor=manager, at=at, document=document(sealed(lot), sealed(lot, 1), witness_id=nurse.id))
    assert code_of(caught) == ["DISPOSAL-TWICE"]


def test_stock_of_another_site_is_refused(app: Flask, at: datetime) -> None:
    manager, nurse = two_people()
    there = make_place(code="NORTH", location="Fridge")
    lot = make_delivery(product_id=make_multi_dose_product().id, place=there)
    vial = make_open_vial(lot, place=there)
    lines: list[Line] = [
        SealedLine(lot.id, there.location_id, 1, WasteReason.EXPIRED),
        VialLine(vial.id, WasteReason.EXPIRED),
    ]
    for line in lines:
        with pytest.raises(Refusal) as caught:
            destroy(actor=manager, at=at, document=document(line, witness_id=nurse.id))
        assert code_of(caught) == ["LOCATION-ELSEWHERE"]


def test_a_vial_goes_once_and_not_before_its_last_use(app: Flask, at: datetime) -> None:
    manager, nurse = two_people()
    day_ago = at - timedelta(days=1)
    lot = make_delivery(product_id=make_multi_dose_product().id, at=day_ago)
    vial = make_open_vial(lot, at=at - timedelta(hours=1))
    early = document(
        VialLine(vial.id, WasteReason.EXPIRED), witness_id=nurse.id, disposed_at=at - timedelta(hours=2)
    )
    with pytest.raises(Refusal) as caught:
        destroy(actor=manager, at=at, document=early)
    assert code_of(caught) == ["VIAL-USED-LATER"]
    paper = document(VialLine(vial.id, WasteReason.EXPIRED), witness_id=nurse.id)
    destroy(actor=manager, at=at, document=paper)
    with pytest.raises(Refusal) as caught:
        destroy(actor=manager, at=at, document=paper)
    assert code_of(caught) == ["VIAL-CLOSED"]


def test_nothing_is_taken_before_it_came(app: Flask, at: datetime) -> None:
    manager, nurse = two_people()
    lot = make_delivery()
    paper = document(sealed(lot), witness_id=nurse.id, disposed_at=at - timedelta(days=1))
    with pytest.raises(Refusal) as caught:
        destroy(actor=manager, at=at, document=paper)
    assert code_of(caught) == ["STOCK-SHORT-THEN"]


def test_a_document_recorded_wrongly_is_reversed_once(app: Flask, at: datetime, cli: FlaskCliRunner) -> None:
    manager, _ = two_people()
    one, other = make_delivery(), make_delivery()
    paper = document(sealed(one), sealed(other, 25), supplier_id=make_supplier())
    made = return_to_supplier(actor=manager, at=at, document=paper)
    reverse_disposal(actor=manager, at=at, disposal_id=made.subject_id, reason="Never left")
    assert (balance_ul(one), balance_ul(other)) == (25_000, 25_000)
    assert balance_ul(other, AccountKind.RETURNED) == 0
    found = disposed(db.session(), made.subject_id)
    assert found.reversal is not None
    assert found.reversal.note == "Never left"
    with pytest.raises(Refusal) as caught:
        reverse_disposal(actor=manager, at=at, disposal_id=made.subject_id, reason="Never left")
    assert code_of(caught) == ["ALREADY-REVERSED"]
    db.session.rollback()
    assert cli.invoke(args=["stock", "verify"]).exit_code == 0


def test_a_document_with_an_opened_vial_stays(app: Flask, at: datetime) -> None:
    manager, nurse = two_people()
    vial = make_open_vial(make_delivery(product_id=make_multi_dose_product().id))
    made = destroy(
        actor=manager,
        at=at,
        document=document(VialLine(vial.id, WasteReason.BROKEN), witness_id=nurse.id),
    )
    with pytest.raises(Refusal) as caught:
        reverse_disposal(actor=manager, at=at, disposal_id=made.subject_id, reason="Wrong")
    assert code_of(caught) == ["DISPOSAL-VIALS"]
    with pytest.raises(Refusal) as caught:
        reverse_disposal(actor=manager, at=at, disposal_id=made.subject_id, reason=" ")
    assert code_of(caught) == ["NOTE-NEEDED"]


def line_sql(like: DisposalLine, **changes: Any) -> str:
    """An INSERT of a line like another, by plain SQL."""
    columns = [column.name for column in DisposalLine.__table__.columns]
    chosen = [str(changes.get(name, name)) for name in columns]
    return f"INSERT INTO disposal_line ({', '.join(columns)}) SELECT {', '.join(chosen)} FROM disposal_line"


def test_the_database_takes_no_line_that_did_not_move(app: Flask, at: datetime) -> None:
    manager, nurse = two_people()
    lot = make_delivery()
    waste = services.waste_sealed(
        actor=manager,
        at=at,
        lot_id=lot.id,
        place=make_place(),
        containers=2,
        why=services.Why(WasteReason.BROKEN),
    )
    assert waste.subject_id == lot.id
    other = db.session.scalars(select(Movement.id).where(Movement.kind == "waste")).one()
    received = db.session.scalars(select(Movement.id).where(Movement.kind == "receive")).one()
    destroy(actor=manager, at=at, document=document(sealed(lot), witness_id=nurse.id))
    line = db.session.scalars(select(DisposalLine)).one()
    for changes in (
        {"position": 2, "movement_id": other},
        {"position": 2, "movement_id": received, "amount_ul": 25_000, "containers": 25},
        {"position": 2, "movement_id": other, "amount_ul": 2_000, "containers": 3},
    ):
        db.session.rollback()
        with pytest.raises(Exception, match="law:disposal_is_moved"), db.engine.begin() as connection:
            connection.execute(text(line_sql(line, **changes)))


def test_the_database_takes_no_destruction_without_another_person(app: Flask, at: datetime) -> None:
    manager, nurse = two_people()
    destroy(actor=manager, at=at, document=document(sealed(make_delivery()), witness_id=nurse.id))
    columns = [column.name for column in Disposal.__table__.columns]
    for column, value, name in (
        ("witness_id", "NULL", "ck_disposal_witnessed"),
        ("witness_id", "actor_id", "ck_disposal_witness"),
        ("document_number", "''", "ck_disposal_document"),
        ("kind", "'return'", "ck_disposal_supplier"),
    ):
        changed = {"id": "actor_id", "number": "2", column: value}
        chosen = ", ".join(changed.get(one, one) for one in columns)
        db.session.rollback()
        with pytest.raises(Exception, match=name), db.engine.begin() as connection:
            connection.execute(
                text(f"INSERT INTO disposal ({', '.join(columns)}) SELECT {chosen} FROM disposal")
            )


def test_nothing_of_a_document_is_changed_or_erased(app: Flask, at: datetime) -> None:
    manager, nurse = two_people()
    destroy(actor=manager, at=at, document=document(sealed(make_delivery()), witness_id=nurse.id))
    for statement in (
        "UPDATE disposal SET document_number = 'X'",
        "UPDATE disposal_line SET reason = 'broken'",
        "DELETE FROM disposal_line",
        "DELETE FROM disposal",
    ):
        db.session.rollback()
        with (
            pytest.raises(Exception, match=r"law:insert_only|permission denied"),
            db.engine.begin() as connection,
        ):
            connection.execute(text(statement))


def test_verify_finds_a_line_that_is_not_its_movement(
    app: Flask, at: datetime, cli: FlaskCliRunner, owner_connection: OwnerConnection
) -> None:
    manager, nurse = two_people()
    made = destroy(actor=manager, at=at, document=document(sealed(make_delivery()), witness_id=nurse.id))
    assert isinstance(made.subject_id, UUID)
    sqlite = db.engine.dialect.name == "sqlite"
    db.session.rollback()
    switch = (
        ("DROP TRIGGER disposal_line_no_update",)
        if sqlite
        else ("ALTER TABLE disposal_line DISABLE TRIGGER USER",)
    )
    for statement in (*switch, "UPDATE disposal_line SET containers = 2, amount_ul = 2000"):
        owner_connection.execute(statement)
    owner_connection.commit()
    found = cli.invoke(args=["stock", "verify"])
    assert found.exit_code == 1
    assert "does not match its movement" in found.output
