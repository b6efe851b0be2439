"""A recall holds every lot it names in one act, wherever it lies and whenever it comes, and is closed when all is done."""

import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from inventory.audit.acts import Act, Outcome, perform
from inventory.audit.models import AuditEntry
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.stock import queries
from inventory.stock.models import Hold, HoldKind, Lot, LotCorrection, Recall, RecallLine, WasteReason
from inventory.stock.notices import NamedLot
from inventory.stock.queries import named_lots
from inventory.stock.queries import recalls as found
from inventory.stock.rules import StateCode, lot_number_key
from inventory.stock.services import Why, discard_vial, open_vial, release_hold, waste_sealed
from inventory.stock.services.recalls import (
    Chosen,
    Notice,
    add_lots_to_recall,
    close_recall,
    open_recall,
    release_recall,
    still_to_do,
)
from tests.factories.catalogue import make_multi_dose_product, make_product
from tests.factories.stock import make_delivery, make_open_vial, make_place
from tests.support.at_once import at_once

NOTICE = Notice(title="Cracked vials", reason="Glass particles were found", reference="FDA-1")


def opened(*numbers: str, at: datetime, **more: object) -> Recall:
    named = [NamedLot(*number.split("|")) for number in numbers]
    chosen = more.pop("chosen", None)
    done = open_recall(
        actor=SYSTEM_ACTOR,
        at=at,
        site_id=make_place().site_id,
        notice=more.pop("notice", NOTICE),  # type: ignore[arg-type]
        named=named,
        chosen=chosen,  # type: ignore[arg-type]
        **more,  # type: ignore[arg-type]
    )
    return found.recall_by_id(db.session(), done.subject_id)


def lines(recall: Recall) -> list[RecallLine]:
    return [row.line for row in found.lines_of(db.session(), recall.id)]


def held(lot: Lot) -> list[HoldKind]:
    return [hold.kind for hold in queries.active_holds(db.session(), {lot.id})[lot.id]]


def correct(lot: Lot, *, number: str = "", merged_into: Lot | None = None, at: datetime) -> None:
    """Write that a lot was corrected, as the laws of the database ask for it."""
    number = merged_into.lot_number if merged_into else number

    def write(act: Act) -> Outcome:
        values = {
            "id": uuid7(),
            "lot_id": lot.id,
            "position": 1,
            "lot_number_before": lot.lot_number,
            "expires_on_before": lot.expires_on,
            "expires_month_only_before": False,
            "lot_number": number,
            "lot_number_key": lot_number_key(number),
            "expires_on": lot.expires_on,
            "expires_month_only": False,
            "merged_into_id": merged_into.id if merged_into else None,
            "reason": "A typo",
            "corrected_at": at,
            "actor_id": act.actor.id,
            "approved_by_id": act.actor.id,
        }
        act.insert(LotCorrection, values)
        if merged_into is None:
            row = act.session.get_one(Lot, lot.id)
            row.lot_number, row.lot_number_key = number, lot_number_key(number)
        return act.record("stock.correct-lot", "lot", lot.id)

    perform(write, actor=SYSTEM_ACTOR, at=at)


def test_holds_every_lot_of_the_number_everywhere_in_one_act(app: Flask, at: datetime) -> None:
    first = make_delivery(lot_number="ab 12")
    second = make_delivery(lot_number="AB12", place=make_place(code="WEST", location="Fridge"))
    other = make_delivery(lot_number="AB13")
    recall = opened("aB 12", "ZZ9", at=at)
    assert {line.lot_id for line in lines(recall)} == {first.id, second.id, None}
    assert (held(first), held(second), held(other)) == ([HoldKind.RECALL], [HoldKind.RECALL], [])
    entries = db.session.scalar(
        select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "stock.open-recall")
    )
    assert entries == 1
    west = make_place(code="WEST", location="Fridge").site_id
    standing = queries.drawable(db.session(), site_id=west, on=at.date())
    assert [one.state.code for one in standing] == [StateCode.RECALLED]


