"""A dose fulfils the slot that is due and plans the next; its void gives the slot back; the gate says what the order says."""

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from inventory.audit.verification import Verification
from inventory.catalogue.models import Route
from inventory.courses import services
from inventory.courses.rules.calendar import Interval
from inventory.courses.rules.ordering import ProtocolDraft
from inventory.courses.rules.planning import Step
from inventory.courses.rules.terms import CourseState, Unit
from inventory.doses.models import Dose, DoseAuthority, DoseSlot
from inventory.doses.queries.assessment import assess
from inventory.doses.rules.terms import BodySite, EntryMode, OverrideReason, VoidKind
from inventory.doses.services import Decisions, Override, amend_dose, void_dose
from inventory.doses.services.correcting import draws_of
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.errors import Refusals
from tests.conftest import AT
from tests.factories.catalogue import make_formulation, make_product
from tests.factories.courses import Ward, make_authority
from tests.factories.patients import make_patient
from tests.factories.stock import make_delivery

OF_ORDERS = {
    "NO-AUTHORITY",
    "COURSE-ENDED",
    "COURSE-PAUSED",
    "DOSE-ABOVE-ORDER",
    "DOSE-BELOW-ORDER",
    "FORMULATION-NOT-ORDERED",
    "ROUTE-NOT-ORDERED",
    "COURSE-REVIEW-OVERDUE",
    "COURSE-EARLY",
    "COURSE-LATE",
    "DOSE-NOT-AS-DUE",
    "SECOND-DOSE-TODAY",
}


@pytest.fixture
def ward(app: Flask, at: datetime) -> Ward:
    return Ward()


def found(ward: Ward, *, at: datetime = AT, **changes: object) -> set[str]:
    """Return what the gate says of the order, asked as the page asks it."""
    request = ward.bench.request(**changes)
    asked = assess(db.session(), request, giver=ward.bench.nurse, recorded_at=at)
    return {finding.code for finding in asked.findings} & OF_ORDERS


def give(ward: Ward, on: date | None = None, *, overridden: str = "", **changes: object) -> Dose:
    """Give a dose on a day, whatever is to be acknowledged acknowledged."""
    when = AT if on is None else datetime(on.year, on.month, on.day, 9, 30, tzinfo=UTC)
    seen = frozenset({"COURSE-EARLY", "DOSE-BELOW-ORDER", "COURSE-REVIEW-OVERDUE"})
    overrides = (
        {overridden: Override(OverrideReason.PRESCRIBED_SO, ward.prescriber, "Seen")} if overridden else {}
    )
    decisions = Decisions(acknowledged=seen, overrides=overrides)
    with clock.frozen(when):
        return ward.bench.give(ward.bench.request(**changes), at=when, decisions=decisions)


def void(ward: Ward, dose: Dose) -> None:
    void_dose(
        actor=ward.bench.nurse,
        at=clock.now(),
        dose_id=dose.id,
        kind=VoidKind.NEVER_OPENED,
        reason="Not given",
    )


def test_a_dose_fulfils_the_slot_and_plans_the_next(ward: Ward) -> None:
    course_id = ward.start()
    dose = give(ward)
    assert ward.states(course_id) == [("16 Mar", "given"), ("23 Mar", "open")]
    slot = ward.view(course_id).slots[0]
    assert slot.given_on == dose.given_on
    assert db.session.scalar(select(DoseSlot.slot_id).where(DoseSlot.dose_id == dose.id)) == slot.id


def test_four_weekly_doses_are_followed_by_a_monthly_one(ward: Ward) -> None:
    course_id = ward.start()
    ward.bench.lot = make_delivery(place=ward.bench.place, containers=9)
    for week in range(4):
        give(ward, date(2026, 3, 16) + timedelta(weeks=week))
    slot = ward.open_slot(course_id)
    assert (slot.due_on, slot.step_position) == (date(2026, 5, 6), 2)


