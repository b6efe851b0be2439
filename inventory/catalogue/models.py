"""Substances, formulations, products and suppliers.

What a product is (strength, volume, container) freezes with its first lot, held by trigger (law 9); after that, a new version.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from inventory.kernel.db import Model
from inventory.kernel.quantity import Strength


class ContainerType(StrEnum):
    """Whether the label lets a container serve more than one withdrawal."""

    SINGLE_DOSE = "single_dose"
    MULTI_DOSE = "multi_dose"


class Route(StrEnum):
    """Routes of administration by their HL7 v2 table 0162 code."""

    IM = "IM"
    SC = "SC"
    IV = "IV"


class Substance(Model):
    """An active substance by its international nonproprietary name."""

    __tablename__ = "substance"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    is_cobalamin: Mapped[bool] = mapped_column(default=False)


class Formulation(Model):
    """A substance in a form to be injected; a clinic may refuse to use one."""

    __tablename__ = "formulation"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    substance_id: Mapped[UUID] = mapped_column(ForeignKey("substance.id"))
    name: Mapped[str] = mapped_column(String(120), unique=True)
    lebers_caution: Mapped[bool] = mapped_column(default=False)
    refused: Mapped[bool] = mapped_column(default=False)

    substance: Mapped[Substance] = relationship(lazy="raise")


class Supplier(Model):
    """Who delivers."""

    __tablename__ = "supplier"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)


class Product(Model):
    """One maker's product in one container, one version of it."""

    __tablename__ = "product"
    __table_args__ = (
        CheckConstraint("container_type IN ('single_dose', 'multi_dose')", name="container_type"),
        CheckConstraint("strength_ng > 0 AND strength_ul > 0", name="strength"),
        CheckConstraint("container_volume_ul > 0", name="container_volume"),
        CheckConstraint("pack_size > 0", name="pack_size"),
        CheckConstraint("in_use_days > 0", name="in_use_days"),
        CheckConstraint("overfill_limit_ul >= 0", name="overfill_limit"),
        CheckConstraint("dead_space_ul >= 0", name="dead_space"),
        UniqueConstraint("name", "maker", "version_number"),
        Index("ix_product_gtin", "gtin"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    formulation_id: Mapped[UUID] = mapped_column(ForeignKey("formulation.id"))
    name: Mapped[str] = mapped_column(String(200))
    maker: Mapped[str] = mapped_column(String(200), default="")
    version_number: Mapped[int] = mapped_column(default=1)
    replaces_id: Mapped[UUID | None] = mapped_column(ForeignKey("product.id"))
    gtin: Mapped[str | None] = mapped_column(String(14))
    ndc10: Mapped[str | None] = mapped_column(String(12))
    ndc11: Mapped[str | None] = mapped_column(String(14))
    container_type: Mapped[ContainerType] = mapped_column(String(20))
    container_kind: Mapped[str] = mapped_column(String(40), default="vial")
    strength_ng: Mapped[int] = mapped_column()
    strength_ul: Mapped[int] = mapped_column()
    container_volume_ul: Mapped[int] = mapped_column()
    pack_size: Mapped[int] = mapped_column(default=1)
    routes: Mapped[str] = mapped_column(String(40))
    in_use_days: Mapped[int] = mapped_column(default=28)
    preservative: Mapped[str] = mapped_column(String(200), default="")
    has_benzyl_alcohol: Mapped[bool] = mapped_column(default=False)
    contains_aluminium: Mapped[bool] = mapped_column(default=False)
    storage_min_decicelsius: Mapped[int | None] = mapped_column()
    storage_max_decicelsius: Mapped[int | None] = mapped_column()
    protect_from_light: Mapped[bool] = mapped_column(default=False)
    default_dose_ng: Mapped[int | None] = mapped_column()
    overfill_limit_ul: Mapped[int] = mapped_column(default=0)
    dead_space_ul: Mapped[int] = mapped_column(default=0)
    waste_witness_reasons: Mapped[str | None] = mapped_column(Text)
    notes: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column()
    created_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    retired_at: Mapped[datetime | None] = mapped_column()
    version: Mapped[int] = mapped_column(default=1)

    formulation: Mapped[Formulation] = relationship(lazy="raise")
    ingredients: Mapped[list["ProductIngredient"]] = relationship(lazy="raise", cascade="all, delete-orphan")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012

    @property
    def strength(self) -> Strength:
        """The label's ratio of active substance to volume."""
        return Strength(self.strength_ng, self.strength_ul)

    @property
    def route_set(self) -> frozenset[Route]:
        """The routes on the label."""
        return frozenset(Route(code) for code in self.routes.split(",") if code)

    @property
    def witness_reasons(self) -> frozenset[str] | None:
        """The reasons for which waste of it needs a witness; None where the clinic's settings say so."""
        own = self.waste_witness_reasons
        return None if own is None else frozenset(code for code in own.split(",") if code)


class ProductIngredient(Model):
    """An active ingredient beside the formulation's own substance, such as folic acid or biotin."""

    __tablename__ = "product_ingredient"
    __table_args__ = (CheckConstraint("strength_ng > 0 AND strength_ul > 0", name="strength"),)

    product_id: Mapped[UUID] = mapped_column(ForeignKey("product.id"), primary_key=True)
    substance_id: Mapped[UUID] = mapped_column(ForeignKey("substance.id"), primary_key=True)
    strength_ng: Mapped[int] = mapped_column()
    strength_ul: Mapped[int] = mapped_column()

    substance: Mapped[Substance] = relationship(lazy="raise")
