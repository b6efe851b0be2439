"""Stock that leaves the clinic unused: back to its supplier, or destroyed, with its document. Insert-only."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from inventory.kernel.db import Model
from inventory.stock.models.terms import DisposalKind, WasteReason


class Disposal(Model):
    """One return or destruction. A destruction has a witness, who is another person."""

    __tablename__ = "disposal"
    __table_args__ = (
        UniqueConstraint("site_id", "number"),
        CheckConstraint("document_number <> ''", name="document"),
        CheckConstraint("kind = 'return' OR witness_id IS NOT NULL", name="witnessed"),
        CheckConstraint("witness_id IS NULL OR witness_id <> actor_id", name="witness"),
        CheckConstraint("kind <> 'return' OR supplier_id IS NOT NULL", name="supplier"),
        CheckConstraint("disposed_at <= recorded_at", name="not_in_the_future"),
        Index("ix_disposal_site_id", "site_id", "disposed_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column()
    kind: Mapped[DisposalKind] = mapped_column(String(12))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    supplier_id: Mapped[UUID | None] = mapped_column(ForeignKey("supplier.id"))
    carrier: Mapped[str | None] = mapped_column(String(200))
    document_number: Mapped[str] = mapped_column(String(60))
    note: Mapped[str | None] = mapped_column(Text)
    disposed_at: Mapped[datetime] = mapped_column()
    recorded_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    witness_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))


class DisposalLine(Model):
    """Sealed containers of one lot, or what an opened vial still held, in a disposal."""

    __tablename__ = "disposal_line"
    __table_args__ = (
        CheckConstraint(
            "(vial_id IS NULL AND containers > 0) OR (vial_id IS NOT NULL AND containers = 0)", name="whole"
        ),
        CheckConstraint("amount_ul > 0", name="amount"),
        Index("ix_disposal_line_lot_id", "lot_id"),
    )

    disposal_id: Mapped[UUID] = mapped_column(ForeignKey("disposal.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"))
    location_id: Mapped[UUID] = mapped_column(ForeignKey("location.id"))
    vial_id: Mapped[UUID | None] = mapped_column(ForeignKey("vial.id"))
    containers: Mapped[int] = mapped_column()
    amount_ul: Mapped[int] = mapped_column()
    reason: Mapped[WasteReason] = mapped_column(String(20))
    movement_id: Mapped[int] = mapped_column(ForeignKey("movement.id"), unique=True)
