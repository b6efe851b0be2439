"""The stock room: transfers, counts, recalls, temperatures, lot corrections, disposals, and a vial that may change its place.

Revision ID: 0002
Revises: 0001
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from inventory.kernel.db import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"

INSERT_ONLY = {
    "disposal": ("id",),
    "disposal_line": ("disposal_id", "position"),
    "excursion_hold": ("excursion_id", "hold_id"),
    "lot_correction": ("id",),
    "recall_contact": ("id",),
    "recall_line": ("recall_id", "position"),
    "stock_count_line": ("count_id", "position"),
    "stock_count_result": ("count_id",),
    "stock_count_variance": ("count_id", "position"),
    "temperature_reading": ("id",),
    "transfer": ("id",),
    "transfer_line": ("transfer_id", "position"),
    "transfer_receipt": ("transfer_id",),
    "transfer_receipt_line": ("transfer_id", "position"),
    "vial_dedication": ("vial_id", "patient_id"),
    "vial_dedication_end": ("vial_id", "patient_id"),
}
FINISHED_ONCE = {
    "recall": ("closed_at", "closed_by_id", "outcome"),
    "stock_count": ("closed_at", "closed_by_id", "outcome"),
    "temperature_excursion": (
        "decided_at",
        "decided_by_id",
        "decision",
        "decision_note",
        "began_at",
        "last_read_at",
        "lowest_decicelsius",
        "highest_decicelsius",
    ),
    # What an open vial may change besides: its place. Whether it may is held by `vial_moves_whole`.
    "vial": ("closed_at", "closed_by_id", "closure", "location_id"),
}
UNDELETABLE = ("recall", "stock_count", "temperature_excursion")
COUNTERS = ("transfer", "count", "recall", "disposal", "excursion")


def hold_laws() -> None:
    dialect = op.get_bind().dialect.name
    table = "lot" if dialect == "sqlite" else "public.lot"
    loosened = {"sqlite": "lot_no_update", "postgresql": "lot_insert_only"}[dialect]
    vial = {"sqlite": "", "postgresql": " ON public.vial"}[dialect]
    op.execute(f"DROP TRIGGER {loosened}" + ("" if dialect == "sqlite" else f" ON {table}"))
    op.execute(f"DROP TRIGGER vial_finished_once{vial}")
    (sqlite_laws if dialect == "sqlite" else postgresql_laws)()
    for statement in (SQL / f"0002_{dialect}.sql").read_text(encoding="utf-8").split("\n;;\n"):
        # The driver of PostgreSQL reads a percent sign as a placeholder.
        op.get_bind().exec_driver_sql(statement.replace("%", "%%") if dialect == "postgresql" else statement)


def sqlite_laws() -> None:
    for table, key in INSERT_ONLY.items():
        refuse_on_sqlite(table, "UPDATE", "insert_only")
        refuse_on_sqlite(table, "DELETE", "insert_only")
        refuse_replacing(table, key, "insert_only")
    for table, columns in FINISHED_ONCE.items():
        every = [row[1] for row in op.get_bind().exec_driver_sql(f"PRAGMA table_info({table})")]
        kept = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in every if name not in columns)
        op.execute(
            f"CREATE TRIGGER {table}_finished_once BEFORE UPDATE ON {table} BEGIN"
            f" SELECT RAISE(ABORT, 'law:finished_once:{table}') WHERE OLD.{columns[0]} IS NOT NULL OR {kept}; END"
        )
    for table in UNDELETABLE:
        refuse_on_sqlite(table, "DELETE", "undeletable")
        refuse_replacing(table, ("id",), "undeletable")


def refuse_on_sqlite(table: str, operation: str, law: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_no_{operation.lower()} BEFORE {operation} ON {table}"
        f" BEGIN SELECT RAISE(ABORT, 'law:{law}:{table}'); END"
    )


def refuse_replacing(table: str, key: tuple[str, ...], law: str) -> None:
    """REPLACE deletes without firing a delete trigger, whatever the pragma says."""
    same = " AND ".join(f"{column} = NEW.{column}" for column in key)
    op.execute(
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} BEGIN"
        f" SELECT RAISE(ABORT, 'law:{law}:{table}') WHERE EXISTS (SELECT 1 FROM {table} WHERE {same}); END"
    )


def postgresql_laws() -> None:
    for table in INSERT_ONLY:
        refuse_on_postgresql(table, "UPDATE OR DELETE OR TRUNCATE", "insert_only")
    refuse_on_postgresql("lot", "DELETE OR TRUNCATE", "insert_only")
    for table, columns in FINISHED_ONCE.items():
        arguments = ", ".join(f"'{column}'" for column in columns)
        op.execute(
            f"CREATE TRIGGER {table}_finished_once BEFORE UPDATE ON public.{table}"
            f" FOR EACH ROW EXECUTE FUNCTION public.finish_once({arguments})"
        )
    for table in UNDELETABLE:
        refuse_on_postgresql(table, "DELETE OR TRUNCATE", "undeletable")


def refuse_on_postgresql(table: str, operations: str, law: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_{law} BEFORE {operations} ON public.{table}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change('{law}')"
    )


def add_columns() -> None:
    """Add to tables that stand already. A rebuilt table would lose its triggers on SQLite, so nothing is rebuilt."""
    whole = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute(
        f"ALTER TABLE product ADD COLUMN dead_space_ul {whole} DEFAULT 0 NOT NULL"
        " CONSTRAINT ck_product_dead_space CHECK (dead_space_ul >= 0)"
    )
    an_id = "CHAR(32)" if op.get_bind().dialect.name == "sqlite" else "UUID"
    op.execute(
        f"ALTER TABLE vial ADD COLUMN relabelled_from_id {an_id}"
        " CONSTRAINT fk_vial_relabelled_from_id REFERENCES vial (id)"
    )
    op.execute(
        f"ALTER TABLE report ADD COLUMN recall_id {an_id} CONSTRAINT fk_report_recall_id REFERENCES recall (id)"
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_vial_relabelled_from_id ON vial (relabelled_from_id) WHERE relabelled_from_id IS NOT NULL"
    )


def add_counters() -> None:
    """Sites that stand already get the counters of what is numbered from now on."""
    for kind in COUNTERS:
        op.execute(f"INSERT INTO counter (site_id, kind, value) SELECT id, '{kind}', 0 FROM site")


def upgrade() -> None:
    op.create_table(
        "disposal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("supplier_id", sa.Uuid(), nullable=True),
        sa.Column("carrier", sa.String(length=200), nullable=True),
        sa.Column("document_number", sa.String(length=60), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("disposed_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("witness_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("document_number <> ''", name=op.f("ck_disposal_document")),
        sa.CheckConstraint("kind <> 'return' OR supplier_id IS NOT NULL", name=op.f("ck_disposal_supplier")),
        sa.CheckConstraint("kind = 'return' OR witness_id IS NOT NULL", name=op.f("ck_disposal_witnessed")),
        sa.CheckConstraint("disposed_at <= recorded_at", name=op.f("ck_disposal_not_in_the_future")),
        sa.CheckConstraint("witness_id IS NULL OR witness_id <> actor_id", name=op.f("ck_disposal_witness")),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_disposal_actor_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_disposal_site_id")),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("fk_disposal_supplier_id")),
        sa.ForeignKeyConstraint(["witness_id"], ["user.id"], name=op.f("fk_disposal_witness_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disposal")),
        sa.UniqueConstraint("site_id", "number", name=op.f("uq_disposal_site_id_number")),
    )
    op.create_index("ix_disposal_site_id", "disposal", ["site_id", "disposed_at"], unique=False)
    op.create_table(
        "recall",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("opened_by_id", sa.Uuid(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("closed_by_id", sa.Uuid(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.CheckConstraint("title <> '' AND reason <> ''", name=op.f("ck_recall_words")),
        sa.CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name=op.f("ck_recall_closure")),
        sa.ForeignKeyConstraint(["closed_by_id"], ["user.id"], name=op.f("fk_recall_closed_by_id")),
        sa.ForeignKeyConstraint(["opened_by_id"], ["user.id"], name=op.f("fk_recall_opened_by_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_recall_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recall")),
        sa.UniqueConstraint("site_id", "number", name=op.f("uq_recall_site_id_number")),
    )
    op.create_table(
        "site_access",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_site_access_site_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_site_access_user_id")),
        sa.PrimaryKeyConstraint("user_id", "site_id", name=op.f("pk_site_access")),
    )
    op.create_table(
        "recall_contact",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recall_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("means", sa.String(length=20), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("contacted_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("contacted_at <= recorded_at", name=op.f("ck_recall_contact_not_in_the_future")),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_recall_contact_actor_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_recall_contact_patient_id")),
        sa.ForeignKeyConstraint(["recall_id"], ["recall.id"], name=op.f("fk_recall_contact_recall_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recall_contact")),
    )
    op.create_index(
        "ix_recall_contact_recall_id",
        "recall_contact",
        ["recall_id", "patient_id", "contacted_at"],
        unique=False,
    )
    op.create_table(
        "stock_count",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("started_by_id", sa.Uuid(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("closed_by_id", sa.Uuid(), nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=True),
        sa.CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name=op.f("ck_stock_count_closure")),
        sa.ForeignKeyConstraint(["closed_by_id"], ["user.id"], name=op.f("fk_stock_count_closed_by_id")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_stock_count_location_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_stock_count_site_id")),
        sa.ForeignKeyConstraint(["started_by_id"], ["user.id"], name=op.f("fk_stock_count_started_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_count")),
        sa.UniqueConstraint("site_id", "number", name=op.f("uq_stock_count_site_id_number")),
    )
    op.create_index("ix_stock_count_location_id", "stock_count", ["location_id", "started_at"], unique=False)
    op.create_index(
        "uq_stock_count_open",
        "stock_count",
        ["location_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "temperature_excursion",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("began_at", UtcDateTime(), nullable=False),
        sa.Column("last_read_at", UtcDateTime(), nullable=False),
        sa.Column("lowest_decicelsius", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "highest_decicelsius", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("opened_by_id", sa.Uuid(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decision", sa.String(length=12), nullable=True),
        sa.Column("decision_note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(decided_at IS NULL) = (decision IS NULL)", name=op.f("ck_temperature_excursion_decision")
        ),
        sa.CheckConstraint("began_at <= last_read_at", name=op.f("ck_temperature_excursion_order")),
        sa.CheckConstraint(
            "lowest_decicelsius <= highest_decicelsius", name=op.f("ck_temperature_excursion_range")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["user.id"], name=op.f("fk_temperature_excursion_decided_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["location_id"], ["location.id"], name=op.f("fk_temperature_excursion_location_id")
        ),
        sa.ForeignKeyConstraint(
            ["opened_by_id"], ["user.id"], name=op.f("fk_temperature_excursion_opened_by_id")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_temperature_excursion_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_temperature_excursion")),
        sa.UniqueConstraint("site_id", "number", name=op.f("uq_temperature_excursion_site_id_number")),
    )
    op.create_index(
        "ix_temperature_excursion_location_id",
        "temperature_excursion",
        ["location_id", "began_at"],
        unique=False,
    )
    op.create_table(
        "temperature_reading",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("act_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=False),
        sa.Column("decicelsius", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.String(length=12), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("decicelsius BETWEEN -1000 AND 1000", name=op.f("ck_temperature_reading_range")),
        sa.CheckConstraint("read_at <= recorded_at", name=op.f("ck_temperature_reading_not_in_the_future")),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_temperature_reading_actor_id")),
        sa.ForeignKeyConstraint(
            ["location_id"], ["location.id"], name=op.f("fk_temperature_reading_location_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_temperature_reading")),
        sa.UniqueConstraint(
            "location_id", "read_at", name=op.f("uq_temperature_reading_location_id_read_at")
        ),
    )
    op.create_table(
        "transfer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("from_site_id", sa.Uuid(), nullable=False),
        sa.Column("from_location_id", sa.Uuid(), nullable=False),
        sa.Column("to_site_id", sa.Uuid(), nullable=False),
        sa.Column("to_location_id", sa.Uuid(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("sent_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("from_location_id <> to_location_id", name=op.f("ck_transfer_two_locations")),
        sa.CheckConstraint("sent_at <= recorded_at", name=op.f("ck_transfer_not_in_the_future")),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_transfer_actor_id")),
        sa.ForeignKeyConstraint(
            ["from_location_id"], ["location.id"], name=op.f("fk_transfer_from_location_id")
        ),
        sa.ForeignKeyConstraint(["from_site_id"], ["site.id"], name=op.f("fk_transfer_from_site_id")),
        sa.ForeignKeyConstraint(["to_location_id"], ["location.id"], name=op.f("fk_transfer_to_location_id")),
        sa.ForeignKeyConstraint(["to_site_id"], ["site.id"], name=op.f("fk_transfer_to_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
        sa.UniqueConstraint("from_site_id", "number", name=op.f("uq_transfer_from_site_id_number")),
    )
    op.create_index("ix_account_lot_id", "account", ["lot_id", "kind"], unique=False)
    op.create_index("ix_movement_occurred_at", "movement", ["occurred_at"], unique=False)
    op.create_index("ix_transfer_from_site_id", "transfer", ["from_site_id", "sent_at"], unique=False)
    op.create_index("ix_transfer_to_site_id", "transfer", ["to_site_id", "sent_at"], unique=False)
    op.create_table(
        "stock_count_result",
        sa.Column("count_id", sa.Uuid(), nullable=False),
        sa.Column("counted_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_stock_count_result_actor_id")),
        sa.ForeignKeyConstraint(
            ["count_id"], ["stock_count.id"], name=op.f("fk_stock_count_result_count_id")
        ),
        sa.PrimaryKeyConstraint("count_id", name=op.f("pk_stock_count_result")),
    )
    op.create_table(
        "transfer_receipt",
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("received_at <= recorded_at", name=op.f("ck_transfer_receipt_not_in_the_future")),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_transfer_receipt_actor_id")),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["transfer.id"], name=op.f("fk_transfer_receipt_transfer_id")
        ),
        sa.PrimaryKeyConstraint("transfer_id", name=op.f("pk_transfer_receipt")),
    )
    op.create_table(
        "lot_correction",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lot_number_before", sa.String(length=40), nullable=False),
        sa.Column("expires_on_before", sa.Date(), nullable=False),
        sa.Column("expires_month_only_before", sa.Boolean(), nullable=False),
        sa.Column("lot_number", sa.String(length=40), nullable=False),
        sa.Column("lot_number_key", sa.String(length=40), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("expires_month_only", sa.Boolean(), nullable=False),
        sa.Column("merged_into_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("corrected_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("approved_by_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_lot_correction_reason")),
        sa.CheckConstraint(
            "merged_into_id IS NULL OR merged_into_id <> lot_id", name=op.f("ck_lot_correction_another_lot")
        ),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_lot_correction_actor_id")),
        sa.ForeignKeyConstraint(
            ["approved_by_id"], ["user.id"], name=op.f("fk_lot_correction_approved_by_id")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_lot_correction_lot_id")),
        sa.ForeignKeyConstraint(
            ["merged_into_id"], ["lot.id"], name=op.f("fk_lot_correction_merged_into_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot_correction")),
        sa.UniqueConstraint("lot_id", "position", name=op.f("uq_lot_correction_lot_id_position")),
    )
    op.create_index("ix_lot_correction_merged_into_id", "lot_correction", ["merged_into_id"], unique=False)
    op.create_table(
        "stock_count_line",
        sa.Column("count_id", sa.Uuid(), nullable=False),
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("vial_id", sa.Uuid(), nullable=True),
        sa.Column("counted_ul", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("expected_ul", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("counted_ul >= 0 AND expected_ul >= 0", name=op.f("ck_stock_count_line_amounts")),
        sa.ForeignKeyConstraint(
            ["count_id"], ["stock_count_result.count_id"], name=op.f("fk_stock_count_line_count_id")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_stock_count_line_lot_id")),
        sa.ForeignKeyConstraint(["vial_id"], ["vial.id"], name=op.f("fk_stock_count_line_vial_id")),
        sa.PrimaryKeyConstraint("count_id", "position", name=op.f("pk_stock_count_line")),
    )
    op.create_index("ix_stock_count_line_lot_id", "stock_count_line", ["lot_id"], unique=False)
    op.create_table(
        "vial_dedication",
        sa.Column("vial_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("dedicated_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_vial_dedication_actor_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_vial_dedication_patient_id")),
        sa.ForeignKeyConstraint(["vial_id"], ["vial.id"], name=op.f("fk_vial_dedication_vial_id")),
        sa.PrimaryKeyConstraint("vial_id", "patient_id", name=op.f("pk_vial_dedication")),
    )
    op.create_index("ix_vial_dedication_patient_id", "vial_dedication", ["patient_id"], unique=False)
    op.create_table(
        "vial_dedication_end",
        sa.Column("vial_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("dose_id", sa.Uuid(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_vial_dedication_end_actor_id")),
        sa.ForeignKeyConstraint(["dose_id"], ["dose.id"], name=op.f("fk_vial_dedication_end_dose_id")),
        sa.ForeignKeyConstraint(
            ["vial_id", "patient_id"],
            ["vial_dedication.vial_id", "vial_dedication.patient_id"],
            name="fk_vial_dedication_end_of",
        ),
        sa.PrimaryKeyConstraint("vial_id", "patient_id", name=op.f("pk_vial_dedication_end")),
    )
    op.create_table(
        "excursion_hold",
        sa.Column("excursion_id", sa.Uuid(), nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["excursion_id"], ["temperature_excursion.id"], name=op.f("fk_excursion_hold_excursion_id")
        ),
        sa.ForeignKeyConstraint(["hold_id"], ["hold.id"], name=op.f("fk_excursion_hold_hold_id")),
        sa.PrimaryKeyConstraint("excursion_id", "hold_id", name=op.f("pk_excursion_hold")),
    )
    op.create_table(
        "recall_line",
        sa.Column("recall_id", sa.Uuid(), nullable=False),
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("lot_number", sa.String(length=40), nullable=False),
        sa.Column("lot_number_key", sa.String(length=40), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=True),
        sa.Column("lot_id", sa.Uuid(), nullable=True),
        sa.Column("hold_id", sa.Uuid(), nullable=True),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(lot_id IS NULL) = (hold_id IS NULL)", name=op.f("ck_recall_line_held")),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_recall_line_actor_id")),
        sa.ForeignKeyConstraint(["hold_id"], ["hold.id"], name=op.f("fk_recall_line_hold_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_recall_line_lot_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_recall_line_product_id")),
        sa.ForeignKeyConstraint(["recall_id"], ["recall.id"], name=op.f("fk_recall_line_recall_id")),
        sa.PrimaryKeyConstraint("recall_id", "position", name=op.f("pk_recall_line")),
    )
    op.create_index("ix_recall_line_lot_id", "recall_line", ["lot_id"], unique=False)
    op.create_index("ix_recall_line_lot_number_key", "recall_line", ["lot_number_key"], unique=False)
    op.create_table(
        "disposal_line",
        sa.Column("disposal_id", sa.Uuid(), nullable=False),
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("vial_id", sa.Uuid(), nullable=True),
        sa.Column("containers", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("amount_ul", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("movement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint(
            "(vial_id IS NULL AND containers > 0) OR (vial_id IS NOT NULL AND containers = 0)",
            name=op.f("ck_disposal_line_whole"),
        ),
        sa.CheckConstraint("amount_ul > 0", name=op.f("ck_disposal_line_amount")),
        sa.ForeignKeyConstraint(["disposal_id"], ["disposal.id"], name=op.f("fk_disposal_line_disposal_id")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_disposal_line_location_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_disposal_line_lot_id")),
        sa.ForeignKeyConstraint(["movement_id"], ["movement.id"], name=op.f("fk_disposal_line_movement_id")),
        sa.ForeignKeyConstraint(["vial_id"], ["vial.id"], name=op.f("fk_disposal_line_vial_id")),
        sa.PrimaryKeyConstraint("disposal_id", "position", name=op.f("pk_disposal_line")),
        sa.UniqueConstraint("movement_id", name=op.f("uq_disposal_line_movement_id")),
    )
    op.create_index("ix_disposal_line_lot_id", "disposal_line", ["lot_id"], unique=False)
    op.create_table(
        "stock_count_variance",
        sa.Column("count_id", sa.Uuid(), nullable=False),
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=30), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("movement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["count_id"], ["stock_count_result.count_id"], name=op.f("fk_stock_count_variance_count_id")
        ),
        sa.ForeignKeyConstraint(
            ["movement_id"], ["movement.id"], name=op.f("fk_stock_count_variance_movement_id")
        ),
        sa.PrimaryKeyConstraint("count_id", "position", name=op.f("pk_stock_count_variance")),
        sa.UniqueConstraint("movement_id", name=op.f("uq_stock_count_variance_movement_id")),
    )
    op.create_table(
        "transfer_line",
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("vial_id", sa.Uuid(), nullable=True),
        sa.Column("containers", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("amount_ul", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("movement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint(
            "(vial_id IS NULL AND containers > 0) OR (vial_id IS NOT NULL AND containers = 0)",
            name=op.f("ck_transfer_line_whole"),
        ),
        sa.CheckConstraint("amount_ul > 0", name=op.f("ck_transfer_line_amount")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_transfer_line_lot_id")),
        sa.ForeignKeyConstraint(["movement_id"], ["movement.id"], name=op.f("fk_transfer_line_movement_id")),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfer.id"], name=op.f("fk_transfer_line_transfer_id")),
        sa.ForeignKeyConstraint(["vial_id"], ["vial.id"], name=op.f("fk_transfer_line_vial_id")),
        sa.PrimaryKeyConstraint("transfer_id", "position", name=op.f("pk_transfer_line")),
        sa.UniqueConstraint("movement_id", name=op.f("uq_transfer_line_movement_id")),
    )
    op.create_index("ix_transfer_line_lot_id", "transfer_line", ["lot_id"], unique=False)
    op.create_index("ix_transfer_line_vial_id", "transfer_line", ["vial_id"], unique=False)
    op.create_table(
        "transfer_receipt_line",
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("containers", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("amount_ul", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("movement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("difference", sa.String(length=20), nullable=True),
        sa.Column(
            "difference_movement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(amount_ul = 0) = (movement_id IS NULL)", name=op.f("ck_transfer_receipt_line_arrived")
        ),
        sa.CheckConstraint(
            "(difference IS NULL) = (difference_movement_id IS NULL)",
            name=op.f("ck_transfer_receipt_line_difference"),
        ),
        sa.CheckConstraint(
            "containers >= 0 AND amount_ul >= 0", name=op.f("ck_transfer_receipt_line_amount")
        ),
        sa.ForeignKeyConstraint(
            ["difference_movement_id"],
            ["movement.id"],
            name=op.f("fk_transfer_receipt_line_difference_movement_id"),
        ),
        sa.ForeignKeyConstraint(
            ["movement_id"], ["movement.id"], name=op.f("fk_transfer_receipt_line_movement_id")
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"],
            ["transfer_receipt.transfer_id"],
            name=op.f("fk_transfer_receipt_line_transfer_id"),
        ),
        sa.PrimaryKeyConstraint("transfer_id", "position", name=op.f("pk_transfer_receipt_line")),
        sa.UniqueConstraint(
            "difference_movement_id", name=op.f("uq_transfer_receipt_line_difference_movement_id")
        ),
        sa.UniqueConstraint("movement_id", name=op.f("uq_transfer_receipt_line_movement_id")),
    )
    op.drop_index(op.f("uq_account_vial"), table_name="account")
    op.create_index("uq_account_vial", "account", ["vial_id", "location_id"], unique=True)
    op.add_column("product", sa.Column("waste_witness_reasons", sa.Text(), nullable=True))
    op.add_column(
        "receipt",
        sa.Column(
            "container_price_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
    )
    op.drop_index(op.f("ix_vial_open"), table_name="vial", sqlite_where=sa.text("closed_at IS NULL"))
    op.create_index(
        "ix_vial_open",
        "vial",
        ["location_id", "use_by_on"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    add_columns()
    add_counters()
    hold_laws()


def downgrade() -> None:
    """A record is never taken back."""
    raise NotImplementedError("restore a backup instead")
