"""Makes invented laboratory results and symptom scores through the room's own services."""

from datetime import datetime
from uuid import UUID

from inventory.kernel import clock
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor
from inventory.patients.laboratory import ANALYTES, Analyte, parse_amount, parse_bound
from inventory.patients.services import Reading, Sample, Scores, record_labs, record_scores


def make_reading(
    text: str = "210",
    *,
    analyte: Analyte = Analyte.B12,
    unit: str = "",
    low: str = "",
    high: str = "",
) -> Reading:
    """Return a reading as it is typed; its unit is the analyte's first one where none is said."""
    bounds = [parse_bound(bound) if bound else None for bound in (low, high)]
    return Reading(analyte, parse_amount(text), unit or ANALYTES[analyte].units[0].ucum, *bounds)


def make_lab(
    patient_id: UUID,
    text: str = "210",
    *,
    analyte: Analyte = Analyte.B12,
    unit: str = "",
    taken_at: datetime | None = None,
    actor: Actor = SYSTEM_ACTOR,
) -> UUID:
    """Record one result and return its id."""
    now = clock.now()
    return record_labs(
        actor=actor,
        at=now,
        patient_id=patient_id,
        sample=Sample(taken_at or now, "Northmoor Laboratory"),
        readings=[make_reading(text, analyte=analyte, unit=unit)],
    ).subject_id


def make_score(patient_id: UUID, *, noted_at: datetime | None = None, **scores: int) -> UUID:
    """Record the scores of a visit and return the row's id."""
    now = clock.now()
    said = Scores(noted_at or now, **(scores or {"energy": 4}))
    return record_scores(actor=SYSTEM_ACTOR, at=now, patient_id=patient_id, scores=said).subject_id
