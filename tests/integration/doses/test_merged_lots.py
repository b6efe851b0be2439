"""What stands elsewhere about a lot follows it into the lot it was merged with: recalls, holds, counts, documents put back."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from inventory.clinic.models import Location
from inventory.doses.queries.recalls import recipients
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor, Role
from inventory.stock import queries, services, verification
from inventory.stock.counting import field_of
from inventory.stock.exposure import Reading
from inventory.stock.ledger import Place
from inventory.stock.models import (
    AdjustReason,
    CountOutcome,
    ExcursionDecision,
    Hold,
    HoldKind,
    Lot,
    StockCount,
    TemperatureExcursion,
    WasteReason,
)
from inventory.stock.notices import NamedLot
from inventory.stock.queries.recalls import lines_of, recalled_lot_ids, recalls_page
from inventory.stock.queries.relabelled import newest
from inventory.stock.services import Explanation, Tally
from inventory.stock.services.disposals import Document, SealedLine, return_to_supplier, reverse_disposal
from inventory.stock.services.recalls import (
    Chosen,
    Notice,
    add_lots_to_recall,
    close_recall,
    open_recall,
    release_recall,
    still_to_do,
)
from inventory.stock.services.temperatures import (
    LoggerFile,
    decide_excursion,
    record_logger_file,
    record_temperature,
)
from tests.factories.catalogue import make_multi_dose_product, make_product, make_supplier
from tests.factories.doses import Bench
from tests.factories.merges import correct, make_twins, merge
from tests.factories.patients import make_patient
from tests.factories.staff import make_actor
from tests.factories.stock import EXPIRES_ON, balance_ul, make_delivery, make_open_vial, make_place
from tests.factories.transfers import make_consignment

HOUR = timedelta(hours=1)


@pytest.fixture
def manager(bench: Bench) -> Actor:
    return make_actor(Role.MANAGER)


@pytest.fixture
def twins(bench: Bench) -> tuple[Lot, Lot]:
    return make_twins(make_product(), place=bench.place)


def recall_of(*numbers: str, at: datetime, chosen: Chosen | None = None) -> UUID:
    return open_recall(
        actor=SYSTEM_ACTOR,
        at=at,
        site_id=make_place().site_id,
        notice=Notice(title="Particles", reason="Particles were seen."),
        named=[NamedLot(number) for number in numbers],
        chosen=chosen,
    ).subject_id


def give_to(bench: Bench, name: str, lot: Lot) -> None:
    bench.give(bench.request(lot=lot, patient_id=make_patient(family_name=name)))


def reached(recall_id: UUID) -> set[str]:
    db.session.rollback()
    return {one.name.split(",")[0] for one in recipients(db.session(), recall_id)}


def holds_of(lot: Lot) -> list[tuple[str, str]]:
    db.session.rollback()
    found = queries.active_holds(db.session(), [lot.id]).get(lot.id, [])
    return sorted((hold.kind, hold.reason) for hold in found)


def disagreements() -> list[str]:
    db.session.rollback()
    return list(verification.findings(db.session()))


@pytest.mark.parametrize("named", ["TYP0", "TYPO"])
def test_a_recall_reaches_the_lot_that_one_of_its_own_is_merged_with(
    bench: Bench, manager: Actor, twins: tuple[Lot, Lot], named: str, at: datetime
) -> None:
    wrong, right = twins
    give_to(bench, "Abel", wrong)
    give_to(bench, "Bell", right)
    recall_id = recall_of(named, at=at)
    merge(manager, wrong, right, at=at + HOUR)
    assert reached(recall_id) == {"Abel", "Bell"}
    assert set(recalled_lot_ids(db.session(), recall_id)) == {wrong.id, right.id}
    assert "8 sealed containers of its lots" in " ".join(still_to_do(db.session(), recall_id))
    assert [kind for kind, _ in holds_of(right)] == ["recall"]
    assert not disagreements()
    release_recall(actor=manager, at=at + 2 * HOUR, recall_id=recall_id, reason="It was another maker.")
    assert not holds_of(right)
    assert not holds_of(wrong)


def test_a_recall_reaches_what_was_merged_before_with_the_lot_that_goes_over(
    bench: Bench, manager: Actor, twins: tuple[Lot, Lot], at: datetime
) -> None:
    wrong, right = twins
    third = make_delivery(place=bench.place, product_id=wrong.product_id, lot_number="TRUE1")
    recall_id = recall_of("TRUE1", at=at)
    merge(manager, wrong, right, at=at + HOUR)
    merge(manager, right, third, at=at + 2 * HOUR)
    assert set(recalled_lot_ids(db.session(), recall_id)) == {wrong.id, right.id, third.id}
    assert not disagreements()


def test_what_a_recall_holds_is_not_freed_by_going_over_into_a_lot_that_was_released(
    bench: Bench, manager: Actor, twins: tuple[Lot, Lot], at: datetime
) -> None:
    wrong, right = twins
    recall_id = recall_of("TYP0", "TYPO", at=at)
    [hold] = queries.active_holds(db.session(), [right.id])[right.id]
    services.release_hold(actor=manager, at=at, hold_id=hold.id, reason="This one is of another maker.")
    merge(manager, wrong, right, at=at + HOUR)
    assert [kind for kind, _ in holds_of(right)] == ["recall"]
    assert not disagreements()
    [row] = recalls_page(db.session()).items
    assert (row.numbers, row.held) == (2, 2)
    [hold] = queries.active_holds(db.session(), [right.id])[right.id]
    services.release_hold(actor=manager, at=at + HOUR, hold_id=hold.id, reason="And so is that one.")
    correct(manager, right.id, at=at + HOUR, expires_on=EXPIRES_ON + timedelta(days=1))
    assert not holds_of(right)
    release_recall(actor=manager, at=at + 2 * HOUR, recall_id=recall_id, reason="It was another maker.")


def test_what_a_recall_let_go_is_not_held_anew_by_going_over_into_a_lot_that_it_holds(
    bench: Bench, manager: Actor, twins: tuple[Lot, Lot], at: datetime
) -> None:
    wrong, right = twins
    recall_id = recall_of("TYP0", "TYPO", at=at)
    [hold] = queries.active_holds(db.session(), [wrong.id])[wrong.id]
    services.release_hold(actor=manager, at=at, hold_id=hold.id, reason="This one is of another maker.")
    merge(manager, wrong, right, at=at + HOUR)
    assert [kind for kind, _ in holds_of(right)] == ["recall"]
    assert not holds_of(wrong)
    assert len(lines_of(db.session(), recall_id)) == 2
    assert not disagreements()


def test_a_closed_recall_stays_as_it_was_closed_and_its_hold_goes_along(
    bench: Bench, manager: Actor, twins: tuple[Lot, Lot], at: datetime
) -> None:
    wrong, right = twins
    recall_id = recall_of("TYP0", at=at)
    close_recall(actor=manager, at=at, recall_id=recall_id, outcome="Done.", although="It is all set apart.")
    merge(manager, wrong, right, at=at + HOUR)
    assert set(recalled_lot_ids(db.session(), recall_id)) == {wrong.id}
    assert [kind for kind, _ in holds_of(right)] == ["recall"]
    assert not disagreements()


def test_a_lot_that_gets_a_recalled_number_is_recalled_with_what_was_merged_into_it(
    bench: Bench, manager: Actor, twins: tuple[Lot, Lot], at: datetime
) -> None:
    wrong, right = twins
    give_to(bench, "Abel", wrong)
    merge(manager, wrong, right, at=at)
    recall_id = recall_of("REAL1", at=at + HOUR)
    correct(manager, right.id, at=at + 2 * HOUR, lot_number="REAL1")
    assert set(recalled_lot_ids(db.session(), recall_id)) == {wrong.id, right.id}
    assert reached(recall_id) == {"Abel"}
    assert not disagreements()


def test_one_lot_of_two_numbers_is_recalled_whole_or_not_at_all(
    bench: Bench, manager: Actor, twins: tuple[Lot, Lot], at: datetime
) -> None:
    wrong, right = twins
    merge(manager, wrong, right, at=at)
    both = frozenset({wrong.id, right.id})
    recall_id = recall_of("TYPO", at=at + HOUR, chosen=Chosen(shown=both, meant=frozenset({right.id})))
    assert set(recalled_lot_ids(db.session(), recall_id)) == both
    other = recall_of("ELSE1", at=at + HOUR)
    add_lots_to_recall(
        actor=manager,
        at=at + HOUR,
        recall_id=other,
        named=[NamedLot("TYP0")],
        chosen=Chosen(shown=both, meant=frozenset({wrong.id})),
    )
    assert set(recalled_lot_ids(db.session(), other)) == both
    assert not disagreements()


def test_a_recall_that_names_half_of_a_merged_lot_is_found(
    bench: Bench, manager: Actor, twins: tuple[Lot, Lot], at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong, right = twins
    recall_of("TYP0", at=at)
    monkeypatch.setattr("inventory.stock.services.correcting.name_whole", lambda *_, **__: [])
    merge(manager, wrong, right, at=at + HOUR)
    [found] = disagreements()
    assert "names only one of the lots TYP0 and TYPO" in found


def test_a_decision_about_an_excursion_reaches_the_lot_that_its_stock_became(
    bench: Bench, manager: Actor, at: datetime
) -> None:
    fridge = make_place(location="Fridge 1")
    cold = make_product(storage_min_decicelsius=20, storage_max_decicelsius=80)
    wrong, right = make_twins(cold, place=fridge)
    location = db.session.get_one(Location, fridge.location_id)
    record_temperature(actor=SYSTEM_ACTOR, at=at, location=location, decicelsius=250)
    merge(manager, wrong, right, at=at + HOUR)
    assert len(holds_of(right)) == 2
    excursion = db.session.scalars(select(TemperatureExcursion)).one()
    decide_excursion(
        actor=manager,
        at=at + 2 * HOUR,
        excursion_id=excursion.id,
        decision=ExcursionDecision.RELEASE,
        note="The maker allows it.",
    )
    assert not holds_of(right)
    assert db.session.scalar(select(Hold.id).where(Hold.released_at.is_(None))) is None


def test_a_lot_that_was_merged_is_not_held_any_more(
    bench: Bench, manager: Actor, twins: tuple[Lot, Lot], at: datetime
) -> None:
    wrong, right = twins
    merge(manager, wrong, right, at=at)
    with pytest.raises(Refusal) as caught:
        services.hold_lot(actor=manager, at=at, lot_id=wrong.id, kind=HoldKind.HOLD, reason="Cloudy")
    assert caught.value.code == "LOT-MERGED"
    assert not holds_of(right)


def test_what_a_reversed_document_puts_back_goes_after_its_lot(
    bench: Bench, manager: Actor, twins: tuple[Lot, Lot], at: datetime
) -> None:
    wrong, right = twins
    line = SealedLine(wrong.id, bench.place.location_id, 2, WasteReason.EXPIRED)
    document = Document(bench.place.site_id, "RN1", [line], supplier_id=make_supplier())
    disposal = return_to_supplier(actor=manager, at=at, document=document)
    merge(manager, wrong, right, at=at + HOUR)
    reverse_disposal(actor=manager, at=at + 2 * HOUR, disposal_id=disposal.subject_id, reason="Not picked up")
    assert (balance_ul(wrong), balance_ul(right)) == (0, 10_000)
    assert not disagreements()


def start(actor: Actor, bench: Bench, at: datetime) -> StockCount:
    begun = services.start_count(
        actor=actor, at=at, site_id=bench.place.site_id, location_id=bench.place.location_id
    )
    return queries.count_by_id(db.session(), begun.subject_id)


def counted(bench: Bench, wrong: Lot, right: Lot, *, containers: tuple[int, int]) -> Tally:
    own = balance_ul(bench.lot) // bench.lot.container_volume_ul
    return Tally({bench.lot.id: own, **dict(zip((wrong.id, right.id), containers, strict=True))})


def test_a_merged_lot_is_not_counted_any_more(
    bench: Bench, manager: Actor, twins: tuple[Lot, Lot], at: datetime
) -> None:
    wrong, right = twins
    count = start(bench.nurse, bench, at)
    merge(manager, wrong, right, at=at + HOUR)
    count = queries.count_by_id(db.session(), count.id)
    listed = [line.lot.lot_number for line in queries.sheet(db.session(), count, at=at + HOUR)]
    assert "TYPO" in listed
    assert "TYP0" not in listed
    assert queries.lots_named(db.session(), "TYP0", scan=None) == [right.id]
    with pytest.raises((Refusal, Refusals)) as caught:
        tally = counted(bench, wrong, right, containers=(5, 10))
        services.hand_in_count(actor=bench.nurse, at=at + HOUR, count_id=count.id, tally=tally)
    db.session.rollback()
    refusals = getattr(caught.value, "refusals", [caught.value])
    assert [one.code for one in refusals] == ["LOT-MERGED"]
    assert refusals[0].field == field_of(wrong.id, None)


def test_a_count_is_stale_once_what_differed_was_merged(
    bench: Bench, manager: Actor, twins: tuple[Lot, Lot], at: datetime
) -> None:
    wrong, right = twins
    count_id = start(bench.nurse, bench, at).id
    tally = counted(bench, wrong, right, containers=(6, 5))
    services.hand_in_count(actor=bench.nurse, at=at, count_id=count_id, tally=tally)
    merge(manager, wrong, right, at=at + HOUR)
    lines = queries.lines_of(db.session(), queries.count_by_id(db.session(), count_id))
    why = {one.line.position: Explanation(AdjustReason.FOUND) for one in lines if one.difference_ul}
    with pytest.raises(Refusal) as caught:
        services.post_count(actor=manager, at=at + HOUR, count_id=count_id, explanations=why)
    assert caught.value.code == "COUNT-STALE"
    db.session.rollback()
    assert (balance_ul(wrong), balance_ul(right)) == (0, 10_000)
    assert db.session.get_one(StockCount, count_id).outcome != CountOutcome.POSTED


def upload(place: Place, *, read_at: datetime, at: datetime) -> None:
    location = db.session.get_one(Location, place.location_id)
    readings = [Reading(read_at, 250)]
    file = LoggerFile("fridge.csv", "0" * 64)
    record_logger_file(actor=SYSTEM_ACTOR, at=at, location=location, readings=readings, file=file)
    db.session.rollback()


def usable(lot: Lot, place: Place, *, at: datetime) -> list[str]:
    """Return where something of the lot lies that no hold covers."""
    found = queries.drawable(db.session(), site_id=place.site_id, on=at.date())
    return [one.location.name for one in found if one.lot.id == lot.id and not one.is_held]


def test_what_was_exposed_before_its_lot_was_merged_is_held_as_the_lot_it_is_now(
    bench: Bench, manager: Actor, at: datetime
) -> None:
    fridge, room = make_place(location="Fridge 1"), make_place(location="Room")
    cold = make_multi_dose_product(storage_min_decicelsius=20, storage_max_decicelsius=80)
    wrong = make_delivery(place=fridge, product_id=cold.id, lot_number="TYP0", received_at=at - 9 * HOUR)
    right = make_delivery(place=fridge, product_id=cold.id, lot_number="TYPO", received_at=at - HOUR)
    opened_before, opened_since = (make_open_vial(wrong, place=fridge, at=when) for when in (at, at + HOUR))
    merge(manager, wrong, right, at=at + 2 * HOUR)
    vials = [newest(db.session(), one.id) for one in (opened_before, opened_since)]
    moved = make_consignment(fridge, room, lot=right, containers=2, vials=[one for one in vials if one])
    services.move_stock(actor=manager, at=at + 3 * HOUR, consignment=moved)
    upload(fridge, read_at=at - 5 * HOUR, at=at + 4 * HOUR)
    assert not usable(right, fridge, at=at)
    assert {hold.lot_id for hold in db.session.scalars(select(Hold))} == {right.id}
    assert not disagreements()


def test_an_exposed_vial_is_held_under_the_label_it_bears_now(
    bench: Bench, manager: Actor, at: datetime
) -> None:
    fridge, room = make_place(location="Fridge 1"), make_place(location="Room")
    cold = make_multi_dose_product(storage_min_decicelsius=20, storage_max_decicelsius=80)
    wrong, right = make_twins(cold, place=fridge, containers=1, at=at)
    vial = make_open_vial(wrong, place=fridge, at=at)
    merge(manager, wrong, right, at=at + 2 * HOUR)
    new = newest(db.session(), vial.id)
    assert new is not None
    moved = make_consignment(fridge, room, vials=[new])
    services.move_stock(actor=manager, at=at + 3 * HOUR, consignment=moved)
    upload(fridge, read_at=at + HOUR, at=at + 4 * HOUR)
    assert not usable(right, fridge, at=at)
    assert new.id in {hold.vial_id for hold in db.session.scalars(select(Hold))}
