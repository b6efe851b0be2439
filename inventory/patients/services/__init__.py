"""What is done to a patient's record: add, edit, alerts, allergies, consent, results, scores, checklist, state, merge. Each leaves its entry in the trail (law 10)."""

from inventory.patients.services.alerts import (
    LIFTED_BY_PRESCRIBER,
    NOTED_BY_PRESCRIBER,
    Named,
    add_alert,
    resolve_alert,
    set_allergies,
)
from inventory.patients.services.background import set_background
from inventory.patients.services.checklist import Answered, Item, add_item, answer_checklist, edit_item
from inventory.patients.services.consents import record_consent
from inventory.patients.services.labs import Reading, Sample, correct_lab, record_labs, retract_lab
from inventory.patients.services.merging import merge_records, undo_merge
from inventory.patients.services.people import Identity, add_patient, edit_patient
from inventory.patients.services.scores import Scores, correct_scores, record_scores, retract_scores
from inventory.patients.services.states import set_state

__all__ = [
    "LIFTED_BY_PRESCRIBER",
    "NOTED_BY_PRESCRIBER",
    "Answered",
    "Identity",
    "Item",
    "Named",
    "Reading",
    "Sample",
    "Scores",
    "add_alert",
    "add_item",
    "add_patient",
    "answer_checklist",
    "correct_lab",
    "correct_scores",
    "edit_item",
    "edit_patient",
    "merge_records",
    "record_consent",
    "record_labs",
    "record_scores",
    "resolve_alert",
    "retract_lab",
    "retract_scores",
    "set_allergies",
    "set_background",
    "set_state",
    "undo_merge",
]
