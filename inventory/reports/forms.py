"""The form that asks for an administration report."""

from uuid import UUID

from inventory.doses.rules.terms import BODY_SITE_WORDS, BodySite
from inventory.reports.queries.requests import Asked
from inventory.web.fields import ChoiceField, CodeField, DateField, Required
from inventory.web.forms import ClinicForm


class AdministrationReportForm(ClinicForm):
    """Days and filters. What is left open lets everything through."""

    first_day = DateField("From", [Required("Choose the first day.")])
    last_day = DateField("To", [Required("Choose the last day.")])
    site_code = ChoiceField("Site", blank="All sites")
    giver_id = ChoiceField("Practitioner", blank="All practitioners")
    patient_record_number = CodeField("Patient's record number", limit=40)
    formulation_id = ChoiceField("Formulation", blank="All formulations")
    lot_number = CodeField("Lot number", limit=40)
    body_site = ChoiceField(
        "Injection site",
        choices=[(site.value, words) for site, words in BODY_SITE_WORDS.items()],
        blank="All injection sites",
    )

    def asked(self) -> Asked:
        """What the validated form asks for."""
        assert self.first_day.data  # noqa: S101 - Required, and validated
        assert self.last_day.data  # noqa: S101
        return Asked(
            first_day=self.first_day.data,
            last_day=self.last_day.data,
            site_code=self.site_code.data or "",
            giver_id=_id(self.giver_id.data),
            patient_record_number=self.patient_record_number.data or "",
            formulation_id=_id(self.formulation_id.data),
            lot_number=self.lot_number.data or "",
            body_site=BodySite(self.body_site.data) if self.body_site.data else None,
        )


def _id(chosen: str | None) -> UUID | None:
    return UUID(chosen) if chosen else None
