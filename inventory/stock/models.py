"""Lots, vials, holds, receipts, and the ledger: accounts and the movements between them.

Laws 1 to 4 are held by the constraints below and by the triggers of the first migration: every movement takes a whole
positive number of microlitres from one account of a lot to another of the same lot; only a movement changes a balance;
no shelf and no vial is ever below zero, now or at a past instant; movements are insert-only.
"""

from datetime import date, datetime
from enum import StrEnum
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
from sqlalchemy.orm import Mapped, mapped_column, relationship

# A column that points to another room's table has that column's type only once that table is known.
import inventory.clinic.models
import inventory.staff.models  # noqa: F401
from inventory.catalogue.models import ContainerType, Product
from inventory.kernel.db import Model, only_where
from inventory.kernel.quantity import Strength


class AccountKind(StrEnum):
    """Where a lot's volume can be. Shelves are per location, vials per opened container; the rest one per lot."""

    SUPPLIER = "supplier"
    SHELF = "shelf"
    VIAL = "vial"
    GIVEN = "given"
    WASTE = "waste"
    ADJUSTMENT = "adjustment"
    TRANSIT = "transit"
    RETURNED = "returned"


class MovementKind(StrEnum):
    """What a movement is. A reversal names the one movement it undoes, exactly."""

    RECEIVE = "receive"
    OPEN = "open"
    GIVE = "give"
    WASTE = "waste"
    ADJUST = "adjust"
    RETURN = "return"
    REVERSE = "reverse"


class WasteReason(StrEnum):
    """Why volume was wasted."""

    BROKEN = "broken"
    LOST = "lost"
    REMAINDER = "remainder"
    DEAD_SPACE = "dead_space"
    DRAWN_NOT_GIVEN = "drawn_not_given"
    EXPIRED = "expired"
    PAST_USE_BY = "past_use_by"
    CONTAMINATED = "contaminated"
    TEMPERATURE = "temperature"
    RECALL = "recall"
    SAMPLE = "sample"
    OTHER = "other"


class AdjustReason(StrEnum):
    """Why the ledger was brought to what is really there."""

    FOUND = "found"
    MISSING = "missing"
    MISCOUNTED = "miscounted"
    OVERFILL = "overfill"
    OPENING_BALANCE = "opening_balance"
    SHORTFALL = "shortfall"
    OTHER = "other"


class HoldKind(StrEnum):
    """Why stock must not be used until somebody releases it."""

    HOLD = "hold"
    RECALL = "recall"
    TEMPERATURE = "temperature"
    UNKNOWN_LOT = "unknown_lot"


class VialClosure(StrEnum):
    """How an opened container ended."""

    USED_UP = "used_up"
    SINGLE_USE = "single_use"
    DISCARDED = "discarded"
    NEVER_OPENED = "never_opened"


class Lot(Model):
    """One lot of one product. It copies what the product was, so that a later version changes nothing here."""

    __tablename__ = "lot"
    __table_args__ = (
        UniqueConstraint("product_id", "lot_number_key"),
        CheckConstraint("strength_ng > 0 AND strength_ul > 0 AND container_volume_ul > 0", name="amounts"),
        Index("ix_lot_expires_on", "expires_on"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    product_id: Mapped[UUID] = mapped_column(ForeignKey("product.id"))
    lot_number: Mapped[str] = mapped_column(String(40))
    lot_number_key: Mapped[str] = mapped_column(String(40))
    expires_on: Mapped[date] = mapped_column()
    expires_month_only: Mapped[bool] = mapped_column(default=False)
    raw_scan: Mapped[str | None] = mapped_column(Text)
    container_type: Mapped[ContainerType] = mapped_column(String(20))
    strength_ng: Mapped[int] = mapped_column()
    strength_ul: Mapped[int] = mapped_column()
    container_volume_ul: Mapped[int] = mapped_column()
    in_use_days: Mapped[int] = mapped_column()
    created_at: Mapped[datetime] = mapped_column()
    created_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))

    product: Mapped[Product] = relationship(lazy="raise")

    @property
    def strength(self) -> Strength:
        """The ratio copied from the product when the lot was created."""
        return Strength(self.strength_ng, self.strength_ul)


class Vial(Model):
    """One opened container. A single-dose container is opened and closed in the act that gives or wastes it."""

    __tablename__ = "vial"
    __table_args__ = (
        UniqueConstraint("site_id", "label_number"),
        UniqueConstraint("id", "lot_id"),
        CheckConstraint("(closed_at IS NULL) = (closure IS NULL)", name="closure"),
        CheckConstraint("container_type = 'single_dose' OR label_number IS NOT NULL", name="label"),
        Index("ix_vial_lot_id", "lot_id"),
        Index("ix_vial_open", "site_id", "use_by_on", **only_where("closed_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    location_id: Mapped[UUID] = mapped_column(ForeignKey("location.id"))
    container_type: Mapped[ContainerType] = mapped_column(String(20))
    label_number: Mapped[int | None] = mapped_column()
    opened_at: Mapped[datetime] = mapped_column()
    opened_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    use_by_on: Mapped[date | None] = mapped_column()
    closed_at: Mapped[datetime | None] = mapped_column()
    closed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    closure: Mapped[VialClosure | None] = mapped_column(String(20))

    lot: Mapped[Lot] = relationship(lazy="raise")


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
        Index("uq_account_vial", "vial_id", unique=True),
        Index("ix_account_location_id", "location_id", "kind"),
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
    """One delivery line: so many containers of a lot into one location. Insert-only; undone by a reversal."""

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
    movement_id: Mapped[int] = mapped_column(ForeignKey("movement.id"), unique=True)
    received_at: Mapped[datetime] = mapped_column()
    recorded_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))


class Hold(Model):
    """A lot, or what of it lies at one location, or one vial, that must not be used. Released once, with a reason."""

    __tablename__ = "hold"
    __table_args__ = (
        CheckConstraint("(released_at IS NULL) = (release_reason IS NULL)", name="release"),
        CheckConstraint("reason <> ''", name="reason"),
        Index("ix_hold_active", "lot_id", **only_where("released_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"))
    location_id: Mapped[UUID | None] = mapped_column(ForeignKey("location.id"))
    vial_id: Mapped[UUID | None] = mapped_column(ForeignKey("vial.id"))
    kind: Mapped[HoldKind] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text)
    held_at: Mapped[datetime] = mapped_column()
    held_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    released_at: Mapped[datetime | None] = mapped_column()
    released_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    release_reason: Mapped[str | None] = mapped_column(Text)
