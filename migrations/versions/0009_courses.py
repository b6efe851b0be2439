"""Protocols, courses, their slots, authorities, and which slot a dose fulfils.

Revision ID: 0009
Revises: 0008
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from inventory.kernel.db import UtcDateTime
from inventory.kernel.law_triggers import blanked_only, finished_once, insert_only, run_script, undeletable

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ERASED = "Erased"


def upgrade() -> None:
    add_protocols()
    add_courses()
    add_to_doses()
    hold_laws()


def add_protocols() -> None:
    op.create_table(
        "protocol",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.Column("withdrawn_by_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_reason IS NULL) AND (withdrawn_at IS NULL) = (withdrawn_by_id IS NULL)",
            name=op.f("ck_protocol_withdrawal"),
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["user.id"], name=op.f("fk_protocol_created_by_id")),
        sa.ForeignKeyConstraint(["withdrawn_by_id"], ["user.id"], name=op.f("fk_protocol_withdrawn_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_protocol")),
        sa.UniqueConstraint("name", name=op.f("uq_protocol_name")),
    )
    op.create_table(
        "protocol_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("protocol_id", sa.Uuid(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("step_count", WHOLE, nullable=False),
        sa.Column("for_substance", sa.String(length=120), nullable=True),
        sa.Column("review_months", WHOLE, nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_protocol_version_number")),
        sa.CheckConstraint(
            "review_months IS NULL OR review_months > 0", name=op.f("ck_protocol_version_review_months")
        ),
        sa.CheckConstraint("step_count > 0", name=op.f("ck_protocol_version_step_count")),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_protocol_version_actor_id")),
        sa.ForeignKeyConstraint(
            ["protocol_id"], ["protocol.id"], name=op.f("fk_protocol_version_protocol_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_protocol_version")),
        sa.UniqueConstraint("id", "step_count", name=op.f("uq_protocol_version_id_step_count")),
        sa.UniqueConstraint("protocol_id", "number", name=op.f("uq_protocol_version_protocol_id_number")),
    )
    op.create_table(
        "protocol_step",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("position", WHOLE, autoincrement=False, nullable=False),
        sa.Column("step_count", WHOLE, nullable=False),
        sa.Column("dose_ng", WHOLE, nullable=False),
        sa.Column("interval_count", WHOLE, nullable=False),
        sa.Column("interval_unit", sa.String(length=8), nullable=False),
        sa.Column("doses", WHOLE, nullable=True),
        sa.Column("until_text", sa.String(length=200), nullable=True),
        sa.Column("tolerance_early_days", WHOLE, nullable=False),
        sa.Column("tolerance_late_days", WHOLE, nullable=False),
        sa.CheckConstraint(
            "interval_unit IN ('day', 'week', 'month') OR interval_unit = 'thrice' AND interval_count = 1",
            name=op.f("ck_protocol_step_interval_unit"),
        ),
        sa.CheckConstraint("dose_ng > 0", name=op.f("ck_protocol_step_dose")),
        sa.CheckConstraint("doses IS NULL OR doses > 0", name=op.f("ck_protocol_step_doses")),
        sa.CheckConstraint("interval_count > 0", name=op.f("ck_protocol_step_interval_count")),
        sa.CheckConstraint("position > 0 AND position <= step_count", name=op.f("ck_protocol_step_position")),
        sa.CheckConstraint(
            "tolerance_early_days >= 0 AND tolerance_late_days >= 0", name=op.f("ck_protocol_step_tolerance")
        ),
        sa.ForeignKeyConstraint(
            ["version_id", "step_count"],
            ["protocol_version.id", "protocol_version.step_count"],
            name="fk_protocol_step_of",
        ),
        sa.PrimaryKeyConstraint("version_id", "position", name=op.f("pk_protocol_step")),
    )
    op.create_table(
        "authority",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("document", sa.String(length=200), nullable=False),
        sa.Column("document_version", sa.String(length=40), nullable=False),
        sa.Column("formulation_id", sa.Uuid(), nullable=False),
        sa.Column("route", sa.String(length=4), nullable=False),
        sa.Column("least_dose_ng", WHOLE, nullable=False),
        sa.Column("most_dose_ng", WHOLE, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.Column("withdrawn_by_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('standing_order', 'group_direction')", name=op.f("ck_authority_kind")),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_reason IS NULL) AND (withdrawn_at IS NULL) = (withdrawn_by_id IS NULL)",
            name=op.f("ck_authority_withdrawal"),
        ),
        sa.CheckConstraint(
            "least_dose_ng > 0 AND least_dose_ng <= most_dose_ng", name=op.f("ck_authority_dose_range")
        ),
        sa.CheckConstraint("valid_from <= expires_on", name=op.f("ck_authority_validity")),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_authority_actor_id")),
        sa.ForeignKeyConstraint(
            ["formulation_id"], ["formulation.id"], name=op.f("fk_authority_formulation_id")
        ),
        sa.ForeignKeyConstraint(["withdrawn_by_id"], ["user.id"], name=op.f("fk_authority_withdrawn_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authority")),
        sa.UniqueConstraint(
            "document",
            "document_version",
            "formulation_id",
            name=op.f("uq_authority_document_document_version_formulation_id"),
        ),
    )


def add_courses() -> None:
    op.create_table(
        "course",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("protocol_version_id", sa.Uuid(), nullable=False),
        sa.Column("formulation_id", sa.Uuid(), nullable=False),
        sa.Column("route", sa.String(length=4), nullable=False),
        sa.Column("least_dose_ng", WHOLE, nullable=False),
        sa.Column("most_dose_ng", WHOLE, nullable=False),
        sa.Column("doses_a_day", WHOLE, nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=True),
        sa.Column("stops_on", sa.Date(), nullable=True),
        sa.Column("indication", sa.String(length=300), nullable=False),
        sa.Column("ordered_by_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("doses_a_day > 0", name=op.f("ck_course_doses_a_day")),
        sa.CheckConstraint(
            "least_dose_ng > 0 AND least_dose_ng <= most_dose_ng", name=op.f("ck_course_dose_range")
        ),
        sa.CheckConstraint("review_on IS NULL OR review_on > starts_on", name=op.f("ck_course_review")),
        sa.CheckConstraint("stops_on IS NULL OR stops_on >= starts_on", name=op.f("ck_course_stop")),
        sa.ForeignKeyConstraint(
            ["formulation_id"], ["formulation.id"], name=op.f("fk_course_formulation_id")
        ),
        sa.ForeignKeyConstraint(["ordered_by_id"], ["user.id"], name=op.f("fk_course_ordered_by_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_course_patient_id")),
        sa.ForeignKeyConstraint(
            ["protocol_version_id"], ["protocol_version.id"], name=op.f("fk_course_protocol_version_id")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_course_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course")),
    )
    op.create_index("ix_course_patient_id", "course", ["patient_id", "starts_on"], unique=False)
    op.create_index("ix_course_protocol_version_id", "course", ["protocol_version_id"], unique=False)
    op.create_table(
        "course_slot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("step_position", WHOLE, nullable=False),
        sa.Column("dose_in_step", WHOLE, nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=False),
        sa.Column("anchor_on", sa.Date(), nullable=False),
        sa.Column("dose_ng", WHOLE, nullable=False),
        sa.Column("planned_at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(state = 'given') = (given_on IS NOT NULL)", name=op.f("ck_course_slot_given")),
        sa.CheckConstraint(
            "(state = 'open') = (decided_at IS NULL) AND (state = 'open') = (decided_by_id IS NULL)",
            name=op.f("ck_course_slot_decided"),
        ),
        sa.CheckConstraint(
            "state IN ('open', 'given', 'missed', 'skipped', 'withdrawn')", name=op.f("ck_course_slot_state")
        ),
        sa.CheckConstraint("dose_ng > 0", name=op.f("ck_course_slot_dose")),
        sa.CheckConstraint("opens_on <= due_on AND due_on <= closes_on", name=op.f("ck_course_slot_window")),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_course_slot_course_id")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["user.id"], name=op.f("fk_course_slot_decided_by_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_course_slot_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_slot")),
        sa.UniqueConstraint("course_id", "number", name=op.f("uq_course_slot_course_id_number")),
    )
    op.create_index(
        "ix_course_slot_due",
        "course_slot",
        ["site_id", "due_on", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "ix_course_slot_given",
        "course_slot",
        ["course_id", "given_on"],
        unique=False,
        sqlite_where=sa.text("state = 'given'"),
        postgresql_where=sa.text("state = 'given'"),
    )
    op.create_index(
        "ix_course_slot_one_open",
        "course_slot",
        ["course_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "course_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("slot_id", sa.Uuid(), nullable=True),
        sa.Column("step_position", WHOLE, nullable=True),
        sa.Column("for_later_steps", sa.Boolean(), nullable=False),
        sa.Column("dose_ng", WHOLE, nullable=True),
        sa.Column("least_dose_ng", WHOLE, nullable=True),
        sa.Column("most_dose_ng", WHOLE, nullable=True),
        sa.Column("interval_count", WHOLE, nullable=True),
        sa.Column("interval_unit", sa.String(length=8), nullable=True),
        sa.Column("next_due_on", sa.Date(), nullable=True),
        sa.Column("review_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "(interval_count IS NULL) = (interval_unit IS NULL) AND (interval_count IS NULL OR interval_count > 0) AND (interval_unit IS NULL OR interval_unit IN ('day', 'week', 'month') OR interval_unit = 'thrice' AND interval_count = 1)",
            name=op.f("ck_course_change_interval"),
        ),
        sa.CheckConstraint(
            "(kind IN ('missed', 'skipped')) = (slot_id IS NOT NULL)", name=op.f("ck_course_change_slot")
        ),
        sa.CheckConstraint(
            "kind IN ('adjusted', 'moved_on', 'reviewed', 'paused', 'resumed', 'ended', 'missed', 'skipped')",
            name=op.f("ck_course_change_kind"),
        ),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_course_change_reason")),
        sa.CheckConstraint(
            "(least_dose_ng IS NULL) = (most_dose_ng IS NULL) AND (least_dose_ng IS NULL OR least_dose_ng > 0 AND least_dose_ng <= most_dose_ng)",
            name=op.f("ck_course_change_dose_range"),
        ),
        sa.CheckConstraint("dose_ng IS NULL OR dose_ng > 0", name=op.f("ck_course_change_dose")),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_course_change_actor_id")),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_course_change_course_id")),
        sa.ForeignKeyConstraint(["slot_id"], ["course_slot.id"], name=op.f("fk_course_change_slot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_change")),
        sa.UniqueConstraint("course_id", "number", name=op.f("uq_course_change_course_id_number")),
    )


def add_to_doses() -> None:
    op.create_table(
        "dose_slot",
        sa.Column("dose_id", sa.Uuid(), nullable=False),
        sa.Column("slot_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["dose_id"], ["dose.id"], name=op.f("fk_dose_slot_dose_id")),
        sa.ForeignKeyConstraint(["slot_id"], ["course_slot.id"], name=op.f("fk_dose_slot_slot_id")),
        sa.PrimaryKeyConstraint("dose_id", name=op.f("pk_dose_slot")),
    )
    op.create_index("ix_dose_slot_slot_id", "dose_slot", ["slot_id"], unique=False)
    op.create_table(
        "dose_authority",
        sa.Column("dose_id", sa.Uuid(), nullable=False),
        sa.Column("authority_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["authority_id"], ["authority.id"], name=op.f("fk_dose_authority_authority_id")
        ),
        sa.ForeignKeyConstraint(["dose_id"], ["dose.id"], name=op.f("fk_dose_authority_dose_id")),
        sa.PrimaryKeyConstraint("dose_id", name=op.f("pk_dose_authority")),
    )
    op.create_index("ix_dose_authority_authority_id", "dose_authority", ["authority_id"], unique=False)


def hold_laws() -> None:
    bind = op.get_bind()
    insert_only(bind, "protocol_version", ("id",))
    insert_only(bind, "protocol_step", ("version_id", "position"))
    insert_only(bind, "course", ("id",))
    insert_only(bind, "course_change", ("id",))
    insert_only(bind, "dose_slot", ("dose_id",))
    insert_only(bind, "dose_authority", ("dose_id",))
    for table in ("protocol", "authority"):
        undeletable(bind, table)
        finished_once(bind, table, ("withdrawn_at", "withdrawn_by_id", "withdrawn_reason"))
    undeletable(bind, "course_slot")
    blanked_only(bind, "course", "id", {"indication": ERASED})
    blanked_only(bind, "course_change", "id", {"reason": ERASED})
    run_script(bind, SQL / f"0009_{bind.dialect.name}.sql")


def downgrade() -> None:
    """A record is never taken back."""
    raise NotImplementedError("restore a backup instead")
