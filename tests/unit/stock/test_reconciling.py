"""The columns of a reconciliation, without a database: whatever moves, they add up, per vial, lot and site."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.stock.models import AdjustReason, MovementKind, WasteReason
from inventory.stock.reconciling import Column, Flow, Sums, Transit, column_of, joined, period_of

K, C = MovementKind, Column
OUT_OF_HERE = ("supplier", "given", "waste", "adjustment", "returned", "transit")
_KIND = {
    "supplier": K.RECEIVE,
    "given": K.GIVE,
    "waste": K.WASTE,
    "adjustment": K.ADJUST,
    "returned": K.RETURN,
}


@pytest.mark.parametrize(
    "kind, reason, amount_ul, column",
    [
        (K.RECEIVE, None, 5, C.RECEIVED),
        (K.OPEN, None, -5, C.OPENED),
        (K.OPEN, None, 5, C.OPENED),
        (K.GIVE, None, -5, C.GIVEN),
        (K.WASTE, WasteReason.BROKEN, -5, C.WASTED),
        (K.RETURN, None, -5, C.RETURNED),
        (K.TRANSFER, None, 5, C.TRANSFERRED_IN),
        (K.TRANSFER, None, -5, C.TRANSFERRED_OUT),
        (K.ADJUST, AdjustReason.OVERFILL, 5, C.OVERFILL),
        (K.ADJUST, AdjustReason.OPENING_BALANCE, 5, C.FOUND),
        (K.ADJUST, AdjustReason.MERGED, 5, C.CAME_OVER),
        (K.ADJUST, AdjustReason.MERGED, -5, C.WENT_OVER),
        (K.ADJUST, AdjustReason.MISCOUNTED, 5, C.FOUND),
        (K.ADJUST, AdjustReason.MISCOUNTED, -5, C.LOST),
    ],
)
def test_movement_and_its_reversal_share_a_column(
    kind: MovementKind, reason: str | None, amount_ul: int, column: Column
) -> None:
    done = Flow(kind, reason, amount_ul)
    undone = Flow(kind, reason, -amount_ul, is_reversal=True)
    assert column_of(done) is column_of(undone) is column
    sums = Sums()
    sums.add(done)
    sums.add(undone)
    assert sums.moved[column] == 0
    assert sums.net_ul == 0
    assert sums.unexplained == 0


def test_receipt_reversed_later_counts_as_negative_received() -> None:
    sums = Sums(opening_ul=10_000)
    sums.add(Flow(K.RECEIVE, None, -10_000, is_reversal=True))
    assert sums.moved[C.RECEIVED] == -10_000
    assert sums.difference_ul == 0


def test_joining_keeps_what_is_negative() -> None:
    reversed_only = Sums(opening_ul=5)
    reversed_only.add(Flow(K.RECEIVE, None, -5, is_reversal=True))
    assert joined([reversed_only, Sums()]).moved[C.RECEIVED] == -5


def test_only_adjustments_without_a_cause_are_unexplained() -> None:
    sums = Sums()
    for reason in (AdjustReason.OVERFILL, AdjustReason.OPENING_BALANCE, AdjustReason.MERGED):
        sums.add(Flow(K.ADJUST, reason, 7))
    assert (sums.unexplained, sums.unexplained_found_ul, sums.unexplained_lost_ul) == (0, 0, 0)
    sums.add(Flow(K.ADJUST, AdjustReason.SHORTFALL, 30, times=2))
    sums.add(Flow(K.ADJUST, AdjustReason.COUNTED, -4))
    assert (sums.unexplained, sums.unexplained_found_ul, sums.unexplained_lost_ul) == (3, 30, 4)


def test_reasons_come_with_the_most_first() -> None:
    sums = Sums()
    sums.add(Flow(K.WASTE, WasteReason.BROKEN, -3))
    sums.add(Flow(K.WASTE, WasteReason.EXPIRED, -9))
    assert sums.reasons(C.WASTED) == [("expired", 9), ("broken", 3)]


def test_what_is_on_its_way_closes_too() -> None:
    transit = Transit(opening_ul=3, sent_ul=10, arrived_ul=6, lost_ul=2)
    assert transit.closing_ul == transit.sums.closing_ul == 5
    assert transit.sums.difference_ul == 0
    assert (transit + transit).closing_ul == 10


@pytest.mark.parametrize(
    "zone, begins, hours",
    [
        ("Europe/London", datetime(2026, 3, 29, 0, 0, tzinfo=UTC), 23),
        ("Europe/London", datetime(2026, 10, 24, 23, 0, tzinfo=UTC), 25),
        ("Africa/Cairo", datetime(2026, 4, 23, 22, 0, tzinfo=UTC), 23),  # its clocks skip midnight itself
        ("Pacific/Auckland", datetime(2026, 3, 28, 11, 0, tzinfo=UTC), 24),
    ],
)
def test_day_is_the_sites_own_however_long(zone: str, begins: datetime, hours: int) -> None:
    local = begins + timedelta(hours=hours / 2)
    day = local.astimezone(ZoneInfo(zone)).date()
    assert period_of(day, day, zone) == (begins, begins + timedelta(hours=hours))


def test_periods_meet_without_a_gap() -> None:
    first, second = date(2026, 3, 28), date(2026, 3, 29)
    assert period_of(first, first, "Africa/Cairo")[1] == period_of(second, second, "Africa/Cairo")[0]


MOVES = st.lists(
    st.tuples(
        st.integers(0, 30),  # when
        st.integers(0, 5),  # one place
        st.integers(0, 11),  # another place, or outside
        st.booleans(),  # which way
        st.integers(1, 1_000),
        st.sampled_from(AdjustReason),
        st.booleans(),  # reversed later
    ),
    max_size=30,
)


@given(moves=MOVES, starts=st.integers(0, 30), days=st.integers(1, 10))
def test_columns_add_up_whatever_moved(moves: list[tuple], starts: int, days: int) -> None:  # type: ignore[type-arg]
    """Places 0 to 5 are vials: two a lot, and a lot's two at two sites. Opening and closing are summed from the beginning."""
    ends = starts + days
    balance: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    sums = [Sums() for _ in range(6)]

    def post(when: int, place: int, flow: Flow) -> None:
        balance[place].append((when, flow.amount_ul))
        if starts <= when < ends:
            sums[place].add(flow)

    for when, place, other, is_into, amount, why, is_reversed in moves:
        inside = other < 6 and other != place
        outside = OUT_OF_HERE[other % 6]
        kind = K.TRANSFER if inside or outside == "transit" else _KIND[outside]
        reason = {K.ADJUST: why, K.WASTE: WasteReason.OTHER}.get(kind)
        signed = amount if is_into else -amount
        ends_of_it = [(place, signed), *([(other, -signed)] if inside else [])]
        for at, change in ends_of_it:
            post(when, at, Flow(kind, reason, change))
            if is_reversed:
                post(when + 5, at, Flow(kind, reason, -change, is_reversal=True))
    for place in range(6):
        sums[place].opening_ul = sum(change for when, change in balance[place] if when < starts)
        sums[place].closing_ul = sum(change for when, change in balance[place] if when < ends)
    assert [one.difference_ul for one in sums] == [0] * 6
    lots = [joined(sums[lot * 2 : lot * 2 + 2]) for lot in range(3)]
    sites = [joined(sums[site::2]) for site in range(2)]
    assert [one.difference_ul for one in lots + sites] == [0] * 5
    for whole in (joined(lots), joined(sites)):
        assert whole == joined(sums)
        assert whole.difference_ul == 0
