"""Filters of the lists of doses and incidents."""

from inventory.web.fields import ChoiceField, CodeField, DateField
from inventory.web.forms import FilterForm

MARKS = (
    ("late", "Late entries"),
    ("deviation", "Deviations"),
    ("override", "Overrides"),
    ("void", "Void and amended"),
)
STATES = (("open", "Open"), ("due", "Follow-up due"), ("closed", "Closed"), ("all", "All"))


class DosesFilter(FilterForm):
    """Finds doses of this site. A patient is named by record number, never by name: filters stand in the address."""

    from_on = DateField("From")
    to_on = DateField("To")
    record_number = CodeField("Patient's record number", limit=40)
    lot_number = CodeField("Lot number", limit=40)
    marked = ChoiceField("Marked", choices=MARKS, blank="All doses")


class IncidentsFilter(FilterForm):
    """Finds incidents."""

    state = ChoiceField("State", choices=STATES, default="open")
