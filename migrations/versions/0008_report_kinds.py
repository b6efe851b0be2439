"""Reports of every kind: what selects their rows again, and the manifest of what was drawn.

Revision ID: 0008
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Columns only: the tables are insert-only, and keep their triggers."""
    op.add_column("report", sa.Column("parameters", sa.Text(), nullable=True))
    op.add_column("report_file", sa.Column("manifest_sha256", sa.String(64), nullable=True))
    op.add_column("report_file", sa.Column("manifest_salt", sa.String(64), nullable=True))


def downgrade() -> None:
    """A record is never taken back."""
    raise NotImplementedError("restore a backup instead")