def test_numbers_of_recalls_leave_no_gap(app: Flask, at: datetime) -> None:
    make_delivery(lot_number="A1")
    first = opened("A1", at=at)
    with pytest.raises(Refusal):
        opened("A1", at=at, notice=Notice(title="x", reason=" "))
    assert (first.number, opened("A1", at=at).number) == (1, 2)


def test_a_product_narrows_a_number(app: Flask, at: datetime) -> None:
    gtin = "00305170031251"
    mine, other = make_product(gtin=gtin), make_product(gtin="00305170031268")
    lot = make_delivery(product_id=mine.id, lot_number="1662")
    same = make_delivery(product_id=other.id, lot_number="1662")
    opened(f"1662|{gtin}", at=at)
    assert (held(lot), held(same)) == ([HoldKind.RECALL], [])
    opened(f"1662|{other.name.upper()}", at=at)
    assert held(same) == [HoldKind.RECALL]


@pytest.mark.parametrize("said", ["00305170031251", "Another maker's B12"])
@pytest.mark.parametrize("gtin", ["", "00305170031268"])
def test_an_unknown_product_leaves_out_no_lot_of_the_number(
    app: Flask, at: datetime, said: str, gtin: str
) -> None:
    lot = make_delivery(lot_number="1662", product_id=make_product(gtin=gtin).id)
    (match,) = named_lots.matches_of(db.session(), [NamedLot("1662", said)])
    assert [one.how for one in match.lots] == ["the notice names another product: compare"]
    opened(f"1662|{said}", at=at)
    assert held(lot) == [HoldKind.RECALL]
    assert held(make_delivery(lot_number="1662", product_id=make_product().id)) == [HoldKind.RECALL]


def test_a_product_without_a_code_may_be_the_named_one(app: Flask, at: datetime) -> None:
    make_product(gtin="00305170031251")
    lot = make_delivery(lot_number="1662", product_id=make_product().id)
    opened("1662|00305170031251", at=at)
    later = make_delivery(lot_number="1662", product_id=make_product().id)
    assert (held(lot), held(later)) == ([HoldKind.RECALL], [HoldKind.RECALL])


@pytest.mark.parametrize(
    "typed", ["Batch VI01001B", "VI01001B 31/10/2026", "VI-01001B", "lot vi 01001b.", "(VI01001B)"]
)
def test_a_number_inside_what_was_typed_is_a_guess(app: Flask, at: datetime, typed: str) -> None:
    lot, other = make_delivery(lot_number="VI01001B"), make_delivery(lot_number="VI01001")
    (match,) = named_lots.matches_of(db.session(), [NamedLot(typed)])
    assert [(one.lot.id, one.is_guess) for one in match.lots] == [(lot.id, True)]
    opened(typed, at=at)
    assert (held(lot), held(other)) == ([], [])
    chosen = Chosen(frozenset({lot.id}), frozenset({lot.id}))
    recall = opened(typed, at=at, chosen=chosen)
    assert held(lot) == [HoldKind.RECALL]
    assert [(line.lot_number, line.lot_id) for line in lines(recall)] == [("VI01001B", lot.id)]


def test_a_former_number_inside_what_was_typed_is_a_guess_too(app: Flask, at: datetime) -> None:
    lot = make_delivery(lot_number="old 1")
    correct(lot, number="NEW1", at=at)
    (match,) = named_lots.matches_of(db.session(), [NamedLot("Batch OLD1")])
    assert [(one.lot.id, one.is_guess) for one in match.lots] == [(lot.id, True)]


