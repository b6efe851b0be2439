"""Protocols and their versions, courses and what was decided about them, slots, and authorities.

Laws kept here, in the database: a published version is never changed, nor are steps added to it; what was ordered and what was decided
stays as written; a course has one open slot at most, and what a slot asks for never changes, only how it stands (law 4).
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

# A column that points to another room's table has that column's type only once that table is known.
import inventory.patients.models  # noqa: F401
from inventory.catalogue.models import Route
from inventory.courses.rules.terms import AuthorityKind, ChangeKind, SlotState, Unit
from inventory.kernel.db import Model, only_where

_WITHDRAWAL = "(withdrawn_at IS NULL) = (withdrawn_reason IS NULL) AND (withdrawn_at IS NULL) = (withdrawn_by_id IS NULL)"


class Protocol(Model):
    """A schedule of doses the clinic uses. What it says is in its versions; it may be withdrawn once."""

    __tablename__ = "protocol"
    __table_args__ = (CheckConstraint(_WITHDRAWAL, name="withdrawal"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    created_at: Mapped[datetime] = mapped_column()
    created_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    withdrawn_at: Mapped[datetime | None] = mapped_column()
    withdrawn_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    withdrawn_reason: Mapped[str | None] = mapped_column(Text)


class ProtocolVersion(Model):
    """A protocol as it was published, with its source. Insert-only; the newest is the one courses start on.

    `for_substance` names the one it is for, or is None for any. `review_months` is after how long a course on it is looked at again.
    """

    __tablename__ = "protocol_version"
    __table_args__ = (
        UniqueConstraint("protocol_id", "number"),
        # What the steps point to, so that none can be added to a version beyond those it was published with.
        UniqueConstraint("id", "step_count"),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("step_count > 0", name="step_count"),
        CheckConstraint("review_months IS NULL OR review_months > 0", name="review_months"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    protocol_id: Mapped[UUID] = mapped_column(ForeignKey("protocol.id"))
    number: Mapped[int] = mapped_column()
    step_count: Mapped[int] = mapped_column()
    for_substance: Mapped[str | None] = mapped_column(String(120))
    review_months: Mapped[int | None] = mapped_column()
    source: Mapped[str] = mapped_column(Text)
    published_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))


class ProtocolStep(Model):
    """One step of a version: so much, so often, so many times. Insert-only.

    `doses` is how many; None goes on until decided (`until_text` says until what). The interval lies before each dose of the step,
    also before its first where a step came before it.
    """

    __tablename__ = "protocol_step"
    __table_args__ = (
        ForeignKeyConstraint(
            ["version_id", "step_count"],
            ["protocol_version.id", "protocol_version.step_count"],
            name="fk_protocol_step_of",
        ),
        CheckConstraint("position > 0 AND position <= step_count", name="position"),
        CheckConstraint("dose_ng > 0", name="dose"),
        CheckConstraint("interval_count > 0", name="interval_count"),
        CheckConstraint(
            "interval_unit IN ('day', 'week', 'month') OR interval_unit = 'thrice' AND interval_count = 1",
            name="interval_unit",
        ),
        CheckConstraint("doses IS NULL OR doses > 0", name="doses"),
        CheckConstraint("tolerance_early_days >= 0 AND tolerance_late_days >= 0", name="tolerance"),
    )

    version_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    step_count: Mapped[int] = mapped_column()
    dose_ng: Mapped[int] = mapped_column()
    interval_count: Mapped[int] = mapped_column()
    interval_unit: Mapped[Unit] = mapped_column(String(8))
    doses: Mapped[int | None] = mapped_column()
    until_text: Mapped[str | None] = mapped_column(String(200))
    tolerance_early_days: Mapped[int] = mapped_column()
    tolerance_late_days: Mapped[int] = mapped_column()


class Authority(Model):
    """A standing order or a group direction: a document that lets the clinic give a formulation without a patient's own order."""

    __tablename__ = "authority"
    __table_args__ = (
        UniqueConstraint("document", "document_version", "formulation_id"),
        CheckConstraint("kind IN ('standing_order', 'group_direction')", name="kind"),
        CheckConstraint("least_dose_ng > 0 AND least_dose_ng <= most_dose_ng", name="dose_range"),
        CheckConstraint("valid_from <= expires_on", name="validity"),
        CheckConstraint(_WITHDRAWAL, name="withdrawal"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[AuthorityKind] = mapped_column(String(20))
    document: Mapped[str] = mapped_column(String(200))
    document_version: Mapped[str] = mapped_column(String(40))
    formulation_id: Mapped[UUID] = mapped_column(ForeignKey("formulation.id"))
    route: Mapped[Route] = mapped_column(String(4))
    least_dose_ng: Mapped[int] = mapped_column()
    most_dose_ng: Mapped[int] = mapped_column()
    valid_from: Mapped[date] = mapped_column()
    expires_on: Mapped[date] = mapped_column()
    recorded_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    withdrawn_at: Mapped[datetime | None] = mapped_column()
    withdrawn_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    withdrawn_reason: Mapped[str | None] = mapped_column(Text)


class Course(Model):
    """A prescriber's order: a version of a protocol for one patient. Insert-only; what was decided later is in its changes.

    `ordered_by_id` is the prescriber. `doses_a_day` is how many doses of the substance the order allows on one day.
    """

    __tablename__ = "course"
    __table_args__ = (
        CheckConstraint("least_dose_ng > 0 AND least_dose_ng <= most_dose_ng", name="dose_range"),
        CheckConstraint("doses_a_day > 0", name="doses_a_day"),
        CheckConstraint("review_on IS NULL OR review_on > starts_on", name="review"),
        CheckConstraint("stops_on IS NULL OR stops_on >= starts_on", name="stop"),
        Index("ix_course_patient_id", "patient_id", "starts_on"),
        Index("ix_course_protocol_version_id", "protocol_version_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    protocol_version_id: Mapped[UUID] = mapped_column(ForeignKey("protocol_version.id"))
    formulation_id: Mapped[UUID] = mapped_column(ForeignKey("formulation.id"))
    route: Mapped[Route] = mapped_column(String(4))
    least_dose_ng: Mapped[int] = mapped_column()
    most_dose_ng: Mapped[int] = mapped_column()
    doses_a_day: Mapped[int] = mapped_column()
    starts_on: Mapped[date] = mapped_column()
    review_on: Mapped[date | None] = mapped_column()
    stops_on: Mapped[date | None] = mapped_column()
    indication: Mapped[str] = mapped_column(String(300))
    ordered_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    recorded_at: Mapped[datetime] = mapped_column()


class CourseSlot(Model):
    """One dose of a course that is, or was, due: on a day, within a window of days, so much. At most one of a course is open.

    `number` counts the slots of a course in the order they were planned, withdrawn ones too; `dose_in_step` counts what they ask for.
    `anchor_on` is the day whose day of the month later monthly doses keep.
    """

    __tablename__ = "course_slot"
    __table_args__ = (
        UniqueConstraint("course_id", "number"),
        CheckConstraint("opens_on <= due_on AND due_on <= closes_on", name="window"),
        CheckConstraint("dose_ng > 0", name="dose"),
        CheckConstraint("state IN ('open', 'given', 'missed', 'skipped', 'withdrawn')", name="state"),
        CheckConstraint(
            "(state = 'open') = (decided_at IS NULL) AND (state = 'open') = (decided_by_id IS NULL)",
            name="decided",
        ),
        CheckConstraint("(state = 'given') = (given_on IS NOT NULL)", name="given"),
        Index("ix_course_slot_one_open", "course_id", unique=True, **only_where("state = 'open'")),
        Index("ix_course_slot_given", "course_id", "given_on", **only_where("state = 'given'")),
        Index("ix_course_slot_due", "site_id", "due_on", "id", **only_where("state = 'open'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    course_id: Mapped[UUID] = mapped_column(ForeignKey("course.id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    number: Mapped[int] = mapped_column()
    step_position: Mapped[int] = mapped_column()
    dose_in_step: Mapped[int] = mapped_column()
    due_on: Mapped[date] = mapped_column()
    opens_on: Mapped[date] = mapped_column()
    closes_on: Mapped[date] = mapped_column()
    anchor_on: Mapped[date] = mapped_column()
    dose_ng: Mapped[int] = mapped_column()
    planned_at: Mapped[datetime] = mapped_column()
    state: Mapped[SlotState] = mapped_column(String(10))
    given_on: Mapped[date | None] = mapped_column()
    decided_at: Mapped[datetime | None] = mapped_column()
    decided_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))


class CourseChange(Model):
    """Something decided about a course, or about one of its slots (missed, skipped), and why. Insert-only, in order of `number`.

    An adjustment says what holds from then on in the step it was made in, and in later steps where `for_later_steps`.
    What is None there stays as it was.
    """

    __tablename__ = "course_change"
    __table_args__ = (
        UniqueConstraint("course_id", "number"),
        CheckConstraint(
            "kind IN ('adjusted', 'moved_on', 'reviewed', 'paused', 'resumed', 'ended', 'missed', 'skipped')",
            name="kind",
        ),
        CheckConstraint("reason <> ''", name="reason"),
        CheckConstraint("(kind IN ('missed', 'skipped')) = (slot_id IS NOT NULL)", name="slot"),
        CheckConstraint(
            "(interval_count IS NULL) = (interval_unit IS NULL)"
            " AND (interval_count IS NULL OR interval_count > 0)"
            " AND (interval_unit IS NULL OR interval_unit IN ('day', 'week', 'month')"
            " OR interval_unit = 'thrice' AND interval_count = 1)",
            name="interval",
        ),
        CheckConstraint("dose_ng IS NULL OR dose_ng > 0", name="dose"),
        CheckConstraint(
            "(least_dose_ng IS NULL) = (most_dose_ng IS NULL)"
            " AND (least_dose_ng IS NULL OR least_dose_ng > 0 AND least_dose_ng <= most_dose_ng)",
            name="dose_range",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    course_id: Mapped[UUID] = mapped_column(ForeignKey("course.id"))
    number: Mapped[int] = mapped_column()
    kind: Mapped[ChangeKind] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    slot_id: Mapped[UUID | None] = mapped_column(ForeignKey("course_slot.id"))
    step_position: Mapped[int | None] = mapped_column()
    for_later_steps: Mapped[bool] = mapped_column()
    dose_ng: Mapped[int | None] = mapped_column()
    least_dose_ng: Mapped[int | None] = mapped_column()
    most_dose_ng: Mapped[int | None] = mapped_column()
    interval_count: Mapped[int | None] = mapped_column()
    interval_unit: Mapped[Unit | None] = mapped_column(String(8))
    next_due_on: Mapped[date | None] = mapped_column()
    review_on: Mapped[date | None] = mapped_column()
