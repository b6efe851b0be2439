"""Protocols and courses through their services: what is planned, what a decision makes of it, and what is refused."""

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask

from inventory.audit.verification import Verification
from inventory.catalogue.models import Route
from inventory.courses import services
from inventory.courses.queries.protocols import protocols, versions_of
from inventory.courses.rules.calendar import Interval
from inventory.courses.rules.ordering import ProtocolDraft
from inventory.courses.rules.planning import Step
from inventory.courses.rules.terms import CourseState, SlotState, Unit
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.patients.models import RecordState
from inventory.patients.services.states import set_state
from tests.factories.catalogue import make_formulation, make_product
from tests.factories.courses import AT, STARTS_ON, WEEKLY_THEN_MONTHLY, Ward, make_authority, make_protocol
from tests.factories.patients import make_patient
from tests.factories.staff import make_actor

LATER = datetime(2026, 4, 1, 10, 0, tzinfo=UTC)


@pytest.fixture
def ward(app: Flask) -> Ward:
    return Ward()


def codes(refused: Refusals) -> set[str]:
    return {refusal.code for refusal in refused.refusals}


def test_a_course_begins_with_one_open_slot(ward: Ward) -> None:
    slot = ward.open_slot(ward.start())
    assert (slot.due_on, slot.opens_on, slot.closes_on) == (STARTS_ON, date(2026, 3, 14), date(2026, 3, 19))
    assert (slot.number, slot.step_position, slot.dose_ng) == (1, 1, 1_000_000)


def test_only_a_prescriber_orders_a_course(ward: Ward) -> None:
    with pytest.raises(Refusal) as refused:
        ward.start(actor=make_actor(Role.PRACTITIONER))
    assert refused.value.code == "COURSE-PRESCRIBER"


def test_a_second_course_of_the_substance_is_refused_while_one_runs(ward: Ward) -> None:
    course_id = ward.start()
    with pytest.raises(Refusals) as refused:
        ward.start()
    assert codes(refused.value) == {"COURSE-RUNS"}
    services.end_course(actor=ward.prescriber, at=AT, course_id=course_id, reason="Cured")
    assert ward.start() != course_id


def test_an_infusion_or_refused_formulation_is_no_course(ward: Ward) -> None:
    kit = make_formulation(name="Kit", substance="hydroxocobalamin")
    make_product(formulation_id=kit, routes=frozenset({Route.IV}))
    refused_here = make_formulation(name="Refused", substance="invented", refused=True)
    for formulation_id, code in ((kit, "COURSE-IV-ONLY"), (refused_here, "FORMULATION-REFUSED")):
        with pytest.raises(Refusals) as refused:
            ward.start(formulation_id=formulation_id)
        assert codes(refused.value) == {code}


def test_a_protocol_for_another_substance_is_refused(ward: Ward) -> None:
    draft = ProtocolDraft("A label", WEEKLY_THEN_MONTHLY.steps, "hydroxocobalamin", 6)
    with pytest.raises(Refusals) as refused:
        ward.start(version_id=make_protocol(draft, actor=ward.prescriber))
    assert codes(refused.value) == {"PROTOCOL-SUBSTANCE"}


def test_a_course_on_the_birth_day_is_allowed_and_before_it_is_not(ward: Ward) -> None:
    born = make_patient(born_on=STARTS_ON, at=AT)
    assert ward.start(patient_id=born)
    unborn = make_patient(born_on=date(2026, 3, 17), at=datetime(2026, 3, 17, 12, tzinfo=UTC))
    with pytest.raises(Refusals) as refused:
        ward.start(patient_id=unborn)
    assert codes(refused.value) == {"COURSE-BEFORE-BIRTH"}


def test_the_schedules_of_the_software_are_added_once(ward: Ward) -> None:
    services.add_shipped(actor=SYSTEM_ACTOR, at=AT)
    found = {one.protocol.name: one for one in protocols(db.session())}
    weekly = found["Weekly x4, then monthly"]
    assert [(step.doses, str(step.interval)) for step in weekly.steps] == [
        (4, "every week"),
        (None, "every month"),
    ]
    assert {one.version.for_substance for one in found.values()} == {
        None,
        "hydroxocobalamin",
        "cyanocobalamin",
        "mecobalamin",
    }
    assert all(not one.draft.refusals() and one.version.source for one in found.values())
    with pytest.raises(Refusal) as refused:
        services.add_shipped(actor=SYSTEM_ACTOR, at=AT)
    assert refused.value.code == "NOTHING-CHANGED"


def test_a_new_version_leaves_running_courses_on_theirs(ward: Ward) -> None:
    course_id = ward.start()
    protocol_id = ward.view(course_id).protocol.id
    draft = ProtocolDraft("Another", (Step(1, 500_000, Interval(2, Unit.WEEK), doses=2),))
    services.new_version(actor=ward.prescriber, at=LATER, protocol_id=protocol_id, draft=draft)
    assert [one.version.number for one in versions_of(db.session(), protocol_id)] == [2, 1]
    assert ward.view(course_id).version.number == 1
    assert len(ward.view(course_id).steps) == 2


