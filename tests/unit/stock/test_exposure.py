"""What lay there at each reading, walked back from what lies there now."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from inventory.stock.exposure import Kept, Limits, Reading, exposure_of

NOON = datetime(2026, 3, 16, 12, tzinfo=UTC)
FRIDGE = Limits(20, 80)


def at(hours: int) -> datetime:
    return NOON + timedelta(hours=hours)


def kept(*changes: tuple[int, int], balance_ul: int, limits: Limits = FRIDGE, lot: int = 1) -> Kept:
    newest_first = sorted(((at(hours), change) for hours, change in changes), reverse=True)
    return Kept(UUID(int=lot), None, limits, balance_ul, newest_first)


@pytest.mark.parametrize(
    "limits, decicelsius, crossed",
    [
        (FRIDGE, 20, False),
        (FRIDGE, 80, False),
        (FRIDGE, 19, True),
        (FRIDGE, 81, True),
        (Limits(None, 250), -400, False),
        (Limits(None, 250), 251, True),
        (Limits(20, None), 500, False),
        (Limits(None, None), 500, False),
    ],
)
def test_a_limit_itself_is_inside(limits: Limits, decicelsius: int, crossed: bool) -> None:
    assert limits.are_crossed_by(decicelsius) is crossed


def test_only_what_lay_there_then_was_exposed() -> None:
    came_later = kept((1, 1_000), balance_ul=1_000, lot=1)
    left_before = kept((-2, -1_000), balance_ul=0, lot=2)
    left_after = kept((1, -1_000), balance_ul=0, lot=3)
    stayed = kept(balance_ul=5_000, lot=4)
    found = exposure_of([came_later, left_before, left_after, stayed], [Reading(at(0), 90)])
    assert found is not None
    assert [one.lot_id.int for one in found.kept] == [3, 4]


def test_the_readings_outside_are_those_of_what_lay_there() -> None:
    room = Limits(150, 300)
    until_one = kept((1, -1_000), balance_ul=0, lot=1)
    in_room = kept(balance_ul=1, limits=room, lot=2)
    readings = [Reading(at(hours), value) for hours, value in ((3, 95), (0, 90), (2, 310), (1, 200))]
    found = exposure_of([until_one, in_room], readings)
    assert found is not None
    assert [one.read_at for one in found.readings] == [at(0), at(2), at(3)]
    assert (found.began_at, found.ended_at, found.lowest, found.highest) == (at(0), at(3), 90, 310)


def test_nothing_outside_is_no_exposure() -> None:
    assert exposure_of([kept(balance_ul=1)], [Reading(at(0), 50)]) is None
    assert exposure_of([], [Reading(at(0), 500)]) is None
