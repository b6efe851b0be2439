"""Reads a course whole: its order, what was decided about it, its slots, and the plan that follows from them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.catalogue.models import Formulation, Substance
from inventory.clinic.models import Site
from inventory.courses.models import Course, CourseChange, CourseSlot, Protocol, ProtocolVersion
from inventory.courses.queries.protocols import steps_of
from inventory.courses.rules.calendar import Interval
from inventory.courses.rules.planning import Adjustment, Due, Plan, Step, projected
from inventory.courses.rules.terms import ChangeKind, CourseState, SlotState, Unit
from inventory.kernel.errors import not_found
from inventory.patients.queries import records_of
from inventory.staff.models import User

AHEAD = timedelta(days=366)
MOST_AHEAD = 12
"""How far, and how many doses, a course is told ahead of its open slot."""
_STATES = {
    ChangeKind.PAUSED: CourseState.PAUSED,
    ChangeKind.RESUMED: CourseState.ACTIVE,
    ChangeKind.ENDED: CourseState.ENDED,
}


@dataclass(frozen=True, slots=True)
class CourseView:
    """A course with all that belongs to it."""

    course: Course
    protocol: Protocol
    version: ProtocolVersion
    formulation: str
    substance_id: UUID
    site: str
    prescriber: str
    steps: tuple[Step, ...]
    changes: Sequence[CourseChange]
    slots: Sequence[CourseSlot]

    @property
    def open_slot(self) -> CourseSlot | None:
        """The next dose; None where the course is paused or over."""
        return next((slot for slot in self.slots if slot.state == SlotState.OPEN), None)

    @property
    def state(self) -> CourseState:
        """How it stands now. With nothing open and neither paused nor ended, every dose is decided."""
        last = next(
            (_STATES[c.kind] for c in reversed(self.changes) if c.kind in _STATES), CourseState.ACTIVE
        )
        if last is CourseState.ACTIVE and self.open_slot is None:
            return CourseState.COMPLETED
        return last

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is due any more."""
        return self.state in {CourseState.ENDED, CourseState.COMPLETED}

    @property
    def plan(self) -> Plan:
        """The protocol as it holds for this patient now."""
        return Plan(self.steps, tuple(map(_adjustment, self._adjusted())), self.course.stops_on)

    @property
    def dose_range(self) -> tuple[int, int]:
        """The least and the most that the order allows now, in nanograms."""
        ranged = [
            (c.least_dose_ng, c.most_dose_ng) for c in self.changes if c.least_dose_ng and c.most_dose_ng
        ]
        return ranged[-1] if ranged else (self.course.least_dose_ng, self.course.most_dose_ng)

    @property
    def review_on(self) -> date | None:
        """On which day a prescriber looks at it again."""
        reviewed = [change.review_on for change in self.changes if change.review_on]
        return reviewed[-1] if reviewed else self.course.review_on

    @property
    def position(self) -> tuple[int, int]:
        """Which dose a paused course goes on with: the first that was withdrawn since something was given, missed or skipped."""
        moved = [c.step_position for c in self.changes if c.kind == ChangeKind.MOVED_ON and c.step_position]
        least = (moved[-1], 1) if moved else (1, 1)
        trailing: list[tuple[int, int]] = []
        for slot in reversed(self.slots):
            if slot.state != SlotState.WITHDRAWN:
                break
            trailing.append((slot.step_position, slot.dose_in_step))
        return min((place for place in trailing if place >= least), default=least)

    def ahead(self) -> list[Due]:
        """Return the doses after the open slot, if each is given on its day."""
        slot = self.open_slot
        if slot is None:
            return []
        return list(projected(self.plan, due_of(slot), until=slot.due_on + AHEAD, most=MOST_AHEAD))

    def _adjusted(self) -> list[CourseChange]:
        return [change for change in self.changes if change.kind == ChangeKind.ADJUSTED]


def due_of(slot: CourseSlot) -> Due:
    """Return a slot as the rules know it."""
    return Due(
        slot.step_position,
        slot.dose_in_step,
        slot.due_on,
        slot.opens_on,
        slot.closes_on,
        slot.anchor_on,
        slot.dose_ng,
    )


