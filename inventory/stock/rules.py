"""What stock is in, decided from plain facts: keys of lot numbers, use-by days, states in words, instants as typed. Pure.

Laws kept here: the labelled day is the last usable day; a lot typed in other case or spacing is the same lot.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from inventory.kernel.errors import Refusal
from inventory.kernel.printed import as_printed

LOT_NUMBER_LIMIT = 40
EARLIEST = timedelta(days=366)
"""How far back an act may be dated by hand."""
USE_SOON_DAYS = 3
"""How many days before its use-by an open vial asks for attention."""
DRILL = "drill"
"""Stands in the place of a hold's kind where the hold is of a recall that is only practised."""
DRILL_WORDS = "Recalled (drill)"


class StateCode(StrEnum):
    """What stock is in, the gravest first."""

    RECALLED = "recalled"
    HELD = "held"
    EXPIRED = "expired"
    PAST_USE_BY = "past-use-by"
    DRILL = "drill"
    NOT_FOR_INJECTION = "not-for-injection"
    NEAR = "near"
    USABLE = "usable"


@dataclass(frozen=True, slots=True)
class State:
    """A state: its code, its words, and the tone they are shown in."""

    code: StateCode
    words: str
    tone: str
    is_too_late: bool = False
    """Whether its last day has gone by, which no decision about a hold changes."""

    @property
    def usable(self) -> bool:
        """Whether stock in this state may be given."""
        return self.code in {StateCode.NEAR, StateCode.USABLE}

    @property
    def is_to_go(self) -> bool:
        """Whether it is discarded, returned or destroyed: not where a drill alone holds what is good."""
        return self.tone == "stop" and self.code is not StateCode.DRILL


def lot_number_key(text: str) -> str:
    """Return what two spellings of one lot number share: as printed, in capitals. Raises Refusal LOT-NUMBER-INVALID."""
    key = as_printed(text).upper()
    if not key or len(key) > LOT_NUMBER_LIMIT:
        said = f"Type the lot number as printed, at most {LOT_NUMBER_LIMIT} characters."
        raise Refusal("LOT-NUMBER-INVALID", said, "lot_number")
    return key


def use_by(*, expires_on: date, opened_on: date, in_use_days: int) -> date:
    """Return the last usable day of a multi-dose vial: opening plus in-use days, never past the expiry of its lot."""
    return min(expires_on, opened_on + timedelta(days=in_use_days))


def state_of(
    *,
    expires_on: date,
    use_by_on: date | None = None,
    hold_kinds: Collection[str] = (),
    is_for_im: bool = True,
    on: date,
    near_days: int,
) -> State:
    """Return the gravest of what is true of stock on the day `on`; near is within `near_days` of its expiry.

    `is_for_im` says whether its label allows intramuscular use: without it nothing of it is ever given here.
    """
    held, too_late = _held(set(hold_kinds) - {DRILL}), _too_late(expires_on, use_by_on, on)
    barred = _both(held, too_late) if held and too_late else held or too_late or _drilled(hold_kinds)
    if barred is not None:
        return barred
    if not is_for_im:
        return State(StateCode.NOT_FOR_INJECTION, "Not for injection here", "quiet")
    if use_by_on is not None and use_by_on < expires_on:
        return _in_use((use_by_on - on).days)
    if (expires_on - on).days <= near_days:
        return State(StateCode.NEAR, f"Expires {_within((expires_on - on).days)}", "attention")
    return State(StateCode.USABLE, "Usable", "good")


def moment(typed: datetime | None, *, recorded_at: datetime, field: str) -> datetime:
    """Return the instant an act takes effect: as typed, or when it is recorded if nothing was typed or it is this minute.

    Raises Refusal TIME-FUTURE, TIME-TOO-EARLY.
    """
    if typed is None or typed == recorded_at.replace(second=0, microsecond=0):
        return recorded_at
    if typed > recorded_at:
        raise Refusal("TIME-FUTURE", "This time is still to come. Type when it happened.", field)
    if typed < recorded_at - EARLIEST:
        raise Refusal("TIME-TOO-EARLY", "This is more than a year ago. Check the date.", field)
    return typed


def _held(kinds: Collection[str]) -> State | None:
    if not kinds:
        return None
    if "recall" in kinds:
        return State(StateCode.RECALLED, "Recalled", "stop")
    words = {"temperature": "On hold: temperature", "unknown_lot": "On hold: lot to be confirmed"}
    return State(StateCode.HELD, words.get(min(kinds), "On hold"), "stop")


def _both(held: State, too_late: State) -> State:
    """A hold may end, and what is too late stays so: both are said, and the hold decides what may be done."""
    words = f"{too_late.words}; {held.words[0].lower()}{held.words[1:]}"
    return State(held.code, words, held.tone, is_too_late=True)


def _drilled(kinds: Collection[str]) -> State | None:
    """The hold of a drill is real; what it holds is good, and nobody is to get rid of it."""
    return State(StateCode.DRILL, DRILL_WORDS, "stop") if DRILL in kinds else None


def _too_late(expires_on: date, use_by_on: date | None, on: date) -> State | None:
    if expires_on < on:
        return State(StateCode.EXPIRED, f"Expired {_ago(expires_on, on)}", "stop", is_too_late=True)
    if use_by_on is not None and use_by_on < on:
        return State(
            StateCode.PAST_USE_BY, f"Past its use-by {_ago(use_by_on, on)}", "stop", is_too_late=True
        )
    return None


def _ago(day: date, on: date) -> str:
    days = (on - day).days
    return "yesterday" if days == 1 else f"{days:,} days ago"


def _within(days: int) -> str:
    return ("today", "tomorrow")[days] if days < 2 else f"in {days} days"


def _in_use(days: int) -> State:
    """An open vial is always near its last day; only the last few days ask for attention."""
    word = f"by the end of {_within(days)}" if days < 2 else f"within {days} days"
    if days <= USE_SOON_DAYS:
        return State(StateCode.NEAR, f"Use {word}", "attention")
    return State(StateCode.USABLE, f"Use {word}", "good")
