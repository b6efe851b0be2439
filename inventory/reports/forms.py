"""The forms that ask for reports."""

from uuid import UUID

from inventory.catalogue.queries import formulations
from inventory.clinic.current import current_site, sites_here
from inventory.doses.rules.terms import BODY_SITE_WORDS, BodySite
from inventory.kernel.db import db
from inventory.reports.queries.requests import Asked
from inventory.stock.forms.reconciliation import LEVELS, ReconciliationFilter
from inventory.stock.queries.scopes import Wanted
from inventory.web.fields import ChoiceField, CodeField, DateField, Required
from inventory.web.forms import ClinicForm
from inventory.web.presenting import site_today


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


class ReconciliationForm(ClinicForm):
    """Days and filters of a reconciliation that is issued."""

    first_day = DateField("From", [Required("Choose the first day.")])
    last_day = DateField("To", [Required("Choose the last day.")])
    site_code = ChoiceField("Site", blank="All sites")
    formulation_id = ChoiceField("Formulation", blank="All formulations")
    lot_number = CodeField("Lot number", limit=40)
    level = ChoiceField("Shown", choices=LEVELS)

    @property
    def wanted(self) -> Wanted:
        """What the validated form asks for."""
        assert self.first_day.data  # noqa: S101 - Required, and validated
        assert self.last_day.data  # noqa: S101
        return Wanted(
            first_day=self.first_day.data,
            last_day=self.last_day.data,
            site_code=self.site_code.data or "",
            formulation_id=_id(self.formulation_id.data),
            lot_number=str(self.lot_number.data or ""),
        )

    @property
    def by_part(self) -> bool:
        """Whether each vial is told too."""
        return str(self.level.data) == "vial"


def reconciliation_form() -> ReconciliationForm:
    """Return the form of a reconciliation, with what its page showed that led here."""
    seen = ReconciliationFilter(site_code=current_site().code, today=site_today())
    names = ("first_day", "last_day", "site_code", "formulation_id", "lot_number", "level")
    form = ReconciliationForm(**{name: seen[name].data for name in names})
    form.site_code.offer((site.code, f"{site.name} ({site.code})") for site in sites_here())
    form.formulation_id.offer((str(one.id), one.name) for one in formulations(db.session()))
    return form


def _id(chosen: str | None) -> UUID | None:
    return UUID(chosen) if chosen else None