def _adjustment(change: CourseChange) -> Adjustment:
    interval = None
    if change.interval_count and change.interval_unit:
        interval = Interval(change.interval_count, Unit(change.interval_unit))
    return Adjustment(
        step_position=change.step_position or 1,
        for_later_steps=change.for_later_steps,
        dose_ng=change.dose_ng,
        interval=interval,
    )


def course_view(session: Session, course_id: UUID) -> CourseView:
    """Return one course. Raises Refusal NOT-FOUND."""
    found = _views(session, Course.id == course_id)
    if not found:
        raise not_found("course")
    return found[0]


def course_with_plan(session: Session, course_id: UUID) -> tuple[Course, Plan]:
    """Return a course with its plan alone: what a dose needs, however many slots the course has had."""
    course = session.get_one(Course, course_id)
    adjusted = session.scalars(
        select(CourseChange)
        .where(CourseChange.course_id == course_id, CourseChange.kind == ChangeKind.ADJUSTED)
        .order_by(CourseChange.number)
    )
    steps = steps_of(session, [course.protocol_version_id])[course.protocol_version_id]
    return course, Plan(steps, tuple(map(_adjustment, adjusted)), course.stops_on)


def courses_of(session: Session, patient_id: UUID) -> list[CourseView]:
    """Return every course of a person, those that go on first, then the newest first."""
    found = _views(session, Course.patient_id.in_(records_of(patient_id)))
    return sorted(found, key=lambda view: view.is_over)


def _views(session: Session, condition: Any) -> list[CourseView]:
    rows = session.execute(
        select(Course, Protocol, ProtocolVersion, Formulation, Site.name, User.display_name)
        .join(ProtocolVersion, ProtocolVersion.id == Course.protocol_version_id)
        .join(Protocol, Protocol.id == ProtocolVersion.protocol_id)
        .join(Formulation, Formulation.id == Course.formulation_id)
        .join(Site, Site.id == Course.site_id)
        .join(User, User.id == Course.ordered_by_id)
        .where(condition)
        .order_by(Course.starts_on.desc(), Course.id.desc())
    ).all()
    ids = [row.Course.id for row in rows]
    steps = steps_of(session, {row.Course.protocol_version_id for row in rows}) if rows else {}
    changes, slots = _numbered(session, CourseChange, ids), _numbered(session, CourseSlot, ids)
    return [
        CourseView(
            course,
            protocol,
            version,
            formulation.name,
            formulation.substance_id,
            site,
            prescriber,
            steps[version.id],
            changes[course.id],
            slots[course.id],
        )
        for course, protocol, version, formulation, site, prescriber in rows
    ]


def _numbered(session: Session, model: Any, course_ids: Sequence[UUID]) -> dict[UUID, list[Any]]:
    """Return what belongs to courses, by course, in the order of its numbers, as it is now."""
    found: dict[UUID, list[Any]] = defaultdict(list)
    if course_ids:
        statement = (
            select(model).where(model.course_id.in_(course_ids)).order_by(model.course_id, model.number)
        )
        for row in session.scalars(statement.execution_options(populate_existing=True)):
            found[row.course_id].append(row)
    return found


def slot_by_id(session: Session, slot_id: UUID) -> CourseSlot:
    """Return one slot. Raises Refusal NOT-FOUND."""
    found = session.get(CourseSlot, slot_id)
    if found is None:
        raise not_found("dose that was due")
    return found


def runs_already(session: Session, patient_id: UUID, substance_id: UUID) -> bool:
    """Tell whether a course of the substance goes on for the person, or is paused."""
    of_substance = (
        select(Formulation.id)
        .join(Substance, Substance.id == Formulation.substance_id)
        .where(Substance.id == substance_id)
    )
    found = _views(
        session, Course.patient_id.in_(records_of(patient_id)) & Course.formulation_id.in_(of_substance)
    )
    return any(not view.is_over for view in found)


def deciders(session: Session, view: CourseView) -> dict[UUID, str]:
    """Return by id the names of those who decided something about a course."""
    ids = {change.actor_id for change in view.changes}
    rows = session.execute(select(User.id, User.display_name).where(User.id.in_(ids)))
    return {row.id: row.display_name for row in rows}
