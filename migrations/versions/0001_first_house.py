"""the first house

Revision ID: 0001
Revises:
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from inventory.kernel.db import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"

INSERT_ONLY = {
    "lot": ("id",),
    "movement": ("id",),
    "receipt": ("id",),
    "consent": ("id",),
    "dose": ("id",),
    "dose_source": ("dose_id", "position"),
    "dose_finding": ("dose_id", "code"),
    "dose_void": ("dose_id",),
    "not_given": ("id",),
    "report": ("id",),
    "report_file": ("report_id", "format"),
    "audit_entry": ("id",),
    "audit_payload": ("entry_id",),
    "audit_link": ("seq",),
    "access_entry": ("id",),
}
FINISHED_ONCE = {
    "vial": ("closed_at", "closed_by_id", "closure"),
    "hold": ("released_at", "released_by_id", "release_reason"),
    "alert": ("resolved_at", "resolved_by_id", "resolved_reason"),
    "incident": ("closed_at", "closed_by_id", "outcome"),
}
UNDELETABLE = (
    "account",
    "alert",
    "audit_head",
    "counter",
    "formulation",
    "hold",
    "incident",
    "location",
    "one_time_link",
    "patient",
    "product",
    "reorder_rule",
    "setting",
    "site",
    "substance",
    "supplier",
    "user",
    "user_session",
    "vial",
)


def hold_laws() -> None:
    """Seed the head of the chain and the row of commands, then put every law into the database."""
    op.execute(f"INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '{'0' * 64}')")
    system = "0" * 32 if op.get_bind().dialect.name == "sqlite" else "00000000-0000-0000-0000-000000000000"
    op.execute(
        'INSERT INTO "user" (id, username, display_name, email, credential_title, licence_number,'
        " licence_renewal_pending, created_at, version) VALUES"
        f" ('{system}', 'system:cli', 'Command line', '', '', '', false, '2026-01-01 00:00:00.000000', 1)"
    )
    dialect = op.get_bind().dialect.name
    for statement in (SQL / f"0001_{dialect}.sql").read_text(encoding="utf-8").split("\n;;\n"):
        # The driver of PostgreSQL reads a percent sign as a placeholder.
        op.get_bind().exec_driver_sql(statement.replace("%", "%%") if dialect == "postgresql" else statement)
    (sqlite_laws if dialect == "sqlite" else postgresql_laws)()


def sqlite_laws() -> None:
    for table, key in INSERT_ONLY.items():
        refuse_on_sqlite(table, "UPDATE", "insert_only")
        refuse_on_sqlite(table, "DELETE", "insert_only")
        same = " AND ".join(f"{column} = NEW.{column}" for column in key)
        # REPLACE deletes without firing a delete trigger, whatever the pragma says.
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} BEGIN"
            f" SELECT RAISE(ABORT, 'law:insert_only:{table}') WHERE EXISTS (SELECT 1 FROM {table} WHERE {same}); END"
        )
    for table, columns in FINISHED_ONCE.items():
        every = [row[1] for row in op.get_bind().exec_driver_sql(f"PRAGMA table_info({table})")]
        kept = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in every if name not in columns)
        op.execute(
            f"CREATE TRIGGER {table}_finished_once BEFORE UPDATE ON {table} BEGIN"
            f" SELECT RAISE(ABORT, 'law:finished_once:{table}') WHERE OLD.{columns[0]} IS NOT NULL OR {kept}; END"
        )
    for table in UNDELETABLE:
        refuse_on_sqlite(table, "DELETE", "undeletable")
        if table not in {"account", "counter"}:
            key = "key" if table == "setting" else "product_id" if table == "reorder_rule" else "id"
            same = f"{key} = NEW.{key}" + (" AND site_id = NEW.site_id" if table == "reorder_rule" else "")
            op.execute(
                f'CREATE TRIGGER {table}_no_replace BEFORE INSERT ON "{table}" BEGIN'
                f" SELECT RAISE(ABORT, 'law:undeletable:{table}')"
                f' WHERE EXISTS (SELECT 1 FROM "{table}" WHERE {same}); END'
            )


def refuse_on_sqlite(table: str, operation: str, law: str) -> None:
    op.execute(
        f'CREATE TRIGGER {table}_no_{operation.lower()} BEFORE {operation} ON "{table}"'
        f" BEGIN SELECT RAISE(ABORT, 'law:{law}:{table}'); END"
    )


def postgresql_laws() -> None:
    for table in INSERT_ONLY:
        refuse_on_postgresql(table, "UPDATE OR DELETE OR TRUNCATE", "insert_only")
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
        f'CREATE TRIGGER {table}_{law} BEFORE {operations} ON public."{table}"'
        f" FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change('{law}')"
    )


def upgrade() -> None:  # noqa: PLR0915  one table after another
    op.create_table(
        "audit_head",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "setting",
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_setting")),
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("username", sa.String(length=80), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempt")),
    )
    op.create_index("ix_sign_in_attempt_address", "sign_in_attempt", ["address", "at"], unique=False)
    op.create_index("ix_sign_in_attempt_pair", "sign_in_attempt", ["username", "address", "at"], unique=False)
    op.create_table(
        "site",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("time_zone", sa.String(length=60), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
        sa.UniqueConstraint("code", name=op.f("uq_site_code")),
    )
    op.create_table(
        "substance",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("is_cobalamin", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_substance")),
        sa.UniqueConstraint("name", name=op.f("uq_substance_name")),
    )
    op.create_table(
        "supplier",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier")),
        sa.UniqueConstraint("name", name=op.f("uq_supplier_name")),
    )
    op.create_table(
        "user",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.String(length=80), nullable=False),
        sa.Column("display_name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("credential_title", sa.String(length=40), nullable=False),
        sa.Column("licence_number", sa.String(length=60), nullable=False),
        sa.Column("licence_expires_on", sa.Date(), nullable=True),
        sa.Column("licence_renewal_pending", sa.Boolean(), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("password_changed_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("deactivated_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("username", name=op.f("uq_user_username")),
    )
    op.create_table(
        "counter",
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("value", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("value >= 0", name=op.f("ck_counter_value")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_counter_site_id")),
        sa.PrimaryKeyConstraint("site_id", "kind", name=op.f("pk_counter")),
    )
    op.create_table(
        "formulation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("substance_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("lebers_caution", sa.Boolean(), nullable=False),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["substance_id"], ["substance.id"], name=op.f("fk_formulation_substance_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_formulation")),
        sa.UniqueConstraint("name", name=op.f("uq_formulation_name")),
    )
    op.create_table(
        "location",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_location_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_location")),
        sa.UniqueConstraint("site_id", "name", name=op.f("uq_location_site_id_name")),
    )
    op.create_table(
        "one_time_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_one_time_link_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_one_time_link_token_hash")),
    )
    op.create_table(
        "patient",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("record_number", sa.String(length=40), nullable=False),
        sa.Column(
            "record_number_key",
            sa.String(length=40).with_variant(sa.String(length=40, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("family_name", sa.String(length=200), nullable=False),
        sa.Column("given_name", sa.String(length=200), nullable=False),
        sa.Column(
            "name_key",
            sa.String(length=500).with_variant(sa.String(length=500, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("born_on", sa.Date(), nullable=False),
        sa.Column("phone", sa.String(length=60), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("allergy_status", sa.String(length=20), nullable=False),
        sa.Column("allergies_asked_on", sa.Date(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint(
            "(allergy_status = 'not_asked') = (allergies_asked_on IS NULL)",
            name=op.f("ck_patient_allergies_asked"),
        ),
        sa.CheckConstraint(
            "allergy_status IN ('not_asked', 'none_known', 'present')", name=op.f("ck_patient_allergy_status")
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["user.id"], name=op.f("fk_patient_created_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient")),
        sa.UniqueConstraint("record_number_key", name=op.f("uq_patient_record_number_key")),
    )
    op.create_index("ix_patient_born_on", "patient", ["born_on"], unique=False)
    op.create_index("ix_patient_name_key", "patient", ["name_key", "id"], unique=False)
    op.create_table(
        "report",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("covers_all_sites", sa.Boolean(), nullable=False),
        sa.Column("period_from", sa.Date(), nullable=False),
        sa.Column("period_to", sa.Date(), nullable=False),
        sa.Column("filters", sa.Text(), nullable=False),
        sa.Column("row_count", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.Column("head_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("head_hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("period_from <= period_to", name=op.f("ck_report_period")),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_report_actor_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_report_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
        sa.UniqueConstraint("site_id", "number", name=op.f("uq_report_site_id_number")),
    )
    op.create_index("ix_report_issued_at", "report", ["issued_at", "id"], unique=False)
    op.create_table(
        "user_role",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.CheckConstraint(
            "role IN ('practitioner', 'prescriber', 'manager', 'auditor', 'admin')",
            name=op.f("ck_user_role_role"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_user_role_user_id")),
        sa.PrimaryKeyConstraint("user_id", "role", name=op.f("pk_user_role")),
    )
    op.create_table(
        "user_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_user_session_site_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_user_session_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_user_session_token_hash")),
    )
    op.create_index("ix_user_session_user_id", "user_session", ["user_id"], unique=False)
    op.create_table(
        "access_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("page", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_access_entry_actor_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_access_entry_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_entry")),
    )
    op.create_index("ix_access_entry_at", "access_entry", ["at", "id"], unique=False)
    op.create_index("ix_access_entry_patient_id", "access_entry", ["patient_id", "at"], unique=False)
    op.create_table(
        "alert",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("noted_at", UtcDateTime(), nullable=False),
        sa.Column("noted_by_id", sa.Uuid(), nullable=False),
        sa.Column("resolved_at", UtcDateTime(), nullable=True),
        sa.Column("resolved_by_id", sa.Uuid(), nullable=True),
        sa.Column("resolved_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(resolved_at IS NULL) = (resolved_reason IS NULL)", name=op.f("ck_alert_resolution")
        ),
        sa.ForeignKeyConstraint(["noted_by_id"], ["user.id"], name=op.f("fk_alert_noted_by_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_alert_patient_id")),
        sa.ForeignKeyConstraint(["resolved_by_id"], ["user.id"], name=op.f("fk_alert_resolved_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    op.create_index("ix_alert_patient_id", "alert", ["patient_id"], unique=False)
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("act_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject_type", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("request_key", sa.String(length=64), nullable=True),
        sa.Column("request_digest", sa.String(length=64), nullable=True),
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_audit_entry_actor_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_audit_entry_patient_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_audit_entry_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
        sa.UniqueConstraint("request_key", name=op.f("uq_audit_entry_request_key")),
    )
    op.create_index("ix_audit_entry_action", "audit_entry", ["action", "recorded_at", "id"], unique=False)
    op.create_index("ix_audit_entry_actor_id", "audit_entry", ["actor_id", "recorded_at", "id"], unique=False)
    op.create_index(
        "ix_audit_entry_patient_id", "audit_entry", ["patient_id", "recorded_at", "id"], unique=False
    )
    op.create_index("ix_audit_entry_recorded_at", "audit_entry", ["recorded_at", "id"], unique=False)
    op.create_index("ix_audit_entry_subject", "audit_entry", ["subject_type", "subject_id"], unique=False)
    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("information_sheet", sa.String(length=120), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_consent_actor_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_consent_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index("ix_consent_patient_id", "consent", ["patient_id", "decided_at"], unique=False)
    op.create_table(
        "patient_name_word",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column(
            "word",
            sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_patient_name_word_patient_id")),
        sa.PrimaryKeyConstraint("patient_id", "word", name=op.f("pk_patient_name_word")),
    )
    op.create_index("ix_patient_name_word_word", "patient_name_word", ["word", "patient_id"], unique=False)
    op.create_table(
        "product",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("formulation_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("maker", sa.String(length=200), nullable=False),
        sa.Column("version_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("replaces_id", sa.Uuid(), nullable=True),
        sa.Column("gtin", sa.String(length=14), nullable=True),
        sa.Column("ndc10", sa.String(length=12), nullable=True),
        sa.Column("ndc11", sa.String(length=14), nullable=True),
        sa.Column("container_type", sa.String(length=20), nullable=False),
        sa.Column("container_kind", sa.String(length=40), nullable=False),
        sa.Column("strength_ng", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("strength_ul", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "container_volume_ul", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("pack_size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("routes", sa.String(length=40), nullable=False),
        sa.Column("in_use_days", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("preservative", sa.String(length=200), nullable=False),
        sa.Column("has_benzyl_alcohol", sa.Boolean(), nullable=False),
        sa.Column("contains_aluminium", sa.Boolean(), nullable=False),
        sa.Column(
            "storage_min_decicelsius", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "storage_max_decicelsius", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("protect_from_light", sa.Boolean(), nullable=False),
        sa.Column("default_dose_ng", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("overfill_limit_ul", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("retired_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint(
            "container_type IN ('single_dose', 'multi_dose')", name=op.f("ck_product_container_type")
        ),
        sa.CheckConstraint("container_volume_ul > 0", name=op.f("ck_product_container_volume")),
        sa.CheckConstraint("in_use_days > 0", name=op.f("ck_product_in_use_days")),
        sa.CheckConstraint("overfill_limit_ul >= 0", name=op.f("ck_product_overfill_limit")),
        sa.CheckConstraint("pack_size > 0", name=op.f("ck_product_pack_size")),
        sa.CheckConstraint("strength_ng > 0 AND strength_ul > 0", name=op.f("ck_product_strength")),
        sa.ForeignKeyConstraint(["created_by_id"], ["user.id"], name=op.f("fk_product_created_by_id")),
        sa.ForeignKeyConstraint(
            ["formulation_id"], ["formulation.id"], name=op.f("fk_product_formulation_id")
        ),
        sa.ForeignKeyConstraint(["replaces_id"], ["product.id"], name=op.f("fk_product_replaces_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
        sa.UniqueConstraint(
            "name", "maker", "version_number", name=op.f("uq_product_name_maker_version_number")
        ),
    )
    op.create_index("ix_product_gtin", "product", ["gtin"], unique=False)
    op.create_table(
        "report_file",
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("format", sa.String(length=4), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("format IN ('pdf', 'csv')", name=op.f("ck_report_file_format")),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name=op.f("fk_report_file_report_id")),
        sa.PrimaryKeyConstraint("report_id", "format", name=op.f("pk_report_file")),
    )
    op.create_table(
        "audit_link",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["audit_entry.id"], name=op.f("fk_audit_link_entry_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_link")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_audit_link_entry_id")),
    )
    op.create_table(
        "audit_payload",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("salt", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["audit_entry.id"], name=op.f("fk_audit_payload_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_audit_payload")),
    )
    op.create_table(
        "dose",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("patient_name", sa.String(length=420), nullable=False),
        sa.Column("patient_record_number", sa.String(length=40), nullable=False),
        sa.Column("patient_born_on", sa.Date(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("product_name", sa.String(length=420), nullable=False),
        sa.Column("formulation_id", sa.Uuid(), nullable=False),
        sa.Column("formulation_name", sa.String(length=120), nullable=False),
        sa.Column("substance_id", sa.Uuid(), nullable=False),
        sa.Column("strength_ng", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("strength_ul", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("volume_ul", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("dose_ng", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("route", sa.String(length=4), nullable=False),
        sa.Column("body_site", sa.String(length=4), nullable=False),
        sa.Column("needle", sa.String(length=60), nullable=True),
        sa.Column("given_at", UtcDateTime(), nullable=False),
        sa.Column("given_zone", sa.String(length=60), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("is_late", sa.Boolean(), nullable=False),
        sa.Column("is_deviation", sa.Boolean(), nullable=False),
        sa.Column("blocked_before", sa.String(length=500), nullable=True),
        sa.Column("giver_id", sa.Uuid(), nullable=False),
        sa.Column("giver_name", sa.String(length=200), nullable=False),
        sa.Column("giver_credential", sa.String(length=200), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("indication", sa.String(length=300), nullable=False),
        sa.Column("consent_seen", sa.Boolean(), nullable=False),
        sa.Column("information_sheet", sa.String(length=120), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("amends_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "2 * abs(dose_ng * strength_ul - strength_ng * volume_ul) <= strength_ul",
            name=op.f("ck_dose_dose_agrees_with_volume"),
        ),
        sa.CheckConstraint("given_at <= recorded_at", name=op.f("ck_dose_not_in_the_future")),
        sa.CheckConstraint("volume_ul > 0 AND dose_ng > 0", name=op.f("ck_dose_amounts_positive")),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_dose_actor_id")),
        sa.ForeignKeyConstraint(["amends_id"], ["dose.id"], name=op.f("fk_dose_amends_id")),
        sa.ForeignKeyConstraint(["formulation_id"], ["formulation.id"], name=op.f("fk_dose_formulation_id")),
        sa.ForeignKeyConstraint(["giver_id"], ["user.id"], name=op.f("fk_dose_giver_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_dose_patient_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_dose_product_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_dose_site_id")),
        sa.ForeignKeyConstraint(["substance_id"], ["substance.id"], name=op.f("fk_dose_substance_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dose")),
        sa.UniqueConstraint("site_id", "number", name=op.f("uq_dose_site_id_number")),
    )
    op.create_index(
        "ix_dose_amends_id",
        "dose",
        ["amends_id"],
        unique=True,
        sqlite_where=sa.text("amends_id IS NOT NULL"),
        postgresql_where=sa.text("amends_id IS NOT NULL"),
    )
    op.create_index("ix_dose_given_at", "dose", ["given_at", "id"], unique=False)
    op.create_index("ix_dose_patient_id", "dose", ["patient_id", "given_at"], unique=False)
    op.create_index("ix_dose_site_given_at", "dose", ["site_id", "given_at", "id"], unique=False)
    op.create_table(
        "lot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("lot_number", sa.String(length=40), nullable=False),
        sa.Column("lot_number_key", sa.String(length=40), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("expires_month_only", sa.Boolean(), nullable=False),
        sa.Column("raw_scan", sa.Text(), nullable=True),
        sa.Column("container_type", sa.String(length=20), nullable=False),
        sa.Column("strength_ng", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("strength_ul", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "container_volume_ul", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("in_use_days", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "strength_ng > 0 AND strength_ul > 0 AND container_volume_ul > 0", name=op.f("ck_lot_amounts")
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["user.id"], name=op.f("fk_lot_created_by_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_lot_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot")),
        sa.UniqueConstraint("product_id", "lot_number_key", name=op.f("uq_lot_product_id_lot_number_key")),
    )
    op.create_index("ix_lot_expires_on", "lot", ["expires_on"], unique=False)
    op.create_table(
        "not_given",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("patient_name", sa.String(length=420), nullable=False),
        sa.Column("patient_record_number", sa.String(length=40), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=True),
        sa.Column("formulation_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.Column("decided_zone", sa.String(length=60), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_not_given_actor_id")),
        sa.ForeignKeyConstraint(
            ["formulation_id"], ["formulation.id"], name=op.f("fk_not_given_formulation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_not_given_patient_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_not_given_product_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_not_given_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_not_given")),
        sa.UniqueConstraint("site_id", "number", name=op.f("uq_not_given_site_id_number")),
    )
    op.create_index("ix_not_given_patient_id", "not_given", ["patient_id", "decided_at"], unique=False)
    op.create_index("ix_not_given_site", "not_given", ["site_id", "decided_at", "id"], unique=False)
    op.create_table(
        "product_ingredient",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("substance_id", sa.Uuid(), nullable=False),
        sa.Column("strength_ng", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("strength_ul", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint(
            "strength_ng > 0 AND strength_ul > 0", name=op.f("ck_product_ingredient_strength")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_product_ingredient_product_id")
        ),
        sa.ForeignKeyConstraint(
            ["substance_id"], ["substance.id"], name=op.f("fk_product_ingredient_substance_id")
        ),
        sa.PrimaryKeyConstraint("product_id", "substance_id", name=op.f("pk_product_ingredient")),
    )
    op.create_table(
        "reorder_rule",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("reorder_point", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order_up_to", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("changed_by_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint(
            "reorder_point >= 0 AND order_up_to > reorder_point", name=op.f("ck_reorder_rule_levels")
        ),
        sa.ForeignKeyConstraint(["changed_by_id"], ["user.id"], name=op.f("fk_reorder_rule_changed_by_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_reorder_rule_product_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_reorder_rule_site_id")),
        sa.PrimaryKeyConstraint("product_id", "site_id", name=op.f("pk_reorder_rule")),
    )
    op.create_table(
        "dose_finding",
        sa.Column("dose_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("disposition", sa.String(length=16), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("decided_by_id", sa.Uuid(), nullable=False),
        sa.Column("second_person_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "second_person_id IS NULL OR second_person_id <> decided_by_id",
            name=op.f("ck_dose_finding_second"),
        ),
        sa.ForeignKeyConstraint(["decided_by_id"], ["user.id"], name=op.f("fk_dose_finding_decided_by_id")),
        sa.ForeignKeyConstraint(["dose_id"], ["dose.id"], name=op.f("fk_dose_finding_dose_id")),
        sa.ForeignKeyConstraint(
            ["second_person_id"], ["user.id"], name=op.f("fk_dose_finding_second_person_id")
        ),
        sa.PrimaryKeyConstraint("dose_id", "code", name=op.f("pk_dose_finding")),
    )
    op.create_table(
        "dose_void",
        sa.Column("dose_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("voided_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("replaced_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_dose_void_reason")),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_dose_void_actor_id")),
        sa.ForeignKeyConstraint(["dose_id"], ["dose.id"], name=op.f("fk_dose_void_dose_id")),
        sa.ForeignKeyConstraint(
            ["replaced_by_id"],
            ["dose.id"],
            name=op.f("fk_dose_void_replaced_by_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("dose_id", name=op.f("pk_dose_void")),
    )
    op.create_table(
        "incident",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("dose_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("opened_by_id", sa.Uuid(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("closed_by_id", sa.Uuid(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name=op.f("ck_incident_closure")),
        sa.ForeignKeyConstraint(["closed_by_id"], ["user.id"], name=op.f("fk_incident_closed_by_id")),
        sa.ForeignKeyConstraint(["dose_id"], ["dose.id"], name=op.f("fk_incident_dose_id")),
        sa.ForeignKeyConstraint(["opened_by_id"], ["user.id"], name=op.f("fk_incident_opened_by_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_incident_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
        sa.UniqueConstraint("site_id", "number", name=op.f("uq_incident_site_id_number")),
    )
    op.create_index("ix_incident_dose_id", "incident", ["dose_id"], unique=False)
    op.create_table(
        "vial",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("container_type", sa.String(length=20), nullable=False),
        sa.Column("label_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("opened_by_id", sa.Uuid(), nullable=False),
        sa.Column("use_by_on", sa.Date(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("closed_by_id", sa.Uuid(), nullable=True),
        sa.Column("closure", sa.String(length=20), nullable=True),
        sa.CheckConstraint(
            "container_type = 'single_dose' OR label_number IS NOT NULL", name=op.f("ck_vial_label")
        ),
        sa.CheckConstraint("(closed_at IS NULL) = (closure IS NULL)", name=op.f("ck_vial_closure")),
        sa.ForeignKeyConstraint(["closed_by_id"], ["user.id"], name=op.f("fk_vial_closed_by_id")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_vial_location_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_vial_lot_id")),
        sa.ForeignKeyConstraint(["opened_by_id"], ["user.id"], name=op.f("fk_vial_opened_by_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_vial_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vial")),
        sa.UniqueConstraint("id", "lot_id", name=op.f("uq_vial_id_lot_id")),
        sa.UniqueConstraint("site_id", "label_number", name=op.f("uq_vial_site_id_label_number")),
    )
    op.create_index("ix_vial_lot_id", "vial", ["lot_id"], unique=False)
    op.create_index(
        "ix_vial_open",
        "vial",
        ["site_id", "use_by_on"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=True),
        sa.Column("vial_id", sa.Uuid(), nullable=True),
        sa.Column("balance_ul", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("last_movement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("last_occurred_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("(kind = 'vial') = (vial_id IS NOT NULL)", name=op.f("ck_account_vial")),
        sa.CheckConstraint(
            "(kind IN ('shelf', 'vial')) = (location_id IS NOT NULL)", name=op.f("ck_account_location")
        ),
        sa.CheckConstraint(
            "kind NOT IN ('shelf', 'vial', 'transit') OR balance_ul >= 0",
            name=op.f("ck_account_never_negative"),
        ),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_account_location_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_account_lot_id")),
        sa.ForeignKeyConstraint(
            ["vial_id", "lot_id"], ["vial.id", "vial.lot_id"], name=op.f("fk_account_vial_id_lot_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("id", "lot_id", name=op.f("uq_account_id_lot_id")),
    )
    op.create_index("ix_account_location_id", "account", ["location_id", "kind"], unique=False)
    op.create_index(
        "uq_account_lot",
        "account",
        ["lot_id", "kind"],
        unique=True,
        sqlite_where=sa.text("location_id IS NULL"),
        postgresql_where=sa.text("location_id IS NULL"),
    )
    op.create_index(
        "uq_account_shelf",
        "account",
        ["lot_id", "location_id"],
        unique=True,
        sqlite_where=sa.text("kind = 'shelf'"),
        postgresql_where=sa.text("kind = 'shelf'"),
    )
    op.create_index("uq_account_vial", "account", ["vial_id"], unique=True)
    op.create_table(
        "hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=True),
        sa.Column("vial_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("held_at", UtcDateTime(), nullable=False),
        sa.Column("held_by_id", sa.Uuid(), nullable=False),
        sa.Column("released_at", UtcDateTime(), nullable=True),
        sa.Column("released_by_id", sa.Uuid(), nullable=True),
        sa.Column("release_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_hold_reason")),
        sa.CheckConstraint("(released_at IS NULL) = (release_reason IS NULL)", name=op.f("ck_hold_release")),
        sa.ForeignKeyConstraint(["held_by_id"], ["user.id"], name=op.f("fk_hold_held_by_id")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_hold_location_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_hold_lot_id")),
        sa.ForeignKeyConstraint(["released_by_id"], ["user.id"], name=op.f("fk_hold_released_by_id")),
        sa.ForeignKeyConstraint(["vial_id"], ["vial.id"], name=op.f("fk_hold_vial_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    op.create_index(
        "ix_hold_active",
        "hold",
        ["lot_id"],
        unique=False,
        sqlite_where=sa.text("released_at IS NULL"),
        postgresql_where=sa.text("released_at IS NULL"),
    )
    op.create_table(
        "movement",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("act_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=30), nullable=True),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("from_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("to_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("amount_ul", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("witness_id", sa.Uuid(), nullable=True),
        sa.Column("reverses_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'reverse') = (reverses_id IS NOT NULL)", name=op.f("ck_movement_reversal")
        ),
        sa.CheckConstraint("amount_ul > 0", name=op.f("ck_movement_amount_positive")),
        sa.CheckConstraint("from_id <> to_id", name=op.f("ck_movement_two_accounts")),
        sa.CheckConstraint("occurred_at <= recorded_at", name=op.f("ck_movement_not_in_the_future")),
        sa.CheckConstraint("witness_id IS NULL OR witness_id <> actor_id", name=op.f("ck_movement_witness")),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_movement_actor_id")),
        sa.ForeignKeyConstraint(
            ["from_id", "lot_id"], ["account.id", "account.lot_id"], name="fk_movement_from"
        ),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_movement_location_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_movement_lot_id")),
        sa.ForeignKeyConstraint(["reverses_id"], ["movement.id"], name=op.f("fk_movement_reverses_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_movement_site_id")),
        sa.ForeignKeyConstraint(["to_id", "lot_id"], ["account.id", "account.lot_id"], name="fk_movement_to"),
        sa.ForeignKeyConstraint(["witness_id"], ["user.id"], name=op.f("fk_movement_witness_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_movement")),
    )
    op.create_index("ix_movement_from", "movement", ["from_id", "occurred_at", "amount_ul"], unique=False)
    op.create_index("ix_movement_to", "movement", ["to_id", "occurred_at", "amount_ul"], unique=False)
    op.create_index(
        "uq_movement_reverses_id",
        "movement",
        ["reverses_id"],
        unique=True,
        sqlite_where=sa.text("reverses_id IS NOT NULL"),
        postgresql_where=sa.text("reverses_id IS NOT NULL"),
    )
    op.create_table(
        "dose_source",
        sa.Column("dose_id", sa.Uuid(), nullable=False),
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("vial_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("movement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("volume_ul", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lot_number", sa.String(length=40), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("use_by_on", sa.Date(), nullable=True),
        sa.Column("label_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("volume_ul > 0", name=op.f("ck_dose_source_volume")),
        sa.ForeignKeyConstraint(
            ["dose_id"],
            ["dose.id"],
            name=op.f("fk_dose_source_dose_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_dose_source_lot_id")),
        sa.ForeignKeyConstraint(["movement_id"], ["movement.id"], name=op.f("fk_dose_source_movement_id")),
        sa.ForeignKeyConstraint(["vial_id"], ["vial.id"], name=op.f("fk_dose_source_vial_id")),
        sa.PrimaryKeyConstraint("dose_id", "position", name=op.f("pk_dose_source")),
    )
    op.create_index("ix_dose_source_lot_id", "dose_source", ["lot_id"], unique=False)
    op.create_index("ix_dose_source_movement_id", "dose_source", ["movement_id"], unique=False)
    op.create_index("ix_dose_source_vial_id", "dose_source", ["vial_id"], unique=False)
    op.create_table(
        "receipt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("supplier_id", sa.Uuid(), nullable=True),
        sa.Column("document_number", sa.String(length=60), nullable=True),
        sa.Column("containers", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("movement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("containers > 0", name=op.f("ck_receipt_containers")),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_receipt_actor_id")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_receipt_location_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_receipt_lot_id")),
        sa.ForeignKeyConstraint(["movement_id"], ["movement.id"], name=op.f("fk_receipt_movement_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_receipt_site_id")),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("fk_receipt_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
        sa.UniqueConstraint("movement_id", name=op.f("uq_receipt_movement_id")),
    )
    op.create_index("ix_receipt_lot_id", "receipt", ["lot_id"], unique=False)
    hold_laws()


def downgrade() -> None:
    """There is nothing before the first house to go back to."""
    raise NotImplementedError("restore a backup instead")
