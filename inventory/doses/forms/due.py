"""The filters of the due list, read into what is asked for."""

from datetime import date, timedelta
from uuid import UUID

from inventory.clinic.current import current_site, sites_here
from inventory.doses.presenters.due import DUE_WORDS
from inventory.doses.queries.due import Wanted
from inventory.doses.queries.lists import formulations
from inventory.doses.rules.due import NEXT_DAYS, Due
from inventory.kernel.db import db
from inventory.web.fields import ChoiceField, CodeField, DateField
from inventory.web.forms import FilterForm

ALL_SITES = "all"
YEARS_AHEAD = timedelta(days=366 * 3)
"""How far a day may be looked up."""


class DueFilter(FilterForm):
    """Finds due doses. A patient is named by record number, never by name: filters stand in the address."""

    when = ChoiceField("When", choices=[(one.value, words) for one, words in DUE_WORDS.items()], blank="All")
    on = DateField("Due on")
    formulation_id = ChoiceField("What", blank="All formulations")
    record_number = CodeField("Patient's record number", limit=40)
    site = ChoiceField("Site", blank="This site")

    def wanted(self, today: date) -> Wanted:
        """Return what the valid filters ask for on the day `today`."""
        first, last = self._days(today)
        return Wanted(
            site_ids=self.site_ids,
            first_on=first,
            last_on=last,
            formulation_id=UUID(self.formulation_id.data) if self.formulation_id.data else None,
            record_number=str(self.record_number.data),
        )

    @property
    def site_ids(self) -> list[UUID]:
        """The sites whose doses are asked for: this one, another of the person's, or all of theirs."""
        if self.site.data == ALL_SITES:
            return [site.id for site in sites_here()]
        return [UUID(self.site.data) if self.site.data else current_site().id]

    def _days(self, today: date) -> tuple[date | None, date]:
        if self.on.data:
            return self.on.data, self.on.data
        ahead = today + timedelta(days=NEXT_DAYS)
        return {
            Due.OVERDUE.value: (None, today - timedelta(days=1)),
            Due.TODAY.value: (today, today),
            Due.NEXT.value: (today + timedelta(days=1), ahead),
        }.get(self.when.data or "", (None, ahead))


def due_filter() -> DueFilter:
    """Return the filters of this request, with the sites and formulations there are."""
    form, sites = DueFilter(), sites_here()
    form.formulation_id.offer((one.id, one.name) for one in formulations(db.session()))
    every = [(ALL_SITES, "All sites" if len(sites) > 1 else "This site")]
    form.site.offer([*((site.id, site.name) for site in sites), *(every if len(sites) > 1 else [])])
    return form


class MonthFilter(FilterForm):
    """The month of the calendar, named by any of its days."""

    month = DateField("Month")

    def first_on(self, today: date) -> date:
        """Return the first day of the month that is asked for; of the present one where that is no month near it."""
        asked = self.month.data if self.validate() else None
        is_near = asked is not None and abs(asked - today) <= YEARS_AHEAD
        return (asked if asked and is_near else today).replace(day=1)
