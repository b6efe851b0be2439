"""What stock is in, decided without a database."""

from datetime import UTC, date, datetime, timedelta

import pytest

from inventory.kernel.errors import Refusal
from inventory.stock import rules

ON = date(2026, 3, 16)
NOON = datetime(2026, 3, 16, 12, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["ab 123", "AB123", " a b1 23", "ＡＢ１２３", "ab\u00a0123"])
def test_spellings_of_one_lot_number_share_a_key(text: str) -> None:
    assert rules.lot_number_key(text) == "AB123"


@pytest.mark.parametrize("text", ["", "   ", "x" * 41, "ﷺ" * 39])
def test_refuses_what_is_no_lot_number(text: str) -> None:
    with pytest.raises(Refusal, match="LOT-NUMBER-INVALID"):
        rules.lot_number_key(text)


def test_use_by_is_the_last_usable_day() -> None:
    opened = date(2026, 3, 15)
    assert rules.use_by(expires_on=date(2027, 1, 1), opened_on=opened, in_use_days=28) == date(2026, 4, 12)
    assert rules.use_by(expires_on=date(2026, 4, 1), opened_on=opened, in_use_days=28) == date(2026, 4, 1)


@pytest.mark.parametrize(
    "last, words, usable",
    [
        (ON - timedelta(days=2), "Expired 2 days ago", False),
        (ON - timedelta(days=1), "Expired yesterday", False),
        (ON, "Expires today", True),
        (ON + timedelta(days=1), "Expires tomorrow", True),
        (ON + timedelta(days=30), "Expires in 30 days", True),
        (ON + timedelta(days=31), "Usable", True),
    ],
)
def test_the_labelled_day_is_the_last_usable(last: date, words: str, usable: bool) -> None:
    state = rules.state_of(expires_on=last, on=ON, near_days=30)
    assert (state.words, state.usable) == (words, usable)


@pytest.mark.parametrize(
    "use_by_on, words",
    [
        (ON - timedelta(days=1), "Past its use-by yesterday"),
        (ON, "Use by the end of today"),
        (ON + timedelta(days=5), "Use within 5 days"),
    ],
)
def test_an_open_vial_has_its_own_last_day(use_by_on: date, words: str) -> None:
    assert (
        rules.state_of(expires_on=date(2028, 1, 1), use_by_on=use_by_on, on=ON, near_days=30).words == words
    )


@pytest.mark.parametrize(
    "kinds, words",
    [
        (["hold"], "On hold"),
        (["hold", "recall"], "Recalled"),
        (["temperature"], "On hold: temperature"),
        (["unknown_lot"], "On hold: lot to be confirmed"),
    ],
)
def test_a_hold_outweighs_everything_and_hides_nothing_that_stays(kinds: list[str], words: str) -> None:
    facts = {"hold_kinds": kinds, "near_days": 30, "on": ON}
    state = rules.state_of(expires_on=date(2028, 1, 1), **facts)
    assert (state.words, state.usable, state.is_too_late) == (words, False, False)
    late = rules.state_of(expires_on=ON - timedelta(days=9), **facts)
    assert late.words == f"Expired 9 days ago; {words[0].lower()}{words[1:]}"
    assert (late.code, late.usable, late.is_too_late) == (state.code, False, True)


def test_what_is_not_labelled_for_injection_here_is_not_usable() -> None:
    facts = {"on": ON, "near_days": 30, "is_for_im": False}
    state = rules.state_of(expires_on=date(2028, 1, 1), **facts)
    assert (state.words, state.tone, state.usable) == ("Not for injection here", "quiet", False)
    assert rules.state_of(expires_on=ON - timedelta(days=9), **facts).words == "Expired 9 days ago"


def test_an_empty_time_or_this_very_minute_is_now() -> None:
    assert rules.moment(None, recorded_at=NOON, field="x") == NOON
    assert rules.moment(NOON.replace(second=0), recorded_at=NOON, field="x") == NOON
    earlier = NOON - timedelta(hours=1)
    assert rules.moment(earlier, recorded_at=NOON, field="x") == earlier


@pytest.mark.parametrize(
    "typed, code",
    [(NOON + timedelta(seconds=30), "TIME-FUTURE"), (NOON - timedelta(days=367), "TIME-TOO-EARLY")],
)
def test_refuses_an_instant_that_cannot_be(typed: datetime, code: str) -> None:
    with pytest.raises(Refusal, match=code):
        rules.moment(typed, recorded_at=NOON, field="x")
