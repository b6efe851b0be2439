"""Records what laboratories report. Rows are never changed: what was wrong is corrected or retracted by a row that names it (law 4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.audit.acts import Act, Outcome, perform
from inventory.kernel.errors import Refusal, Refusals
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import Actor
from inventory.patients import rules
from inventory.patients.laboratory import ANALYTES, Amount, Analyte, range_words, unit_of
from inventory.patients.measured_queries import not_superseded
from inventory.patients.models import LabResult, Patient
from inventory.patients.queries import records_of
from inventory.patients.services.record import changes, locked
from inventory.patients.services.superseding import reason_given, retract, standing


@dataclass(frozen=True, slots=True)
class Reading:
    """One analyte as reported: the value, its unit (UCUM), and the laboratory's own range in that unit, in millionths."""

    analyte: Analyte
    amount: Amount
    unit: str
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """What the readings of one sample share: when it was taken, and the laboratory's name."""

    taken_at: datetime
    laboratory: str = ""


def record_labs(
    *,
    actor: Actor,
    at: datetime,
    patient_id: UUID,
    sample: Sample,
    readings: Sequence[Reading],
    request_key: str | None = None,
) -> Outcome:
    """Record the results of one sample, all of them or none; the outcome's subject is the first one.

    Raises Refusals of LAB-FUTURE, LAB-BEFORE-BIRTH, LAB-UNIT, LAB-RANGE-ORDER and LAB-TWICE, with fields such as `b12_unit`;
    Refusal LAB-NONE.
    """

    def write(act: Act) -> Outcome:
        patient = locked(act.session, patient_id)
        if not readings:
            raise Refusal("LAB-NONE", "Type at least one result.")
        found = _refusals_of_sample(patient, sample, act.recorded_at)
        for reading in readings:
            found += _refusals_of(reading, prefix=f"{reading.analyte}_")
            found += _refusals_of_twins(act.session, patient_id, sample, reading)
        if found:
            raise Refusals(found)
        ids = [_insert(act, patient_id, sample, reading) for reading in readings]
        facts = {**_told_of(sample), "results": [_told(reading) for reading in readings]}
        return act.record("patients.record-labs", "lab_result", ids[0], patient_id=patient_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def correct_lab(
    *,
    actor: Actor,
    at: datetime,
    patient_id: UUID,
    result_id: UUID,
    sample: Sample,
    reading: Reading,
    reason: str,
    request_key: str | None = None,
) -> Outcome:
    """Record what a result should have been; the outcome's subject is the new row.

    Raises what `record_labs` raises, with fields such as `unit`; Refusal NOT-FOUND, CORRECTED-ALREADY, RETRACTED,
    REASON-NEEDED, NOTHING-CHANGED.
    """

    def write(act: Act) -> Outcome:
        patient = locked(act.session, patient_id)
        old = standing(act.session, LabResult, patient_id, result_id)
        found = _refusals_of_sample(patient, sample, act.recorded_at) + _refusals_of(reading)
        found += _refusals_of_twins(act.session, patient_id, sample, reading, but=result_id)
        if found:
            raise Refusals(found)
        before, after = _facts_of(old), {**_told_of(sample), "result": _told(reading)}
        changed = changes(before, after)
        if not changed or reading.analyte != old.analyte:
            raise Refusal("NOTHING-CHANGED", "Nothing is different from what the record says already.")
        why = reason_given(reason)
        new_id = _insert(act, old.patient_id, sample, reading, corrects_id=result_id, reason=why)
        facts = {**changed, "reason": why, "corrects": result_id}
        return act.record(
            "patients.correct-lab", "lab_result", new_id, patient_id=old.patient_id, facts=facts
        )

    return perform(write, actor=actor, at=at, request_key=request_key)


def retract_lab(
    *,
    actor: Actor,
    at: datetime,
    patient_id: UUID,
    result_id: UUID,
    reason: str,
    request_key: str | None = None,
) -> Outcome:
    """Say that a result is not this patient's, or never was. It stays in the record, marked.

    Raises Refusal NOT-FOUND, CORRECTED-ALREADY, RETRACTED, REASON-NEEDED.
    """

    def write(act: Act) -> Outcome:
        locked(act.session, patient_id)
        old = standing(act.session, LabResult, patient_id, result_id)
        return retract(act, old, action="patients.retract-lab", reason=reason, facts=_facts_of(old))

    return perform(write, actor=actor, at=at, request_key=request_key)


def _insert(
    act: Act,
    patient_id: UUID,
    sample: Sample,
    reading: Reading,
    *,
    corrects_id: UUID | None = None,
    reason: str | None = None,
) -> UUID:
    unit = unit_of(reading.analyte, reading.unit)
    row = {
        "id": uuid7(),
        "patient_id": patient_id,
        "analyte": reading.analyte,
        "loinc": unit.loinc,
        "comparator": reading.amount.comparator,
        "value_millionths": reading.amount.millionths,
        "value_places": reading.amount.places,
        "unit": unit.ucum,
        "low_millionths": reading.low,
        "high_millionths": reading.high,
        "laboratory": sample.laboratory,
        "taken_at": sample.taken_at,
        "recorded_at": act.recorded_at,
        "actor_id": act.actor.id,
        "corrects_id": corrects_id,
        "is_retraction": False,
        "reason": reason,
    }
    inserted: UUID = act.insert(LabResult, row)
    return inserted


def _refusals_of_sample(patient: Patient, sample: Sample, recorded_at: datetime) -> list[Refusal]:
    if sample.taken_at > recorded_at:
        return [Refusal("LAB-FUTURE", "The sample cannot have been taken in the future.", "taken_at")]
    if rules.last_day_on_earth(sample.taken_at) < patient.born_on:
        return [Refusal("LAB-BEFORE-BIRTH", "The patient was not born on that day.", "taken_at")]
    return []


def _refusals_of(reading: Reading, *, prefix: str = "") -> list[Refusal]:
    found = []
    try:
        unit_of(reading.analyte, reading.unit)
    except Refusal as refusal:
        found.append(Refusal(refusal.code, refusal.message, f"{prefix}unit"))
    if reading.low is not None and reading.high is not None and reading.low > reading.high:
        said = "The range is upside down: its lower bound is above its upper one."
        found.append(Refusal("LAB-RANGE-ORDER", said, f"{prefix}low"))
    return found


def _refusals_of_twins(
    session: Session, patient_id: UUID, sample: Sample, reading: Reading, *, but: UUID | None = None
) -> list[Refusal]:
    """Refuse a result that stands already for the same sample: it would count twice."""
    twin = select(LabResult.id).where(
        LabResult.patient_id.in_(records_of(patient_id)),
        LabResult.analyte == reading.analyte,
        LabResult.taken_at == sample.taken_at,
        not_superseded(LabResult),
    )
    if not set(session.scalars(twin)) - {but}:
        return []
    name = ANALYTES[reading.analyte].name
    said = f"{name} of a sample taken at this time is on record already. Correct that one, or check the time."
    return [Refusal("LAB-TWICE", said, "value" if but else f"{reading.analyte}_value")]


def _told_of(sample: Sample) -> dict[str, Any]:
    return {"taken_at": sample.taken_at, "laboratory": sample.laboratory}


def _told(reading: Reading) -> str:
    """Return a reading as the trail tells it."""
    said = f"{ANALYTES[reading.analyte].name} {reading.amount} {unit_of(reading.analyte, reading.unit).words}"
    span = range_words(reading.low, reading.high)
    return f"{said} (range {span})" if span else said


def _facts_of(row: LabResult) -> dict[str, Any]:
    told = Reading(Analyte(row.analyte), row.amount, row.unit, row.low_millionths, row.high_millionths)
    return {"taken_at": row.taken_at, "laboratory": row.laboratory, "result": _told(told)}
