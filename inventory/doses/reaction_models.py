"""Reactions to doses: what was told, what became of it, what a prescriber decided. All of it insert-only (law 4)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

import inventory.doses.models  # noqa: F401  a column that points to a dose has its type only once that table is known
from inventory.doses.rules.reaction_terms import DecisionKind, ReactionOutcome, Reporter, Severity
from inventory.kernel.db import Model


class Reaction(Model):
    """A reaction to a dose, as it was told. A correction is a new row of the same case, which names the one it replaces.

    `case_id` is the id of the first row. `said_id` is the row in which this was last *said*: itself, but where an amended dose
    only took its reaction along; a decision holds for what was said. Symptoms, criteria and actions are words of their closed
    sets, joined by commas. `is_grave` is what the rule found of them: severe or serious, so that a prescriber decides.
    """

    __tablename__ = "reaction"
    __table_args__ = (
        UniqueConstraint("corrects_id"),
        CheckConstraint("(corrects_id IS NULL) = (case_id = id)", name="case"),
        CheckConstraint("said_id = id OR corrects_id IS NOT NULL", name="said"),
        CheckConstraint("(corrects_id IS NULL) = (correction_reason IS NULL)", name="correction"),
        CheckConstraint("severity IN ('mild', 'moderate', 'severe')", name="severity"),
        CheckConstraint("symptoms <> '' OR other_symptom IS NOT NULL", name="something_told"),
        CheckConstraint("is_grave OR (severity <> 'severe' AND criteria = '')", name="grave"),
        CheckConstraint("onset_at <= recorded_at", name="not_in_the_future"),
        Index("ix_reaction_dose_id", "dose_id"),
        Index("ix_reaction_patient_id", "patient_id"),
        Index("ix_reaction_case_id", "case_id"),
        Index("ix_reaction_site_onset_at", "site_id", "onset_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("reaction.id"))
    said_id: Mapped[UUID] = mapped_column(ForeignKey("reaction.id"))
    corrects_id: Mapped[UUID | None] = mapped_column(ForeignKey("reaction.id"))
    correction_reason: Mapped[str | None] = mapped_column(Text)
    dose_id: Mapped[UUID] = mapped_column(ForeignKey("dose.id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    symptoms: Mapped[str] = mapped_column(String(300))
    other_symptom: Mapped[str | None] = mapped_column(Text)
    severity: Mapped[Severity] = mapped_column(String(10))
    criteria: Mapped[str] = mapped_column(String(120))
    is_grave: Mapped[bool] = mapped_column()
    onset_at: Mapped[datetime] = mapped_column()
    actions: Mapped[str] = mapped_column(String(120))
    outcome: Mapped[ReactionOutcome] = mapped_column(String(12))
    reporter: Mapped[Reporter] = mapped_column(String(12))
    note: Mapped[str | None] = mapped_column(Text)
    recorded_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))


class ReactionFollowUp(Model):
    """News of a reaction: how it stood at an instant. Insert-only; the newest says how it stands."""

    __tablename__ = "reaction_follow_up"
    __table_args__ = (
        CheckConstraint("happened_at <= recorded_at", name="not_in_the_future"),
        Index("ix_reaction_follow_up_case_id", "case_id", "happened_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("reaction.id"))
    outcome: Mapped[ReactionOutcome] = mapped_column(String(12))
    note: Mapped[str | None] = mapped_column(Text)
    happened_at: Mapped[datetime] = mapped_column()
    recorded_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))


class ReactionDecision(Model):
    """What a prescriber decided about further doses. It holds while what it was decided on (`said_id`) is what is said."""

    __tablename__ = "reaction_decision"
    __table_args__ = (
        CheckConstraint("reason <> ''", name="reason"),
        CheckConstraint("kind IN ('may_continue', 'other_formulation', 'stop')", name="kind"),
        Index("ix_reaction_decision_said_id", "said_id", "decided_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    said_id: Mapped[UUID] = mapped_column(ForeignKey("reaction.id"))
    kind: Mapped[DecisionKind] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text)
    decided_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))


class ReactionRetraction(Model):
    """That a reaction was recorded by mistake, once: why, by whom, when. It stays readable."""

    __tablename__ = "reaction_retraction"
    __table_args__ = (CheckConstraint("reason <> ''", name="reason"),)

    case_id: Mapped[UUID] = mapped_column(ForeignKey("reaction.id"), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    retracted_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
