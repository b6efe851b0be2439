"""Reactions as pages show them: one case with all that hangs on it, those of a dose or a patient, the list."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from inventory.audit.limits import span_here
from inventory.clinic.current import visible_sites
from inventory.doses.models import Dose
from inventory.doses.queries.reaction_states import holding_decision, is_newest, is_standing, newest_outcome
from inventory.doses.queries.story import get_dose
from inventory.doses.reaction_models import Reaction, ReactionDecision, ReactionFollowUp, ReactionRetraction
from inventory.doses.rules.reaction_terms import OVER
from inventory.kernel.errors import not_found
from inventory.patients.queries import records_of
from inventory.staff.models import User
from inventory.web.pagination import Page, paginate

_OUTCOME = newest_outcome().label("now")
_DECISION = holding_decision().label("decided")
_ROW = (
    Reaction,
    _OUTCOME,
    _DECISION,
    Dose.number.label("dose_number"),
    Dose.given_at,
    Dose.given_on,
    Dose.patient_name,
    Dose.patient_record_number,
    Dose.product_name,
)
"""What is shown of a reaction; `now` is how it stands, `decided` what was decided on what it says now."""


@dataclass(frozen=True, slots=True)
class Case:
    """A reaction with all that hangs on it. `said` is every row of it, the newest first: rows of (Reaction, by)."""

    newest: Reaction
    dose: Dose
    now: str
    decided: str | None
    said: Sequence[Any]
    follow_ups: Sequence[Any]
    decisions: Sequence[Any]
    retraction: Any | None

    @property
    def waits(self) -> bool:
        """Whether the next dose is blocked until a prescriber decides."""
        return self.newest.is_grave and self.decided is None and self.retraction is None


def get_case(session: Session, case_id: UUID) -> Reaction:
    """Return what the case says now. Raises Refusal NOT-FOUND."""
    found = session.scalars(select(Reaction).where(Reaction.case_id == case_id, is_newest())).first()
    if found is None:
        raise not_found("reaction")
    return found


def case_of(session: Session, case_id: UUID) -> Case:
    """Return a reaction with all that hangs on it. Raises Refusal NOT-FOUND."""
    newest = get_case(session, case_id)
    now, decided = session.execute(select(_OUTCOME, _DECISION).where(Reaction.id == newest.id)).one()
    said = _by(Reaction, Reaction.case_id == case_id, Reaction.recorded_at.desc(), Reaction.id.desc())
    news = _by(
        ReactionFollowUp,
        ReactionFollowUp.case_id == case_id,
        ReactionFollowUp.happened_at.desc(),
        ReactionFollowUp.id.desc(),
    )
    rows = select(Reaction.id).where(Reaction.case_id == case_id)
    decisions = _by(
        ReactionDecision,
        ReactionDecision.said_id.in_(rows),
        ReactionDecision.decided_at.desc(),
        ReactionDecision.id.desc(),
    )
    retracted = _by(ReactionRetraction, ReactionRetraction.case_id == case_id)
    return Case(
        newest=newest,
        dose=get_dose(session, newest.dose_id),
        now=now,
        decided=decided,
        said=session.execute(said).all(),
        follow_ups=session.execute(news).all(),
        decisions=session.execute(decisions).all(),
        retraction=session.execute(retracted).first(),
    )


def _by(model: Any, which: ColumnElement[bool], *order: Any) -> Any:
    """Return the statement for rows with the name of who wrote them, as `by`."""
    named = select(model, User.display_name.label("by")).join(User, User.id == model.actor_id)
    return named.where(which).order_by(*order)


def reaction_rows() -> Any:
    """Return the statement for the reactions that stand, as lists show them, neither ordered nor narrowed."""
    return select(*_ROW).join(Dose, Dose.id == Reaction.dose_id).where(is_standing())


def of_doses(session: Session, dose_ids: Collection[UUID]) -> Sequence[Any]:
    """Return the reactions that stand to these doses, the first to begin first."""
    statement = reaction_rows().where(Reaction.dose_id.in_(dose_ids))
    return session.execute(statement.order_by(Reaction.onset_at, Reaction.id)).all()


def of_patient(session: Session, patient_id: UUID, *seen: ColumnElement[bool]) -> Sequence[Any]:
    """Return a patient's reactions that stand, the last to begin first; `seen` narrows them to what the reader may see."""
    statement = reaction_rows().where(Reaction.patient_id.in_(records_of(patient_id)), *seen)
    return session.execute(statement.order_by(Reaction.onset_at.desc(), Reaction.id)).all()


def is_waiting() -> ColumnElement[bool]:
    """Return the condition that the next dose is blocked until a prescriber decides."""
    return and_(Reaction.is_grave, holding_decision().is_(None))


def is_open() -> ColumnElement[bool]:
    """Return the condition that somebody has still to do something: to decide, or to ask how it is."""
    return or_(is_waiting(), newest_outcome().not_in(OVER))


def reactions_page(
    session: Session,
    *,
    state: str = "open",
    severity: str = "",
    site_id: UUID | None = None,
    from_on: date | None = None,
    to_on: date | None = None,
    cursor: str = "",
) -> Page[Any]:
    """Return a page of the reactions that the reader may see, the last to begin first. `state` is open, undecided or all.

    The days are those of the doses.
    """
    statement = reaction_rows().where(span_here().holds(Dose.given_on))
    sites = visible_sites()
    if sites is not None:
        statement = statement.where(Reaction.site_id.in_(sites))
    if site_id is not None:
        statement = statement.where(Reaction.site_id == site_id)
    if severity:
        statement = statement.where(Reaction.severity == severity)
    if from_on:
        statement = statement.where(Dose.given_on >= from_on)
    if to_on:
        statement = statement.where(Dose.given_on <= to_on)
    if state != "all":
        statement = statement.where(is_waiting() if state == "undecided" else is_open())
    order = [Reaction.onset_at, Reaction.id]
    return paginate(session, statement, order=order, newest_first=True, cursor=cursor)


def undecided_at(session: Session, site_id: UUID) -> int:
    """Return how many reactions of a site wait for a prescriber."""
    counted = select(func.count()).where(Reaction.site_id == site_id, is_standing(), is_waiting())
    return int(session.scalar(counted) or 0)
