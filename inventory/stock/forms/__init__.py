"""The forms of stock. Instants left empty mean now."""

from decimal import Decimal

from wtforms import HiddenField

from inventory.catalogue.forms import ScanField, SoughtField
from inventory.catalogue.gs1 import SCAN_LIMIT
from inventory.stock import words
from inventory.stock.rules import LOT_NUMBER_LIMIT
from inventory.stock.services import MOST_CONTAINERS
from inventory.web.fields import (
    AmountField,
    Between,
    ChoiceField,
    CodeField,
    CountField,
    ExpiryField,
    LocalTimeField,
    LongTextField,
    RadioChoiceField,
    Required,
    SecretField,
    TextField,
    TickField,
    VolumeField,
)
from inventory.web.forms import ClinicForm, FilterForm


class ShelfFilter(FilterForm):
    """What of the shelf to show."""

    q = SoughtField("Lot, product or maker, or a scan", limit=SCAN_LIMIT)
    formulation = ChoiceField("Formulation", blank="All formulations")
    location = ChoiceField("Location", blank="All locations")
    state = ChoiceField(
        "State",
        choices=[
            ("usable", "Usable"),
            ("near", "Expires soon"),
            ("expired", "Expired or past use-by"),
            ("held", "On hold or recalled"),
            ("not-for-injection", "Not for injection here"),
        ],
        blank="All states",
    )


class LotFilter(FilterForm):
    """Which of all lots to show."""

    q = SoughtField("Lot, product or maker, or a scan", limit=SCAN_LIMIT)


class ReceiveForm(ClinicForm):
    """One line of a delivery. `scans` are those that were read into it, as `gs1.read_scans` takes them."""

    scan = ScanField("Scan the pack")
    scans = HiddenField()
    without_scan = TickField("Leave out what was scanned")
    product = ChoiceField("Product", [Required("Choose the product.")], blank="Choose a product")
    lot_number = CodeField(
        "Lot number", [Required("Type the lot number as printed.")], limit=LOT_NUMBER_LIMIT
    )
    expires_on = ExpiryField("Expiry", [Required("Type the expiry as printed.")])
    containers = CountField("How many", [Required("Type how many came."), Between(1, MOST_CONTAINERS)])
    unit = RadioChoiceField(
        "Counted in", choices=[("containers", "Containers"), ("packs", "Packs")], default="containers"
    )
    location = ChoiceField("Put into", [Required("Choose where it is put.")], blank="Choose a location")
    supplier = ChoiceField("Supplier", blank="Not recorded")
    new_supplier = TextField("Or a new supplier", limit=200)
    document_number = CodeField("Delivery note", limit=60)
    price = AmountField("Price of one container", [Between(Decimal(0), Decimal(1_000_000))])
    received_at = LocalTimeField("Received at")
    hold_expired = TickField("It has expired: put it on hold for return or waste")


class OpenForm(ClinicForm):
    """Which container is opened, and when."""

    location = ChoiceField("Taken from", [Required("Choose where it is taken from.")])
    opened_at = LocalTimeField("Opened at")


class WitnessedForm(ClinicForm):
    """Waste, and who saw it where the clinic asks for a witness."""

    note = LongTextField("What happened")
    occurred_at = LocalTimeField("Wasted at")
    witness_username = TextField("Witness, user name", limit=80)
    witness_password = SecretField("Witness, password")


class WasteSealedForm(WitnessedForm):
    """Sealed containers that are wasted."""

    location = ChoiceField("Taken from", [Required("Choose where they are taken from.")])
    containers = CountField(
        "Containers", [Required("Type how many containers."), Between(1, MOST_CONTAINERS)]
    )
    reason = ChoiceField(
        "Reason",
        [Required("Choose the reason.")],
        blank="Choose a reason",
    )


class WasteVialForm(WitnessedForm):
    """Part of a vial that is wasted."""

    volume = VolumeField("How much", [Required("Type how much was wasted.")])
    reason = ChoiceField(
        "Reason",
        [Required("Choose the reason.")],
        blank="Choose a reason",
    )


class DiscardForm(WitnessedForm):
    """A vial that is discarded with what is left in it."""

    reason = ChoiceField(
        "Reason",
        [Required("Choose the reason.")],
        blank="Choose a reason",
    )


class HoldForm(ClinicForm):
    """Why a lot must not be used."""

    kind = RadioChoiceField(
        "Kind", [Required("Choose the kind.")], choices=words.HOLD_CHOICES, default="hold"
    )
    part = ChoiceField("What of it", blank="The whole lot, everywhere")
    reason = LongTextField("Reason", [Required("Say why in words.")])


class ReasonForm(ClinicForm):
    """A reason in words."""

    reason = LongTextField("Reason", [Required("Say why in words.")])


class DifferenceForm(ClinicForm):
    """What is really there, against what is recorded."""

    direction = RadioChoiceField(
        "What was found out",
        [Required("Choose whether there is more or less.")],
        choices=words.DIRECTION_CHOICES,
    )
    note = LongTextField("What happened", [Required("Say in words what happened.")])
    approver_username = TextField("Second person, user name", limit=80)
    approver_password = SecretField("Second person, password")


class AdjustShelfForm(DifferenceForm):
    """Sealed containers found or missing."""

    location = ChoiceField("Where", [Required("Choose the location.")])
    containers = CountField(
        "Containers", [Required("Type how many containers."), Between(1, MOST_CONTAINERS)]
    )
    reason = ChoiceField(
        "Reason",
        [Required("Choose the reason.")],
        choices=words.SHELF_ADJUST_CHOICES,
        blank="Choose a reason",
    )


class AdjustVialForm(DifferenceForm):
    """Volume found or missing in an open vial."""

    volume = VolumeField("How much", [Required("Type how much.")])
    reason = ChoiceField(
        "Reason",
        [Required("Choose the reason.")],
        choices=words.VIAL_ADJUST_CHOICES,
        blank="Choose a reason",
    )
