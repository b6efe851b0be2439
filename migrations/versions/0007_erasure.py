"""Erasure and retention: requests, what was carried out, and the rows that may be blanked by it alone.

Revision ID: 0007
Revises: 0002
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from inventory.kernel.db import UtcDateTime
from inventory.kernel.law_triggers import blanked_only, finished_once, insert_only, run_script, undeletable

revision = "0007"
down_revision = "0002"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"

ERASED = "Erased"
BLANKED: dict[str, tuple[str, dict[str, str | bytes]]] = {
    "alert": ("id", {"note": "", "resolved_reason": ERASED}),
    "audit_payload": ("entry_id", {"payload": "", "salt": ""}),
    "consent": ("id", {"note": ""}),
    "dose": (
        "id",
        {
            "patient_name": ERASED,
            "patient_record_number": ERASED,
            "patient_born_on": "1900-01-01",
            "blocked_before": ERASED,
            "note": ERASED,
        },
    ),
    "dose_finding": ("dose_id", {"message": ERASED, "note": ERASED}),
    "dose_void": ("dose_id", {"reason": ERASED}),
    "incident": ("id", {"what": ERASED, "outcome": ERASED}),
    "not_given": ("id", {"patient_name": ERASED, "patient_record_number": ERASED, "note": ERASED}),
    "recall_contact": ("id", {"note": ERASED}),
    "report": ("id", {"filters": "[]"}),
    "report_file": ("report_id", {"content": b""}),
}
"""By table: the column that names its rows in `erasure_row`, and what an erasure makes of its columns; what is empty stays so."""
FINISHED_ONCE = {"alert", "incident"}
"""Those that may be finished once besides; the others are insert-only."""


def upgrade() -> None:
    an_id = sa.Uuid()
    op.create_table(
        "erasure_request",
        sa.Column("id", an_id, nullable=False),
        sa.Column("patient_id", an_id, nullable=False),
        sa.Column("asked_by", sa.String(length=20), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", an_id, nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decided_by_id", an_id, nullable=True),
        sa.Column("decision", sa.String(length=12), nullable=True),
        sa.Column("ground", sa.String(length=20), nullable=True),
        sa.Column("because", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "asked_by IN ('patient', 'representative', 'authority', 'retention')",
            name=op.f("ck_erasure_request_asked_by"),
        ),
        sa.CheckConstraint(
            "decision IS NULL OR decision IN ('refused', 'carried-out')",
            name=op.f("ck_erasure_request_decision"),
        ),
        sa.CheckConstraint(
            "(decided_at IS NULL) = (decision IS NULL) AND (decided_at IS NULL) = (decided_by_id IS NULL)",
            name=op.f("ck_erasure_request_decided"),
        ),
        sa.CheckConstraint(
            "decision IS NULL OR decision <> 'refused' OR ground IS NOT NULL",
            name=op.f("ck_erasure_request_ground"),
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_erasure_request_patient_id")),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_erasure_request_actor_id")),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["user.id"], name=op.f("fk_erasure_request_decided_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure_request")),
    )
    op.create_index("ix_erasure_request_patient_id", "erasure_request", ["patient_id"])
    op.create_index("ix_erasure_request_recorded_at", "erasure_request", ["recorded_at", "id"])
    op.create_table(
        "erasure",
        sa.Column("id", an_id, nullable=False),
        sa.Column("request_id", an_id, nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", an_id, nullable=False),
        sa.Column("second_id", an_id, nullable=False),
        sa.CheckConstraint("kind IN ('patient', 'report-files')", name=op.f("ck_erasure_kind")),
        sa.CheckConstraint("(kind = 'patient') = (request_id IS NOT NULL)", name=op.f("ck_erasure_request")),
        sa.CheckConstraint("second_id <> actor_id", name=op.f("ck_erasure_second")),
        sa.ForeignKeyConstraint(["request_id"], ["erasure_request.id"], name=op.f("fk_erasure_request_id")),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_erasure_actor_id")),
        sa.ForeignKeyConstraint(["second_id"], ["user.id"], name=op.f("fk_erasure_second_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
        sa.UniqueConstraint("request_id", name=op.f("uq_erasure_request_id")),
    )
    op.create_table(
        "erasure_row",
        sa.Column("erasure_id", an_id, nullable=False),
        sa.Column("table_name", sa.String(length=40), nullable=False),
        sa.Column("row_key", sa.String(length=120), nullable=False),
        sa.Column("owner_key", sa.String(length=40), nullable=False),
        sa.Column("is_blanked", sa.Boolean(), nullable=False),
        sa.Column("is_carried", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["erasure_id"], ["erasure.id"], name=op.f("fk_erasure_row_erasure_id")),
        sa.PrimaryKeyConstraint("erasure_id", "table_name", "row_key", name=op.f("pk_erasure_row")),
    )
    op.create_index("ix_erasure_row_owner", "erasure_row", ["table_name", "owner_key", "is_blanked"])
    hold_laws()


def hold_laws() -> None:
    bind = op.get_bind()
    insert_only(bind, "erasure", ("id",))
    insert_only(bind, "erasure_row", ("erasure_id", "table_name", "row_key"))
    undeletable(bind, "erasure_request")
    finished_once(bind, "erasure_request", ("decided_at", "decided_by_id", "decision", "ground", "because"))
    if bind.dialect.name == "postgresql":
        run_script(bind, SQL / "0007_postgresql.sql")
    for table, (key, blanks) in BLANKED.items():
        blanked_only(bind, table, key, blanks, is_finished_once=table in FINISHED_ONCE)


def downgrade() -> None:
    """What was erased cannot come back."""
    raise NotImplementedError("restore a backup instead")
