"""When the demo clinic gives doses: in opening hours, in order, never in the future, through both clock changes."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from inventory.demo.calendar import CLOSES, OPENS, instants, period_for

NOW = datetime(2026, 11, 20, 13, 5, tzinfo=UTC)


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  an invented clinic keeps no secret


@pytest.mark.parametrize(
    "until", [NOW, datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 6, 7, 8, 0, tzinfo=UTC)]
)
@pytest.mark.parametrize("count", [1, 7, 400, 5_000])
def test_doses_lie_within_opening_hours_in_order(until: datetime, count: int) -> None:
    period = period_for(count, until=until, zone="Europe/London")
    found = list(instants(period, count, seeded(3)))
    assert len(found) == count
    assert found == sorted(found)
    assert found[-1] <= until - timedelta(minutes=5)
    local = [instant.astimezone(period.zone) for instant in found]
    assert all(OPENS <= one.time() <= CLOSES for one in local if one.date() != period.today)


def test_same_seed_gives_the_same_instants() -> None:
    period = period_for(50, until=NOW, zone="Europe/London")
    twice = [list(instants(period, 50, seeded(5))) for _ in range(2)]
    assert twice[0] == twice[1]
    assert twice[0] != list(instants(period, 50, seeded(6)))


def test_very_many_doses_take_longer_than_half_a_year() -> None:
    lengths = [period_for(doses, until=NOW, zone="Europe/London").days for doses in (400, 30_000, 1_000_000)]
    assert lengths == [183, 501, 1_096]


@pytest.mark.parametrize("hour", [1, 7, 13, 23])
def test_today_is_worked_until_now_however_early_it_is(hour: int) -> None:
    now = NOW.replace(hour=hour)
    period = period_for(400, until=now, zone="Europe/London")
    today = [one for one in instants(period, 400, seeded(3)) if one.date() == now.date()]
    assert len(today) >= 3
    assert today[-1] <= now
