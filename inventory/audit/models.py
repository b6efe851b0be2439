"""The trail's tables, all insert-only (law 4), and the head of the chain (law 10)."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from inventory.kernel.db import Model

GENESIS = "0" * 64
"""What the first link holds in place of the hash before it."""


class AskedBy(StrEnum):
    """Who asked for an erasure; `retention` is the clinic itself, since the years of keeping are over."""

    PATIENT = "patient"
    REPRESENTATIVE = "representative"
    AUTHORITY = "authority"
    RETENTION = "retention"


class Decision(StrEnum):
    """What was decided about a request."""

    REFUSED = "refused"
    CARRIED_OUT = "carried-out"


class Ground(StrEnum):
    """The legal ground on which an erasure is refused (GDPR, article 17 (3); article 12 (6) for the identity)."""

    MUST_KEEP = "must-keep"
    PUBLIC_HEALTH = "public-health"
    LEGAL_CLAIMS = "legal-claims"
    NOT_IDENTIFIED = "not-identified"
    OTHER = "other"


class ErasureKind(StrEnum):
    """What an erasure is about."""

    PATIENT = "patient"
    REPORT_FILES = "report-files"


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


class ErasureRequest(Model):
    """That somebody asked to have a patient's data erased, and what was decided: refused on a ground, or carried out. Decided once."""

    __tablename__ = "erasure_request"
    __table_args__ = (
        CheckConstraint(
            "asked_by IN ('patient', 'representative', 'authority', 'retention')", name="asked_by"
        ),
        CheckConstraint("decision IS NULL OR decision IN ('refused', 'carried-out')", name="decision"),
        CheckConstraint(
            "(decided_at IS NULL) = (decision IS NULL) AND (decided_at IS NULL) = (decided_by_id IS NULL)",
            name="decided",
        ),
        CheckConstraint("decision IS NULL OR decision <> 'refused' OR ground IS NOT NULL", name="ground"),
        Index("ix_erasure_request_patient_id", "patient_id"),
        Index("ix_erasure_request_recorded_at", "recorded_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    asked_by: Mapped[AskedBy] = mapped_column(String(20))
    asked_on: Mapped[date] = mapped_column()
    words: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None] = mapped_column()
    decided_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    decision: Mapped[Decision | None] = mapped_column(String(12))
    ground: Mapped[Ground | None] = mapped_column(String(20))
    because: Mapped[str | None] = mapped_column(Text)


class Erasure(Model):
    """One erasure, carried out by two people: a patient's data, or the files of old reports. Insert-only."""

    __tablename__ = "erasure"
    __table_args__ = (
        CheckConstraint("kind IN ('patient', 'report-files')", name="kind"),
        CheckConstraint("(kind = 'patient') = (request_id IS NOT NULL)", name="request"),
        CheckConstraint("second_id <> actor_id", name="second"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID | None] = mapped_column(ForeignKey("erasure_request.id"), unique=True)
    kind: Mapped[ErasureKind] = mapped_column(String(12))
    at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    second_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))


class ErasureRow(Model):
    """A row that an erasure blanked (`is_blanked`), or whose witness stood in a payload that it blanked (`is_carried`). Insert-only.

    `digest` is the row's digest from then on; empty for a payload, of which only the commitment is left.
    """

    __tablename__ = "erasure_row"
    __table_args__ = (Index("ix_erasure_row_owner", "table_name", "owner_key", "is_blanked"),)

    erasure_id: Mapped[UUID] = mapped_column(ForeignKey("erasure.id"), primary_key=True)
    table_name: Mapped[str] = mapped_column(String(40), primary_key=True)
    row_key: Mapped[str] = mapped_column(String(120), primary_key=True)
    owner_key: Mapped[str] = mapped_column(String(40))
    is_blanked: Mapped[bool] = mapped_column()
    is_carried: Mapped[bool] = mapped_column()
    digest: Mapped[str | None] = mapped_column(String(64))


class AccessDigest(Model):
    """A seal: the looks from one id to another, none left out, by one digest that also holds that of the seal before.

    `looks` names each sealed look by its id and the first digits of its row's digest. It proves nothing by itself: it tells
    which look does not agree once `digest` does not.
    """

    __tablename__ = "access_digest"
    __table_args__ = (
        CheckConstraint("from_id <= to_id", name="range"),
        CheckConstraint('"count" > 0', name="count"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    from_id: Mapped[int] = mapped_column()
    to_id: Mapped[int] = mapped_column(unique=True)
    count: Mapped[int] = mapped_column()
    previous_digest: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    looks: Mapped[str] = mapped_column(Text)
    sealed_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
