"""Lots and their corrections, opened containers, and holds."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

# A column that points to another room's table has that column's type only once that table is known.
import inventory.clinic.models
import inventory.staff.models  # noqa: F401
from inventory.catalogue.models import ContainerType, Product
from inventory.kernel.db import Model, only_where
from inventory.kernel.quantity import Strength
from inventory.stock.models.terms import HoldKind, VialClosure


class Lot(Model):
    """One lot of one product. It copies what the product was, so that a later version changes nothing here.

    Its number and expiry change by a `LotCorrection` alone.
    """

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


class LotCorrection(Model):
    """A lot's number or expiry, corrected: what stood there, what stands there since, why, by whom. Insert-only.

    A lot's own row changes only to what its newest correction says, which a trigger holds. Where the corrected number is that
    of another lot (`merged_into_id`), the row stays as it is and its stock goes over to that lot, through adjustment.
    """

    __tablename__ = "lot_correction"
    __table_args__ = (
        UniqueConstraint("lot_id", "position"),
        CheckConstraint("reason <> ''", name="reason"),
        CheckConstraint("merged_into_id IS NULL OR merged_into_id <> lot_id", name="another_lot"),
        Index("ix_lot_correction_merged_into_id", "merged_into_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"))
    position: Mapped[int] = mapped_column()
    lot_number_before: Mapped[str] = mapped_column(String(40))
    expires_on_before: Mapped[date] = mapped_column()
    expires_month_only_before: Mapped[bool] = mapped_column()
    lot_number: Mapped[str] = mapped_column(String(40))
    lot_number_key: Mapped[str] = mapped_column(String(40))
    expires_on: Mapped[date] = mapped_column()
    expires_month_only: Mapped[bool] = mapped_column()
    merged_into_id: Mapped[UUID | None] = mapped_column(ForeignKey("lot.id"))
    reason: Mapped[str] = mapped_column(Text)
    corrected_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    approved_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))


class Vial(Model):
    """One opened container. A single-dose container is opened and closed in the act that gives or wastes it.

    `site_id` is where it was opened, which numbered its label; `location_id` is where it is now. It moves only whole. Where its
    lot was merged into another, it goes on as a vial of that one under a new label: `relabelled_from_id` says which it was.
    """

    __tablename__ = "vial"
    __table_args__ = (
        UniqueConstraint("site_id", "label_number"),
        UniqueConstraint("id", "lot_id"),
        CheckConstraint("(closed_at IS NULL) = (closure IS NULL)", name="closure"),
        CheckConstraint("container_type = 'single_dose' OR label_number IS NOT NULL", name="label"),
        Index("ix_vial_lot_id", "lot_id"),
        Index(
            "uq_vial_relabelled_from_id",
            "relabelled_from_id",
            unique=True,
            **only_where("relabelled_from_id IS NOT NULL"),
        ),
        Index("ix_vial_open", "location_id", "use_by_on", **only_where("closed_at IS NULL")),
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
    relabelled_from_id: Mapped[UUID | None] = mapped_column(ForeignKey("vial.id"))

    lot: Mapped[Lot] = relationship(lazy="raise")


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
