"""Patients, which records are one person's, alerts and allergies, consents. Nothing is deleted; the history of an edit is its trail."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeEngine

from inventory.kernel.db import Model, only_where
from inventory.patients import rules


def bytewise(length: int) -> TypeEngine[str]:
    """Return a text type that sorts and compares byte by byte on both databases, whatever the server's language."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


class AllergyStatus(StrEnum):
    """Whether the patient was asked for allergies, and what they said. Present: see the alerts."""

    NOT_ASKED = "not_asked"
    NONE_KNOWN = "none_known"
    PRESENT = "present"


class RecordState(StrEnum):
    """Whether the clinic still sees the patient."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    DECEASED = "deceased"


class AlertKind(StrEnum):
    """What must be known before a dose. The gate reads these; `other` is shown and decides nothing."""

    ALLERGY_COBALAMIN = "allergy_cobalamin"
    ALLERGY_COBALT = "allergy_cobalt"
    ALLERGY_BENZYL_ALCOHOL = "allergy_benzyl_alcohol"
    ALLERGY_OTHER = "allergy_other"
    LEBERS_OPTIC_ATROPHY = "lebers_optic_atrophy"
    BLEEDING_RISK = "bleeding_risk"
    PREGNANCY = "pregnancy"
    MEGALOBLASTIC_ANAEMIA_OF_PREGNANCY = "megaloblastic_anaemia_of_pregnancy"
    PROVEN_B12_DEFICIENCY = "proven_b12_deficiency"
    RENAL_DISEASE = "renal_disease"
    SEVERE_ANAEMIA = "severe_anaemia"
    POTASSIUM_PLAN = "potassium_plan"
    FOLATE = "folate"
    BIOTIN = "biotin"
    SERIOUS_REACTION = "serious_reaction"
    OTHER = "other"


ALLERGIES = frozenset(kind for kind in AlertKind if kind.value.startswith("allergy_"))
"""The alerts that name an allergy."""


class ConsentStatus(StrEnum):
    """What the patient decided."""

    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Patient(Model):
    """A person who is given doses, or one of the records of such a person.

    `person_id` is the record that is kept, on every record of a person who has several; the database derives it from the
    merges that stand, and nothing else writes it. `died_on` goes with the state deceased.
    """

    __tablename__ = "patient"
    __table_args__ = (
        CheckConstraint("allergy_status IN ('not_asked', 'none_known', 'present')", name="allergy_status"),
        CheckConstraint(
            "(allergy_status = 'not_asked') = (allergies_asked_on IS NULL)", name="allergies_asked"
        ),
        CheckConstraint("state IN ('active', 'inactive', 'deceased')", name="state"),
        CheckConstraint("(state = 'deceased') = (died_on IS NOT NULL)", name="died"),
        Index("ix_patient_person_id", "person_id", **only_where("person_id IS NOT NULL")),
        Index("ix_patient_name_key", "name_key", "id"),
        Index("ix_patient_born_on", "born_on"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    record_number: Mapped[str] = mapped_column(String(40))
    record_number_key: Mapped[str] = mapped_column(bytewise(40), unique=True)
    family_name: Mapped[str] = mapped_column(String(200))
    given_name: Mapped[str] = mapped_column(String(200), default="")
    name_key: Mapped[str] = mapped_column(bytewise(500))
    born_on: Mapped[date] = mapped_column()
    phone: Mapped[str] = mapped_column(String(60), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    address: Mapped[str] = mapped_column(String(500), default="")
    allergy_status: Mapped[AllergyStatus] = mapped_column(String(20), default=AllergyStatus.NOT_ASKED)
    allergies_asked_on: Mapped[date | None] = mapped_column()
    notes: Mapped[str] = mapped_column(Text, default="")
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    state: Mapped[RecordState] = mapped_column(
        String(10), default=RecordState.ACTIVE, server_default=RecordState.ACTIVE.value
    )
    died_on: Mapped[date | None] = mapped_column()
    created_at: Mapped[datetime] = mapped_column()
    created_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012

    @property
    def full_name(self) -> str:
        """Family name, given name, as a record is filed."""
        return rules.full_name(self.family_name, self.given_name)

    @property
    def kept_id(self) -> UUID:
        """The record that is kept of this person: itself, unless it was merged into another."""
        return self.person_id or self.id


class PatientMerge(Model):
    """That two records are one person's: `merged_id` leads to `kept_id` from then on. Insert-only."""

    __tablename__ = "patient_merge"
    __table_args__ = (
        CheckConstraint("kept_id <> merged_id", name="of_two"),
        Index("ix_patient_merge_kept_id", "kept_id"),
        Index("ix_patient_merge_merged_id", "merged_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kept_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    merged_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    reason: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))


class PatientMergeUndo(Model):
    """That a merge was a mistake: its two records are two people's again. Insert-only, once a merge."""

    __tablename__ = "patient_merge_undo"

    merge_id: Mapped[UUID] = mapped_column(ForeignKey("patient_merge.id"), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))


class NameWord(Model):
    """One word of a patient's name as it is searched by: made from the name, and made again when the name changes."""

    __tablename__ = "patient_name_word"
    __table_args__ = (Index("ix_patient_name_word_word", "word", "patient_id"),)

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), primary_key=True)
    word: Mapped[str] = mapped_column(bytewise(200), primary_key=True)


class Alert(Model):
    """One thing to know before a dose, from the day it was noted until the day it was resolved."""

    __tablename__ = "alert"
    __table_args__ = (
        CheckConstraint("(resolved_at IS NULL) = (resolved_reason IS NULL)", name="resolution"),
        Index("ix_alert_patient_id", "patient_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    kind: Mapped[AlertKind] = mapped_column(String(40))
    note: Mapped[str] = mapped_column(Text, default="")
    noted_at: Mapped[datetime] = mapped_column()
    noted_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    resolved_at: Mapped[datetime | None] = mapped_column()
    resolved_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    resolved_reason: Mapped[str | None] = mapped_column(Text)


class Consent(Model):
    """What a patient decided, on a day, having been given an information sheet. Insert-only; the latest holds."""

    __tablename__ = "consent"
    __table_args__ = (Index("ix_consent_patient_id", "patient_id", "decided_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    status: Mapped[ConsentStatus] = mapped_column(String(12))
    information_sheet: Mapped[str] = mapped_column(String(120), default="")
    decided_at: Mapped[datetime] = mapped_column()
    recorded_at: Mapped[datetime] = mapped_column()
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    note: Mapped[str] = mapped_column(Text, default="")
