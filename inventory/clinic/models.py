"""Sites, storage locations, settings and the locked counters that make gapless numbers."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from inventory.kernel.db import Model


class LocationKind(StrEnum):
    """What a storage location is."""

    CABINET = "cabinet"
    FRIDGE = "fridge"
    ROOM = "room"


class CounterKind(StrEnum):
    """What is numbered, gapless, per site."""

    DOSE = "dose"
    NOT_GIVEN = "not-given"
    VIAL = "vial"
    REPORT = "report"
    INCIDENT = "incident"
    TRANSFER = "transfer"
    COUNT = "count"
    RECALL = "recall"
    DISPOSAL = "disposal"
    EXCURSION = "excursion"


class Site(Model):
    """A place where the clinic works, with its own time zone and its own days."""

    __tablename__ = "site"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(12), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(String(500), default="")
    time_zone: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column()
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class Location(Model):
    """A fridge, cabinet or room of a site in which vials are kept."""

    __tablename__ = "location"
    __table_args__ = (UniqueConstraint("site_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[LocationKind] = mapped_column(String(20))
    closed_at: Mapped[datetime | None] = mapped_column()


class Setting(Model):
    """One setting of the clinic, as JSON text; `clinic.settings` knows its type and default."""

    __tablename__ = "setting"

    key: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class Counter(Model):
    """The last number used of one kind at one site. Locked while a number is taken, so that none is skipped."""

    __tablename__ = "counter"
    __table_args__ = (CheckConstraint("value >= 0", name="value"),)

    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"), primary_key=True)
    kind: Mapped[CounterKind] = mapped_column(String(20), primary_key=True)
    value: Mapped[int] = mapped_column()
