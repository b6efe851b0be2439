"""Addresses of calendar feeds: each a secret that its person made and can revoke. Only its hash is kept (law 11)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from inventory.kernel.db import Model


class CalendarFeed(Model):
    """The address of one person's feed of who is due at one site. Finished once: revoked.

    `names_patients` is what they asked for; whether they may see patients is asked anew whenever it is read.
    """

    __tablename__ = "calendar_feed"
    __table_args__ = (
        CheckConstraint("length(token_hash) = 64", name="token_hash"),
        CheckConstraint("revoked_at IS NULL OR revoked_at >= created_at", name="revoked"),
        Index("ix_calendar_feed_user_id", "user_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    names_patients: Mapped[bool] = mapped_column()
    created_at: Mapped[datetime] = mapped_column()
    revoked_at: Mapped[datetime | None] = mapped_column()
