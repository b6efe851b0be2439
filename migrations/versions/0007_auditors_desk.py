"""The auditor's desk: how long a person may sign in and which days they see, and what auditors looked at.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

from inventory.kernel.db import UtcDateTime
from inventory.kernel.law_triggers import insert_only

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("access_from", "access_until"):
        op.add_column("user", sa.Column(name, UtcDateTime(), nullable=True))
    for name in ("records_from", "records_until"):
        op.add_column("user", sa.Column(name, sa.Date(), nullable=True))
    op.create_table(
        "view_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("page", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_view_entry_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_view_entry")),
    )
    op.create_index("ix_view_entry_at", "view_entry", ["at", "id"], unique=False)
    op.create_index("ix_view_entry_actor_id", "view_entry", ["actor_id", "at", "id"], unique=False)
    insert_only(op.get_bind(), "view_entry", ["id"])


def downgrade() -> None:
    """A record is never taken back."""
    raise NotImplementedError("restore a backup instead")
