"""Every write to the record of doses. Laws kept here: one act one transaction, one gate, the record is a snapshot."""

from inventory.doses.services.blocks import record_block
from inventory.doses.services.correcting import amend_dose, assess_amendment, draws_of, giver_of, void_dose
from inventory.doses.services.decisions import Decisions, Override
from inventory.doses.services.dedicating import dedicate_vial
from inventory.doses.services.gate_rules import change_gate_rule
from inventory.doses.services.incidents import NextStep, close_incident, note_incident
from inventory.doses.services.lot_correction import correct_lot
from inventory.doses.services.not_given import NotGivenRequest, record_not_given
from inventory.doses.services.recording import record_dose

__all__ = [
    "Decisions",
    "NextStep",
    "NotGivenRequest",
    "Override",
    "amend_dose",
    "assess_amendment",
    "change_gate_rule",
    "close_incident",
    "correct_lot",
    "dedicate_vial",
    "draws_of",
    "giver_of",
    "note_incident",
    "record_block",
    "record_dose",
    "record_not_given",
    "void_dose",
]
