"""A recall reaches every patient who was given of its lots; what is recalled is not given, also from a page opened before."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from inventory.doses.models import Dose, RecallContact
from inventory.doses.queries import recalls
from inventory.doses.queries.containers import UnknownLot
from inventory.doses.queries.recalls import Progress
from inventory.doses.rules.terms import ContactMeans, ContactOutcome, EntryMode, VoidKind
from inventory.doses.services import record_dose, void_dose
from inventory.doses.services.recalls import Told, patients_to_reach, record_contact
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.stock.notices import NamedLot
from inventory.stock.services.recalls import Notice, close_recall, open_recall
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.stock import make_delivery, make_place
from tests.integration.doses.giving_pages import checked, doses, recorded
from tests.support.client import CheckingClient

NOTICE = Notice(title="Cracked vials", reason="Glass particles were found")


def recall_of(*numbers: str, at: datetime) -> Any:
    done = open_recall(
        actor=SYSTEM_ACTOR,
        at=at,
        site_id=make_place().site_id,
        notice=NOTICE,
        named=[NamedLot(number) for number in numbers],
    )
    return done.subject_id


def tell(
    bench: Bench, recall_id: Any, patient_id: Any, outcome: ContactOutcome, *, at: datetime, **more: Any
) -> None:
    told = Told(outcome=outcome, means=ContactMeans.PHONE, **more)
    record_contact(actor=bench.nurse, at=at, recall_id=recall_id, patient_id=patient_id, told=told)


def names(recall_id: Any, **how: Any) -> list[str]:
    return [one.name for one in recalls.recipients_page(db.session(), recall_id, **how).items]


def test_names_every_patient_once_with_all_doses(app: Flask, bench: Bench, at: datetime) -> None:
    other = make_delivery(place=bench.place, lot_number="OTHER")
    twice = bench.patient_id
    once, never = make_patient(family_name="Bly"), make_patient(family_name="Curie")
    bench.give(
        at=at - timedelta(days=2),
        request=bench.request(given_at=at - timedelta(days=2), mode=EntryMode.ALREADY_GIVEN),
    )
    bench.give()
    bench.give(bench.request(patient_id=once))
    bench.give(bench.request(patient_id=never, lot=other))
    recall_id = recall_of(bench.lot.lot_number, at=at)
    page = recalls.recipients_page(db.session(), recall_id)
    assert {(one.id, one.doses) for one in page.items} == {(twice, 2), (once, 1)}
    given = recalls.doses_of(db.session(), [bench.lot.id], [twice, once])
    assert [(one.volume_ul, one.is_void, one.lot_number) for one in given[twice]] == [
        (1_000, False, bench.lot.lot_number)
    ] * 2
    assert recalls.doses_by_lot(db.session(), [bench.lot.id]) == {bench.lot.id: (3, 2)}


def test_void_entries_are_told_apart(app: Flask, bench: Bench, at: datetime) -> None:
    dose = bench.give()
    void_dose(actor=bench.nurse, at=at, dose_id=dose.id, kind=VoidKind.NEVER_OPENED, reason="Wrong person")
    recall_id = recall_of(bench.lot.lot_number, at=at)
    (one,) = recalls.recipients_page(db.session(), recall_id).items
    assert one.doses == 0
    assert recalls.doses_of(db.session(), [bench.lot.id], [one.id])[one.id][0].is_void
    assert recalls.progress(db.session(), recall_id) == Progress(0, 0, 0)
    assert patients_to_reach(db.session(), recall_id) == ""


def test_those_not_reached_come_first_and_the_newest_contact_counts(
    app: Flask, bench: Bench, at: datetime
) -> None:
    people = {name: make_patient(family_name=name) for name in ("Ames", "Bly", "Curie")}
    for lot, patient_id in zip([bench.lot] * 3, people.values(), strict=True):
        bench.give(bench.request(patient_id=patient_id, lot=lot))
    recall_id = recall_of(bench.lot.lot_number, at=at)
    tell(bench, recall_id, people["Ames"], ContactOutcome.TOLD, at=at + timedelta(hours=1))
    tell(bench, recall_id, people["Bly"], ContactOutcome.TOLD, at=at + timedelta(hours=1))
    tell(bench, recall_id, people["Bly"], ContactOutcome.WRONG_DETAILS, at=at + timedelta(hours=2))
    assert names(recall_id) == ["Bly, Ada", "Curie, Ada", "Ames, Ada"]
    assert names(recall_id, state="waiting") == ["Bly, Ada", "Curie, Ada"]
    assert names(recall_id, state="reached") == ["Ames, Ada"]
    assert recalls.progress(db.session(), recall_id) == Progress(patients=3, told=1, tried=1)
    history = recalls.contacts_of(db.session(), recall_id, [people["Bly"]])[people["Bly"]]
    assert [one.outcome for one in history] == [ContactOutcome.WRONG_DETAILS, ContactOutcome.TOLD]
    late = {"contacted_at": at + timedelta(minutes=30)}
    tell(bench, recall_id, people["Bly"], ContactOutcome.TOLD, at=at + timedelta(hours=3), **late)
    assert recalls.progress(db.session(), recall_id).reached == 1


def test_pages_go_on_where_the_last_ended(app: Flask, bench: Bench, at: datetime) -> None:
    lot = make_delivery(place=bench.place, lot_number="MANY", containers=20)
    people = [make_patient(family_name=f"Person {letter}") for letter in "abcdefg"]
    for patient_id in people:
        bench.give(bench.request(patient_id=patient_id, lot=lot))
    recall_id = recall_of("MANY", at=at)
    tell(bench, recall_id, people[0], ContactOutcome.TOLD, at=at)
    seen, cursor = [], ""
    while True:
        page = recalls.recipients_page(db.session(), recall_id, size=3, cursor=cursor)
        seen += [one.id for one in page.items]
        cursor = page.next
        if not cursor:
            break
    assert seen == [*people[1:], people[0]]
    assert [one.id for one in recalls.recipients(db.session(), recall_id)] == seen


def test_tells_of_everybody_where_nobody_is_named(app: Flask, bench: Bench, at: datetime) -> None:
    lot = make_delivery(place=bench.place, lot_number="MANY", containers=20)
    people = [make_patient(family_name=f"Person {letter}") for letter in "ab"]
    for patient_id in people:
        bench.give(bench.request(patient_id=patient_id, lot=lot))
    bench.give()
    recall_id = recall_of("MANY", at=at)
    for patient_id in people:
        tell(bench, recall_id, patient_id, ContactOutcome.TOLD, at=at)
    session = db.session()
    assert recalls.doses_of(session, [lot.id]) == recalls.doses_of(session, [lot.id], people)
    assert recalls.contacts_of(session, recall_id) == recalls.contacts_of(session, recall_id, people)
    assert set(recalls.contacts_of(session, recall_id)) == set(people)


def test_a_list_costs_as_many_statements_however_long(app: Flask, bench: Bench, at: datetime) -> None:
    lot = make_delivery(place=bench.place, lot_number="MANY", containers=20)
    for letter in "abcdef":
        bench.give(bench.request(patient_id=make_patient(family_name=f"Person {letter}"), lot=lot))
    recall_id = recall_of("MANY", at=at)
    db.session.rollback()
    sent: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *told: sent.append(told[2]))
    page = recalls.recipients_page(db.session(), recall_id)
    ids = [one.id for one in page.items]
    recalls.doses_of(db.session(), [lot.id], ids)
    recalls.contacts_of(db.session(), recall_id, ids)
    assert len(ids) == 6
    assert len([one for one in sent if one.startswith("SELECT")]) == 4


@pytest.mark.parametrize(
    "change, code",
    [
        ({"contacted_at": timedelta(minutes=5)}, "TIME-FUTURE"),
        ({"contacted_at": -timedelta(days=400)}, "TIME-TOO-EARLY"),
    ],
)
def test_a_contact_has_a_possible_time(
    app: Flask, bench: Bench, at: datetime, change: dict[str, timedelta], code: str
) -> None:
    bench.give()
    recall_id = recall_of(bench.lot.lot_number, at=at)
    with pytest.raises(Refusal, match=code):
        when = at + change["contacted_at"]
        tell(bench, recall_id, bench.patient_id, ContactOutcome.TOLD, at=at, contacted_at=when)
    assert db.session.scalars(select(RecallContact)).all() == []


def test_nobody_is_told_before_the_recall_or_before_their_first_dose(
    app: Flask, bench: Bench, at: datetime
) -> None:
    bench.give()
    opened_at = at + timedelta(days=1)
    recall_id = recall_of(bench.lot.lot_number, at=opened_at)
    later = make_patient(family_name="Late")
    bench.give(bench.request(patient_id=later, mode=EntryMode.ALREADY_GIVEN), at=at + timedelta(days=2))
    now, before = at + timedelta(days=3), timedelta(minutes=1)
    for patient_id, when in (
        (bench.patient_id, opened_at - before),
        (later, at + timedelta(days=2) - before),
    ):
        with pytest.raises(Refusal, match="CONTACT-TOO-EARLY"):
            tell(bench, recall_id, patient_id, ContactOutcome.TOLD, at=now, contacted_at=when)
    assert db.session.scalars(select(RecallContact)).all() == []
    tell(bench, recall_id, bench.patient_id, ContactOutcome.TOLD, at=now, contacted_at=opened_at)


def test_who_is_deceased_was_not_told(app: Flask, bench: Bench, at: datetime) -> None:
    bench.give()
    recall_id = recall_of(bench.lot.lot_number, at=at)
    tell(bench, recall_id, bench.patient_id, ContactOutcome.DECEASED, at=at)
    far = recalls.progress(db.session(), recall_id)
    assert (far.told, far.deceased, far.reached, far.waiting) == (0, 1, 1, 0)


def test_nobody_is_told_who_received_nothing(app: Flask, bench: Bench, at: datetime) -> None:
    recall_id = recall_of(bench.lot.lot_number, at=at)
    with pytest.raises(Refusal, match="RECALL-NOT-RECIPIENT"):
        tell(bench, recall_id, bench.patient_id, ContactOutcome.TOLD, at=at)


def test_is_not_closed_while_a_patient_waits(app: Flask, bench: Bench, at: datetime) -> None:
    for _ in range(2):
        bench.give(bench.request(patient_id=make_patient()))
    bench.give()
    recall_id = recall_of(bench.lot.lot_number, at=at)
    with pytest.raises(Refusal, match="3 patients nobody has tried to reach"):
        close_recall(actor=SYSTEM_ACTOR, at=at, recall_id=recall_id, outcome="Done")
    tell(bench, recall_id, bench.patient_id, ContactOutcome.MESSAGE_LEFT, at=at)
    with pytest.raises(
        Refusal, match="2 patients nobody has tried to reach and 1 patient tried and not told"
    ):
        close_recall(actor=SYSTEM_ACTOR, at=at, recall_id=recall_id, outcome="Done")
    for one in recalls.recipients(db.session(), recall_id):
        tell(bench, recall_id, one.id, ContactOutcome.TOLD, at=at)
    close_recall(actor=SYSTEM_ACTOR, at=at, recall_id=recall_id, outcome="Done")
    tell(bench, recall_id, bench.patient_id, ContactOutcome.WRONG_DETAILS, at=at + timedelta(minutes=1))
    assert recalls.progress(db.session(), recall_id).reached == 2


def test_what_is_recalled_is_not_given(app: Flask, bench: Bench, at: datetime) -> None:
    recall_of(bench.lot.lot_number, at=at)
    with pytest.raises((Refusal, Refusals), match="LOT-RECALLED"):
        bench.give()
    assert doses() == 0
    done = bench.give(bench.request(mode=EntryMode.ALREADY_GIVEN))
    assert db.session.get_one(Dose, done.id).is_deviation


def test_what_was_never_received_and_is_recalled_is_held_when_it_is_recorded(
    app: Flask, bench: Bench, at: datetime
) -> None:
    recall_id = recall_of("NEVER-HERE", at=at)
    unknown = UnknownLot(bench.lot.product_id, "never-here", bench.lot.expires_on, bench.place.location_id)
    request = bench.request(mode=EntryMode.ALREADY_GIVEN, draws=(), unknown_lot=unknown)
    record_dose(actor=bench.nurse, at=at, request=request)
    assert recalls.progress(db.session(), recall_id).patients == 1


def test_a_page_opened_before_the_recall_gives_nothing_after_it(
    nurse: CheckingClient, bench: Bench, at: datetime
) -> None:
    page = checked(nurse, bench)
    recall_of(bench.lot.lot_number, at=at)
    answer = recorded(nurse, bench, page)
    assert answer.status_code == 422
    assert "is recalled" in answer.get_data(as_text=True)
    assert doses() == 0
