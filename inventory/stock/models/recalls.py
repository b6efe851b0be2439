"""Recalls: which lots, held by which holds, until the recall is closed out. Who received them only `doses` knows."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from inventory.kernel.db import Model


class Recall(Model):
    """One recall by a maker or an authority, as the clinic carried it out. Closed once, with its outcome."""

    __tablename__ = "recall"
    __table_args__ = (
        UniqueConstraint("site_id", "number"),
        CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="closure"),
        CheckConstraint("title <> '' AND reason <> ''", name="words"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column()
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    title: Mapped[str] = mapped_column(String(200))
    reference: Mapped[str] = mapped_column(String(120), default="")
    reason: Mapped[str] = mapped_column(Text)
    is_drill: Mapped[bool] = mapped_column(default=False)
    opened_at: Mapped[datetime] = mapped_column()
    opened_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    closed_at: Mapped[datetime | None] = mapped_column()
    closed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    outcome: Mapped[str | None] = mapped_column(Text)


class RecallLine(Model):
    """One lot number of a recall as it was given, and the lot of ours that it names with the hold placed on it, if any. Insert-only."""

    __tablename__ = "recall_line"
    __table_args__ = (
        CheckConstraint("(lot_id IS NULL) = (hold_id IS NULL)", name="held"),
        Index("ix_recall_line_lot_id", "lot_id"),
        Index("ix_recall_line_lot_number_key", "lot_number_key"),
    )

    recall_id: Mapped[UUID] = mapped_column(ForeignKey("recall.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    lot_number: Mapped[str] = mapped_column(String(40))
    lot_number_key: Mapped[str] = mapped_column(String(40))
    product_id: Mapped[UUID | None] = mapped_column(ForeignKey("product.id"))
    lot_id: Mapped[UUID | None] = mapped_column(ForeignKey("lot.id"))
    hold_id: Mapped[UUID | None] = mapped_column(ForeignKey("hold.id"))
    added_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