def test_a_course_is_completed_by_its_last_dose_and_its_void_opens_it_again(ward: Ward) -> None:
    once = Ward(
        bench=ward.bench, draft=ProtocolDraft("A label", (Step(1, 1_000_000, Interval(1, Unit.WEEK), 1),))
    )
    course_id = once.start(review_on=None)
    dose = give(once)
    assert once.view(course_id).state is CourseState.COMPLETED
    void(once, dose)
    assert once.view(course_id).state is CourseState.ACTIVE
    assert once.states(course_id) == [("16 Mar", "open")]


def test_a_void_gives_the_slot_back_and_withdraws_what_was_planned(ward: Ward) -> None:
    course_id = ward.start()
    void(ward, give(ward))
    assert ward.states(course_id) == [("16 Mar", "open"), ("23 Mar", "withdrawn")]
    give(ward)
    assert ward.states(course_id) == [("16 Mar", "given"), ("23 Mar", "withdrawn"), ("23 Mar", "open")]
    assert list(Verification(db.session()).whole()) == []


def test_a_void_after_a_later_dose_leaves_it_missed(ward: Ward) -> None:
    course_id = ward.start()
    first = give(ward)
    give(ward, date(2026, 3, 23))
    void(ward, first)
    assert ward.states(course_id) == [("16 Mar", "missed"), ("23 Mar", "given"), ("30 Mar", "open")]


def test_a_void_in_a_pause_is_due_when_the_course_goes_on(ward: Ward) -> None:
    course_id = ward.start()
    dose = give(ward)
    services.pause_course(actor=ward.prescriber, at=AT, course_id=course_id, reason="Ill")
    void(ward, dose)
    assert {state for _, state in ward.states(course_id)} == {"withdrawn"}
    services.resume_course(
        actor=ward.prescriber, at=AT, course_id=course_id, reason="Well", next_due_on=date(2026, 4, 1)
    )
    assert ward.open_slot(course_id).dose_in_step == 1


def amend(ward: Ward, dose: Dose, **changes: object) -> Dose:
    draws = changes.pop("draws", draws_of(db.session(), dose.id))
    outcome = amend_dose(
        actor=ward.bench.nurse,
        at=clock.now() + timedelta(minutes=1),
        dose_id=dose.id,
        request=ward.bench.request(mode=EntryMode.ALREADY_GIVEN, draws=draws, **changes),
        reason="Typed wrong",
    )
    return db.session.get_one(Dose, outcome.subject_id)


def test_an_amendment_of_the_same_day_keeps_the_slot_and_what_follows(ward: Ward) -> None:
    course_id = ward.start()
    dose = give(ward)
    services.adjust_course(
        actor=ward.prescriber, at=AT, course_id=course_id, reason="Away", next_due_on=date(2026, 3, 27)
    )
    amended = amend(ward, dose, body_site=BodySite.RIGHT_DELTOID)
    assert ward.open_slot(course_id).due_on == date(2026, 3, 27)
    kept = db.session.scalar(select(DoseSlot.slot_id).where(DoseSlot.dose_id == amended.id))
    assert kept == ward.view(course_id).slots[0].id


def test_an_amendment_to_another_patient_gives_the_slot_back(ward: Ward) -> None:
    course_id = ward.start()
    other = make_patient()
    other_course = ward.start(patient_id=other)
    amend(ward, give(ward), patient_id=other)
    assert ward.states(course_id) == [("16 Mar", "open"), ("23 Mar", "withdrawn")]
    assert ward.states(other_course) == [("16 Mar", "given"), ("23 Mar", "open")]


def test_an_amendment_to_another_day_plans_anew(ward: Ward) -> None:
    course_id = ward.start(starts_on=date(2026, 3, 10), at=AT - timedelta(days=9))
    dose = give(ward)
    assert ward.open_slot(course_id).due_on == date(2026, 3, 23)
    amend(ward, dose, given_at=AT - timedelta(days=4))
    assert ward.open_slot(course_id).due_on == date(2026, 3, 17)


