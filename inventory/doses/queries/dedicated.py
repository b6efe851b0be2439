"""For whom opened vials are kept, and which of them no longer are for everybody."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from inventory.doses.models import VialDedication, VialDedicationEnd
from inventory.patients.models import Patient
from inventory.stock.models import Vial
from inventory.stock.queries import KEPT_APART


def is_standing() -> ColumnElement[bool]:
    """Return the condition that a dedication was not found to be a mistake."""
    return ~exists().where(
        VialDedicationEnd.vial_id == VialDedication.vial_id,
        VialDedicationEnd.patient_id == VialDedication.patient_id,
    )


KEPT_APART.append(exists().where(VialDedication.vial_id == Vial.id, is_standing()))


def owners_of(session: Session, vial_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Return by vial the patient for whom alone it is kept; a vial that is for everybody is left out."""
    wanted = set(vial_ids)
    if not wanted:
        return {}
    rows = session.execute(
        select(VialDedication.vial_id, VialDedication.patient_id).where(
            VialDedication.vial_id.in_(wanted), is_standing()
        )
    )
    return {vial_id: patient_id for vial_id, patient_id in rows}  # noqa: C416  rows are not pairs to the type checker


def dedication_of(session: Session, vial_id: UUID) -> tuple[VialDedication, Patient] | None:
    """Return since when, and for which patient alone, a vial is kept; None where it is for everybody."""
    row = session.execute(
        select(VialDedication, Patient)
        .join(Patient, Patient.id == VialDedication.patient_id)
        .where(VialDedication.vial_id == vial_id, is_standing())
    ).one_or_none()
    return (row[0], row[1]) if row else None
