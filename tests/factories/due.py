"""Makes courses through the room's own services: by the month, with the next dose due on a day."""

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from inventory.catalogue.models import Route
from inventory.courses.models import Course, CourseSlot, Protocol, ProtocolVersion
from inventory.courses.rules.calendar import Interval
from inventory.courses.rules.ordering import Order, ProtocolDraft
from inventory.courses.rules.planning import Step
from inventory.courses.rules.terms import SlotState, Unit
from inventory.courses.services import add_protocol, start_course
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor, Role
from inventory.staff.models import User
from inventory.staff.queries import actor_of, person
from tests.factories.catalogue import make_formulation
from tests.factories.staff import make_actor


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
    """Order a course by the month, whose first dose is due on a day, so many days earlier or later; return its open slot."""
    instant = at or clock.now()
    order = Order(
        route=Route.IM,
        least_dose_ng=dose_ng,
        most_dose_ng=dose_ng,
        starts_on=due_on,
        indication="B12 deficiency",
        review_on=due_on + timedelta(days=365),
    )
    course_id = start_course(
        actor=_prescriber(),
        at=instant,
        patient_id=patient_id,
        site_id=site_id,
        version_id=monthly(dose_ng, window),
        formulation_id=formulation_id or make_formulation(),
        order=order,
    ).subject_id
    return open_slot(course_id)


def open_slot(course_id: UUID) -> UUID:
    """Return the open slot of a course."""
    is_open = (CourseSlot.course_id == course_id, CourseSlot.state == SlotState.OPEN)
    return db.session.scalars(select(CourseSlot.id).where(*is_open)).one()


def slot(slot_id: UUID) -> CourseSlot:
    """Return a slot as it stands now."""
    found = select(CourseSlot).where(CourseSlot.id == slot_id).execution_options(populate_existing=True)
    return db.session.scalars(found).one()


def patient_of(slot_id: UUID) -> UUID:
    """Return whose slot it is."""
    found = select(Course.patient_id).join(CourseSlot, CourseSlot.course_id == Course.id)
    return db.session.scalars(found.where(CourseSlot.id == slot_id)).one()


def monthly(dose_ng: int = 1_000_000, window: int = 2) -> UUID:
    """Return the version of a protocol of one dose a month, added where there is none."""
    name = f"Invented: {dose_ng} ng a month, {window} days around"
    version = select(ProtocolVersion.id).join(Protocol, Protocol.id == ProtocolVersion.protocol_id)
    found = db.session.scalar(version.where(Protocol.name == name))
    if found is not None:
        return found
    step = Step(1, dose_ng, Interval(1, Unit.MONTH), early_days=window, late_days=window)
    draft = ProtocolDraft("invented", (step,), review_months=12)
    add_protocol(actor=SYSTEM_ACTOR, at=clock.now(), name=name, draft=draft)
    return db.session.scalars(version.where(Protocol.name == name)).one()


def _prescriber() -> Actor:
    known = db.session.scalar(select(User.id).where(User.display_name == "Petra Prescriber"))
    return actor_of(person(known)) if known else make_actor(Role.PRESCRIBER, display_name="Petra Prescriber")
