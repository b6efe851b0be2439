"""The form of a return or a destruction: the paper, and a row for everything that lies there."""

from collections.abc import Sequence
from datetime import date
from typing import Any, cast

from flask import request

from inventory.stock.models import DisposalKind, HoldKind, WasteReason
from inventory.stock.queries import Drawable
from inventory.stock.services.disposals import DISPOSAL_REASONS, MOST_CONTAINERS_OF_A_LINE
from inventory.stock.words import WASTE
from inventory.web.fields import (
    Between,
    ChoiceField,
    CodeField,
    CountField,
    LocalTimeField,
    LongTextField,
    Required,
    SecretField,
    TextField,
    TickField,
)
from inventory.web.forms import ClinicForm, FilterForm
from inventory.web.presenting import site_today

REASON_CHOICES = [(reason.value, WASTE[reason]) for reason in DISPOSAL_REASONS]
_TAKE, _WHY = "take_", "why_"


class StockFilter(FilterForm):
    """What to choose from."""

    location = ChoiceField("Where", blank="Everywhere here")
    what = ChoiceField("What", choices=[("all", "Everything")], blank="Not usable: expired, held, recalled")
    lot = TextField("Lot", limit=40)


class DocumentFilter(FilterForm):
    """Which documents to list."""

    kind = ChoiceField(
        "What",
        choices=[
            (DisposalKind.RETURN.value, "Returned"),
            (DisposalKind.DESTRUCTION.value, "Destroyed"),
        ],
        blank="Returned and destroyed",
    )


class DisposalForm(ClinicForm):
    """What the paper says, and who saw it."""

    supplier = ChoiceField("Supplier", blank="Choose the supplier")
    carrier = TextField("Taken away by", limit=200)
    document_number = CodeField("Document number", [Required("Type the number of the paper.")], limit=60)
    is_checked = TickField("Supplier and number are right, though they look wrong")
    disposed_at = LocalTimeField("When")
    note = LongTextField("Note")
    witness_username = TextField("Witness, user name", limit=80)
    witness_password = SecretField("Witness, password")

    def take_field(self, one: Drawable) -> Any:
        """Return the field that says how many containers go, or whether the vial does."""
        return self[f"{_TAKE}{one.account_id}"]

    def why_field(self, one: Drawable) -> Any:
        """Return the field of the row's reason."""
        return self[f"{_WHY}{one.account_id}"]

    def refuse_what_is_gone(self, offered: Sequence[Drawable]) -> bool:
        """Tell whether something was chosen that is offered no longer, and say so on the form."""
        names = {f"{_TAKE}{one.account_id}" for one in offered}
        chosen = {name for name, value in request.form.items() if name.startswith(_TAKE) and value}
        if chosen <= names:
            return False
        self.add_error(
            None, "CHOICE-INVALID", "Something you had chosen is no longer there. Look at what is left."
        )
        return True


def disposal_form(offered: Sequence[Drawable]) -> DisposalForm:
    """Return the form with a row for each thing that is offered."""
    rows: dict[str, Any] = {}
    today = site_today()
    for one in offered:
        suggested = _suggested(one, today)
        rows[f"{_TAKE}{one.account_id}"] = _take(one)
        rows[f"{_WHY}{one.account_id}"] = ChoiceField(
            "Reason", choices=REASON_CHOICES, blank="Choose a reason", default=suggested
        )
    return cast(DisposalForm, type("DisposalFormOfNow", (DisposalForm,), rows)())


def _take(one: Drawable) -> Any:
    if one.vial is not None:
        return TickField("The vial, with what is left in it")
    return CountField("Containers", [Between(1, MOST_CONTAINERS_OF_A_LINE)])


def _suggested(one: Drawable, today: date) -> str | None:
    """Return the reason that what is known of it suggests, the gravest; a person may choose another."""
    known = (
        (HoldKind.RECALL in one.hold_kinds, WasteReason.RECALL),
        (HoldKind.TEMPERATURE in one.hold_kinds, WasteReason.TEMPERATURE),
        (one.lot.expires_on < today, WasteReason.EXPIRED),
        (one.use_by_on is not None and one.use_by_on < today, WasteReason.PAST_USE_BY),
    )
    return next((reason.value for is_so, reason in known if is_so), None)