def test_what_was_left_out_of_the_preview_is_not_held(app: Flask, at: datetime) -> None:
    lot, other = make_delivery(lot_number="1662"), make_delivery(lot_number="1662")
    chosen = Chosen(frozenset({lot.id, other.id}), frozenset({lot.id}))
    recall = opened("1662", at=at, chosen=chosen)
    assert (held(lot), held(other)) == ([HoldKind.RECALL], [])
    make_delivery(product_id=other.product_id, lot_number="1662")
    assert held(other) == []
    assert [line.lot_id for line in lines(recall)] == [lot.id]


def test_a_lot_the_preview_did_not_show_stops_it(app: Flask, at: datetime) -> None:
    lot = make_delivery(lot_number="1662")
    make_delivery(lot_number="1662")
    with pytest.raises(Refusal, match="RECALL-LOTS-CHANGED"):
        opened("1662", at=at, chosen=Chosen(frozenset({lot.id}), frozenset({lot.id})))
    assert held(lot) == []
    assert db.session.scalar(select(func.count()).select_from(Recall)) == 0


@pytest.mark.parametrize("is_drill", [True, False])
def test_a_delivery_of_a_remembered_number_is_held_by_the_recall(
    app: Flask, at: datetime, is_drill: bool
) -> None:
    recall = opened(" 16-62 ", at=at, notice=Notice(title="Cracks", reason="Glass", is_drill=is_drill))
    assert [line.lot_id for line in lines(recall)] == [None]
    lot = make_delivery(lot_number="16-62")
    assert held(lot) == [HoldKind.RECALL]
    reason = db.session.scalars(select(Hold.reason).where(Hold.lot_id == lot.id)).one()
    assert reason == ("DRILL. " if is_drill else "") + "Recall MAIN-R001: Cracks"
    assert [line.lot_id for line in lines(recall)] == [None, lot.id]
    assert found.recalled_lot_ids(db.session(), recall.id) == [lot.id]
    make_delivery(product_id=lot.product_id, lot_number="16-62")
    assert held(lot) == [HoldKind.RECALL]


def test_a_delivery_of_another_product_than_the_recalled_is_not_held(app: Flask, at: datetime) -> None:
    product, other = make_product(gtin="00305170031251"), make_product(gtin="00305170031268")
    opened("1662|00305170031251", at=at)
    assert held(make_delivery(product_id=other.id, lot_number="1662")) == []
    assert held(make_delivery(product_id=product.id, lot_number="1662")) == [HoldKind.RECALL]


def test_a_number_without_a_product_holds_a_delivery_of_any(app: Flask, at: datetime) -> None:
    make_delivery(lot_number="1662")
    opened("1662", at=at)
    assert held(make_delivery(product_id=make_product().id, lot_number="1662")) == [HoldKind.RECALL]


def test_a_closed_recall_holds_no_delivery(app: Flask, at: datetime) -> None:
    recall = opened("1662", at=at)
    close_recall(actor=SYSTEM_ACTOR, at=at, recall_id=recall.id, outcome="None of it was here.")
    assert held(make_delivery(lot_number="1662")) == []


def test_a_lot_is_found_by_its_former_number(app: Flask, at: datetime) -> None:
    lot = make_delivery(lot_number="old 1")
    correct(lot, number="NEW1", at=at)
    (match,) = named_lots.matches_of(db.session(), [NamedLot("OLD1")])
    assert [(one.lot.id, one.how) for one in match.lots] == [
        (lot.id, "recorded as old 1 before it was corrected")
    ]
    opened("OLD1", at=at)
    assert held(lot) == [HoldKind.RECALL]


@pytest.mark.parametrize("typed", ["TYPO", "RIGHT"])
def test_merged_lots_are_recalled_together(app: Flask, at: datetime, typed: str) -> None:
    right = make_delivery(lot_number="RIGHT")
    typo = make_delivery(lot_number="TYPO", product_id=right.product_id)
    correct(typo, merged_into=right, at=at)
    opened(typed, at=at)
    assert (held(right), held(typo)) == ([HoldKind.RECALL], [HoldKind.RECALL])


