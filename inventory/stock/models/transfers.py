"""Stock on its way from one location to another: sent, then received once, the difference explained. Insert-only.

What is on its way lies in the transit account of its lot. Sealed stock travels in whole containers, an opened vial whole.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from inventory.kernel.db import Model
from inventory.stock.models.terms import TransferDifference


class Transfer(Model):
    """One consignment, as it was sent."""

    __tablename__ = "transfer"
    __table_args__ = (
        UniqueConstraint("from_site_id", "number"),
        CheckConstraint("from_location_id <> to_location_id", name="two_locations"),
        CheckConstraint("sent_at <= recorded_at", name="not_in_the_future"),
        Index("ix_transfer_to_site_id", "to_site_id", "sent_at"),
        Index("ix_transfer_from_site_id", "from_site_id", "sent_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column()
    from_site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    from_location_id: Mapped[UUID] = mapped_column(ForeignKey("location.id"))
    to_site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    to_location_id: Mapped[UUID] = mapped_column(ForeignKey("location.id"))
    note: Mapped[str | None] = mapped_column(Text)
    sent_at: Mapped[datetime] = mapped_column()
    recorded_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))


class TransferLine(Model):
    """Containers of one lot, or one opened vial, in a consignment."""

    __tablename__ = "transfer_line"
    __table_args__ = (
        CheckConstraint(
            "(vial_id IS NULL AND containers > 0) OR (vial_id IS NOT NULL AND containers = 0)", name="whole"
        ),
        CheckConstraint("amount_ul > 0", name="amount"),
        Index("ix_transfer_line_lot_id", "lot_id"),
        Index("ix_transfer_line_vial_id", "vial_id"),
    )

    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("transfer.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"))
    vial_id: Mapped[UUID | None] = mapped_column(ForeignKey("vial.id"))
    containers: Mapped[int] = mapped_column()
    amount_ul: Mapped[int] = mapped_column()
    movement_id: Mapped[int] = mapped_column(ForeignKey("movement.id"), unique=True)


class TransferReceipt(Model):
    """The arrival of a consignment. Its key is the consignment: it arrives once."""

    __tablename__ = "transfer_receipt"
    __table_args__ = (CheckConstraint("received_at <= recorded_at", name="not_in_the_future"),)

    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("transfer.id"), primary_key=True)
    note: Mapped[str | None] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column()
    recorded_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))


class TransferReceiptLine(Model):
    """What arrived of one line, never more than was sent, and why the rest did not."""

    __tablename__ = "transfer_receipt_line"
    __table_args__ = (
        CheckConstraint("containers >= 0 AND amount_ul >= 0", name="amount"),
        CheckConstraint("(amount_ul = 0) = (movement_id IS NULL)", name="arrived"),
        CheckConstraint("(difference IS NULL) = (difference_movement_id IS NULL)", name="difference"),
    )

    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("transfer_receipt.transfer_id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    containers: Mapped[int] = mapped_column()
    amount_ul: Mapped[int] = mapped_column()
    movement_id: Mapped[int | None] = mapped_column(ForeignKey("movement.id"), unique=True)
    difference: Mapped[TransferDifference | None] = mapped_column(String(20))
    difference_movement_id: Mapped[int | None] = mapped_column(ForeignKey("movement.id"), unique=True)
    note: Mapped[str | None] = mapped_column(Text)
