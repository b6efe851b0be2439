"""The checklist before a first dose: its items, which the clinic edits, and what is answered to them for a patient (law 4)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome, perform
from inventory.kernel.errors import Refusal, Refusals, not_found
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import Actor, Permission
from inventory.patients.checklist_queries import latest_answers, open_items
from inventory.patients.models import ChecklistAnswer, ChecklistItem, ItemAnswer, ItemSource
from inventory.patients.services.record import changes, locked

MOST_POSITION = 9_999


@dataclass(frozen=True, slots=True)
class Answered:
    """What is said to one item, and a note."""

    item_id: UUID
    answer: ItemAnswer
    note: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """An item as the clinic words it; smaller positions stand first."""

    title: str
    position: int
    hint: str = ""
    source: ItemSource = ItemSource.ANSWER
    is_retired: bool = False


def answer_checklist(
    *,
    actor: Actor,
    at: datetime,
    patient_id: UUID,
    answers: Sequence[Answered],
    request_key: str | None = None,
) -> Outcome:
    """Record the answers that differ from what holds; the outcome's subject is the patient.

    Raises Refusal NOTHING-CHANGED, CHECKLIST-ITEM (not an item that is answered here), CHECKLIST-NOTE (not needed, without saying why).
    """

    def write(act: Act) -> Outcome:
        locked(act.session, patient_id)
        titles = {item.id: item.title for item in open_items(act.session) if item.source == ItemSource.ANSWER}
        _refuse_answers(answers, titles)
        told = []
        for answered in _that_differ(act.session, patient_id, answers):
            title = titles[answered.item_id]
            _insert_answer(act, patient_id, answered, title)
            told.append([title, answered.answer, answered.note])
        if not told:
            raise Refusal("NOTHING-CHANGED", "Nothing is different from what the record says already.")
        return act.record(
            "patients.answer-checklist", "patient", patient_id, patient_id=patient_id, facts={"answers": told}
        )

    return perform(write, actor=actor, at=at, request_key=request_key)


def add_item(*, actor: Actor, at: datetime, item: Item, request_key: str | None = None) -> Outcome:
    """Add an item. Raises Refusals of ITEM-TITLE, ITEM-POSITION; Refusal NOT-PERMITTED."""
    _refuse_unless(actor)

    def write(act: Act) -> Outcome:
        _refuse_item(item)
        row = ChecklistItem(id=uuid7())
        _write_item(row, item, at)
        act.session.add(row)
        act.session.flush()
        return act.record("patients.add-checklist-item", "checklist_item", row.id, facts=asdict(item))

    return perform(write, actor=actor, at=at, request_key=request_key)


def edit_item(
    *, actor: Actor, at: datetime, item_id: UUID, version: int, item: Item, request_key: str | None = None
) -> Outcome:
    """Change an item, retire it or take it up again. What was answered keeps the words it had.

    Raises what `add_item` raises; Refusal EDITED-MEANWHILE, NOTHING-CHANGED, NOT-FOUND.
    """
    _refuse_unless(actor)

    def write(act: Act) -> Outcome:
        row = _locked_item(act.session, item_id)
        if row.version != version:
            said = "Somebody else changed this item after you opened it. Load the page again."
            raise Refusal("EDITED-MEANWHILE", said)
        _refuse_item(item)
        changed = changes(_item_of(row), asdict(item))
        if not changed:
            raise Refusal("NOTHING-CHANGED", "Nothing is different from what the record says already.")
        _write_item(row, item, at)
        act.session.flush()
        return act.record("patients.edit-checklist-item", "checklist_item", row.id, facts=changed)

    return perform(write, actor=actor, at=at, request_key=request_key)


def _refuse_answers(answers: Sequence[Answered], titles: dict[UUID, str]) -> None:
    found = []
    for answered in answers:
        if answered.item_id not in titles:
            raise Refusal("CHECKLIST-ITEM", "This item is not answered here any more. Load the page again.")
        if answered.answer is ItemAnswer.NOT_NEEDED and not answered.note.strip():
            field = f"note_{answered.item_id.hex}"
            found.append(Refusal("CHECKLIST-NOTE", "Say in a few words why it is not needed.", field))
    if found:
        raise Refusals(found)


def _that_differ(session: Session, patient_id: UUID, answers: Sequence[Answered]) -> list[Answered]:
    latest = latest_answers(session, patient_id)
    holds = {item_id: (ItemAnswer(row.answer), row.note) for item_id, row in latest.items()}
    nothing = (ItemAnswer.OPEN, "")
    return [one for one in answers if holds.get(one.item_id, nothing) != (one.answer, one.note.strip())]


def _insert_answer(act: Act, patient_id: UUID, answered: Answered, title: str) -> None:
    row = {
        "id": uuid7(),
        "patient_id": patient_id,
        "item_id": answered.item_id,
        "item_title": title,
        "answer": answered.answer,
        "note": answered.note.strip(),
        "recorded_at": act.recorded_at,
        "actor_id": act.actor.id,
    }
    act.insert(ChecklistAnswer, row)


def _refuse_unless(actor: Actor) -> None:
    if not actor.can(Permission.SETTINGS_MANAGE):
        raise Refusal("NOT-PERMITTED", f"{actor.name} may not do this.", status=403)


def _refuse_item(item: Item) -> None:
    found = []
    if not item.title.strip():
        found.append(Refusal("ITEM-TITLE", "Say in a few words what must be known.", "title"))
    if not 0 <= item.position <= MOST_POSITION:
        found.append(Refusal("ITEM-POSITION", f"From 0 to {MOST_POSITION:,}.", "position"))
    if found:
        raise Refusals(found)


def _write_item(row: ChecklistItem, item: Item, at: datetime) -> None:
    row.title, row.hint, row.position, row.source = item.title.strip(), item.hint, item.position, item.source
    row.retired_at = (row.retired_at or at) if item.is_retired else None


def _item_of(row: ChecklistItem) -> dict[str, Any]:
    return asdict(Item(row.title, row.position, row.hint, ItemSource(row.source), row.retired_at is not None))


def _locked_item(session: Session, item_id: UUID) -> ChecklistItem:
    row = session.scalar(
        select(ChecklistItem)
        .where(ChecklistItem.id == item_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise not_found("item")
    return row
