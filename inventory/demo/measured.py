"""What was measured in the demo: a B12 result of everybody before their first dose, and of a few more results and scores over time.

The values are drawn at random, so that nothing can be read out of them.
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from inventory.demo.people import DemoPatient
from inventory.kernel.permissions import Actor
from inventory.patients.laboratory import Analyte, parse_amount, parse_bound
from inventory.patients.services import Reading, Sample, Scores, record_labs, record_scores

LABORATORY = "Northmoor Laboratory"
WATCHED = 8
"""How many patients are measured again, and asked how they feel."""

_USUAL = (
    (Analyte.B12, "pg/mL", "180", "914", (120, 800)),
    (Analyte.HOMOCYSTEINE, "umol/L", "", "15", (8, 24)),
    (Analyte.HAEMOGLOBIN, "g/L", "120", "170", (98, 150)),
    (Analyte.POTASSIUM, "mmol/L", "3.5", "5.1", (4, 5)),
)


def baseline(patients: Sequence[DemoPatient], *, actor: Actor, at: datetime) -> None:
    """Record the results with which everybody came."""
    for patient in patients:
        rng = random.Random(patient.number)  # noqa: S311  invented values
        value = str(rng.randrange(90, 178))
        reading = Reading(Analyte.B12, parse_amount(value), "pg/mL", parse_bound("180"), parse_bound("914"))
        sample = Sample(at - timedelta(days=rng.randrange(3, 20)), LABORATORY)
        record_labs(actor=actor, at=at, patient_id=patient.patient_id, sample=sample, readings=[reading])


def follow_up(patients: Sequence[DemoPatient], *, actor: Actor, at: datetime) -> None:
    """Record results and scores of those who are watched, on one day."""
    for patient in patients[:WATCHED]:
        rng = random.Random(f"{patient.number} {at:%Y%m%d}")  # noqa: S311
        sample = Sample(at - timedelta(days=1), LABORATORY)
        readings = [_reading(*usual, rng=rng) for usual in _USUAL]
        record_labs(actor=actor, at=at, patient_id=patient.patient_id, sample=sample, readings=readings)
        said = {name: rng.randrange(2, 10) for name in ("energy", "skin", "mood")}
        scores = Scores(at, numbness=rng.randrange(0, 7), **said)
        record_scores(actor=actor, at=at, patient_id=patient.patient_id, scores=scores)


def _reading(
    analyte: Analyte, unit: str, low: str, high: str, span: tuple[int, int], *, rng: random.Random
) -> Reading:
    bounds = [parse_bound(bound) if bound else None for bound in (low, high)]
    return Reading(analyte, parse_amount(str(rng.randrange(*span))), unit, *bounds)
