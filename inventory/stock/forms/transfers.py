"""The forms of transfers. Which lines they have depends on what lies at the place it leaves, or on what was sent."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast
from uuid import UUID

from inventory.stock.ledger import Place
from inventory.stock.models import TransferDifference
from inventory.stock.queries import Drawable
from inventory.stock.queries.transfers import SentLine
from inventory.stock.services import MOST_CONTAINERS, Arrival, Arrived, Consignment
from inventory.stock.words import DIFFERENCE_CHOICES
from inventory.web.fields import (
    Between,
    ChoiceField,
    CountField,
    LocalTimeField,
    LongTextField,
    ManyChoiceField,
    RadioChoiceField,
    Required,
    SecretField,
    TextField,
    TickField,
)
from inventory.web.forms import ClinicForm, FilterForm

Form = TypeVar("Form", bound=ClinicForm)


class LeavingFilter(FilterForm):
    """Where stock is sent from."""

    source = ChoiceField("Sent from", blank="Choose a location")


class SendForm(ClinicForm):
    """What is sent, and where to. Its lines are the sealed lots and open vials of the place it leaves."""

    target = ChoiceField("Send to", [Required("Choose where it is sent.")], blank="Choose a location")
    vials = ManyChoiceField("Open vials")
    is_there = TickField("It lies there already: it was carried over within this site")
    sent_at = LocalTimeField("Sent at")
    note = LongTextField("Note")

    def consignment(self, source: Place, target: Place, lot_ids: Iterable[UUID]) -> Consignment:
        """Return what was typed."""
        typed = [(lot_id, self[lot_field(lot_id)].data) for lot_id in lot_ids]
        sealed = tuple((lot_id, containers) for lot_id, containers in typed if containers)
        vial_ids = tuple(UUID(one) for one in self.vials.data or [])
        return Consignment(source, target, sealed, vial_ids, str(self.note.data))


class ReceiveTransferForm(ClinicForm):
    """What came of each line, counted again: how much was sent is not filled in."""

    received_at = LocalTimeField("Received at")
    note = LongTextField("Note")
    witness_username = TextField("Witness, user name", limit=80)
    witness_password = SecretField("Witness, password")

    def arrival(self, lines: Iterable[SentLine], witness_id: UUID | None) -> Arrival:
        """Return what was typed."""
        came = tuple(self._arrived(line) for line in lines)
        return Arrival(came, self.received_at.data, str(self.note.data), witness_id)

    def _arrived(self, line: SentLine) -> Arrived:
        n = line.line.position
        typed = self[f"difference_{n}"].data
        difference = TransferDifference(typed) if typed else None
        return Arrived(n, int(self[f"came_{n}"].data), difference, str(self[f"note_{n}"].data))


def lot_field(lot_id: UUID) -> str:
    """Return the name of the field for the containers of a lot."""
    return f"lot_{lot_id.hex}"


def send_form(held: Sequence[Drawable], **data: Any) -> SendForm:
    """Return the form with a line for each lot and vial that lies at the place it leaves."""
    counts = {
        lot_field(one.lot.id): CountField(f"Lot {one.lot.lot_number}", [Between(0, MOST_CONTAINERS)])
        for one in held
        if one.vial is None
    }
    form = _with_fields(SendForm, counts, data)
    vials = [one for one in held if one.vial is not None]
    form.vials.offer((str(one.vial.id), vial_words(one)) for one in vials if one.vial)
    return form


def vial_words(one: Drawable) -> str:
    """Return an open vial as it is offered: its label, its lot, what is left in it."""
    label = one.vial.label_number if one.vial else ""
    return f"Vial {label}, {one.product.name}, lot {one.lot.lot_number}"


def receive_form(lines: Sequence[SentLine]) -> ReceiveTransferForm:
    """Return the form that asks of each line what came, and why not all."""
    fields: dict[str, Any] = {}
    for line in lines:
        n, what = line.line.position, line_words(line)
        fields[f"came_{n}"] = _came(line, what)
        fields[f"difference_{n}"] = ChoiceField(
            f"{what}: what became of the rest", choices=DIFFERENCE_CHOICES, blank="All of it came"
        )
        fields[f"note_{n}"] = TextField(f"{what}: in words", limit=200)
    return _with_fields(ReceiveTransferForm, fields, {})


def line_words(line: SentLine) -> str:
    """Return what a line is of: a lot, or the label of a vial."""
    return f"Vial {line.label_number}" if line.line.vial_id else f"Lot {line.lot_number}"


def _came(line: SentLine, what: str) -> Any:
    if line.line.vial_id:
        choices = [("1", "It came"), ("0", "It did not come")]
        return RadioChoiceField(what, [Required("Say whether the vial came.")], choices=choices)
    return CountField(what, [Required("Count what came. Type 0 if nothing did.")])


def _with_fields(base: type[Form], fields: Mapping[str, Any], data: dict[str, Any]) -> Form:
    made = type(base.__name__, (base,), dict(fields))
    return cast(Form, made(data=data or None))
