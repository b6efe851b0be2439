"""A lot's life, and that of a vial, told as events."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from types import MappingProxyType

from inventory.stock.concerns import Link
from inventory.stock.models import (
    AdjustReason,
    Hold,
    Movement,
    MovementKind,
    WasteReason,
)
from inventory.stock.presenters.corrections import correction_details, correction_title
from inventory.stock.queries import Life, Told
from inventory.stock.queries.corrections import Corrected
from inventory.stock.words import ADJUST, WASTE, hold_words
from inventory.web.presenting import count, local_time, ml

_ICONS = {
    MovementKind.RECEIVE: ("truck-delivery", "good"),
    MovementKind.OPEN: ("bottle", "info"),
    MovementKind.GIVE: ("vaccine", "quiet"),
    MovementKind.WASTE: ("trash", "attention"),
    MovementKind.ADJUST: ("adjustments", "attention"),
    MovementKind.RETURN: ("truck-return", "quiet"),
    MovementKind.TRANSFER: ("truck-delivery", "info"),
    MovementKind.REVERSE: ("arrow-back-up", "stop"),
}


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a lot, ready for the timeline."""

    title: str
    at: datetime
    by: str
    icon: str
    tone: str
    details: tuple[str, ...] = ()
    links: Sequence[Link] = ()
    """What it was posted for, where the reader may go there."""


def reason_words(kind: MovementKind, reason: str | None) -> str:
    """Return the words for the coded reason of a waste or an adjustment."""
    if reason is None:
        return ""
    if kind in {MovementKind.WASTE, MovementKind.RETURN}:
        return WASTE[WasteReason(reason)].removesuffix(" (say what)")
    return ADJUST[AdjustReason(reason)] if kind == MovementKind.ADJUST else reason


def events_of(life: Life, links: Mapping[int, Sequence[Link]] = MappingProxyType({})) -> list[Event]:
    """Return the page of a lot's life as events, newest first, one for what belongs to one act.

    `links` say by movement what it was posted for (concerns.given_for).
    """
    moved = [
        event
        for _, acts in groupby(life.movements, key=lambda told: told.movement.act_id)
        for event in _events_of_act(list(acts), life, links)
    ]
    held = [event for hold in life.holds for event in _events_of_hold(hold, life)]
    corrected = [_event_of_correction(said, life) for said in life.corrections]
    shown = [event for event in (*held, *corrected) if life.shows(event.at)]
    return sorted([*moved, *shown], key=lambda event: event.at, reverse=True)


def _events_of_act(acts: Sequence[Told], life: Life, links: Mapping[int, Sequence[Link]]) -> Iterable[Event]:
    """A dose is told as one event; what was wasted with it is a detail, and single-dose containers opened for it are part of it.

    A vial that was opened for it is an event of its own: it stays when the dose is over.
    """
    given = [told for told in acts if told.movement.kind == MovementKind.GIVE]
    if not given:
        return [_event(told, life) for told in acts]
    opened_for_it = {
        told.movement.to_id
        for told in acts
        if told.movement.kind == MovementKind.OPEN and told.to_label is None
    }
    rest = [told for told in acts if told not in given and told.movement.to_id not in opened_for_it]
    opened = [told for told in rest if told.movement.kind == MovementKind.OPEN]
    details = tuple(_sentence(told, life) for told in reversed(rest) if told not in opened)
    mine = [link for told in given for link in links.get(told.movement.id, ())]
    dose = replace(_event(given[0], life, details=details), title=_dose_sentence(given))
    return [replace(dose, links=list(dict.fromkeys(mine))), *(_event(told, life) for told in opened)]


def _dose_sentence(given: Sequence[Told]) -> str:
    volume = ml(sum(told.movement.amount_ul for told in given))
    labels = [_vial(told.from_label) for told in reversed(given) if told.from_label]
    single = len(given) - len(labels)
    sources = [*labels, count(single, "single-dose container")] if single else labels
    return f"Gave {volume} from {' and '.join(sources)}"