def test_lots_are_added_later_once(app: Flask, at: datetime) -> None:
    lot, more = make_delivery(lot_number="A1"), make_delivery(lot_number="A2")
    recall = opened("A1", at=at)
    named = [NamedLot("A1"), NamedLot("A2"), NamedLot("A3")]
    add_lots_to_recall(actor=SYSTEM_ACTOR, at=at, recall_id=recall.id, named=named)
    assert (held(lot), held(more)) == ([HoldKind.RECALL], [HoldKind.RECALL])
    numbers = [(line.position, line.lot_number, line.lot_id) for line in lines(recall)]
    assert numbers == [(1, "A1", lot.id), (2, "A2", more.id), (3, "A3", None)]
    with pytest.raises(Refusal, match="RECALL-LOTS-THERE"):
        add_lots_to_recall(actor=SYSTEM_ACTOR, at=at, recall_id=recall.id, named=named)


def test_nothing_of_it_is_opened_while_it_is_held(app: Flask, at: datetime) -> None:
    lot = make_delivery(lot_number="A1", product_id=make_multi_dose_product().id)
    opened("A1", at=at)
    place = make_place()
    with pytest.raises(Refusal, match="LOT-HELD"):
        open_vial(
            actor=SYSTEM_ACTOR, at=at, lot_id=lot.id, site_id=place.site_id, location_id=place.location_id
        )


def test_its_holds_are_released_together_with_a_reason(app: Flask, at: datetime) -> None:
    lots = [make_delivery(lot_number=number) for number in ("A1", "A2")]
    recall = opened("A1", "A2", at=at)
    with pytest.raises(Refusal, match="NOTE-NEEDED"):
        release_recall(actor=SYSTEM_ACTOR, at=at, recall_id=recall.id, reason=" ")
    release_recall(actor=SYSTEM_ACTOR, at=at, recall_id=recall.id, reason="The drill is over")
    assert [held(lot) for lot in lots] == [[], []]
    with pytest.raises(Refusal, match="RECALL-NOTHING-HELD"):
        release_recall(actor=SYSTEM_ACTOR, at=at, recall_id=recall.id, reason="Twice")


def test_is_not_closed_while_stock_lies_there(app: Flask, at: datetime) -> None:
    lot = make_delivery(lot_number="A1", product_id=make_multi_dose_product().id, containers=3)
    vial = make_open_vial(lot)
    recall = opened("A1", at=at)
    with pytest.raises(Refusal, match="2 sealed containers and 1 open vial of its lots must be"):
        close_recall(actor=SYSTEM_ACTOR, at=at, recall_id=recall.id, outcome="Done")
    why = Why(WasteReason.RECALL)
    discard_vial(actor=SYSTEM_ACTOR, at=at, vial_id=vial.id, why=why)
    waste_sealed(actor=SYSTEM_ACTOR, at=at, lot_id=lot.id, place=make_place(), containers=1, why=why)
    assert still_to_do(db.session(), recall.id) == [
        "1 sealed container of its lots must be returned, destroyed or released"
    ]
    hold_id = db.session.scalars(select(Hold.id)).one()
    release_hold(actor=SYSTEM_ACTOR, at=at, hold_id=hold_id, reason="The maker cleared it")
    close_recall(actor=SYSTEM_ACTOR, at=at, recall_id=recall.id, outcome="Done")
    assert found.recall_by_id(db.session(), recall.id).outcome == "Done"
    with pytest.raises(Refusal, match="RECALL-CLOSED"):
        close_recall(actor=SYSTEM_ACTOR, at=at, recall_id=recall.id, outcome="Twice")
    with pytest.raises(Refusal, match="RECALL-CLOSED"):
        add_lots_to_recall(actor=SYSTEM_ACTOR, at=at, recall_id=recall.id, named=[NamedLot("A2")])