def test_an_amendment_to_another_day_before_a_later_dose_keeps_the_slot(ward: Ward) -> None:
    course_id = ward.start()
    dose = give(ward)
    give(ward, date(2026, 3, 23))
    with clock.frozen(datetime(2026, 3, 24, 9, 30, tzinfo=UTC)):
        amend(ward, dose, given_at=AT + timedelta(days=1))
    assert ward.states(course_id) == [("16 Mar", "given"), ("23 Mar", "given"), ("30 Mar", "open")]
    assert ward.view(course_id).slots[0].given_on == date(2026, 3, 17)


def test_a_second_dose_of_a_day_that_the_order_allows_fulfils_nothing_more(ward: Ward) -> None:
    course_id = ward.start(doses_a_day=2)
    give(ward)
    assert found(ward) == set()
    with clock.frozen(AT + timedelta(hours=3)):
        ward.bench.give(at=clock.now())
    assert ward.states(course_id) == [("16 Mar", "given"), ("23 Mar", "open")]
    assert "SECOND-DOSE-TODAY" in found(ward, at=AT + timedelta(hours=4))


def test_a_clinic_without_courses_and_authorities_is_asked_for_none(ward: Ward) -> None:
    assert found(ward) == set()


def test_a_dose_without_an_order_needs_an_override_where_the_clinic_has_courses(ward: Ward) -> None:
    ward.start(patient_id=make_patient())
    assert found(ward) == {"NO-AUTHORITY"}
    with pytest.raises(Refusals):
        give(ward)
    assert give(ward, overridden="NO-AUTHORITY").id


def test_an_order_written_after_the_dose_is_none_for_it(ward: Ward) -> None:
    ward.start(at=AT + timedelta(hours=1))
    late = {"at": AT + timedelta(hours=2), "mode": EntryMode.ALREADY_GIVEN, "given_at": AT}
    assert found(ward, **late) == {"NO-AUTHORITY"}  # type: ignore[arg-type]


def test_a_standing_order_covers_a_dose_and_is_written_on_it(ward: Ward) -> None:
    authority_id = make_authority(ward.formulation_id, actor=ward.prescriber)
    assert found(ward) == set()
    dose = give(ward)
    assert db.session.scalar(select(DoseAuthority.authority_id)) == authority_id
    assert dose.is_deviation is False


@pytest.mark.parametrize(
    "changes",
    [
        {"expires_on": date(2026, 3, 15)},
        {"valid_from": date(2026, 3, 17)},
        {"most_dose_ng": 999_999, "least_dose_ng": 1},
        {"route": Route.SC},
    ],
)
def test_a_standing_order_that_does_not_fit_covers_nothing(ward: Ward, changes: dict[str, object]) -> None:
    make_authority(ward.formulation_id, actor=ward.prescriber, **changes)
    assert found(ward) == {"NO-AUTHORITY"}


def test_a_standing_order_covers_until_its_last_day_and_not_once_withdrawn(ward: Ward) -> None:
    authority_id = make_authority(ward.formulation_id, actor=ward.prescriber, expires_on=date(2026, 3, 16))
    assert found(ward) == set()
    services.withdraw_authority(actor=ward.prescriber, at=AT, authority_id=authority_id, reason="Replaced")
    assert found(ward, at=AT + timedelta(minutes=1)) == {"NO-AUTHORITY"}


@pytest.mark.parametrize(
    "day,expected",
    [
        (date(2026, 3, 13), {"COURSE-EARLY"}),
        (date(2026, 3, 14), set()),
        (date(2026, 3, 19), set()),
        (date(2026, 3, 20), {"COURSE-LATE"}),
        (date(2026, 9, 16), {"COURSE-LATE"}),
        (date(2026, 9, 17), {"COURSE-LATE", "COURSE-REVIEW-OVERDUE"}),
    ],
)
def test_tells_early_and_late_by_the_days_around_a_dose(ward: Ward, day: date, expected: set[str]) -> None:
    ward.start(at=AT - timedelta(days=9))
    assert found(ward, at=datetime(day.year, day.month, day.day, 9, 30, tzinfo=UTC)) == expected