def _event(told: Told, life: Life, details: tuple[str, ...] = ()) -> Event:
    movement = told.movement
    icon, tone = _ICONS[MovementKind(movement.kind)]
    notes = [movement.note] if movement.note else []
    if told.document:
        notes.append(f"Document {told.document.document_number}")
    if told.transfer:
        notes.append(f"Transfer {told.transfer.number}")
    if movement.witness_id:
        notes.append(f"Witness: {life.names[movement.witness_id]}")
    if movement.recorded_at.replace(second=0, microsecond=0) > movement.occurred_at:
        notes.append(f"Recorded {local_time(movement.recorded_at)}")
    return Event(
        title=_sentence(told, life),
        at=movement.occurred_at,
        by=life.names[movement.actor_id],
        icon=icon,
        tone=tone,
        details=(*details, *notes),
    )


def _sentence(told: Told, life: Life) -> str:
    movement = told.movement
    kind = MovementKind(movement.kind)
    where = life.locations[movement.location_id]
    sentence = _DESTROYED if told.document and kind == MovementKind.WASTE else _SENTENCES[kind]
    return sentence.format(
        what=_amount(told, life),
        where=where,
        source=_vial(told.from_label),
        target=_vial(told.to_label),
        out_of=f" of {_vial(told.from_label)}" if told.touches_vial else f", {where}",
        sent=_way(told),
        found=_found_words(told),
        reason=reason_words(kind, movement.reason),
        reversed=_REVERSED.get(told.reversed_kind or "", "movement"),
    )


def _found_words(told: Told) -> str:
    if told.movement.reason == AdjustReason.MERGED:
        return "Came over:" if told.is_into_stock else "Went over:"
    return "Found" if told.is_into_stock else "Missing:"


_SENTENCES = {
    MovementKind.RECEIVE: "Received {what} into {where}",
    MovementKind.OPEN: "Opened {target} from {where}",
    MovementKind.GIVE: "Gave {what} from {source}",
    MovementKind.WASTE: "Wasted {what}{out_of}: {reason}",
    MovementKind.ADJUST: "{found} {what}, {where}: {reason}",
    MovementKind.RETURN: "Returned {what}{out_of} to the supplier: {reason}",
    MovementKind.TRANSFER: "{sent}: {what}",
    MovementKind.REVERSE: "Reversed: {reversed} of {what}",
}
_DESTROYED = "Destroyed {what}{out_of}: {reason}"
_REVERSED = {
    "receive": "receipt",
    "open": "opening",
    "give": "dose",
    "waste": "waste",
    "adjust": "adjustment",
    "return": "return",
    "transfer": "transfer",
}


def _way(told: Told) -> str:
    """Say where something on its way comes from, goes to, or is now."""
    transfer = told.transfer
    if transfer is None:
        return "Came to where the vial is now" if told.is_into_stock else "Brought after the vial"
    if not told.is_into_stock:
        return f"Sent from {transfer.from_location} to {transfer.to_location}, {transfer.to_site}"
    is_back = told.movement.location_id == transfer.transfer.from_location_id
    return f"Never left {transfer.from_location}" if is_back else f"Arrived in {transfer.to_location}"


def _amount(told: Told, life: Life) -> str:
    """Sealed stock in containers, what was in a vial in mL."""
    movement: Movement = told.movement
    is_whole = movement.amount_ul % life.lot.container_volume_ul == 0
    if told.from_label is None and told.to_label is None and not told.touches_vial and is_whole:
        return count(movement.amount_ul // life.lot.container_volume_ul, "container")
    return ml(movement.amount_ul)


def _vial(label: int | None) -> str:
    return f"vial {label}" if label else "a single-dose container"


def _event_of_correction(said: Corrected, life: Life) -> Event:
    title, details = correction_title(said, life.lot.id), correction_details(said)
    return Event(title, said.corrected_at, said.by, "edit", "attention", details)


def _events_of_hold(hold: Hold, life: Life) -> Iterable[Event]:
    words = f"{hold_words(hold, life.drills)}, {life.scopes[hold.id]}"
    yield Event(words, hold.held_at, life.names[hold.held_by_id], "hand-stop", "stop", (hold.reason,))
    if hold.released_at and hold.released_by_id:
        said, by = (hold.release_reason or "",), life.names[hold.released_by_id]
        yield Event(f"Released: {words}", hold.released_at, by, "lock-open", "good", said)