def test_is_closed_all_the_same_where_somebody_says_why(app: Flask, at: datetime) -> None:
    make_delivery(lot_number="A1")
    recall = opened("A1", at=at)
    with pytest.raises(Refusal, match="OUTCOME-NEEDED"):
        close_recall(actor=SYSTEM_ACTOR, at=at, recall_id=recall.id, outcome=" ", although="x")
    close_recall(actor=SYSTEM_ACTOR, at=at, recall_id=recall.id, outcome="Done", although="Fetched on Monday")
    said = found.recall_by_id(db.session(), recall.id).outcome
    assert said == (
        "Done\n\nClosed although: 25 sealed containers of its lots must be returned, destroyed or released."
        " Fetched on Monday"
    )


def test_tells_what_became_of_its_lots(app: Flask, at: datetime) -> None:
    lot = make_delivery(lot_number="A1", containers=5)
    waste_sealed(
        actor=SYSTEM_ACTOR,
        at=at,
        lot_id=lot.id,
        place=make_place(),
        containers=2,
        why=Why(WasteReason.BROKEN),
    )
    fate = found.fates_of(db.session(), [lot.id])[lot.id]
    assert (fate.received, fate.wasted, fate.held, fate.destroyed, fate.given) == (5_000, 2_000, 3_000, 0, 0)
    (standing,) = found.standing_stock(db.session(), [lot.id])
    assert (standing.containers, standing.location_name, standing.volume_ul) == (3, "Cabinet", 3_000)


def test_a_delivery_and_a_recall_at_once_never_miss_each_other(app: Flask) -> None:
    site_id, product_id = make_place().site_id, make_product().id
    make_delivery(lot_number="FIRST", product_id=product_id)
    db.session.rollback()
    start, wrong = threading.Barrier(2), []

    def run(work: Callable[[], object]) -> None:
        with app.app_context():
            start.wait(timeout=10)
            try:
                work()
            except (Refusal, DBAPIError) as error:
                wrong.append(error)
            finally:
                db.session.remove()

    for number in range(6):
        named = [NamedLot(f"L{number}")]
        receive = lambda n=number: make_delivery(lot_number=f"L{n}", product_id=product_id)  # noqa: E731
        recall = lambda n=named: open_recall(  # noqa: E731
            actor=SYSTEM_ACTOR, at=clock.now(), site_id=site_id, notice=NOTICE, named=n
        )
        threads = [threading.Thread(target=run, args=(work,)) for work in (receive, recall)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)
    assert wrong == []
    lots = db.session.scalars(select(Lot).where(Lot.lot_number.startswith("L"))).all()
    assert {lot.lot_number: held(lot) for lot in lots} == {f"L{n}": [HoldKind.RECALL] for n in range(6)}


def test_deliveries_at_once_join_the_same_recall(app: Flask) -> None:
    place, products = make_place(), [make_product().id for _ in range(6)]
    recall = opened("L1", at=clock.now())
    at_once(
        app,
        [
            lambda one=one: make_delivery(lot_number="L1", product_id=one, place=place).id  # type: ignore[misc]
            for one in products
        ],
    )
    assert sorted(line.position for line in lines(recall)) == list(range(1, 8))
    assert len({line.hold_id for line in lines(recall) if line.hold_id}) == 6


def test_the_same_request_opens_one_recall(app: Flask, at: datetime) -> None:
    make_delivery(lot_number="A1")
    first = opened("A1", at=at, request_key="01890000-0000-7000-8000-000000000001")
    again = opened("A1", at=at, request_key="01890000-0000-7000-8000-000000000001")
    assert first.id == again.id
    assert db.session.scalar(select(func.count()).select_from(Hold)) == 1


def test_expiry_has_no_part_in_it(app: Flask, at: datetime) -> None:
    lot = make_delivery(lot_number="A1", expires_on=date(2026, 3, 1), hold_expired=True)
    opened("A1", at=at + timedelta(minutes=1))
    assert set(held(lot)) == {HoldKind.HOLD, HoldKind.RECALL}
