"""The forms of temperatures: one reading, a logger's file, and what becomes of an excursion."""

from pathlib import PureWindowsPath
from typing import Any

from flask import request
from wtforms import FileField, HiddenField

from inventory.stock.logger_files import MOST_BYTES, DayOrder, Unit
from inventory.stock.models import ExcursionDecision
from inventory.web.fields import (
    AmountField,
    Between,
    LocalTimeField,
    LongTextField,
    RadioChoiceField,
    Required,
    TextField,
)
from inventory.web.forms import ClinicForm
from inventory.web.typed_text import TEXT_LIMIT, without_unseen

DECISION_CHOICES = [
    (ExcursionDecision.RELEASE.value, "Release: it may be used"),
    (ExcursionDecision.CONDEMN.value, "Condemn: it stays on hold until it is returned, wasted or destroyed"),
]


class UploadField(FileField):
    """A file that was chosen: `data` is its bytes, one more than allowed at most, and `filename` what it was called."""

    filename = ""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the file beside the typed fields; no file is None."""
        chosen = request.files.get(self.name)
        self.data = None
        if chosen is not None and chosen.filename:
            self.filename = without_unseen(PureWindowsPath(chosen.filename).name)[:TEXT_LIMIT]
            self.data = chosen.stream.read(MOST_BYTES + 1)
            chosen.close()


class TemperatureForm(ClinicForm):
    """One temperature, as read."""

    temperature = AmountField(
        "Temperature",
        [Required("Type the temperature."), Between(-100, 100, "From -100 to 100 degrees Celsius.")],
        places=1,
    )
    read_at = LocalTimeField("Read at")
    note = TextField("Note", limit=200)


class LoggerForm(ClinicForm):
    """A logger's file, and what it does not say of itself."""

    file = UploadField("File of the logger", [Required("Choose the file.")])
    day_order = RadioChoiceField(
        "A date such as 03/04/2026 is",
        choices=[(DayOrder.DAY_FIRST.value, "3 April"), (DayOrder.MONTH_FIRST.value, "4 March")],
        default=DayOrder.DAY_FIRST.value,
    )
    unit = RadioChoiceField(
        "Degrees",
        choices=[(Unit.CELSIUS.value, "Celsius"), (Unit.FAHRENHEIT.value, "Fahrenheit")],
        default=Unit.CELSIUS.value,
    )


class LoggerConfirmForm(ClinicForm):
    """What was read from the file, sealed, waiting to be confirmed."""

    draft = HiddenField()


class DecisionForm(ClinicForm):
    """What becomes of stock that was outside its limits, and why."""

    decision = RadioChoiceField("Decision", [Required("Choose the decision.")], choices=DECISION_CHOICES)
    note = LongTextField("Reason", [Required("Say why in words.")])
