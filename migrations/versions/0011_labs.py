"""Laboratory results, symptom scores, the checklist before a first dose, and what a patient is treated for.

Revision ID: 0011
Revises: 0010
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from inventory.kernel.db import UtcDateTime
from inventory.kernel.law_triggers import blanked_only, insert_only, run_script, undeletable

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"
SYMPTOMS = ("energy", "skin", "mood", "numbness")
ITEMS = (
    ("Consultation", "What it is for, and what was talked over.", "answer"),
    ("Blood test", "Results from before the first dose.", "laboratory"),
    ("Allergies", "", "allergies"),
    ("Medicines and supplements", "Write down what is taken. Folate and biotin are alerts of their own.", "answer"),
    ("Consent and information sheet", "The sheet with its version, and the day.", "consent"),
    ("Contraindications", "Leber's optic atrophy, earlier reactions, pregnancy, bleeding risk.", "answer"),
)  # fmt: skip
"""The checklist that a clinic starts with: title, hint, where its answer comes from. The clinic edits it."""


def upgrade() -> None:
    an_id = sa.Uuid()
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    for name, length in (("care_groups", 120), ("indication", 200)):
        column = sa.Column(name, sa.String(length=length), nullable=False, server_default="")
        op.add_column("patient", column)
    op.create_table(
        "lab_result",
        sa.Column("id", an_id, nullable=False),
        sa.Column("patient_id", an_id, nullable=False),
        sa.Column("analyte", sa.String(length=40), nullable=False),
        sa.Column("loinc", sa.String(length=12), nullable=False),
        sa.Column("comparator", sa.String(length=2), nullable=False),
        sa.Column("value_millionths", whole, nullable=False),
        sa.Column("value_places", whole, nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("low_millionths", whole, nullable=True),
        sa.Column("high_millionths", whole, nullable=True),
        sa.Column("laboratory", sa.String(length=120), nullable=False),
        sa.Column("taken_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", an_id, nullable=False),
        sa.Column("corrects_id", an_id, nullable=True),
        sa.Column("is_retraction", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint("comparator IN ('', '<', '<=', '>=', '>')", name=op.f("ck_lab_result_comparator")),
        sa.CheckConstraint(
            "value_millionths >= 0 AND value_places BETWEEN 0 AND 6", name=op.f("ck_lab_result_value")
        ),
        sa.CheckConstraint("unit <> ''", name=op.f("ck_lab_result_unit")),
        sa.CheckConstraint(
            "low_millionths >= 0 AND high_millionths >= 0 AND low_millionths <= high_millionths",
            name=op.f("ck_lab_result_range"),
        ),
        sa.CheckConstraint("taken_at <= recorded_at", name=op.f("ck_lab_result_taken")),
        *_corrected("lab_result"),
        sa.ForeignKeyConstraint(
            ["corrects_id", "patient_id", "analyte"],
            ["lab_result.id", "lab_result.patient_id", "lab_result.analyte"],
            name=op.f("fk_lab_result_corrects_id_patient_id_analyte"),
        ),
        sa.UniqueConstraint("id", "patient_id", "analyte", name=op.f("uq_lab_result_id_patient_id_analyte")),
    )
    op.create_index("ix_lab_result_patient_id", "lab_result", ["patient_id", "taken_at", "id"])
    op.create_index("ix_lab_result_analyte", "lab_result", ["analyte", "id"])
    op.create_table(
        "symptom_score",
        sa.Column("id", an_id, nullable=False),
        sa.Column("patient_id", an_id, nullable=False),
        *(sa.Column(name, whole, nullable=True) for name in SYMPTOMS),
        sa.Column("noted_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", an_id, nullable=False),
        sa.Column("corrects_id", an_id, nullable=True),
        sa.Column("is_retraction", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        *(
            sa.CheckConstraint(f"{name} BETWEEN 0 AND 10", name=op.f(f"ck_symptom_score_{name}"))
            for name in SYMPTOMS
        ),
        sa.CheckConstraint(
            "coalesce(energy, skin, mood, numbness) IS NOT NULL", name=op.f("ck_symptom_score_any")
        ),
        sa.CheckConstraint("noted_at <= recorded_at", name=op.f("ck_symptom_score_noted")),
        *_corrected("symptom_score"),
        sa.ForeignKeyConstraint(
            ["corrects_id", "patient_id"],
            ["symptom_score.id", "symptom_score.patient_id"],
            name=op.f("fk_symptom_score_corrects_id_patient_id"),
        ),
        sa.UniqueConstraint("id", "patient_id", name=op.f("uq_symptom_score_id_patient_id")),
    )
    op.create_index("ix_symptom_score_patient_id", "symptom_score", ["patient_id", "noted_at", "id"])
    _add_checklist(an_id, whole)
    _hold_laws()


def _corrected(table: str) -> list[sa.Constraint]:
    """Return what every row holds that may be corrected by a later one."""
    return [
        sa.CheckConstraint("(corrects_id IS NULL) = (reason IS NULL)", name=op.f(f"ck_{table}_reason")),
        sa.CheckConstraint(
            "NOT is_retraction OR corrects_id IS NOT NULL", name=op.f(f"ck_{table}_retraction")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f(f"fk_{table}_patient_id")),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f(f"fk_{table}_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("corrects_id", name=op.f(f"uq_{table}_corrects_id")),
    ]


def _add_checklist(an_id: sa.Uuid[object], whole: sa.types.TypeEngine[int]) -> None:
    items = op.create_table(
        "checklist_item",
        sa.Column("id", an_id, nullable=False),
        sa.Column("position", whole, nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("hint", sa.String(length=300), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("retired_at", UtcDateTime(), nullable=True),
        sa.Column("version", whole, nullable=False),
        sa.CheckConstraint(
            "source IN ('answer', 'allergies', 'consent', 'laboratory')",
            name=op.f("ck_checklist_item_source"),
        ),
        sa.CheckConstraint("title <> ''", name=op.f("ck_checklist_item_title")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checklist_item")),
    )
    op.create_table(
        "checklist_answer",
        sa.Column("id", an_id, nullable=False),
        sa.Column("patient_id", an_id, nullable=False),
        sa.Column("item_id", an_id, nullable=False),
        sa.Column("item_title", sa.String(length=120), nullable=False),
        sa.Column("answer", sa.String(length=12), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", an_id, nullable=False),
        sa.CheckConstraint(
            "answer IN ('done', 'not_needed', 'open')", name=op.f("ck_checklist_answer_answer")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_checklist_answer_patient_id")),
        sa.ForeignKeyConstraint(["item_id"], ["checklist_item.id"], name=op.f("fk_checklist_answer_item_id")),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_checklist_answer_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checklist_answer")),
    )
    op.create_index("ix_checklist_answer_patient_id", "checklist_answer", ["patient_id", "item_id", "id"])
    op.bulk_insert(items, [_item(number, *item) for number, item in enumerate(ITEMS, 1)])


def _item(number: int, title: str, hint: str, source: str) -> dict[str, object]:
    key = sa.Uuid().python_type(int=0x01990000_0000_7000_8000_000000000000 + number)
    return {
        "id": key,
        "position": number * 10,
        "title": title,
        "hint": hint,
        "source": source,
        "retired_at": None,
        "version": 1,
    }


def _hold_laws() -> None:
    bind = op.get_bind()
    for table, blanks in (
        ("lab_result", {"reason": "Erased"}),
        ("symptom_score", {"reason": "Erased"}),
        ("checklist_answer", {"note": ""}),
    ):
        insert_only(bind, table, ("id",))
        blanked_only(bind, table, "id", blanks)
    undeletable(bind, "checklist_item")
    run_script(bind, SQL / f"0011_{bind.dialect.name}.sql")


def downgrade() -> None:
    """A record is never taken back."""
    raise NotImplementedError("restore a backup instead")
