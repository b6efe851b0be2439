"""The form with which a vial is kept for one patient: two identifiers, as before a dose."""

from uuid import UUID

from sqlalchemy.orm import Session

from inventory.kernel.errors import Refusal
from inventory.patients.queries import get_patient, patient_numbered, records_of
from inventory.web.fields import CodeField, DateField, Required
from inventory.web.forms import ClinicForm


class DedicateForm(ClinicForm):
    """For whom alone the vial is kept."""

    record_number = CodeField(
        "Patient's record number", [Required("Type the patient's record number.")], limit=40
    )
    born_on = DateField("Date of birth", [Required("Type the patient's date of birth.")])

    def patient_id(self, session: Session) -> UUID:
        """Return the patient that was named. Raises Refusal PATIENT-UNKNOWN unless both identifiers are theirs."""
        found = patient_numbered(session, str(self.record_number.data))
        if found is None or self.born_on.data not in {
            get_patient(session, one).born_on for one in records_of(found)
        }:
            said = "No patient has this record number and this date of birth."
            raise Refusal("PATIENT-UNKNOWN", said, "record_number")
        return found
