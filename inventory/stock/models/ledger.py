"""The ledger: accounts, the movements between them, and receipts.

Laws 1 to 4 are held by the constraints below and by the triggers of the migrations: every movement takes a whole
positive number of microlitres from one account of a lot to another of the same lot; only a movement changes a balance;
no shelf and no vial is ever below zero, now or at a past instant; movements are insert-only.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from inventory.kernel.db import Model, only_where
from inventory.stock.models.terms import AccountKind, MovementKind


class Account(Model):
    """A place a lot's volume can be, with its balance in microlitres, which nothing but a movement changes."""

    __tablename__ = "account"
    __table_args__ = (
        UniqueConstraint("id", "lot_id"),
        CheckConstraint("kind NOT IN ('shelf', 'vial', 'transit') OR balance_ul >= 0", name="never_negative"),
        CheckConstraint("(kind IN ('shelf', 'vial')) = (location_id IS NOT NULL)", name="location"),
        CheckConstraint("(kind = 'vial') = (vial_id IS NOT NULL)", name="vial"),
        ForeignKeyConstraint(["vial_id", "lot_id"], ["vial.id", "vial.lot_id"]),
        Index(
            "uq_account_lot",
            "lot_id",
            "kind",
            unique=True,
            **only_where("location_id IS NULL"),
        ),
        Index(
            "uq_account_shelf",
            "lot_id",
            "location_id",
            unique=True,
            **only_where("kind = 'shelf'"),
        ),
        # A vial that was taken to another location has an account there: no account ever changes its place.
        Index("uq_account_vial", "vial_id", "location_id", unique=True),
        Index("ix_account_location_id", "location_id", "kind"),
        # All accounts of a lot: without it each page of a lot would read the accounts of every container ever opened.
        Index("ix_account_lot_id", "lot_id", "kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"))
    kind: Mapped[AccountKind] = mapped_column(String(12))
    location_id: Mapped[UUID | None] = mapped_column(ForeignKey("location.id"))
    vial_id: Mapped[UUID | None] = mapped_column()
    balance_ul: Mapped[int] = mapped_column(default=0)
    last_movement_id: Mapped[int] = mapped_column(default=0)
    last_occurred_at: Mapped[datetime | None] = mapped_column()


class Movement(Model):
    """A whole positive number of microlitres from one account of a lot to another, at an instant. Insert-only."""

    __tablename__ = "movement"
    __table_args__ = (
        ForeignKeyConstraint(
            ["from_id", "lot_id"], ["account.id", "account.lot_id"], name="fk_movement_from"
        ),
        ForeignKeyConstraint(["to_id", "lot_id"], ["account.id", "account.lot_id"], name="fk_movement_to"),
        CheckConstraint("amount_ul > 0", name="amount_positive"),
        CheckConstraint("from_id <> to_id", name="two_accounts"),
        CheckConstraint("occurred_at <= recorded_at", name="not_in_the_future"),
        CheckConstraint("(kind = 'reverse') = (reverses_id IS NOT NULL)", name="reversal"),
        CheckConstraint("witness_id IS NULL OR witness_id <> actor_id", name="witness"),
        Index("ix_movement_from", "from_id", "occurred_at", "amount_ul"),
        Index("ix_movement_to", "to_id", "occurred_at", "amount_ul"),
        # What moved in a period, of all accounts: a reconciliation costs its own movements, not all history.
        Index("ix_movement_occurred_at", "occurred_at"),
        Index(
            "uq_movement_reverses_id",
            "reverses_id",
            unique=True,
            **only_where("reverses_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    act_id: Mapped[UUID] = mapped_column()
    kind: Mapped[MovementKind] = mapped_column(String(12))
    reason: Mapped[str | None] = mapped_column(String(30))
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"))
    from_id: Mapped[int] = mapped_column()
    to_id: Mapped[int] = mapped_column()
    amount_ul: Mapped[int] = mapped_column()
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    location_id: Mapped[UUID] = mapped_column(ForeignKey("location.id"))
    occurred_at: Mapped[datetime] = mapped_column()
    recorded_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    witness_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("movement.id"))
    note: Mapped[str | None] = mapped_column(Text)


class Receipt(Model):
    """One delivery line: so many containers of a lot into one location. Insert-only; undone by a reversal.

    The price of one container, where it is known, is in the smallest unit of the clinic's currency.
    """

    __tablename__ = "receipt"
    __table_args__ = (
        CheckConstraint("containers > 0", name="containers"),
        Index("ix_receipt_lot_id", "lot_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    location_id: Mapped[UUID] = mapped_column(ForeignKey("location.id"))
    supplier_id: Mapped[UUID | None] = mapped_column(ForeignKey("supplier.id"))
    document_number: Mapped[str | None] = mapped_column(String(60))
    containers: Mapped[int] = mapped_column()
    container_price_minor: Mapped[int | None] = mapped_column()
    movement_id: Mapped[int] = mapped_column(ForeignKey("movement.id"), unique=True)
    received_at: Mapped[datetime] = mapped_column()
    recorded_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
