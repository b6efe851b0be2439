"""Physical counts of a location: begun, counted blind, then posted or abandoned. Insert-only but for how a count ended."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from inventory.kernel.db import Model, only_where
from inventory.stock.models.terms import AdjustReason, CountOutcome


class StockCount(Model):
    """One count of one location; at most one is open there at a time."""

    __tablename__ = "stock_count"
    __table_args__ = (
        UniqueConstraint("site_id", "number"),
        CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="closure"),
        Index("uq_stock_count_open", "location_id", unique=True, **only_where("closed_at IS NULL")),
        Index("ix_stock_count_location_id", "location_id", "started_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column()
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    location_id: Mapped[UUID] = mapped_column(ForeignKey("location.id"))
    started_at: Mapped[datetime] = mapped_column()
    started_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    closed_at: Mapped[datetime | None] = mapped_column()
    closed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    outcome: Mapped[CountOutcome | None] = mapped_column(String(12))


class StockCountResult(Model):
    """That a count was handed in: from here on it shows what the ledger held at that moment."""

    __tablename__ = "stock_count_result"

    count_id: Mapped[UUID] = mapped_column(ForeignKey("stock_count.id"), primary_key=True)
    counted_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    note: Mapped[str | None] = mapped_column(Text)


class StockCountLine(Model):
    """What was counted of one lot, sealed, or of one opened vial, beside what the ledger held at that moment (microlitres)."""

    __tablename__ = "stock_count_line"
    __table_args__ = (
        CheckConstraint("counted_ul >= 0 AND expected_ul >= 0", name="amounts"),
        Index("ix_stock_count_line_lot_id", "lot_id"),
    )

    count_id: Mapped[UUID] = mapped_column(ForeignKey("stock_count_result.count_id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"))
    vial_id: Mapped[UUID | None] = mapped_column(ForeignKey("vial.id"))
    counted_ul: Mapped[int] = mapped_column()
    expected_ul: Mapped[int] = mapped_column()


class StockCountVariance(Model):
    """Why a line differs, and the adjustment that was posted for it."""

    __tablename__ = "stock_count_variance"

    count_id: Mapped[UUID] = mapped_column(ForeignKey("stock_count_result.count_id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reason: Mapped[AdjustReason] = mapped_column(String(30))
    note: Mapped[str | None] = mapped_column(Text)
    movement_id: Mapped[int] = mapped_column(ForeignKey("movement.id"), unique=True)
