"""Which open vials are to be discarded today, and which of them by one click."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from inventory.clinic.settings import Settings
from inventory.stock.models import WasteReason
from inventory.stock.queries import Drawable
from inventory.stock.rules import State, StateCode
from inventory.stock.services import witnessed_reasons

_REASONS = {
    StateCode.PAST_USE_BY: WasteReason.PAST_USE_BY,
    StateCode.EXPIRED: WasteReason.EXPIRED,
    StateCode.RECALLED: WasteReason.RECALL,
}
_AT_ONCE = {WasteReason.PAST_USE_BY, WasteReason.EXPIRED}
_TODO = {
    StateCode.PAST_USE_BY: "Discard it",
    StateCode.EXPIRED: "Discard it",
    StateCode.RECALLED: "Put it aside: it goes back, or is discarded as the recall says",
    StateCode.HELD: "Put it aside until the hold is decided",
}


@dataclass(frozen=True, slots=True)
class ToDiscard:
    """An open vial that must not be used after today. `at_once` is the reason with which one click discards it, or empty."""

    held: Drawable
    todo: str
    at_once: str


def to_discard(vials: Iterable[Drawable], settings: Settings, *, on: date) -> list[ToDiscard]:
    """Return the open vials that are not to be used any more, or not after the day `on`, the most urgent first."""
    found = [
        ToDiscard(one, _todo(one.state), at_once(one, settings))
        for one in vials
        if one.vial is not None and (one.state.code in _TODO or one.last_usable_on <= on)
    ]
    return sorted(found, key=lambda one: (not one.at_once, one.held.fefo_key))


def _todo(state: State) -> str:
    if state.code is StateCode.HELD and state.is_too_late:
        return "Discard it: it is too late, whatever becomes of the hold"
    return _TODO.get(state.code, "Use or discard by the end of today")


def at_once(one: Drawable, settings: Settings) -> str:
    """Return the reason with which a vial is discarded by one click; empty where there is a choice, or a witness is asked."""
    reason = _REASONS.get(one.state.code)
    if reason not in _AT_ONCE or reason in witnessed_reasons(one.product, settings):
        return ""
    return reason.value


def likely_reason(one: Drawable) -> str | None:
    """Return the reason that what the vial is in suggests; None where it suggests none."""
    reason = _REASONS.get(one.state.code)
    return reason.value if reason else None