def test_no_course_starts_on_a_withdrawn_protocol(ward: Ward) -> None:
    protocol_id = protocols(db.session())[0].protocol.id
    services.withdraw_protocol(actor=ward.prescriber, at=AT, protocol_id=protocol_id, reason="Replaced")
    with pytest.raises(Refusals) as refused:
        ward.start()
    assert codes(refused.value) == {"PROTOCOL-WITHDRAWN"}
    for act in (
        lambda: services.withdraw_protocol(
            actor=ward.prescriber, at=AT, protocol_id=protocol_id, reason="Again"
        ),
        lambda: services.new_version(
            actor=ward.prescriber, at=AT, protocol_id=protocol_id, draft=WEEKLY_THEN_MONTHLY
        ),
    ):
        with pytest.raises(Refusal) as twice:
            act()
        assert twice.value.code in {"ALREADY-DONE", "PROTOCOL-WITHDRAWN"}


def test_a_protocol_without_an_end_writes_nothing(ward: Ward) -> None:
    before = len(protocols(db.session()))
    with pytest.raises(Refusals) as refused:
        make_protocol(ProtocolDraft("A label", WEEKLY_THEN_MONTHLY.steps), actor=ward.prescriber)
    assert codes(refused.value) == {"PROTOCOL-NO-END"}
    assert len(protocols(db.session())) == before


def test_an_adjusted_interval_counts_from_the_last_dose(ward: Ward) -> None:
    course_id = ward.start()
    with_slot = ward.open_slot(course_id)
    services.decide_slot(
        actor=ward.bench.nurse,
        at=AT,
        slot_id=with_slot.id,
        state=SlotState.SKIPPED,
        reason="Ill",
        today=STARTS_ON,
    )
    services.adjust_course(
        actor=ward.prescriber,
        at=LATER,
        course_id=course_id,
        reason="Levels are good",
        dose_ng=1_500_000,
        dose_range=(500_000, 1_500_000),
    )
    slot = ward.open_slot(course_id)
    assert (slot.due_on, slot.dose_ng) == (date(2026, 3, 23), 1_500_000)
    assert ward.view(course_id).dose_range == (500_000, 1_500_000)
    assert [one.dose_ng for one in ward.view(course_id).ahead()][:3] == [1_500_000, 1_500_000, 1_000_000]


def test_a_dose_outside_the_order_is_not_adjusted_to(ward: Ward) -> None:
    course_id = ward.start()
    with pytest.raises(Refusal) as refused:
        services.adjust_course(
            actor=ward.prescriber, at=AT, course_id=course_id, reason="More", dose_ng=2_000_000
        )
    assert refused.value.code == "COURSE-DOSE-OUTSIDE"
    assert ward.states(course_id) == [("16 Mar", "open")]


@pytest.mark.parametrize(
    "changes,code",
    [
        ({"interval": Interval(0, Unit.WEEK)}, "PROTOCOL-INTERVAL"),
        ({"dose_range": (2_000_000, 1_000_000)}, "DOSE-RANGE"),
    ],
)
def test_a_wrong_adjustment_is_refused(ward: Ward, changes: dict[str, object], code: str) -> None:
    course_id = ward.start()
    with pytest.raises(Refusals) as refused:
        services.adjust_course(actor=ward.prescriber, at=AT, course_id=course_id, reason="So", **changes)  # type: ignore[arg-type]
    assert codes(refused.value) == {code}


def test_a_paused_course_has_nothing_due_and_goes_on_where_it_was(ward: Ward) -> None:
    course_id = ward.start()
    services.pause_course(actor=ward.prescriber, at=AT, course_id=course_id, reason="On holiday")
    assert ward.view(course_id).state is CourseState.PAUSED
    assert ward.states(course_id) == [("16 Mar", "withdrawn")]
    services.resume_course(
        actor=ward.prescriber, at=LATER, course_id=course_id, reason="Back", next_due_on=date(2026, 4, 2)
    )
    slot = ward.open_slot(course_id)
    assert (slot.due_on, slot.step_position, slot.dose_in_step) == (date(2026, 4, 2), 1, 1)
    assert ward.view(course_id).state is CourseState.ACTIVE


def test_a_course_moves_on_and_resumes_in_the_step_it_moved_to(ward: Ward) -> None:
    course_id = ward.start()
    services.move_on(
        actor=ward.prescriber,
        at=AT,
        course_id=course_id,
        reason="Loaded elsewhere",
        next_due_on=date(2026, 4, 16),
    )
    assert ward.open_slot(course_id).step_position == 2
    services.pause_course(actor=ward.prescriber, at=AT, course_id=course_id, reason="On holiday")
    services.resume_course(
        actor=ward.prescriber, at=LATER, course_id=course_id, reason="Back", next_due_on=date(2026, 5, 4)
    )
    assert (ward.open_slot(course_id).step_position, ward.open_slot(course_id).dose_in_step) == (2, 1)
    with pytest.raises(Refusal) as refused:
        services.move_on(
            actor=ward.prescriber, at=LATER, course_id=course_id, reason="On", next_due_on=date(2026, 6, 1)
        )
    assert refused.value.code == "COURSE-LAST-STEP"