def test_tells_a_dose_outside_the_order(ward: Ward) -> None:
    ward.start(least_dose_ng=800_000, most_dose_ng=1_000_000)
    assert found(ward, volume_ul=1_001) == {"DOSE-ABOVE-ORDER"}
    assert found(ward, volume_ul=799) == {"DOSE-BELOW-ORDER"}
    assert found(ward, volume_ul=800) == {"DOSE-NOT-AS-DUE"}
    assert found(ward, volume_ul=1_000) == set()


def test_tells_another_route(ward: Ward) -> None:
    ward.start()
    assert found(ward, route=Route.SC) == {"ROUTE-NOT-ORDERED"}


def test_tells_another_formulation_of_the_substance(ward: Ward) -> None:
    acetate = make_formulation(name="Cyanocobalamin acetate", substance="cyanocobalamin")
    lot = make_delivery(
        place=ward.bench.place, product_id=make_product(formulation_id=acetate).id, containers=2
    )
    ward.start()
    assert found(ward, lot=lot) == {"FORMULATION-NOT-ORDERED"}


def test_tells_a_pause_even_where_a_standing_order_would_cover(ward: Ward) -> None:
    course_id = ward.start()
    make_authority(ward.formulation_id, actor=ward.prescriber)
    services.pause_course(actor=ward.prescriber, at=AT, course_id=course_id, reason="Ill")
    assert found(ward, at=AT + timedelta(minutes=2)) == {"COURSE-PAUSED"}


def test_a_pause_holds_from_when_it_was_decided(ward: Ward) -> None:
    course_id = ward.start(at=AT - timedelta(days=1))
    services.pause_course(
        actor=ward.prescriber, at=AT + timedelta(hours=1), course_id=course_id, reason="Ill"
    )
    late = {"at": AT + timedelta(hours=2), "mode": EntryMode.ALREADY_GIVEN}
    assert "COURSE-PAUSED" not in found(ward, given_at=AT, **late)  # type: ignore[arg-type]
    assert "COURSE-PAUSED" in found(ward, given_at=AT + timedelta(minutes=90), **late)  # type: ignore[arg-type]


def test_tells_an_ended_course_unless_a_standing_order_covers(ward: Ward) -> None:
    course_id = ward.start()
    services.end_course(actor=ward.prescriber, at=AT, course_id=course_id, reason="Cured")
    after = AT + timedelta(minutes=2)
    assert found(ward, at=after) == {"COURSE-ENDED"}
    make_authority(ward.formulation_id, actor=ward.prescriber)
    assert found(ward, at=after) == set()


def test_tells_an_order_past_its_last_day(ward: Ward) -> None:
    ward.start(stops_on=date(2026, 3, 20))
    assert "COURSE-ENDED" not in found(ward, at=datetime(2026, 3, 20, 9, 30, tzinfo=UTC))
    assert "COURSE-ENDED" in found(ward, at=datetime(2026, 3, 21, 9, 30, tzinfo=UTC))


def test_an_adjusted_range_is_the_one_that_counts(ward: Ward) -> None:
    course_id = ward.start()
    services.adjust_course(
        actor=ward.prescriber,
        at=AT,
        course_id=course_id,
        reason="Less",
        dose_ng=500_000,
        dose_range=(400_000, 600_000),
    )
    assert found(ward, volume_ul=500) == set()
    assert found(ward, volume_ul=1_000) == {"DOSE-ABOVE-ORDER"}


def test_two_doses_at_once_fulfil_one_slot(ward: Ward) -> None:
    """The second, in the same minute, finds that the day has its dose."""
    course_id = ward.start(doses_a_day=2)
    give(ward)
    give(ward)
    assert db.session.scalar(select(func.count()).select_from(DoseSlot)) == 1
    assert ward.states(course_id) == [("16 Mar", "given"), ("23 Mar", "open")]
