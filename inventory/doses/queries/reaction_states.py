"""The earlier reactions of a patient as the gate sees them: one statement, made once, as of the time of the dose."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Table, bindparam, exists, func, select
from sqlalchemy.orm import Session

from inventory.catalogue.models import Formulation
from inventory.clinic.models import Site
from inventory.doses.models import Dose
from inventory.doses.reaction_models import Reaction, ReactionDecision, ReactionFollowUp, ReactionRetraction
from inventory.doses.rules.reaction_terms import (
    SEVERITY_WORDS,
    SYMPTOM_WORDS,
    DecisionKind,
    ReactionOutcome,
    Severity,
    Symptom,
)
from inventory.doses.rules.reactions import ReactionState, read
from inventory.kernel.db import UtcDateTime, an_id
from inventory.kernel.numbering import written_number

_REACTION, _FOLLOW_UP, _DECISION, _DOSE, _SITE, _FORMULATION = (
    cast(Table, model.__table__)
    for model in (Reaction, ReactionFollowUp, ReactionDecision, Dose, Site, Formulation)
)


def is_newest(reaction: Any = Reaction) -> ColumnElement[bool]:
    """Return the condition that a row says what its case says now: nothing corrects it."""
    later = _REACTION.alias("later_said")
    return ~exists().where(later.c.corrects_id == reaction.id)


def is_standing(reaction: Any = Reaction) -> ColumnElement[bool]:
    """Return the condition that a row is the newest of a case that nobody retracted."""
    retracted = exists().where(ReactionRetraction.case_id == reaction.case_id)
    return is_newest(reaction) & ~retracted


def newest_outcome(*more: ColumnElement[bool]) -> Any:
    """Return how a reaction stands: by the newest news of it, else as it was told."""
    table = _FOLLOW_UP
    news = (
        select(table.c.outcome)
        .where(table.c.case_id == _REACTION.c.case_id, *more)
        .order_by(table.c.happened_at.desc(), table.c.id.desc())
        .limit(1)
        .correlate(_REACTION)
        .scalar_subquery()
    )
    return func.coalesce(news, _REACTION.c.outcome)


def holding_decision(*more: ColumnElement[bool]) -> Any:
    """Return what was decided last on what a reaction says now; NULL where nobody decided."""
    table = _DECISION
    return (
        select(table.c.kind)
        .where(table.c.said_id == _REACTION.c.said_id, *more)
        .order_by(table.c.decided_at.desc(), table.c.id.desc())
        .limit(1)
        .correlate(_REACTION)
        .scalar_subquery()
    )


HAS_REACTIONS = exists().where(_REACTION.c.patient_id.in_(an_id("records", many=True))).label("has_reactions")
"""Whether the person ever had one: a column of a statement that every dose sends anyway."""
_at = bindparam("at", type_=UtcDateTime())
_BEFORE = (
    select(
        *(_REACTION.c[name] for name in ("severity", "symptoms", "other_symptom", "is_grave")),
        *(_DOSE.c[name] for name in ("number", "given_on")),
        _SITE.c.code,
        _FORMULATION.c.name.label("formulation"),
        newest_outcome(_FOLLOW_UP.c.happened_at <= _at).label("outcome"),
        holding_decision(_DECISION.c.decided_at <= _at).label("decision"),
    )
    .join(_DOSE, _DOSE.c.id == _REACTION.c.dose_id)
    .join(_SITE, _SITE.c.id == _DOSE.c.site_id)
    .join(_FORMULATION, _FORMULATION.c.id == _DOSE.c.formulation_id)
    .where(
        _REACTION.c.patient_id.in_(an_id("patient_ids", many=True)),
        _REACTION.c.onset_at <= _at,
        _REACTION.c.dose_id != an_id("without"),
        is_standing(_REACTION.c),
    )
    .order_by(_REACTION.c.onset_at.desc(), _REACTION.c.id)
)


def reactions_before(
    session: Session, records: Sequence[UUID], *, at: datetime, without: UUID
) -> tuple[ReactionState, ...]:
    """Return the reactions of the person of `records` that had begun by `at`, the newest first, but those to the dose `without`."""
    asked = {"patient_ids": records, "at": at, "without": without}
    return tuple(_state(row) for row in session.execute(_BEFORE, asked))


def symptom_words(reaction: Any) -> str:
    """Return what was told: the symptoms in their order, then the free words."""
    named = [SYMPTOM_WORDS[one] for one in read(Symptom, reaction.symptoms)]
    return ", ".join([*named, reaction.other_symptom] if reaction.other_symptom else named)


def _state(row: Any) -> ReactionState:
    number = written_number(row.code, row.number)
    severity = SEVERITY_WORDS[Severity(row.severity)].lower()
    day = f"{row.given_on.day} {row.given_on:%b %Y}"
    return ReactionState(
        told=f"dose {number} of {day}, {severity} ({symptom_words(row)})",
        is_grave=row.is_grave,
        formulation=row.formulation,
        outcome=ReactionOutcome(row.outcome),
        decision=DecisionKind(row.decision) if row.decision else None,
    )
