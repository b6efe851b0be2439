"""The check of two identifiers at the chair: ticked, or typed as the patient says them, as the clinic's setting asks.

Asked before giving only: afterwards nobody is at the chair any more.
"""

from typing import Any
from uuid import UUID

from inventory.clinic.current import settings_here
from inventory.doses.rules.terms import EntryMode, IdentityCheck
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.patients.queries import get_patient, records_of
from inventory.patients.rules import agrees

OFF, TYPE = "off", "type"


def identified(form: Any, patient_id: UUID, mode: EntryMode) -> dict[str, Any]:
    """Return how the giver confirmed who the patient is, for a request. Raises Refusal IDENTITY-CHECK, IDENTITY-DIFFERS."""
    asks = settings_here().identity_check if mode is EntryMode.ABOUT_TO_GIVE else OFF
    if asks == OFF:
        return {"identity_check": None}
    if asks == TYPE:
        return {"identity_check": _typed(form, patient_id)}
    if not form.identity_ticked.data:
        said = "Ask the patient for name and date of birth, compare both with the record, then tick this."
        raise Refusal("IDENTITY-CHECK", said, "identity_ticked")
    return {"identity_check": IdentityCheck.TICKED}


def _typed(form: Any, patient_id: UUID) -> IdentityCheck:
    name, other = str(form.identity_name.data or ""), str(form.identity_other.data or "")
    for text, field in ((name, "identity_name"), (other, "identity_other")):
        if not text.strip():
            raise Refusal("IDENTITY-CHECK", "Ask the patient, and type what they say.", field)
    records = [get_patient(db.session(), one) for one in records_of(patient_id)]
    if not any(agrees(name, other, one.full_name, one.born_on, one.record_number) for one in records):
        said = "This is not what the record says. Stop, and find out whether this is the right patient."
        raise Refusal("IDENTITY-DIFFERS", said, "identity_other")
    return IdentityCheck.TYPED
