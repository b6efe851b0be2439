"""What was measured of patients and asked of them, as it is exported: results, scores, and the checklist before a first dose."""

from inventory.interop.exports.table import Column, Exported, person, record_number
from inventory.kernel.permissions import Permission
from inventory.patients.models import ChecklistAnswer, LabResult, SymptomScore

_PATIENTS = (Permission.PATIENT_READ,)


def lab_results() -> Exported:
    """Every result as it was recorded, corrected and retracted ones too."""
    return Exported(
        name="lab-results",
        title="Laboratory results",
        row_is="One result as it was recorded, corrected and retracted ones too",
        permission=_PATIENTS,
        source=LabResult,
        order=(LabResult.taken_at, LabResult.id),
        day=LabResult.taken_at,
        patient=LabResult.patient_id,
        columns=(
            Column("id", "The row", LabResult.id),
            Column("patient", "Record number", record_number(LabResult.patient_id)),
            Column("analyte", "What was measured", LabResult.analyte),
            Column("loinc", "LOINC code; empty where none is verified", LabResult.loinc),
            Column("comparator", "Empty for the value itself", LabResult.comparator),
            Column("value_millionths", "Value in millionths of the unit", LabResult.value_millionths),
            Column("value_places", "Digits after the point as reported", LabResult.value_places),
            Column("unit", "UCUM code", LabResult.unit),
            Column("low_millionths", "Lower bound of the laboratory's range", LabResult.low_millionths),
            Column("high_millionths", "Upper bound of the laboratory's range", LabResult.high_millionths),
            Column("laboratory", "Its name", LabResult.laboratory),
            Column("taken_at", "Instant in UTC", LabResult.taken_at),
            Column("recorded_at", "Instant in UTC", LabResult.recorded_at),
            Column("recorded_by", "Username", person(LabResult.actor_id)),
            Column("corrects", "The row it stands in for; empty for a first entry", LabResult.corrects_id),
            Column("is_retraction", "yes where it retracts that row", LabResult.is_retraction),
            Column("reason", "Why it was corrected or retracted", LabResult.reason),
        ),
    )


def symptom_scores() -> Exported:
    """Every visit's scores as they were recorded, corrected and retracted ones too."""
    return Exported(
        name="symptom-scores",
        title="Symptom scores",
        row_is="One visit's scores, corrected and retracted ones too",
        permission=_PATIENTS,
        source=SymptomScore,
        order=(SymptomScore.noted_at, SymptomScore.id),
        day=SymptomScore.noted_at,
        patient=SymptomScore.patient_id,
        columns=(
            Column("id", "The row", SymptomScore.id),
            Column("patient", "Record number", record_number(SymptomScore.patient_id)),
            Column("energy", "0 to 10; empty where not asked", SymptomScore.energy),
            Column("skin", "0 to 10; empty where not asked", SymptomScore.skin),
            Column("mood", "0 to 10; empty where not asked", SymptomScore.mood),
            Column("numbness", "0 to 10; empty where not asked", SymptomScore.numbness),
            Column("noted_at", "Instant in UTC", SymptomScore.noted_at),
            Column("recorded_at", "Instant in UTC", SymptomScore.recorded_at),
            Column("recorded_by", "Username", person(SymptomScore.actor_id)),
            Column("corrects", "The row it stands in for; empty for a first entry", SymptomScore.corrects_id),
            Column("is_retraction", "yes where it retracts that row", SymptomScore.is_retraction),
            Column("reason", "Why it was corrected or retracted", SymptomScore.reason),
        ),
    )


def checklist_answers() -> Exported:
    """What was answered on the checklist before a first dose."""
    return Exported(
        name="checklist-answers",
        title="Checklist before the first dose",
        row_is="One answer; the latest to an item holds",
        permission=_PATIENTS,
        source=ChecklistAnswer,
        order=(ChecklistAnswer.recorded_at, ChecklistAnswer.id),
        day=ChecklistAnswer.recorded_at,
        patient=ChecklistAnswer.patient_id,
        columns=(
            Column("patient", "Record number", record_number(ChecklistAnswer.patient_id)),
            Column("item", "Its words then", ChecklistAnswer.item_title),
            Column("answer", "done, not_needed or open", ChecklistAnswer.answer),
            Column("note", "Free text", ChecklistAnswer.note),
            Column("recorded_at", "Instant in UTC", ChecklistAnswer.recorded_at),
            Column("recorded_by", "Username", person(ChecklistAnswer.actor_id)),
        ),
    )


MEASURED = (lab_results, symptom_scores, checklist_answers)
