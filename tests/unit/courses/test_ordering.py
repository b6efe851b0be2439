"""What a protocol, an order and an authority must be: each thing wrong is told, with its code and its field."""

from dataclasses import replace
from datetime import date

import pytest

from inventory.catalogue.models import Route
from inventory.courses.rules.calendar import Interval
from inventory.courses.rules.ordering import AuthorityDraft, Order, ProtocolDraft, fits
from inventory.courses.rules.planning import Step
from inventory.courses.rules.terms import AuthorityKind, Unit

WEEK = Interval(1, Unit.WEEK)
STEP = Step(1, 1_000_000, WEEK, doses=4, early_days=2, late_days=3)
GOOD = ProtocolDraft("A guideline", (STEP,))


def wrong(draft: ProtocolDraft) -> dict[str, str | None]:
    return {refusal.code: refusal.field for refusal in draft.refusals()}


def test_takes_a_protocol_with_an_end() -> None:
    assert wrong(GOOD) == {}


def test_takes_one_without_an_end_that_is_reviewed() -> None:
    assert wrong(ProtocolDraft("A guideline", (replace(STEP, doses=None),), review_months=6)) == {}


@pytest.mark.parametrize(
    "step,code,field",
    [
        (replace(STEP, interval=Interval(0, Unit.WEEK)), "PROTOCOL-INTERVAL", "step1_count"),
        (replace(STEP, interval=Interval(25, Unit.MONTH)), "PROTOCOL-INTERVAL", "step1_count"),
        (replace(STEP, dose_ng=0), "PROTOCOL-DOSE", "step1_dose"),
        (replace(STEP, doses=0), "PROTOCOL-DOSES", "step1_doses"),
        (replace(STEP, early_days=7), "PROTOCOL-TOLERANCE", "step1_early"),
        (replace(STEP, late_days=7), "PROTOCOL-TOLERANCE", "step1_early"),
        (replace(STEP, doses=None), "PROTOCOL-NO-END", "review_months"),
    ],
)
def test_refuses_a_wrong_step(step: Step, code: str, field: str) -> None:
    assert wrong(ProtocolDraft("A guideline", (step,))).get(code) == field


def test_refuses_a_step_that_nothing_ends_before_another() -> None:
    steps = (replace(STEP, doses=None), replace(STEP, position=2))
    assert wrong(ProtocolDraft("A guideline", steps)) == {"PROTOCOL-UNTIL": "step1_doses"}
    until = replace(steps[0], until_text="no further improvement")
    assert wrong(ProtocolDraft("A guideline", (until, steps[1]))) == {}


@pytest.mark.parametrize(
    "draft,code",
    [
        (replace(GOOD, source=" "), "PROTOCOL-SOURCE"),
        (replace(GOOD, steps=()), "PROTOCOL-STEPS"),
        (replace(GOOD, steps=tuple(replace(STEP, position=n) for n in range(1, 14))), "PROTOCOL-STEPS"),
        (replace(GOOD, review_months=0), "PROTOCOL-REVIEW"),
        (replace(GOOD, review_months=61), "PROTOCOL-REVIEW"),
    ],
)
def test_refuses_a_wrong_protocol(draft: ProtocolDraft, code: str) -> None:
    assert code in wrong(draft)


ORDER = Order(Route.IM, 1_000_000, 1_000_000, date(2026, 3, 16), "Deficiency")


def refused(order: Order, **changes: object) -> set[str]:
    usual: dict[str, object] = {
        "draft": GOOD,
        "born_on": date(1980, 1, 1),
        "labelled": {Route.IM, Route.SC},
        "is_refused": False,
        "formulation": "Cyanocobalamin",
    }
    return {refusal.code for refusal in order.refusals(**{**usual, **changes})}  # type: ignore[arg-type]


def test_takes_an_order() -> None:
    assert refused(ORDER) == set()


def test_takes_an_order_that_starts_on_the_birth_day() -> None:
    assert refused(ORDER, born_on=ORDER.starts_on) == set()


@pytest.mark.parametrize(
    "order,code",
    [
        (replace(ORDER, indication=" "), "COURSE-INDICATION"),
        (replace(ORDER, doses_a_day=0), "COURSE-A-DAY"),
        (replace(ORDER, least_dose_ng=0), "DOSE-RANGE"),
        (replace(ORDER, least_dose_ng=1_000_001), "DOSE-RANGE"),
        (replace(ORDER, most_dose_ng=1_500_000, least_dose_ng=1_200_000), "COURSE-DOSE-OUTSIDE"),
        (replace(ORDER, review_on=ORDER.starts_on), "COURSE-REVIEW"),
        (replace(ORDER, stops_on=date(2026, 3, 15)), "COURSE-STOP"),
        (replace(ORDER, route=Route.IV), "COURSE-IV-ONLY"),
    ],
)
def test_refuses_a_wrong_order(order: Order, code: str) -> None:
    assert code in refused(order)


def test_refuses_what_the_formulation_does_not_allow() -> None:
    assert refused(ORDER, is_refused=True) == {"FORMULATION-REFUSED"}
    assert refused(ORDER, labelled={Route.IV}) == {"COURSE-IV-ONLY"}
    assert refused(ORDER, labelled={Route.SC}) == {"COURSE-ROUTE"}
    assert refused(ORDER, labelled=set()) == set()


def test_refuses_a_course_before_the_birth() -> None:
    assert refused(ORDER, born_on=date(2026, 3, 17)) == {"COURSE-BEFORE-BIRTH"}


def test_asks_for_a_review_or_a_last_day_where_the_protocol_has_no_end() -> None:
    endless = ProtocolDraft("A guideline", (replace(STEP, doses=None),), review_months=6)
    assert refused(ORDER, draft=endless) == {"COURSE-REVIEW"}
    assert refused(replace(ORDER, review_on=date(2026, 9, 16)), draft=endless) == set()
    assert refused(replace(ORDER, stops_on=date(2026, 9, 16)), draft=endless) == set()


@pytest.mark.parametrize(
    "wanted,substance,expected",
    [
        (None, "cyanocobalamin", True),
        ("hydroxocobalamin", "Hydroxocobalamin", True),
        ("mecobalamin", "methylcobalamin", True),
        ("hydroxocobalamin", "cyanocobalamin", False),
    ],
)
def test_tells_whether_a_protocol_is_for_a_substance(
    wanted: str | None, substance: str, expected: bool
) -> None:
    assert fits(wanted, substance) is expected


AUTHORITY = AuthorityDraft(
    AuthorityKind.STANDING_ORDER,
    "B12 standing order",
    "3",
    Route.IM,
    1_000_000,
    1_000_000,
    date(2026, 1, 1),
    date(2026, 12, 31),
)


@pytest.mark.parametrize(
    "draft,code",
    [
        (replace(AUTHORITY, document=""), "AUTHORITY-DOCUMENT"),
        (replace(AUTHORITY, document_version=" "), "AUTHORITY-VERSION"),
        (replace(AUTHORITY, expires_on=date(2025, 12, 31)), "AUTHORITY-EXPIRY"),
        (replace(AUTHORITY, least_dose_ng=2_000_000), "DOSE-RANGE"),
        (replace(AUTHORITY, route=Route.IV), "COURSE-IV-ONLY"),
    ],
)
def test_refuses_a_wrong_authority(draft: AuthorityDraft, code: str) -> None:
    assert [refusal.code for refusal in draft.refusals()] == [code]


def test_takes_an_authority() -> None:
    assert AUTHORITY.refusals() == []
