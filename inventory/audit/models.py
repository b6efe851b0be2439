"""The trail's tables, all insert-only (law 4), and the head of the chain (law 10)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from inventory.kernel.db import Model

GENESIS = "0" * 64
"""What the first link holds in place of the hash before it."""


class AuditEntry(Model):
    """One thing that was done: who, when, what, to what. Its payload is held only through a salted commitment."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_subject", "subject_type", "subject_id"),
        Index("ix_audit_entry_recorded_at", "recorded_at", "id"),
        Index("ix_audit_entry_patient_id", "patient_id", "recorded_at", "id"),
        Index("ix_audit_entry_actor_id", "actor_id", "recorded_at", "id"),
        Index("ix_audit_entry_action", "action", "recorded_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    act_id: Mapped[UUID] = mapped_column()
    recorded_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    action: Mapped[str] = mapped_column(String(60))
    subject_type: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[UUID | None] = mapped_column()
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("site.id"))
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    request_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    request_digest: Mapped[str | None] = mapped_column(String(64))
    commitment: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))


class AuditPayload(Model):
    """What exactly was done, as canonical JSON text, and the salt of its commitment."""

    __tablename__ = "audit_payload"

    entry_id: Mapped[UUID] = mapped_column(ForeignKey("audit_entry.id"), primary_key=True)
    payload: Mapped[str] = mapped_column(Text)
    salt: Mapped[str] = mapped_column(String(32))


class AuditLink(Model):
    """The chain: link `seq` holds the hash of the link before it and of its entry's digest."""

    __tablename__ = "audit_link"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry_id: Mapped[UUID] = mapped_column(ForeignKey("audit_entry.id"), unique=True)
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Model):
    """The newest link, kept in one row so that linking is a single locked step."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column()
    hash: Mapped[str] = mapped_column(String(64))


class ViewEntry(Model):
    """One page or file that an auditor was shown: who, when, which, of what. Of the shape of a look at a patient.

    `subject` says in plain words what the page was about and what was asked of it; it names nobody.
    """

    __tablename__ = "view_entry"
    __table_args__ = (
        Index("ix_view_entry_at", "at", "id"),
        Index("ix_view_entry_actor_id", "actor_id", "at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    page: Mapped[str] = mapped_column(String(80))
    subject: Mapped[str] = mapped_column(String(500))


class AccessEntry(Model):
    """One look at one patient: who, when, through which page."""

    __tablename__ = "access_entry"
    __table_args__ = (
        Index("ix_access_entry_patient_id", "patient_id", "at"),
        Index("ix_access_entry_at", "at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    page: Mapped[str] = mapped_column(String(80))
