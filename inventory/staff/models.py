"""People, roles, sessions and sign-in attempts. People are deactivated, never deleted (law 4)."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from inventory.kernel.db import Model
from inventory.kernel.permissions import Role


class LinkPurpose(StrEnum):
    """What a one-time link lets its holder do."""

    SETUP = "setup"
    NEW_PASSWORD = "new-password"  # noqa: S105  the name of a purpose


class User(Model):
    """A person who signs in. `system:cli`, the row of commands, has no password and never can.

    They sign in from `access_from` until `access_until`, and see the records of `records_from` to `records_until` (days,
    both included); what is empty is without end. The order of each pair is held where it is set: SQLite tables are not rebuilt.
    """

    __tablename__ = "user"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(80), unique=True)
    display_name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(254), default="")
    credential_title: Mapped[str] = mapped_column(String(40), default="")
    licence_number: Mapped[str] = mapped_column(String(60), default="")
    licence_expires_on: Mapped[date | None] = mapped_column()
    licence_renewal_pending: Mapped[bool] = mapped_column(default=False)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    password_changed_at: Mapped[datetime | None] = mapped_column()
    created_at: Mapped[datetime] = mapped_column()
    deactivated_at: Mapped[datetime | None] = mapped_column()
    access_from: Mapped[datetime | None] = mapped_column()
    access_until: Mapped[datetime | None] = mapped_column()
    records_from: Mapped[date | None] = mapped_column()
    records_until: Mapped[date | None] = mapped_column()
    version: Mapped[int] = mapped_column(default=1)

    role_rows: Mapped[list["UserRole"]] = relationship(
        lazy="raise", order_by="UserRole.role", cascade="all, delete-orphan"
    )
    site_rows: Mapped[list["SiteAccess"]] = relationship(
        lazy="raise", order_by="SiteAccess.site_id", cascade="all, delete-orphan"
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class UserRole(Model):
    """One role of one person."""

    __tablename__ = "user_role"
    __table_args__ = (
        CheckConstraint("role IN ('practitioner', 'prescriber', 'manager', 'auditor', 'admin')", name="role"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), primary_key=True)
    role: Mapped[Role] = mapped_column(String(20), primary_key=True)


class SiteAccess(Model):
    """That a person works at this site. Who has no such row works at every site."""

    __tablename__ = "site_access"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), primary_key=True)
    # The type is said: sessions are asked for by a statement made before the room of sites is known.
    site_id: Mapped[UUID] = mapped_column(Uuid(), ForeignKey("site.id"), primary_key=True)


class UserSession(Model):
    """One signed-in browser. The cookie holds a token; here lies only its hash."""

    __tablename__ = "user_session"
    __table_args__ = (Index("ix_user_session_user_id", "user_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("site.id"))
    created_at: Mapped[datetime] = mapped_column()
    last_seen_at: Mapped[datetime] = mapped_column()
    expires_at: Mapped[datetime] = mapped_column()
    revoked_at: Mapped[datetime | None] = mapped_column()
    address: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(300))


class SignInAttempt(Model):
    """One attempt to sign in, kept to slow down guessing per account and address."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (
        Index("ix_sign_in_attempt_pair", "username", "address", "at"),
        Index("ix_sign_in_attempt_address", "address", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(80))
    address: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column()
    succeeded: Mapped[bool] = mapped_column()


class OneTimeLink(Model):
    """A code that works once: the first visit to an empty clinic, an invitation, a reset. Only its hash is kept."""

    __tablename__ = "one_time_link"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    purpose: Mapped[LinkPurpose] = mapped_column(String(20))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime] = mapped_column()
    expires_at: Mapped[datetime] = mapped_column()
    used_at: Mapped[datetime | None] = mapped_column()
