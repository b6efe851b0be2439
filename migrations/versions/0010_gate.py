"""The gate's rules as the clinic sets them, and the follow-up of incidents.

Revision ID: 0010
Revises: 0008
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from inventory.kernel.db import UtcDateTime
from inventory.kernel.law_triggers import blanked_only, insert_only, run_script

revision = "0010"
down_revision = "0008"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"

FIXED = (
    "TIME-FUTURE",
    "TIME-BEFORE-BIRTH",
    "DOSE-ZERO",
    "DOSE-VOLUME-DISAGREE",
    "SOURCES-DISAGREE",
    "GIVER-NOT-AUTHORISED",
    "CONSENT-REFUSED",
    "LOT-EXPIRED",
    "LOT-RECALLED",
    "LOT-HELD",
    "LOT-UNKNOWN",
    "SINGLE-DOSE-REUSED",
    "VIAL-NO-USE-BY",
    "VIAL-PAST-USE-BY",
    "VIAL-DEDICATED",
    "VIAL-CLOSED",
    "VIAL-NOT-OPEN-THEN",
    "REMAINDER-POOLED",
    "VIAL-ON-ITS-WAY",
    "STOCK-SHORT",
    "ROUTE-NOT-ON-LABEL",
    "FORMULATION-REFUSED",
    "BENZYL-ALCOHOL-NEONATE",
    "SITE-OFF",
)
"""What no clinic may quiet: integrity, and the blocks with no way round."""


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    codes = ", ".join(f"'{code}'" for code in FIXED)
    op.create_table(
        "gate_rule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("version", whole, nullable=False),
        sa.Column("tier", sa.String(length=12), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(f"code NOT IN ({codes})", name=op.f("ck_gate_rule_may_change")),
        sa.CheckConstraint(
            "tier IN ('block', 'override', 'acknowledge', 'once', 'inform')", name=op.f("ck_gate_rule_tier")
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_gate_rule_version")),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_gate_rule_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_rule")),
        sa.UniqueConstraint("code", "version", name=op.f("uq_gate_rule_code_version")),
    )
    op.create_table(
        "incident_note",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("number", whole, nullable=False),
        sa.Column("noted_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("found", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("assigned_to_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("found <> ''", name=op.f("ck_incident_note_found")),
        sa.CheckConstraint("number > 0", name=op.f("ck_incident_note_number")),
        sa.CheckConstraint(
            "(due_on IS NULL) = (action IS NULL) AND (due_on IS NULL) = (assigned_to_id IS NULL)",
            name=op.f("ck_incident_note_next_step"),
        ),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_incident_note_incident_id")),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_incident_note_actor_id")),
        sa.ForeignKeyConstraint(
            ["assigned_to_id"], ["user.id"], name=op.f("fk_incident_note_assigned_to_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_note")),
        sa.UniqueConstraint("incident_id", "number", name=op.f("uq_incident_note_incident_id_number")),
    )
    bind = op.get_bind()
    insert_only(bind, "gate_rule", ["id"])
    insert_only(bind, "incident_note", ["id"])
    blanked_only(bind, "incident_note", "id", {"found": "Erased", "action": "Erased"})
    run_script(bind, SQL / f"0010_{bind.dialect.name}.sql")


def downgrade() -> None:
    """A record is never taken back."""
    raise NotImplementedError("restore a backup instead")
