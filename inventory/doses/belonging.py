"""To which site belongs what is recorded of doses: where it was given, or was to be. Patients are the clinic's."""

from sqlalchemy import select

from inventory.clinic.sight import belongs, of_column
from inventory.doses.models import Dose, Incident, NotGiven

belongs("dose_id", "dose", of_column(lambda key: select(Dose.site_id).where(Dose.id == key)))
belongs("incident_id", "incident", of_column(lambda key: select(Incident.site_id).where(Incident.id == key)))
belongs("record_id", "record", of_column(lambda key: select(NotGiven.site_id).where(NotGiven.id == key)))
