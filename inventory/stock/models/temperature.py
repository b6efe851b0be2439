"""Temperatures by location, and the excursions that held stock. Degrees Celsius in tenths."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from inventory.kernel.db import Model
from inventory.stock.models.terms import ExcursionDecision, ReadingSource


class TemperatureReading(Model):
    """A temperature at a location, typed or from a logger's file. Insert-only; the act of a file names its digest."""

    __tablename__ = "temperature_reading"
    __table_args__ = (
        UniqueConstraint("location_id", "read_at"),
        CheckConstraint("read_at <= recorded_at", name="not_in_the_future"),
        CheckConstraint("decicelsius BETWEEN -1000 AND 1000", name="range"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    act_id: Mapped[UUID] = mapped_column()
    location_id: Mapped[UUID] = mapped_column(ForeignKey("location.id"))
    read_at: Mapped[datetime] = mapped_column()
    decicelsius: Mapped[int] = mapped_column()
    source: Mapped[ReadingSource] = mapped_column(String(12))
    note: Mapped[str | None] = mapped_column(Text)
    recorded_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))


class TemperatureExcursion(Model):
    """A time outside the limits of something that lay there. Decided once, by a person."""

    __tablename__ = "temperature_excursion"
    __table_args__ = (
        UniqueConstraint("site_id", "number"),
        CheckConstraint("(decided_at IS NULL) = (decision IS NULL)", name="decision"),
        CheckConstraint("began_at <= last_read_at", name="order"),
        CheckConstraint("lowest_decicelsius <= highest_decicelsius", name="range"),
        Index("ix_temperature_excursion_location_id", "location_id", "began_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column()
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    location_id: Mapped[UUID] = mapped_column(ForeignKey("location.id"))
    began_at: Mapped[datetime] = mapped_column()
    last_read_at: Mapped[datetime] = mapped_column()
    lowest_decicelsius: Mapped[int] = mapped_column()
    highest_decicelsius: Mapped[int] = mapped_column()
    opened_at: Mapped[datetime] = mapped_column()
    opened_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None] = mapped_column()
    decided_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    decision: Mapped[ExcursionDecision | None] = mapped_column(String(12))
    decision_note: Mapped[str | None] = mapped_column(Text)


class ExcursionHold(Model):
    """A hold that an excursion placed. Insert-only."""

    __tablename__ = "excursion_hold"

    excursion_id: Mapped[UUID] = mapped_column(ForeignKey("temperature_excursion.id"), primary_key=True)
    hold_id: Mapped[UUID] = mapped_column(ForeignKey("hold.id"), primary_key=True)
