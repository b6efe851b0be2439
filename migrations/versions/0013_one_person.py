"""Records of one person are merged and parted by rows; a record's state; what was checked at the chair.

Revision ID: 0013
Revises: 0010
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from inventory.kernel.db import UtcDateTime
from inventory.kernel.law_triggers import blanked_only, insert_only, run_script

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"

STATES = "state IN ('active', 'inactive', 'deceased')"
DIED = "(state = 'deceased') = (died_on IS NOT NULL)"
CHECKED = "identity_check IN ('ticked', 'typed')"
BLANKED = {"patient_merge": "id", "patient_merge_undo": "merge_id"}
"""By table, the column that names its rows in `erasure_row`: of both an erasure blanks the reason."""


def upgrade() -> None:
    bind = op.get_bind()
    _add_columns(on_postgresql=bind.dialect.name == "postgresql")
    _add_merges()
    for table, key in BLANKED.items():
        insert_only(bind, table, [key])
        blanked_only(bind, table, key, {"reason": "Erased"})
    if bind.dialect.name == "sqlite":
        _keep_through_erasure("dose", "identity_check")
    run_script(bind, SQL / f"0013_{bind.dialect.name}.sql")


def _add_columns(*, on_postgresql: bool) -> None:
    """Add the columns with their checks: SQLite takes a check with its column only, and no table is rebuilt."""
    kind = "uuid" if on_postgresql else "CHAR(32)"
    for table, column in (
        ("patient", f"person_id {kind} CONSTRAINT fk_patient_person_id REFERENCES patient (id)"),
        (
            "patient",
            f"state VARCHAR(10) DEFAULT 'active' NOT NULL CONSTRAINT ck_patient_state CHECK ({STATES})",
        ),
        ("patient", f"died_on DATE CONSTRAINT ck_patient_died CHECK ({DIED})"),
        ("dose", f"identity_check VARCHAR(10) CONSTRAINT ck_dose_identity_check CHECK ({CHECKED})"),
    ):
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
    merged = sa.text("person_id IS NOT NULL")
    op.create_index(
        "ix_patient_person_id", "patient", ["person_id"], sqlite_where=merged, postgresql_where=merged
    )


def _add_merges() -> None:
    an_id = sa.Uuid()
    op.create_table(
        "patient_merge",
        sa.Column("id", an_id, nullable=False),
        sa.Column("kept_id", an_id, nullable=False),
        sa.Column("merged_id", an_id, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", an_id, nullable=False),
        sa.CheckConstraint("kept_id <> merged_id", name=op.f("ck_patient_merge_of_two")),
        sa.ForeignKeyConstraint(["kept_id"], ["patient.id"], name=op.f("fk_patient_merge_kept_id")),
        sa.ForeignKeyConstraint(["merged_id"], ["patient.id"], name=op.f("fk_patient_merge_merged_id")),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_patient_merge_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient_merge")),
    )
    op.create_index("ix_patient_merge_kept_id", "patient_merge", ["kept_id"])
    op.create_index("ix_patient_merge_merged_id", "patient_merge", ["merged_id"])
    op.create_table(
        "patient_merge_undo",
        sa.Column("merge_id", an_id, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", an_id, nullable=False),
        sa.ForeignKeyConstraint(
            ["merge_id"], ["patient_merge.id"], name=op.f("fk_patient_merge_undo_merge_id")
        ),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_patient_merge_undo_actor_id")),
        sa.PrimaryKeyConstraint("merge_id", name=op.f("pk_patient_merge_undo")),
    )


def _keep_through_erasure(table: str, column: str) -> None:
    """Let an erasure leave a new column as it is: on SQLite the law names the columns there were."""
    bind = op.get_bind()
    found = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = ?"
    standing = bind.exec_driver_sql(found, (f"{table}_blanked_only",)).scalar_one()
    bind.exec_driver_sql(f"DROP TRIGGER {table}_blanked_only")
    bind.exec_driver_sql(standing.replace(" AND (", f" AND (NEW.{column} IS NOT OLD.{column} OR ", 1))


def downgrade() -> None:
    """A record is never taken back."""
    raise NotImplementedError("restore a backup instead")
