"""Issued reports and their files, insert-only: what was issued can be downloaded again, byte for byte. And the jobs that make
the long ones, which are no part of the record: a job changes as it goes on, and is forgotten afterwards.
"""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from inventory.kernel.db import Model, only_where


class Report(Model):
    """One report as it was issued: what was asked, by whom, when, and the head of the chain at that moment."""

    __tablename__ = "report"
    __table_args__ = (
        UniqueConstraint("site_id", "number"),
        CheckConstraint("period_from <= period_to", name="period"),
        Index("ix_report_issued_at", "issued_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(30))
    number: Mapped[int] = mapped_column()
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    covers_all_sites: Mapped[bool] = mapped_column()
    period_from: Mapped[date] = mapped_column()
    period_to: Mapped[date] = mapped_column()
    filters: Mapped[str] = mapped_column(Text)
    row_count: Mapped[int] = mapped_column()
    issued_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    actor_name: Mapped[str] = mapped_column(String(200))
    head_seq: Mapped[int] = mapped_column()
    head_hash: Mapped[str] = mapped_column(String(64))
    recall_id: Mapped[UUID | None] = mapped_column(ForeignKey("recall.id"))
    """The recall it is the report of; empty for the others."""
    parameters: Mapped[str | None] = mapped_column(Text)
    """What selects its rows again, as canonical JSON: ids and days, no words. Reports from before it was kept have none."""


class ReportFile(Model):
    """One file of a report, and its SHA-256."""

    __tablename__ = "report_file"
    __table_args__ = (CheckConstraint("format IN ('pdf', 'csv')", name="format"),)

    report_id: Mapped[UUID] = mapped_column(ForeignKey("report.id"), primary_key=True)
    format: Mapped[str] = mapped_column(String(4), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    manifest_sha256: Mapped[str | None] = mapped_column(String(64))
    """The SHA-256 of the manifest of the rows that were drawn."""
    manifest_salt: Mapped[str | None] = mapped_column(String(64))
    """The salt of the manifest's rows, in hexadecimal, where the manifest does not tell it itself."""
    key_sha256: Mapped[str | None] = mapped_column(String(64))
    """The fingerprint of the key that signed the report: its PDF, and the manifest that vouches for the rows of its CSV."""


class Meaning(StrEnum):
    """What a reviewer's signature says."""

    REVIEWED = "reviewed"
    APPROVED = "approved"


class ReportRevision(Model):
    """The PDF of a report with one more signature, by which somebody says that they reviewed or approved it. Insert-only.

    Number 1 is the file as it was issued; each revision holds all bytes of the one before it (`previous_sha256`).
    """

    __tablename__ = "report_revision"
    __table_args__ = (
        CheckConstraint("number >= 2", name="number"),
        CheckConstraint("meaning IN ('reviewed', 'approved')", name="meaning"),
        CheckConstraint("sha256 <> previous_sha256", name="follows"),
    )

    report_id: Mapped[UUID] = mapped_column(ForeignKey("report.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    meaning: Mapped[Meaning] = mapped_column(String(10))
    note: Mapped[str] = mapped_column(Text)
    signed_at: Mapped[datetime] = mapped_column()
    signer_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    signer_name: Mapped[str] = mapped_column(String(200))
    signer_credential: Mapped[str] = mapped_column(String(200))
    key_sha256: Mapped[str] = mapped_column(String(64))
    previous_sha256: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary)


class SigningKey(Model):
    """A key that signed for the clinic, by its certificate. Insert-only: the newest signs, the others still prove what they signed."""

    __tablename__ = "signing_key"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    certificate: Mapped[str] = mapped_column(Text)
    is_own: Mapped[bool] = mapped_column()
    known_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))


class ReportJob(Model):
    """A report that was asked for and is made outside the request: how far it has come, and what it led to."""

    __tablename__ = "report_job"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="state"),
        CheckConstraint(
            "(state IN ('done', 'failed', 'cancelled')) = (finished_at IS NOT NULL)", name="finished"
        ),
        CheckConstraint("state <> 'done' OR report_id IS NOT NULL", name="done"),
        CheckConstraint("state <> 'running' OR heartbeat_at IS NOT NULL", name="running"),
        CheckConstraint("rows_done >= 0 AND rows_of >= 0 AND attempts >= 0", name="counts"),
        Index("ix_report_job_state", "state", "requested_at", "id"),
        Index("ix_report_job_unseen", "requested_by_id", **only_where("seen_at IS NULL")),
        Index("ix_report_job_report_id", "report_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(30))
    parameters: Mapped[str] = mapped_column(Text)
    """What was asked for and at which sites the person then worked, as JSON; read by `jobs.requests` alone."""
    requested_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    requested_at: Mapped[datetime] = mapped_column()
    state: Mapped[str] = mapped_column(String(10))
    attempts: Mapped[int] = mapped_column()
    rows_done: Mapped[int] = mapped_column()
    rows_of: Mapped[int] = mapped_column()
    heartbeat_at: Mapped[datetime | None] = mapped_column()
    report_id: Mapped[UUID | None] = mapped_column(ForeignKey("report.id"))
    """Its entry in the register, from when it has a number."""
    failure: Mapped[str | None] = mapped_column(Text)
    cancel_requested_at: Mapped[datetime | None] = mapped_column()
    finished_at: Mapped[datetime | None] = mapped_column()
    seen_at: Mapped[datetime | None] = mapped_column()
    """When whoever asked for it saw how it ended."""
