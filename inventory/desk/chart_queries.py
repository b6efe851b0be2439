"""What the chart reads of the doses: those that stand, and are the reader's to see."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.desk.record_queries import seen_here
from inventory.doses.models import Dose, DoseVoid
from inventory.patients.queries import records_of

MOST_DOSES = 400
"""How many doses the chart marks at most: the newest."""


def doses_charted(session: Session, patient_id: UUID) -> Sequence[Any]:
    """Return the patient's newest valid doses in the order in which they were given."""
    names = ("id", "given_at", "given_on", "dose_ng", "product_name", "site_id", "number")
    found = (
        select(*(getattr(Dose, name) for name in names))
        .outerjoin(DoseVoid, DoseVoid.dose_id == Dose.id)
        .where(
            Dose.patient_id.in_(records_of(patient_id)),
            DoseVoid.dose_id.is_(None),
            *seen_here(Dose, Dose.given_on),
        )
        .order_by(Dose.given_at.desc(), Dose.id.desc())
        .limit(MOST_DOSES)
    )
    return list(reversed(session.execute(found).all()))
