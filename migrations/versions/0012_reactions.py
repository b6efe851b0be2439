"""Reactions to doses: what was told, news of it, a prescriber's decision, a retraction.

Revision ID: 0012
Revises: 0008
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from inventory.kernel.db import UtcDateTime
from inventory.kernel.law_triggers import blanked_only, insert_only, run_script

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"

ERASED = "Erased"
BLANKED: dict[str, tuple[str, dict[str, str | bytes]]] = {
    "reaction": ("id", {"other_symptom": ERASED, "note": ERASED, "correction_reason": ERASED}),
    "reaction_follow_up": ("id", {"note": ERASED}),
    "reaction_decision": ("id", {"reason": ERASED}),
    "reaction_retraction": ("case_id", {"reason": ERASED}),
}
"""By table: the column that names its rows in `erasure_row`, and what an erasure makes of its columns; what is empty stays so."""


def upgrade() -> None:
    _reactions()
    _news()
    _decisions()
    bind = op.get_bind()
    for table in ("reaction", "reaction_follow_up", "reaction_decision"):
        insert_only(bind, table, ["id"])
    insert_only(bind, "reaction_retraction", ["case_id"])
    for table, (key, blanks) in BLANKED.items():
        blanked_only(bind, table, key, blanks)
    run_script(bind, SQL / f"0012_{bind.dialect.name}.sql")


def _reactions() -> None:
    op.create_table(
        "reaction",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("said_id", sa.Uuid(), nullable=False),
        sa.Column("corrects_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("dose_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("symptoms", sa.String(length=300), nullable=False),
        sa.Column("other_symptom", sa.Text(), nullable=True),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("criteria", sa.String(length=120), nullable=False),
        sa.Column("is_grave", sa.Boolean(), nullable=False),
        sa.Column("onset_at", UtcDateTime(), nullable=False),
        sa.Column("actions", sa.String(length=120), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("reporter", sa.String(length=12), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(corrects_id IS NULL) = (case_id = id)", name=op.f("ck_reaction_case")),
        sa.CheckConstraint("said_id = id OR corrects_id IS NOT NULL", name=op.f("ck_reaction_said")),
        sa.CheckConstraint(
            "(corrects_id IS NULL) = (correction_reason IS NULL)", name=op.f("ck_reaction_correction")
        ),
        sa.CheckConstraint("severity IN ('mild', 'moderate', 'severe')", name=op.f("ck_reaction_severity")),
        sa.CheckConstraint(
            "symptoms <> '' OR other_symptom IS NOT NULL", name=op.f("ck_reaction_something_told")
        ),
        sa.CheckConstraint(
            "is_grave OR (severity <> 'severe' AND criteria = '')", name=op.f("ck_reaction_grave")
        ),
        sa.CheckConstraint("onset_at <= recorded_at", name=op.f("ck_reaction_not_in_the_future")),
        *_points_to(
            "reaction", case_id="reaction", said_id="reaction", corrects_id="reaction", dose_id="dose"
        ),
        *_points_to("reaction", site_id="site", patient_id="patient", actor_id="user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reaction")),
        sa.UniqueConstraint("corrects_id", name=op.f("uq_reaction_corrects_id")),
    )
    op.create_index("ix_reaction_dose_id", "reaction", ["dose_id"])
    op.create_index("ix_reaction_patient_id", "reaction", ["patient_id"])
    op.create_index("ix_reaction_case_id", "reaction", ["case_id"])
    op.create_index("ix_reaction_site_onset_at", "reaction", ["site_id", "onset_at", "id"])


def _news() -> None:
    op.create_table(
        "reaction_follow_up",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("happened_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "happened_at <= recorded_at", name=op.f("ck_reaction_follow_up_not_in_the_future")
        ),
        *_points_to("reaction_follow_up", case_id="reaction", actor_id="user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reaction_follow_up")),
    )
    op.create_index("ix_reaction_follow_up_case_id", "reaction_follow_up", ["case_id", "happened_at", "id"])


def _decisions() -> None:
    op.create_table(
        "reaction_decision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("said_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_reaction_decision_reason")),
        sa.CheckConstraint(
            "kind IN ('may_continue', 'other_formulation', 'stop')", name=op.f("ck_reaction_decision_kind")
        ),
        *_points_to("reaction_decision", said_id="reaction", actor_id="user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reaction_decision")),
    )
    op.create_index("ix_reaction_decision_said_id", "reaction_decision", ["said_id", "decided_at", "id"])
    op.create_table(
        "reaction_retraction",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("retracted_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_reaction_retraction_reason")),
        *_points_to("reaction_retraction", case_id="reaction", actor_id="user"),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_reaction_retraction")),
    )


def _points_to(table: str, **targets: str) -> list[sa.ForeignKeyConstraint]:
    """Return the foreign keys of `table`, each column with the table whose id it holds."""
    return [
        sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))
        for column, target in targets.items()
    ]


def downgrade() -> None:
    """A record is never taken back."""
    raise NotImplementedError("restore a backup instead")
