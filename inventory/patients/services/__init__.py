"""What is done to a patient's record: add, edit, alerts, allergies, consent, state, merge. Each leaves its entry in the trail (law 10)."""

from inventory.patients.services.alerts import (
    LIFTED_BY_PRESCRIBER,
    NOTED_BY_PRESCRIBER,
    Named,
    add_alert,
    resolve_alert,
    set_allergies,
)
from inventory.patients.services.consents import record_consent
from inventory.patients.services.merging import merge_records, undo_merge
from inventory.patients.services.people import Identity, add_patient, edit_patient
from inventory.patients.services.states import set_state

__all__ = [
    "LIFTED_BY_PRESCRIBER",
    "NOTED_BY_PRESCRIBER",
    "Identity",
    "Named",
    "add_alert",
    "add_patient",
    "edit_patient",
    "merge_records",
    "record_consent",
    "resolve_alert",
    "set_allergies",
    "set_state",
    "undo_merge",
]
