"""The record of what was given, not given, voided and amended. Insert-only, a snapshot of what was true then (laws 4, 8, 9)."""

from datetime import date, datetime
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

# A column that points to another room's table has that column's type only once that table is known.
import inventory.patients.models
import inventory.stock.models  # noqa: F401
from inventory.catalogue.models import Route
from inventory.doses.rules.gate.registry import FIXED
from inventory.doses.rules.question import Tier
from inventory.doses.rules.terms import (
    BodySite,
    ContactMeans,
    ContactOutcome,
    Disposition,
    EntryMode,
    IdentityCheck,
    IncidentKind,
    NotGivenReason,
    VoidKind,
)
from inventory.kernel.db import Model, only_where
from inventory.kernel.quantity import Strength


class Dose(Model):
    """One dose given to one patient: number, what, how much, where, when, by whom, as all of it was then."""

    __tablename__ = "dose"
    __table_args__ = (
        UniqueConstraint("site_id", "number"),
        CheckConstraint("volume_ul > 0 AND dose_ng > 0", name="amounts_positive"),
        CheckConstraint(
            "2 * abs(dose_ng * strength_ul - strength_ng * volume_ul) <= strength_ul",
            name="dose_agrees_with_volume",
        ),
        CheckConstraint("given_at <= recorded_at", name="not_in_the_future"),
        CheckConstraint("identity_check IN ('ticked', 'typed')", name="identity_check"),
        Index("ix_dose_patient_id", "patient_id", "given_at"),
        Index("ix_dose_site_given_at", "site_id", "given_at", "id"),
        Index("ix_dose_given_at", "given_at", "id"),
        Index("ix_dose_amends_id", "amends_id", unique=True, **only_where("amends_id IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column()
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    patient_name: Mapped[str] = mapped_column(String(420))
    patient_record_number: Mapped[str] = mapped_column(String(40))
    patient_born_on: Mapped[date] = mapped_column()
    product_id: Mapped[UUID] = mapped_column(ForeignKey("product.id"))
    product_name: Mapped[str] = mapped_column(String(420))
    formulation_id: Mapped[UUID] = mapped_column(ForeignKey("formulation.id"))
    formulation_name: Mapped[str] = mapped_column(String(120))
    substance_id: Mapped[UUID] = mapped_column(ForeignKey("substance.id"))
    strength_ng: Mapped[int] = mapped_column()
    strength_ul: Mapped[int] = mapped_column()
    volume_ul: Mapped[int] = mapped_column()
    dose_ng: Mapped[int] = mapped_column()
    route: Mapped[Route] = mapped_column(String(4))
    body_site: Mapped[BodySite] = mapped_column(String(4))
    needle: Mapped[str | None] = mapped_column(String(60))
    given_at: Mapped[datetime] = mapped_column()
    given_zone: Mapped[str] = mapped_column(String(60))
    given_on: Mapped[date] = mapped_column()
    recorded_at: Mapped[datetime] = mapped_column()
    mode: Mapped[EntryMode] = mapped_column(String(16))
    is_late: Mapped[bool] = mapped_column()
    is_deviation: Mapped[bool] = mapped_column()
    blocked_before: Mapped[str | None] = mapped_column(String(500))
    giver_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    giver_name: Mapped[str] = mapped_column(String(200))
    giver_credential: Mapped[str] = mapped_column(String(200))
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    indication: Mapped[str] = mapped_column(String(300))
    consent_seen: Mapped[bool] = mapped_column()
    information_sheet: Mapped[str | None] = mapped_column(String(120))
    note: Mapped[str | None] = mapped_column(Text)
    amends_id: Mapped[UUID | None] = mapped_column(ForeignKey("dose.id"))
    identity_check: Mapped[IdentityCheck | None] = mapped_column(String(10))

    @property
    def strength(self) -> Strength:
        """The ratio of the label, as it was."""
        return Strength(self.strength_ng, self.strength_ul)


class DoseSource(Model):
    """A container a dose was drawn from, with lot, expiry and use-by as they were. Written before its dose, never after.

    One movement stands behind one valid dose: an amendment that moves no stock takes over the movement of the dose it voids.
    """

    __tablename__ = "dose_source"
    __table_args__ = (
        CheckConstraint("volume_ul > 0", name="volume"),
        Index("ix_dose_source_lot_id", "lot_id"),
        Index("ix_dose_source_movement_id", "movement_id"),
        Index("ix_dose_source_vial_id", "vial_id"),
    )

    dose_id: Mapped[UUID] = mapped_column(
        ForeignKey("dose.id", deferrable=True, initially="DEFERRED"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    vial_id: Mapped[UUID] = mapped_column(ForeignKey("vial.id"))
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"))
    movement_id: Mapped[int] = mapped_column(ForeignKey("movement.id"))
    volume_ul: Mapped[int] = mapped_column()
    lot_number: Mapped[str] = mapped_column(String(40))
    expires_on: Mapped[date] = mapped_column()
    use_by_on: Mapped[date | None] = mapped_column()
    label_number: Mapped[int | None] = mapped_column()


class DoseFinding(Model):
    """A finding of the gate that stood when the dose was recorded, and what was decided about it, by whom."""

    __tablename__ = "dose_finding"
    __table_args__ = (
        CheckConstraint("second_person_id IS NULL OR second_person_id <> decided_by_id", name="second"),
    )

    dose_id: Mapped[UUID] = mapped_column(ForeignKey("dose.id"), primary_key=True)
    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    disposition: Mapped[Disposition] = mapped_column(String(16))
    message: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(String(40))
    note: Mapped[str | None] = mapped_column(Text)
    decided_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    second_person_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))


class DoseVoid(Model):
    """A dose that is void, once: what really happened, why it was recorded otherwise, by whom, when."""

    __tablename__ = "dose_void"
    __table_args__ = (CheckConstraint("reason <> ''", name="reason"),)

    dose_id: Mapped[UUID] = mapped_column(ForeignKey("dose.id"), primary_key=True)
    kind: Mapped[VoidKind] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text)
    voided_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    replaced_by_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("dose.id", deferrable=True, initially="DEFERRED")
    )


class NotGiven(Model):
    """A dose that was not given, and why."""

    __tablename__ = "not_given"
    __table_args__ = (
        UniqueConstraint("site_id", "number"),
        Index("ix_not_given_patient_id", "patient_id", "decided_at"),
        Index("ix_not_given_site", "site_id", "decided_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column()
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    patient_name: Mapped[str] = mapped_column(String(420))
    patient_record_number: Mapped[str] = mapped_column(String(40))
    product_id: Mapped[UUID | None] = mapped_column(ForeignKey("product.id"))
    formulation_id: Mapped[UUID] = mapped_column(ForeignKey("formulation.id"))
    reason: Mapped[NotGivenReason] = mapped_column(String(20))
    note: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime] = mapped_column()
    decided_zone: Mapped[str] = mapped_column(String(60))
    decided_on: Mapped[date] = mapped_column()
    recorded_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    actor_name: Mapped[str] = mapped_column(String(200))


class Incident(Model):
    """Something to look into: a deviation, a shortfall of stock. Closed once, with what was found."""

    __tablename__ = "incident"
    __table_args__ = (
        UniqueConstraint("site_id", "number"),
        CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="closure"),
        Index("ix_incident_dose_id", "dose_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column()
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    dose_id: Mapped[UUID] = mapped_column(ForeignKey("dose.id"))
    kind: Mapped[IncidentKind] = mapped_column(String(20))
    what: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column()
    opened_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    closed_at: Mapped[datetime | None] = mapped_column()
    closed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    outcome: Mapped[str | None] = mapped_column(Text)


class IncidentNote(Model):
    """A step of looking into an incident: what was found; and what is to be done next, by whom and until when. Insert-only.

    The newest says what is due. None is added to a closed incident.
    """

    __tablename__ = "incident_note"
    __table_args__ = (
        UniqueConstraint("incident_id", "number"),
        CheckConstraint("found <> ''", name="found"),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint(
            "(due_on IS NULL) = (action IS NULL) AND (due_on IS NULL) = (assigned_to_id IS NULL)",
            name="next_step",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    number: Mapped[int] = mapped_column()
    noted_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    found: Mapped[str] = mapped_column(Text)
    action: Mapped[str | None] = mapped_column(Text)
    due_on: Mapped[date | None] = mapped_column()
    assigned_to_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))


class GateRule(Model):
    """What the clinic asks of one finding of the gate, from then on. Insert-only: the highest version of a code holds.

    Integrity and the blocks with no way round have none: nobody quiets them.
    """

    __tablename__ = "gate_rule"
    __table_args__ = (
        UniqueConstraint("code", "version"),
        CheckConstraint(f"code NOT IN ({', '.join(repr(code) for code in FIXED)})", name="may_change"),
        CheckConstraint("tier IN ('block', 'override', 'acknowledge', 'once', 'inform')", name="tier"),
        CheckConstraint("version > 0", name="version"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40))
    version: Mapped[int] = mapped_column()
    tier: Mapped[Tier] = mapped_column(String(12))
    is_on: Mapped[bool] = mapped_column()
    changed_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))


class VialDedication(Model):
    """That an opened multi-dose vial serves one patient only, since it was opened at the chair. Insert-only.

    It stands unless a `VialDedicationEnd` says that it was a mistake; one stands for a vial at a time.
    """

    __tablename__ = "vial_dedication"
    __table_args__ = (Index("ix_vial_dedication_patient_id", "patient_id"),)

    vial_id: Mapped[UUID] = mapped_column(ForeignKey("vial.id"), primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), primary_key=True)
    dedicated_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))


class VialDedicationEnd(Model):
    """That a vial was kept for a patient by mistake: the dose that kept it was never theirs. Insert-only."""

    __tablename__ = "vial_dedication_end"
    __table_args__ = (
        ForeignKeyConstraint(
            ["vial_id", "patient_id"],
            ["vial_dedication.vial_id", "vial_dedication.patient_id"],
            name="fk_vial_dedication_end_of",
        ),
    )

    vial_id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(primary_key=True)
    dose_id: Mapped[UUID] = mapped_column(ForeignKey("dose.id"))
    ended_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))


class RecallContact(Model):
    """What came of reaching one patient about a recall. Insert-only: the newest says how it stands."""

    __tablename__ = "recall_contact"
    __table_args__ = (
        CheckConstraint("contacted_at <= recorded_at", name="not_in_the_future"),
        Index("ix_recall_contact_recall_id", "recall_id", "patient_id", "contacted_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    recall_id: Mapped[UUID] = mapped_column(ForeignKey("recall.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    outcome: Mapped[ContactOutcome] = mapped_column(String(20))
    means: Mapped[ContactMeans] = mapped_column(String(20))
    note: Mapped[str | None] = mapped_column(Text)
    contacted_at: Mapped[datetime] = mapped_column()
    recorded_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