def test_nothing_is_decided_about_a_course_that_is_over(ward: Ward) -> None:
    course_id = ward.start()
    services.end_course(actor=ward.prescriber, at=AT, course_id=course_id, reason="Cured")
    assert ward.view(course_id).state is CourseState.ENDED
    with pytest.raises(Refusal) as refused:
        services.pause_course(actor=ward.prescriber, at=LATER, course_id=course_id, reason="So")
    assert refused.value.code == "COURSE-OVER"


def test_nothing_is_due_to_who_died_and_nothing_is_ordered(ward: Ward) -> None:
    course_id = ward.start()
    patient_id = ward.view(course_id).course.patient_id
    nurse = make_actor(Role.PRACTITIONER)
    died = {"state": RecordState.DECEASED, "died_on": AT.date()}
    set_state(actor=nurse, at=AT + timedelta(hours=1), patient_id=patient_id, **died)
    view = ward.view(course_id)
    assert (view.state, view.open_slot) == (CourseState.ENDED, None)
    assert [change.reason for change in view.changes] == ["The patient died."]
    with pytest.raises(Refusals) as refused:
        ward.start(at=AT + timedelta(hours=2))
    assert codes(refused.value) == {"COURSE-DECEASED"}
    assert list(Verification(db.session()).whole()) == []


def test_a_review_moves_the_next_one(ward: Ward) -> None:
    course_id = ward.start()
    services.review_course(
        actor=ward.prescriber,
        at=LATER,
        course_id=course_id,
        reason="Well",
        today=LATER.date(),
        review_on=date(2027, 3, 1),
    )
    assert ward.view(course_id).review_on == date(2027, 3, 1)


def test_a_missed_dose_is_due_again_and_says_why(ward: Ward) -> None:
    course_id = ward.start()
    services.decide_slot(
        actor=ward.bench.nurse,
        at=LATER,
        slot_id=ward.open_slot(course_id).id,
        state=SlotState.MISSED,
        reason="Did not come",
        today=date(2026, 4, 1),
    )
    assert ward.states(course_id) == [("16 Mar", "missed"), ("06 Apr", "open")]
    assert ward.open_slot(course_id).dose_in_step == 1
    assert [change.reason for change in ward.view(course_id).changes] == ["Did not come"]


def test_a_dose_is_not_missed_before_its_day_and_is_decided_once(ward: Ward) -> None:
    course_id = ward.start(starts_on=date(2026, 3, 20))
    slot = ward.open_slot(course_id)
    asked = {"actor": ward.bench.nurse, "at": AT, "slot_id": slot.id, "reason": "So", "today": STARTS_ON}
    with pytest.raises(Refusal) as early:
        services.decide_slot(state=SlotState.MISSED, **asked)  # type: ignore[arg-type]
    services.decide_slot(state=SlotState.SKIPPED, **asked)  # type: ignore[arg-type]
    with pytest.raises(Refusal) as twice:
        services.decide_slot(state=SlotState.SKIPPED, **asked)  # type: ignore[arg-type]
    assert (early.value.code, twice.value.code) == ("SLOT-NOT-DUE", "SLOT-DECIDED")


def test_only_a_prescriber_moves_what_is_due_next(ward: Ward) -> None:
    slot = ward.open_slot(ward.start())
    with pytest.raises(Refusal) as refused:
        services.decide_slot(
            actor=ward.bench.nurse,
            at=AT,
            slot_id=slot.id,
            state=SlotState.SKIPPED,
            reason="So",
            today=STARTS_ON,
            next_due_on=date(2026, 5, 1),
        )
    assert refused.value.code == "COURSE-PRESCRIBER"


def test_an_authority_is_entered_once_and_withdrawn_once(ward: Ward) -> None:
    authority_id = make_authority(ward.formulation_id, actor=ward.prescriber, document_version="7")
    with pytest.raises(Refusal) as known:
        make_authority(ward.formulation_id, actor=ward.prescriber, document_version="7")
    services.withdraw_authority(actor=ward.prescriber, at=AT, authority_id=authority_id, reason="Replaced")
    with pytest.raises(Refusal) as twice:
        services.withdraw_authority(actor=ward.prescriber, at=AT, authority_id=authority_id, reason="Again")
    assert (known.value.code, twice.value.code) == ("AUTHORITY-KNOWN", "ALREADY-DONE")


def test_the_trail_is_well_after_orders_and_decisions(ward: Ward) -> None:
    course_id = ward.start()
    services.end_course(actor=ward.prescriber, at=AT, course_id=course_id, reason="Cured")
    assert list(Verification(db.session()).whole()) == []
