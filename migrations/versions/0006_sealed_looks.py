"""The looks at patients are sealed into the chain, hour by hour.

Revision ID: 0006
Revises: 0005
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from inventory.kernel.db import UtcDateTime
from inventory.kernel.law_triggers import insert_only, run_script

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "access_digest",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", number, nullable=False),
        sa.Column("from_id", number, nullable=False),
        sa.Column("to_id", number, nullable=False),
        sa.Column("count", number, nullable=False),
        sa.Column("previous_digest", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("looks", sa.Text(), nullable=False),
        sa.Column("sealed_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("from_id <= to_id", name=op.f("ck_access_digest_range")),
        sa.CheckConstraint('"count" > 0', name=op.f("ck_access_digest_count")),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_access_digest_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_digest")),
        sa.UniqueConstraint("number", name=op.f("uq_access_digest_number")),
        sa.UniqueConstraint("to_id", name=op.f("uq_access_digest_to_id")),
    )
    bind = op.get_bind()
    insert_only(bind, "access_digest", ("id",))
    run_script(bind, SQL / f"0006_{bind.dialect.name}.sql")


def downgrade() -> None:
    """A record is never taken back."""
    raise NotImplementedError("restore a backup instead")
