"""Makes courses whose next dose is due on a day, row by row: what a list shows of them is all that its tests depend on."""

from datetime import date, datetime, timedelta
from itertools import count
from uuid import UUID

from inventory.audit.acts import Act, Outcome, perform
from inventory.catalogue.models import Route
from inventory.courses.models import Course, CourseSlot, Protocol, ProtocolStep, ProtocolVersion
from inventory.courses.rules.terms import SlotState, Unit
from inventory.kernel import clock
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import SYSTEM_ACTOR, SYSTEM_USER_ID
from tests.factories.catalogue import make_formulation

_numbers = count(1)


def make_due(
    patient_id: UUID,
    *,
    site_id: UUID,
    due_on: date,
    formulation_id: UUID | None = None,
    dose_ng: int = 1_000_000,
    window: int = 2,
    at: datetime | None = None,
) -> UUID:
    """Order a course by the month for a patient, with its next dose due on a day; return the open slot's id."""
    slot_id, what = uuid7(), formulation_id or make_formulation()

    def write(act: Act) -> Outcome:
        course_id = _course(
            act,
            patient_id=patient_id,
            site_id=site_id,
            formulation_id=what,
            starts_on=due_on,
            dose_ng=dose_ng,
        )
        slot = CourseSlot(
            id=slot_id,
            course_id=course_id,
            site_id=site_id,
            number=1,
            step_position=1,
            dose_in_step=1,
            due_on=due_on,
            opens_on=due_on - timedelta(days=window),
            closes_on=due_on + timedelta(days=window),
            anchor_on=due_on,
            dose_ng=dose_ng,
            planned_at=act.recorded_at,
            state=SlotState.OPEN,
        )
        act.session.add(slot)
        act.session.flush()
        return act.record("courses.order", "course", course_id, site_id=site_id, patient_id=patient_id)

    perform(write, actor=SYSTEM_ACTOR, at=at or clock.now())
    return slot_id


def _course(
    act: Act, *, patient_id: UUID, site_id: UUID, formulation_id: UUID, starts_on: date, dose_ng: int
) -> UUID:
    version_id, course_id = _version(act, dose_ng), uuid7()
    act.insert(
        Course,
        {
            "id": course_id,
            "site_id": site_id,
            "patient_id": patient_id,
            "protocol_version_id": version_id,
            "formulation_id": formulation_id,
            "route": Route.IM,
            "least_dose_ng": dose_ng,
            "most_dose_ng": dose_ng,
            "doses_a_day": 1,
            "starts_on": starts_on,
            "review_on": starts_on + timedelta(days=365),
            "stops_on": None,
            "indication": "B12 deficiency",
            "ordered_by_id": SYSTEM_USER_ID,
            "recorded_at": act.recorded_at,
        },
    )
    return course_id


def _version(act: Act, dose_ng: int) -> UUID:
    protocol = Protocol(
        id=uuid7(),
        name=f"Invented {next(_numbers)}",
        created_at=act.recorded_at,
        created_by_id=SYSTEM_USER_ID,
    )
    act.session.add(protocol)
    act.session.flush()
    version_id = uuid7()
    version = {
        "id": version_id,
        "protocol_id": protocol.id,
        "number": 1,
        "step_count": 1,
        "formulation_id": None,
        "review_months": 12,
        "source": "invented",
        "published_at": act.recorded_at,
        "actor_id": SYSTEM_USER_ID,
    }
    act.insert(ProtocolVersion, version)
    step = {
        "version_id": version_id,
        "position": 1,
        "step_count": 1,
        "dose_ng": dose_ng,
        "interval_count": 1,
        "interval_unit": Unit.MONTH,
        "doses": None,
        "until_text": "decided otherwise",
        "tolerance_early_days": 2,
        "tolerance_late_days": 2,
    }
    act.insert(ProtocolStep, step)
    return version_id
