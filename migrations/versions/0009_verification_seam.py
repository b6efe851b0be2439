"""What verification reads of the signing room.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

from inventory.kernel.db import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "signing_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(10), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name="fk_signing_key_actor_id_user"),
        sa.PrimaryKeyConstraint("id", name="pk_signing_key"),
        sa.UniqueConstraint("fingerprint", name="uq_signing_key_fingerprint"),
    )
    op.create_table(
        "report_revision",
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("previous_sha256", sa.String(64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name="fk_report_revision_report_id_report"),
        sa.PrimaryKeyConstraint("report_id", "number", name="pk_report_revision"),
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
