"""The form of a reorder rule."""

from inventory.reorder.services import MOST
from inventory.web.fields import Between, CountField, Required
from inventory.web.forms import ClinicForm


class LevelsForm(ClinicForm):
    """When to order, and up to how much, in sealed containers."""

    reorder_point = CountField(
        "Order when usable containers fall to", [Required("Type a number, 0 or more."), Between(0, MOST)]
    )
    order_up_to = CountField("Order up to", [Required("Type a number."), Between(1, MOST)])
