"""What somebody asks a reconciliation for. Where nothing is asked, it is this month at this site, lot by lot."""

from datetime import date
from uuid import UUID

from flask import request
from werkzeug.datastructures import MultiDict

from inventory.stock.queries.scopes import Wanted
from inventory.web.fields import ChoiceField, CodeField, DateField, Required
from inventory.web.forms import FilterForm

LEVELS = [("lot", "Lot by lot"), ("vial", "Vial by vial")]


class ReconciliationFilter(FilterForm):
    """Days, both included, and what of the stock."""

    first_day = DateField("From", [Required("Choose the first day.")])
    last_day = DateField("To", [Required("Choose the last day.")])
    site_code = ChoiceField("Site", blank="All sites")
    formulation_id = ChoiceField("Formulation", blank="All formulations")
    lot_number = CodeField("Lot number", limit=40)
    level = ChoiceField("Shown", choices=LEVELS)

    def __init__(self, *, site_code: str, today: date) -> None:
        """Read the query string, with what is asked where it says nothing."""
        usual = {
            "site_code": site_code,
            "first_day": today.replace(day=1).isoformat(),
            "last_day": today.isoformat(),
            "level": "lot",
        }
        asked = MultiDict((name, value) for name, value in usual.items() if name not in request.args)
        asked.update(request.args)
        # Not FilterForm's own, which reads the query string alone.
        super(FilterForm, self).__init__(formdata=asked)

    @property
    def wanted(self) -> Wanted:
        """What the validated filter asks for."""
        assert self.first_day.data  # noqa: S101 - Required, and validated
        assert self.last_day.data  # noqa: S101
        return Wanted(
            first_day=self.first_day.data,
            last_day=self.last_day.data,
            site_code=self.site_code.data or "",
            formulation_id=UUID(self.formulation_id.data) if self.formulation_id.data else None,
            lot_number=str(self.lot_number.data or ""),
        )
