"""Law 4 on PostgreSQL: the role the application signs in with owns nothing and may erase almost nothing."""

from sqlalchemy import text
from sqlalchemy.engine import Connection

DELETABLE = (
    "user_role",
    "site_access",
    "sign_in_attempt",
    "product_ingredient",
    "patient_name_word",
    "report_job",
)
"""The only tables whose rows the application may delete: none of them is part of the record."""

QUEUE_SCHEMA = "clinic_queue"
"""Where the queue of long work keeps its own tables, apart from the record and from its backups."""


def make_queue_schema(connection: Connection, role: str) -> None:
    """Make the schema of the queue, as somebody who may, and let `role` do in it what it likes."""
    quoted = connection.dialect.identifier_preparer.quote_identifier(role)
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {QUEUE_SCHEMA}"))
    connection.execute(text(f"GRANT USAGE, CREATE ON SCHEMA {QUEUE_SCHEMA} TO {quoted}"))


def grant_application_role(connection: Connection, role: str) -> None:
    """Let the existing `role` run the application, as the owner of the tables: read, add, change; delete only DELETABLE.

    What may be changed is narrowed further by the triggers. The role cannot TRUNCATE, nor touch a trigger.
    """
    quoted = connection.dialect.identifier_preparer.quote_identifier(role)
    for statement in (
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        f"GRANT USAGE ON SCHEMA public TO {quoted}",
        f"GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {quoted}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {quoted}",
        f"GRANT DELETE ON {', '.join(DELETABLE)} TO {quoted}",
        f"REVOKE INSERT, UPDATE ON alembic_version FROM {quoted}",
    ):
        connection.execute(text(statement))
    make_queue_schema(connection, role)
