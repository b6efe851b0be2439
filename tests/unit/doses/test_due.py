"""When a dose is due, what is watched first, and the weeks of a month."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.doses.rules.due import (
    Concern,
    Due,
    Marks,
    month_before,
    next_month,
    watched,
    weeks_of,
    when_due,
)
from inventory.patients.models import AlertKind, AllergyStatus, ConsentStatus

TODAY = date(2026, 3, 16)
QUIET = Marks(
    frozenset(), AllergyStatus.NONE_KNOWN, ConsentStatus.GIVEN, is_first_dose=False, closes_on=TODAY
)
GOOD_TO_KNOW = {AlertKind.PROVEN_B12_DEFICIENCY, AlertKind.POTASSIUM_PLAN}


def marks(**changes: object) -> Marks:
    told = {name: getattr(QUIET, name) for name in Marks.__dataclass_fields__}
    return Marks(**{**told, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "days, expected", [(-1, Due.OVERDUE), (0, Due.TODAY), (1, Due.NEXT), (-400, Due.OVERDUE)]
)
def test_what_was_due_before_today_is_overdue(days: int, expected: Due) -> None:
    assert when_due(TODAY + timedelta(days=days), TODAY) is expected


def test_nothing_is_watched_where_nothing_is_known() -> None:
    assert watched(QUIET, TODAY) == (None, 0)


@pytest.mark.parametrize("kind", sorted(set(AlertKind) - GOOD_TO_KNOW))
def test_every_alert_that_asks_for_care_is_watched(kind: AlertKind) -> None:
    assert watched(marks(alerts=frozenset({kind})), TODAY) == (kind, 0)


@pytest.mark.parametrize("kind", sorted(GOOD_TO_KNOW))
def test_what_is_good_to_know_is_not_watched(kind: AlertKind) -> None:
    assert watched(marks(alerts=frozenset({kind})), TODAY) == (None, 0)


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({"allergy_status": AllergyStatus.NOT_ASKED}, Concern.ALLERGIES_NOT_ASKED),
        ({"consent": None}, Concern.CONSENT_NOT_RECORDED),
        ({"consent": ConsentStatus.WITHDRAWN}, Concern.CONSENT_REFUSED),
        ({"closes_on": TODAY - timedelta(days=1)}, Concern.WINDOW_PASSED),
        ({"is_first_dose": True}, Concern.FIRST_DOSE),
    ],
)
def test_other_concerns_are_watched_too(changes: dict[str, object], expected: Concern) -> None:
    assert watched(marks(**changes), TODAY) == (expected, 0)


def test_what_stops_a_dose_comes_before_what_asks_for_care() -> None:
    alerts = frozenset({AlertKind.BLEEDING_RISK, AlertKind.SERIOUS_REACTION, AlertKind.ALLERGY_COBALAMIN})
    assert watched(marks(alerts=alerts, consent=None), TODAY) == (AlertKind.SERIOUS_REACTION, 3)


@given(st.dates(date(1999, 1, 1), date(2101, 12, 31)))
def test_a_month_is_shown_in_whole_weeks_from_monday(day: date) -> None:
    weeks = weeks_of(day)
    days = [one for week in weeks for one in week]
    assert all(len(week) == 7 and week[0].weekday() == 0 for week in weeks)
    assert days == [days[0] + timedelta(days=n) for n in range(len(days))]
    of_month = [one for one in days if (one.year, one.month) == (day.year, day.month)]
    assert of_month[0].day == 1
    assert (of_month[-1] + timedelta(days=1)).day == 1
    assert len(days) - len(of_month) < 14
    assert next_month(month_before(day)) == day.replace(day=1) == month_before(next_month(day))
