"""Signed reports: the clinic's keys as they were known, and the revisions that a reviewer's signature makes.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

from inventory.kernel.db import UtcDateTime
from inventory.kernel.law_triggers import blanked_only, insert_only

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    an_id, whole = sa.Uuid(), sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("report_file", sa.Column("key_sha256", sa.String(length=64), nullable=True))
    op.create_table(
        "signing_key",
        sa.Column("id", an_id, nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("is_own", sa.Boolean(), nullable=False),
        sa.Column("known_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", an_id, nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_signing_key_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_key")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_signing_key_fingerprint")),
    )
    op.create_table(
        "report_revision",
        sa.Column("report_id", an_id, nullable=False),
        sa.Column("number", whole, autoincrement=False, nullable=False),
        sa.Column("meaning", sa.String(length=10), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("signed_at", UtcDateTime(), nullable=False),
        sa.Column("signer_id", an_id, nullable=False),
        sa.Column("signer_name", sa.String(length=200), nullable=False),
        sa.Column("signer_credential", sa.String(length=200), nullable=False),
        sa.Column("key_sha256", sa.String(length=64), nullable=False),
        sa.Column("previous_sha256", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("number >= 2", name=op.f("ck_report_revision_number")),
        sa.CheckConstraint("meaning IN ('reviewed', 'approved')", name=op.f("ck_report_revision_meaning")),
        sa.CheckConstraint("sha256 <> previous_sha256", name=op.f("ck_report_revision_follows")),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name=op.f("fk_report_revision_report_id")),
        sa.ForeignKeyConstraint(["signer_id"], ["user.id"], name=op.f("fk_report_revision_signer_id")),
        sa.PrimaryKeyConstraint("report_id", "number", name=op.f("pk_report_revision")),
    )
    bind = op.get_bind()
    insert_only(bind, "signing_key", ("id",))
    insert_only(bind, "report_revision", ("report_id", "number"))
    blanked_only(bind, "report_revision", "report_id", {"content": b""})


def downgrade() -> None:
    """A record is never taken back."""
    raise NotImplementedError("restore a backup instead")
