"""The courses of the demo: ordered at the end of its year, so that somebody is overdue, several are due today, and others come next.

What was given before had no order in this program; a standing order lets the clinic go on with whoever has no course yet.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from inventory.catalogue.models import Route
from inventory.courses.models import CourseSlot, Protocol, ProtocolVersion
from inventory.courses.rules.ordering import AuthorityDraft, Order
from inventory.courses.rules.terms import AuthorityKind, SlotState
from inventory.courses.services import (
    add_authority,
    add_shipped,
    decide_slot,
    move_on,
    pause_course,
    start_course,
)
from inventory.demo.people import DemoPatient
from inventory.demo.products import by_key
from inventory.kernel.db import db
from inventory.kernel.permissions import Actor

PROTOCOL = "Weekly x4, then monthly"
DUE_IN = (
    -9,
    -4,
    -2,
    -1,
    0,
    0,
    0,
    0,
    0,
    0,
    1,
    1,
    2,
    3,
    3,
    4,
    5,
    6,
    7,
    7,
    8,
    9,
    10,
    12,
    13,
    14,
    17,
    20,
    23,
    26,
)
"""In how many days the next dose of each course is due; the first are overdue."""
_LEAST_NG, _MOST_NG = 250_000, 1_000_000
_DOSE_MCG = 1_000
_YEAR, _HALF_A_YEAR = timedelta(days=365), timedelta(days=182)


@dataclass(frozen=True, slots=True)
class Orders:
    """Who orders, and for whom, and on which day."""

    prescriber: Actor
    nurse: Actor
    site_id: UUID
    formulations: dict[str, UUID]
    today: date

    def write(self, patients: Sequence[DemoPatient], at: datetime) -> None:
        """Enter the schedules, a standing order for each formulation, and a course for as many patients as there are days."""
        add_shipped(actor=self.prescriber, at=at)
        for formulation_id in self.formulations.values():
            self._standing_order(formulation_id, at)
        version = select(ProtocolVersion.id).join(Protocol, Protocol.id == ProtocolVersion.protocol_id)
        version_id = db.session.scalars(version.where(Protocol.name == PROTOCOL)).one()
        made = [self._course(one, days, version_id, at) for one, days in self._chosen(patients)]
        self._decide(made, at)

    def _chosen(self, patients: Sequence[DemoPatient]) -> Iterator[tuple[DemoPatient, int]]:
        """Give those who are treated with the usual dose and had none today, each with the days until the next."""
        fitting = (
            one
            for one in patients
            if one.is_treated
            and one.last_on not in {None, self.today}
            and by_key(one.article).dose_mcg == _DOSE_MCG
        )
        return zip(fitting, DUE_IN, strict=False)

    def _standing_order(self, formulation_id: UUID, at: datetime) -> None:
        draft = AuthorityDraft(
            kind=AuthorityKind.STANDING_ORDER,
            document="Standing order: B12 injections",
            document_version="3",
            route=Route.IM,
            least_dose_ng=_LEAST_NG,
            most_dose_ng=2 * _MOST_NG,
            valid_from=self.today - _HALF_A_YEAR,
            expires_on=self.today + _HALF_A_YEAR,
        )
        add_authority(actor=self.prescriber, at=at, formulation_id=formulation_id, draft=draft)

    def _course(self, patient: DemoPatient, days: int, version_id: UUID, at: datetime) -> UUID:
        """Order a course; who had four doses already goes on by the month."""
        due_on = self.today + timedelta(days=days)
        order = Order(
            route=Route.IM,
            least_dose_ng=_LEAST_NG,
            most_dose_ng=_MOST_NG,
            starts_on=due_on,
            indication=patient.indication,
            review_on=self.today + _YEAR,
        )
        course_id = start_course(
            actor=self.prescriber,
            at=at,
            patient_id=patient.patient_id,
            site_id=self.site_id,
            version_id=version_id,
            formulation_id=self.formulations[by_key(patient.article).formulation],
            order=order,
        ).subject_id
        if patient.given >= 4:
            reason = "Had the weekly doses before this order; goes on by the month."
            move_on(actor=self.prescriber, at=at, course_id=course_id, reason=reason, next_due_on=due_on)
        return course_id

    def _decide(self, courses: Sequence[UUID], at: datetime) -> None:
        """Say of one overdue dose that it was missed, and pause the last course."""
        if not courses:
            return
        first = select(CourseSlot.id).where(
            CourseSlot.course_id == courses[0], CourseSlot.state == SlotState.OPEN
        )
        decide_slot(
            actor=self.nurse,
            at=at,
            slot_id=db.session.scalars(first).one(),
            state=SlotState.MISSED,
            reason="Did not come; called, and comes when back from travelling.",
            today=self.today,
        )
        if len(courses) == len(DUE_IN):
            reason = "Abroad for some months; rings when back."
            pause_course(actor=self.prescriber, at=at, course_id=courses[-1], reason=reason)
