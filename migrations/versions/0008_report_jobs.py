"""Reports that are made outside the request: the jobs. No part of the record, so no law of it lies on them.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

from inventory.kernel.db import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table of jobs."""
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "report_job",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("requested_by_id", sa.Uuid(), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", whole, nullable=False),
        sa.Column("rows_done", whole, nullable=False),
        sa.Column("rows_of", whole, nullable=False),
        sa.Column("heartbeat_at", UtcDateTime(), nullable=True),
        sa.Column("report_id", sa.Uuid(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("cancel_requested_at", UtcDateTime(), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("seen_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'cancelled')",
            name=op.f("ck_report_job_state"),
        ),
        sa.CheckConstraint(
            "(state IN ('done', 'failed', 'cancelled')) = (finished_at IS NOT NULL)",
            name=op.f("ck_report_job_finished"),
        ),
        sa.CheckConstraint("state <> 'done' OR report_id IS NOT NULL", name=op.f("ck_report_job_done")),
        sa.CheckConstraint(
            "state <> 'running' OR heartbeat_at IS NOT NULL", name=op.f("ck_report_job_running")
        ),
        sa.CheckConstraint(
            "rows_done >= 0 AND rows_of >= 0 AND attempts >= 0", name=op.f("ck_report_job_counts")
        ),
        sa.ForeignKeyConstraint(["requested_by_id"], ["user.id"], name=op.f("fk_report_job_requested_by_id")),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name=op.f("fk_report_job_report_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_job")),
    )
    op.create_index("ix_report_job_state", "report_job", ["state", "requested_at", "id"])
    op.create_index("ix_report_job_report_id", "report_job", ["report_id"])
    op.create_index(
        "ix_report_job_unseen",
        "report_job",
        ["requested_by_id"],
        sqlite_where=sa.text("seen_at IS NULL"),
        postgresql_where=sa.text("seen_at IS NULL"),
    )


def downgrade() -> None:
    """A record is never taken back."""
    raise NotImplementedError("restore a backup instead")
