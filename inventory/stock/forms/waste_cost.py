"""Of which months and sites the cost of waste is shown."""

from datetime import date, timedelta
from typing import Any

from inventory.web.fields import ChoiceField, DateField
from inventory.web.forms import FilterForm
from inventory.web.presenting import site_today

LONGEST = timedelta(days=3_660)
"""About ten years at once."""


class WasteCostFilter(FilterForm):
    """A period and a site; twelve months at every site where nothing is chosen."""

    from_on = DateField("From")
    to_on = DateField("To")
    site = ChoiceField("Site", blank="All sites")

    def validate(self, extra_validators: Any = None) -> bool:
        """The period is in order and no longer than ten years."""
        good = super().validate(extra_validators)
        if not good:
            return False
        first, last = self.period
        if first > last:
            self.add_error("from_on", "PERIOD-ORDER", "The first day is after the last.")
        elif last - first > LONGEST:
            self.add_error("from_on", "PERIOD-LONG", "Choose at most ten years at once.")
        if not self.errors:
            # The fields show the period that applies, also where none was chosen.
            self.from_on.data, self.to_on.data = first, last
        return not self.errors

    @property
    def period(self) -> tuple[date, date]:
        """The first and the last day: without any choice this month and the eleven before it."""
        last: date = self.to_on.data or site_today()
        return self.from_on.data or _a_year_before(last), last


def _a_year_before(day: date) -> date:
    month = day.year * 12 + day.month - 1 - 11
    return date(max(month // 12, 1), month % 12 + 1, 1)
