"""How a protocol, a course and its slots are shown: steps in words, each state with its tone, what is due and what was decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from inventory.courses.models import Authority, CourseChange, CourseSlot
from inventory.courses.queries.courses import CourseView
from inventory.courses.queries.protocols import stands
from inventory.courses.rules.calendar import Interval
from inventory.courses.rules.planning import Step
from inventory.courses.rules.terms import AuthorityKind, ChangeKind, SlotState, Unit
from inventory.courses.words import AUTHORITY_WORDS, CHANGE_WORDS, COURSE_WORDS, SLOT_WORDS
from inventory.kernel.quantity import format_mcg
from inventory.web.presenting import day


class State(NamedTuple):
    """A state in words, and the tone it is shown in."""

    words: str
    tone: str


@dataclass(frozen=True, slots=True)
class Decision:
    """One thing decided about a course, as it is told."""

    title: str
    at: datetime
    actor: str
    reason: str
    told: str


def course_state(view: CourseView) -> State:
    """How it stands with a course."""
    return State(*COURSE_WORDS[view.state])


def slot_state(slot: CourseSlot, today: date) -> State:
    """How it stands with a slot; one that is open is due, overdue, or to come."""
    if slot.state != SlotState.OPEN:
        return State(*SLOT_WORDS[SlotState(slot.state)])
    if today > slot.closes_on:
        return State("Overdue", "attention")
    return State("Due", "info") if today >= slot.opens_on else State("To come", "quiet")


def authority_state(authority: Authority, today: date) -> State:
    """Whether an authority holds today."""
    if authority.withdrawn_at is not None:
        return State("Withdrawn", "quiet")
    if stands(authority, today):
        return State("Holds", "good")
    return State("Expired", "stop") if today > authority.expires_on else State("Not yet", "attention")


def authority_kind(authority: Authority) -> str:
    """What kind of document an authority is."""
    return AUTHORITY_WORDS[AuthorityKind(authority.kind)]


def step_words(step: Step) -> str:
    """A step as it is said: `1,000 mcg every week, 4 doses`."""
    dose = f"{format_mcg(step.dose_ng)} mcg {step.interval}"
    if step.doses is not None:
        return f"{dose}, {step.doses} {'dose' if step.doses == 1 else 'doses'}"
    return f"{dose}, until {step.until_text}" if step.until_text else f"{dose}, without an end"


def window_words(step: Step) -> str:
    """The days around a dose."""
    if not step.early_days and not step.late_days:
        return "on the day"
    return f"{step.early_days} days early to {step.late_days} days late"


def range_words(dose_range: tuple[int, int]) -> str:
    """The range of an order: `1,000 mcg`, or `500 to 1,000 mcg`."""
    least, most = dose_range
    if least == most:
        return f"{format_mcg(least)} mcg"
    return f"{format_mcg(least)} to {format_mcg(most)} mcg"


def shown_slots(view: CourseView) -> Sequence[CourseSlot]:
    """Return the slots worth a look, the newest first: what was withdrawn is told by the decision that did so."""
    return [slot for slot in reversed(view.slots) if slot.state != SlotState.WITHDRAWN]


def decisions(view: CourseView, names: Mapping[UUID, str]) -> list[Decision]:
    """Return what was decided about a course, the newest first; `names` are those of the people."""
    return [
        Decision(
            CHANGE_WORDS[ChangeKind(change.kind)],
            change.at,
            names.get(change.actor_id, ""),
            change.reason,
            _told(change),
        )
        for change in reversed(view.changes)
    ]


def _told(change: CourseChange) -> str:
    said = []
    if change.dose_ng:
        said.append(f"{format_mcg(change.dose_ng)} mcg")
    if change.interval_count and change.interval_unit:
        said.append(str(Interval(change.interval_count, Unit(change.interval_unit))))
    if change.least_dose_ng and change.most_dose_ng:
        said.append(f"the order allows {range_words((change.least_dose_ng, change.most_dose_ng))}")
    if change.for_later_steps:
        said.append("also in later steps")
    if change.next_due_on:
        said.append(f"next dose due {day(change.next_due_on)}")
    if change.review_on:
        said.append(f"next review by {day(change.review_on)}")
    return ", ".join(said)
